"""Who may ask: people with roles, what clients were given on their behalf, and how often.

Whatever changes what a token may is told on the channel `hub_access`, so that every process looks
again at once.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

SERVICE = "customer_service"
READS = (
    "customers:read", "contacts:read", "orders:read", "interactions:read", "profiles:read",
    "products:read", "stores:read",
)  # fmt: skip
EXPLAINED = ("consents:read", "sources:read")
WRITES = ("customers:write", "consents:write", "identity:decide")
PURPOSES = (
    SERVICE, "analytics", "profiling", "email_marketing", "sms_marketing", "phone_marketing",
    "ads_audiences", "ads_personalization", "partner_sharing", "data_subject_rights",
)  # fmt: skip
ROLES = (
    (
        "administrator",
        "Administrator",
        (
            *READS, *EXPLAINED, *WRITES, "integrations:read", "integrations:manage",
            "segments:write", "audiences:run", "webhooks:manage", "privacy:manage", "audit:read",
            "admin",
        ),
        PURPOSES,
    ),
    (
        "integration_operator",
        "Integration operator",
        ("integrations:read", "integrations:manage", "products:read", "stores:read"),
        (SERVICE,),
    ),
    (
        "ad_operations",
        "Ad operations",
        (*READS, "integrations:read", "segments:write", "audiences:run"),
        ("analytics", "profiling", "ads_audiences", "ads_personalization"),
    ),
    ("support", "Support", (*READS, *EXPLAINED, *WRITES), (SERVICE,)),
    (
        "data_protection_officer",
        "Data protection officer",
        (*READS, *EXPLAINED, "consents:write", "integrations:read", "privacy:manage", "audit:read"),
        (SERVICE, "data_subject_rights"),
    ),
    ("reader", "Reader", READS, (SERVICE, "analytics")),
)  # fmt: skip
"""Key, title, scopes and purposes of the roles that a deployment begins with."""

TELL = """
CREATE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_notify('hub_access', ''); RETURN NULL; END $$
"""
TELLING = (
    (
        "oauth_client",
        "DELETE OR UPDATE OF name, scopes, purposes, expires_at, disabled_at, cost_per_second,"
        " requests_per_second",
    ),
    ("oauth_grant", "DELETE OR UPDATE OF scopes, purposes, ended_at"),
    ("revoked_token", "INSERT"),
    ("signing_key", "INSERT OR DELETE OR UPDATE OF retired_at"),
    ("role", "DELETE OR UPDATE"),
    ("user_role", "INSERT OR DELETE"),
    ('"user"', "DELETE OR UPDATE OF name, claimed_roles, disabled_at"),
)
"""Tables, and what is told of them: nothing that happens with every token."""

ERASED = """
CREATE FUNCTION customer_erased() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE oauth_grant SET ended_at = now(), ended_for = 'erased'
     WHERE customer_id = OLD.id AND ended_at IS NULL;
    RETURN NULL;
END $$
"""
ERASING = (
    "CREATE TRIGGER customer_erased AFTER UPDATE OF erased_at ON customer FOR EACH ROW"
    " WHEN (NEW.erased_at IS NOT NULL AND OLD.erased_at IS NULL)"
    " EXECUTE FUNCTION customer_erased()",
    "CREATE TRIGGER customer_gone AFTER DELETE ON customer FOR EACH ROW"
    " EXECUTE FUNCTION customer_erased()",
)
"""Whoever is erased is acted for no longer, whichever way they are erased."""


def upgrade() -> None:
    _extend_clients()
    _create_people()
    _create_grants()
    _create_limits()
    op.execute(TELL)
    for table, change in TELLING:
        name = f"{table.strip(chr(34))}_changed"
        op.execute(
            f"CREATE TRIGGER {name} AFTER {change} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION access_changed()"
        )
    for statement in (ERASED, *ERASING):
        op.execute(statement)
    role = sa.table(
        "role",
        sa.column("key"),
        sa.column("title"),
        sa.column("scopes", postgresql.ARRAY(sa.Text())),
        sa.column("purposes", postgresql.ARRAY(sa.Text())),
    )
    op.bulk_insert(
        role,
        [
            {"key": key, "title": title, "scopes": list(scopes), "purposes": list(purposes)}
            for key, title, scopes, purposes in ROLES
        ],
    )


def _extend_clients() -> None:
    op.add_column("oauth_client", sa.Column("title", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "oauth_client", sa.Column("auth_method", sa.Text(), server_default="secret", nullable=False)
    )
    op.add_column("oauth_client", sa.Column("secret_hash", sa.LargeBinary(), nullable=True))
    op.add_column("oauth_client", sa.Column("old_secret_hash", sa.LargeBinary(), nullable=True))
    op.add_column(
        "oauth_client", sa.Column("old_secret_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "oauth_client", sa.Column("jwks", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.add_column(
        "oauth_client",
        sa.Column(
            "grant_types",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column(
        "oauth_client",
        sa.Column(
            "redirect_uris",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column(
        "oauth_client",
        sa.Column("is_own", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("oauth_client", sa.Column("cost_per_second", sa.BigInteger(), nullable=True))
    op.add_column("oauth_client", sa.Column("requests_per_second", sa.BigInteger(), nullable=True))
    op.add_column(
        "oauth_client", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "oauth_client", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True)
    )


def _create_people() -> None:
    op.create_table(
        "role",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("purposes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "claims", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_role")),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("must_change", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "claimed_roles",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("name", name=op.f("uq_user_name")),
    )
    op.create_index("uq_user_issuer_subject", "user", ["issuer", "subject"], unique=True)
    op.create_table(
        "user_role",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["role_key"], ["role.key"], name=op.f("fk_user_role_role_key"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_user_role_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "role_key", name=op.f("pk_user_role")),
    )
    op.create_table(
        "user_session",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_user_session_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
    )
    op.create_index(
        op.f("ix_user_session_expires_at"), "user_session", ["expires_at"], unique=False
    )
    op.create_index(op.f("ix_user_session_user_id"), "user_session", ["user_id"], unique=False)


def _create_grants() -> None:
    op.create_table(
        "oauth_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("purposes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_for", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["oauth_client.id"],
            name=op.f("fk_oauth_grant_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_oauth_grant_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_grant")),
    )
    op.create_index(op.f("ix_oauth_grant_client_id"), "oauth_grant", ["client_id"], unique=False)
    op.create_index(op.f("ix_oauth_grant_expires_at"), "oauth_grant", ["expires_at"], unique=False)
    op.create_index(
        "ix_oauth_grant_of_customer",
        "oauth_grant",
        ["customer_id"],
        unique=False,
        postgresql_where=sa.text("customer_id IS NOT NULL AND ended_at IS NULL"),
    )
    op.create_index(op.f("ix_oauth_grant_user_id"), "oauth_grant", ["user_id"], unique=False)
    op.create_table(
        "oauth_code",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("is_redirect_said", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["oauth_client.id"],
            name=op.f("fk_oauth_code_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["oauth_grant.id"],
            name=op.f("fk_oauth_code_grant_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_oauth_code_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_oauth_code")),
    )
    op.create_index(op.f("ix_oauth_code_expires_at"), "oauth_code", ["expires_at"], unique=False)
    op.create_table(
        "oauth_token",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["oauth_grant.id"],
            name=op.f("fk_oauth_token_grant_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_oauth_token")),
    )
    op.create_index(op.f("ix_oauth_token_expires_at"), "oauth_token", ["expires_at"], unique=False)
    op.create_index(op.f("ix_oauth_token_grant_id"), "oauth_token", ["grant_id"], unique=False)
    op.create_table(
        "revoked_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revoked_token")),
    )
    op.create_index(
        op.f("ix_revoked_token_expires_at"), "revoked_token", ["expires_at"], unique=False
    )
    op.create_table(
        "client_assertion",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["oauth_client.id"],
            name=op.f("fk_client_assertion_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", "jti", name=op.f("pk_client_assertion")),
    )
    op.create_index(
        op.f("ix_client_assertion_expires_at"), "client_assertion", ["expires_at"], unique=False
    )


def _create_limits() -> None:
    op.create_table(
        "throttle",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_throttle")),
    )
    op.create_index(op.f("ix_throttle_failed_at"), "throttle", ["failed_at"], unique=False)
    op.create_table(
        "rate_budget",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("cost_left", sa.Double(), nullable=False),
        sa.Column("requests_left", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["oauth_client.id"],
            name=op.f("fk_rate_budget_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_rate_budget")),
    )
    op.add_column(
        "credential", sa.Column("token_due_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("credential", sa.Column("leave", sa.LargeBinary(), nullable=True))
    op.add_column(
        "credential",
        sa.Column("leave_version", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.create_table(
        "connection_request",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integration.id"],
            name=op.f("fk_connection_request_integration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_request")),
    )
    op.create_index(
        op.f("ix_connection_request_expires_at"), "connection_request", ["expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_connection_request_integration_id"),
        "connection_request",
        ["integration_id"],
        unique=False,
    )
