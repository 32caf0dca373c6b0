"""Where records come from, the records themselves, and the imports that brought them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Identity, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from hub.models.base import Base, Merge, categorised, key


class Source(Base):
    """A connected system, a file's origin, or the hub's own API (`hub`).

    `rank` orders sources for golden values: the lowest is believed first.
    """

    __tablename__ = "source"
    merge = Merge.KEEP
    category = "open"
    reach = None

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    rank: Mapped[int] = mapped_column(server_default="100")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SourceRecord(Base):
    """The latest version of one record of a source: a fact that merging and splitting never touch.

    A record without `hash` is a stub: another record named it before it came. `about_id` is the
    person's record that this one speaks of (none for a person's own, unless the hub made it).
    `run_id` and `run_row` say which import, and which row of it, gave this version. `payload` mixes
    every category of data, so no purpose returns it.
    """

    __tablename__ = "source_record"
    __table_args__ = (
        UniqueConstraint("source_id", "type", "external_id"),
        Index(None, "about_id"),
    )
    merge = Merge.KEEP
    category = "provenance"
    reach = (
        "EXISTS (SELECT FROM public.identity_link l JOIN public.customer c ON c.id = l.customer_id"
        " WHERE l.record_id = coalesce(t.about_id, t.id) AND l.unlinked_at IS NULL AND {customer})"
    )

    id: Mapped[UUID] = key()
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    type: Mapped[str]
    external_id: Mapped[str]
    about_id: Mapped[UUID | None]
    payload: Mapped[dict[str, Any] | None] = mapped_column(info=categorised(None))
    hash: Mapped[bytes | None]
    observed_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    run_id: Mapped[UUID | None]
    run_row: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ImportRun(Base):
    """One import of one file. `fingerprint` is of the content: a killed import is found by it."""

    __tablename__ = "import_run"
    __table_args__ = (Index(None, "fingerprint"),)
    merge = Merge.KEEP

    id: Mapped[UUID] = key()
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    file_name: Mapped[str]
    fingerprint: Mapped[bytes]
    mapping_hash: Mapped[bytes]
    observed_at: Mapped[datetime | None]
    state: Mapped[str]
    chunks_total: Mapped[int | None]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]


class ImportChunk(Base):
    """A part of a file that is in: written in the transaction that recorded it."""

    __tablename__ = "import_chunk"
    merge = Merge.KEEP

    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rows: Mapped[int]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    finished_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RejectedRecord(Base):
    """A row that could not be taken, or (`recorded`) was taken without one of its values.

    It holds the place and the reason, never the value. Of a file there is a row for each time, by
    `run_id` and `row_number`. Of an integration there is one for each item that a stream sent, with
    the last reason; `resolved_at` says since when the item has been fine, or gone. That outlives
    the run, of which only the latest are remembered.
    """

    __tablename__ = "rejected_record"
    __table_args__ = (
        Index(None, "run_id", "row_number"),
        Index(None, "sync_run_id"),
        Index(
            "uq_rejected_record_item",
            "source_id",
            "stream",
            "external_id",
            unique=True,
            postgresql_where=text("stream IS NOT NULL"),
        ),
        Index(
            "ix_rejected_record_listed",
            "source_id",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("stream IS NOT NULL"),
        ),
        Index(
            "ix_rejected_record_open",
            "source_id",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("stream IS NOT NULL AND resolved_at IS NULL"),
        ),
    )
    merge = Merge.KEEP
    category = "open"
    reach = None

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"))
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    row_number: Mapped[int | None]
    sync_run_id: Mapped[UUID | None] = mapped_column(ForeignKey("sync_run.id", ondelete="SET NULL"))
    stream: Mapped[str | None]
    external_id: Mapped[str | None] = mapped_column(info=categorised("provenance"))
    field: Mapped[str]
    reason: Mapped[str]
    recorded: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    resolved_at: Mapped[datetime | None]
