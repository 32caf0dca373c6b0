"""How far the journal goes, and whether the hub may give data out."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "journal_timeline",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("start", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("replayed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "began_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_timeline")),
    )
    op.create_table(
        "release",
        sa.Column("timeline_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "released_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["timeline_id"], ["journal_timeline.id"], name=op.f("fk_release_timeline_id")
        ),
        sa.PrimaryKeyConstraint("timeline_id", name=op.f("pk_release")),
    )
    op.create_table(
        "awaited_refusal",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", "entry_id", name=op.f("pk_awaited_refusal")),
    )
    op.execute(
        "WITH made AS (INSERT INTO journal_timeline (id) VALUES (gen_random_uuid()) RETURNING id)"
        " INSERT INTO release (timeline_id, reason) SELECT id, 'a new database' FROM made"
    )
