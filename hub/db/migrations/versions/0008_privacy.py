"""People's requests, what was disclosed of them, and who is not to come back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

BEGIN_INTAKE = """
CREATE FUNCTION begin_intake() RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$ BEGIN
    PERFORM pg_advisory_xact_lock_shared(7527030514083062131);
    RETURN (SELECT sealed FROM sealed_key WHERE name = 'suppression'
               AND EXISTS (SELECT FROM suppression WHERE lifted_at IS NULL));
END $$
"""
"""A batch comes in wholly before an erasure or wholly after it: it takes the lock first, and looks
then whether anybody was erased, which two statements see and one does not. The answer is the key to
the hashes; there is none while nothing is suppressed.
"""


def upgrade() -> None:
    op.create_table(
        "disclosure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("consent_entry_id", sa.Uuid(), nullable=True),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=True),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("export_id", sa.Uuid(), nullable=True),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosure")),
    )
    op.create_index(
        op.f("ix_disclosure_customer_id_at"), "disclosure", ["customer_id", "at"], unique=False
    )
    op.create_index(op.f("ix_disclosure_export_id"), "disclosure", ["export_id"], unique=False)
    op.create_table(
        "export_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("people", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_run")),
    )
    op.create_table(
        "privacy_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="received", nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("extended_for", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("records", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("available_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("record_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_request")),
    )
    op.create_index(
        op.f("ix_privacy_request_customer_id"), "privacy_request", ["customer_id"], unique=False
    )
    op.create_index(
        "ix_privacy_request_open",
        "privacy_request",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state NOT IN ('done', 'withdrawn')"),
    )
    op.create_index(
        "ix_privacy_request_restriction",
        "privacy_request",
        ["record_ids"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("record_ids IS NOT NULL AND lifted_at IS NULL"),
    )
    op.create_index(
        op.f("ix_privacy_request_received_at_id"),
        "privacy_request",
        ["received_at", "id"],
        unique=False,
    )
    op.create_table(
        "sealed_key",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sealed_key")),
    )
    op.create_table(
        "privacy_archive",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["privacy_request.id"],
            name=op.f("fk_privacy_archive_request_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request_id", "part", name=op.f("pk_privacy_archive")),
    )
    op.create_index(
        op.f("ix_privacy_archive_expires_at"), "privacy_archive", ["expires_at"], unique=False
    )
    op.create_table(
        "privacy_step",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["privacy_request.id"],
            name=op.f("fk_privacy_step_request_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request_id", "holder", name=op.f("pk_privacy_step")),
    )
    op.create_table(
        "suppression",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refused", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["privacy_request.id"], name=op.f("fk_suppression_request_id")
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_suppression")),
    )
    op.create_index(op.f("ix_suppression_request_id"), "suppression", ["request_id"], unique=False)
    op.create_index(
        "ix_suppression_standing",
        "suppression",
        ["hash"],
        unique=False,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.execute(BEGIN_INTAKE)
    op.execute("REVOKE ALL ON FUNCTION begin_intake() FROM PUBLIC")
    op.drop_constraint(op.f("fk_identity_link_record_id"), "identity_link", type_="foreignkey")
