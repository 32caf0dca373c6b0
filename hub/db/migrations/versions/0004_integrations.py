"""Connected systems, what each was read of and how; and the queue of jobs."""

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

JOBS = Path(__file__).with_name("0004_jobs.sql")
"""What PgQueuer 1.6.0 installs into the schema `jobs`, as it was then."""


def upgrade() -> None:
    _create_integrations()
    _create_readings()
    _extend_rejected_record()
    connection = op.get_bind()
    for statement in re.split(r"\n\n(?=CREATE )", JOBS.read_text("utf-8")):
        connection.exec_driver_sql(statement)


def _create_integrations() -> None:
    op.create_table(
        "integration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "settings", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column(
            "mapping", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("every_seconds", sa.BigInteger(), nullable=True),
        sa.Column("reconcile_seconds", sa.BigInteger(), nullable=True),
        sa.Column("next_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_reconcile_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_integration_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration")),
        sa.UniqueConstraint("name", name=op.f("uq_integration_name")),
        sa.UniqueConstraint("source_id", name=op.f("uq_integration_source_id")),
    )
    op.create_index(
        op.f("ix_integration_next_sync_at"),
        "integration",
        ["next_sync_at"],
        unique=False,
        postgresql_where=sa.text("next_sync_at IS NOT NULL"),
    )
    op.create_table(
        "credential",
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("token_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("renewing_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integration.id"],
            name=op.f("fk_credential_integration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("integration_id", name=op.f("pk_credential")),
    )
    op.create_table(
        "stream_state",
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("place", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("page_size", sa.BigInteger(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reconciled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integration.id"],
            name=op.f("fk_stream_state_integration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("integration_id", "stream", name=op.f("pk_stream_state")),
    )
    op.create_table(
        "sync_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("streams", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("allow_deletions", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("stream", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "counts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integration.id"],
            name=op.f("fk_sync_run_integration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_run")),
    )
    op.create_index(
        op.f("ix_sync_run_integration_id_created_at"),
        "sync_run",
        ["integration_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_sync_run_open",
        "sync_run",
        ["integration_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index(
        "uq_sync_run_running",
        "sync_run",
        ["integration_id"],
        unique=True,
        postgresql_where=sa.text("state = 'running'"),
    )


def _create_readings() -> None:
    op.create_table(
        "source_item",
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        sa.Column("item", sa.LargeBinary(), nullable=True),
        sa.Column("mark", sa.LargeBinary(), nullable=True),
        sa.Column(
            "read_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["record_id"],
            ["source_record.id"],
            name=op.f("fk_source_item_record_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_source_item_source_id")
        ),
        sa.PrimaryKeyConstraint("source_id", "stream", "external_id", name=op.f("pk_source_item")),
    )
    op.create_index(op.f("ix_source_item_record_id"), "source_item", ["record_id"], unique=False)
    op.create_table(
        "sync_listing",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["sync_run.id"], name=op.f("fk_sync_listing_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "stream", "external_id", name=op.f("pk_sync_listing")),
    )
    op.create_table(
        "call_slot",
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "free_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("'-infinity'"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integration.id"],
            name=op.f("fk_call_slot_integration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("integration_id", "rule", "slot", name=op.f("pk_call_slot")),
    )
    op.create_index(
        op.f("ix_call_slot_integration_id_rule_free_at"),
        "call_slot",
        ["integration_id", "rule", "free_at"],
        unique=False,
    )


def _extend_rejected_record() -> None:
    """An item of an integration is rejected once, however often it is read."""
    for column in (
        sa.Column("sync_run_id", sa.Uuid(), nullable=True),
        sa.Column("stream", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("rejected_record", column)
    op.create_foreign_key(
        op.f("fk_rejected_record_sync_run_id"),
        "rejected_record",
        "sync_run",
        ["sync_run_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index(op.f("ix_rejected_record_sync_run_id"), "rejected_record", ["sync_run_id"])
    op.create_index(
        "uq_rejected_record_item",
        "rejected_record",
        ["source_id", "stream", "external_id"],
        unique=True,
        postgresql_where=sa.text("stream IS NOT NULL"),
    )
    for name, condition in (
        ("ix_rejected_record_listed", "stream IS NOT NULL"),
        ("ix_rejected_record_open", "stream IS NOT NULL AND resolved_at IS NULL"),
    ):
        op.create_index(
            name,
            "rejected_record",
            ["source_id", sa.text("created_at DESC"), sa.text("id DESC")],
            unique=False,
            postgresql_where=sa.text(condition),
        )
