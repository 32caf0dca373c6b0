"""What people were shown, asked and attested; consent by contact point, and consent that ends."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

CHANNELS = {
    "email_marketing": ["email"],
    "sms_marketing": ["sms", "phone"],
    "phone_marketing": ["phone", "call"],
}
PURPOSE = sa.text("UPDATE purpose SET channels = :channels WHERE key = :key").bindparams(
    sa.bindparam("channels", type_=postgresql.ARRAY(sa.Text()))
)


def upgrade() -> None:
    op.create_table(
        "consent_document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("purposes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("controller", sa.Text(), server_default="", nullable=False),
        sa.Column("jurisdiction", sa.Text(), server_default="", nullable=False),
        sa.Column("storage", sa.Text(), server_default="", nullable=False),
        sa.Column("retention", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "recipients",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("withdrawal", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_document")),
        sa.UniqueConstraint(
            "name", "version", "language", name=op.f("uq_consent_document_name_version_language")
        ),
    )
    op.create_table(
        "consent_attestation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attester", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("since_attribute", sa.Text(), server_default="", nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("people", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reached", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Text(), server_default="", nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["consent_document.id"],
            name=op.f("fk_consent_attestation_document_id"),
        ),
        sa.ForeignKeyConstraint(
            ["purpose"], ["purpose.key"], name=op.f("fk_consent_attestation_purpose")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_consent_attestation_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_attestation")),
    )
    op.create_table(
        "consent_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="asked", nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"], ["consent_document.id"], name=op.f("fk_consent_request_document_id")
        ),
        sa.ForeignKeyConstraint(
            ["purpose"], ["purpose.key"], name=op.f("fk_consent_request_purpose")
        ),
        sa.ForeignKeyConstraint(
            ["record_id"],
            ["source_record.id"],
            name=op.f("fk_consent_request_record_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_request")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_consent_request_token_hash")),
    )
    op.create_index(
        op.f("ix_consent_request_customer_id"), "consent_request", ["customer_id"], unique=False
    )
    op.create_index(
        "ix_consent_request_open",
        "consent_request",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('asked', 'sent')"),
    )
    op.create_index(
        op.f("ix_consent_request_record_id"), "consent_request", ["record_id"], unique=False
    )
    op.add_column(
        "consent_entry", sa.Column("language", sa.Text(), server_default="", nullable=False)
    )
    op.add_column("consent_entry", sa.Column("document_hash", sa.LargeBinary(), nullable=True))
    op.add_column(
        "consent_entry", sa.Column("recorded_by", sa.Text(), server_default="", nullable=False)
    )
    op.add_column("consent_entry", sa.Column("attestation_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_consent_entry_attestation",
        "consent_entry",
        ["attestation_id", "id"],
        unique=False,
        postgresql_where=sa.text("attestation_id IS NOT NULL"),
    )
    op.drop_constraint(op.f("fk_consent_entry_record_id"), "consent_entry", type_="foreignkey")
    op.add_column(
        "customer", sa.Column("narrowed", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "customer",
        sa.Column(
            "granted_until",
            sa.DateTime(timezone=True),
            server_default=sa.text("TIMESTAMPTZ '9999-01-01T00:00:00Z'"),
            nullable=False,
        ),
    )
    op.create_index(
        "ix_customer_granted_until",
        "customer",
        ["granted_until"],
        unique=False,
        postgresql_where=sa.text("granted_until < TIMESTAMPTZ '9999-01-01T00:00:00Z'"),
    )
    op.add_column(
        "identifier", sa.Column("granted", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "identifier", sa.Column("refused", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "identifier_value", sa.Column("status", sa.Text(), server_default="valid", nullable=False)
    )
    op.create_index(
        "ix_identifier_spoken",
        "identifier",
        ["customer_id"],
        unique=False,
        postgresql_where=sa.text("granted <> 0 OR refused <> 0"),
    )
    op.create_index(
        "ix_identifier_nobodys",
        "identifier",
        ["type", "value"],
        unique=False,
        postgresql_where=sa.text("customer_id IS NULL"),
    )
    _widen_key()
    op.add_column("purpose", sa.Column("valid_months", sa.SmallInteger(), nullable=True))
    op.add_column("purpose", sa.Column("channels", postgresql.ARRAY(sa.Text()), nullable=True))
    for key, channels in CHANNELS.items():
        op.execute(PURPOSE.bindparams(key=key, channels=channels))


def _widen_key() -> None:
    """Let the key of customers hold what the purposes' rules ask of them by now."""
    op.execute("ALTER TABLE customer DROP CONSTRAINT pk_customer CASCADE")
    op.execute(
        "ALTER TABLE customer ADD CONSTRAINT pk_customer PRIMARY KEY (id) INCLUDE"
        " (status, erased_at, restricted_at, granted, refused, narrowed, granted_until)"
    )
    for table in ("consent_state", "customer_alias", "identity_link"):
        name = op.f(f"fk_{table}_customer_id")
        op.create_foreign_key(name, table, "customer", ["customer_id"], ["id"])
