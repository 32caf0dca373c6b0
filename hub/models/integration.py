"""Connected systems: how each is doing, how far it was read, and what it sent."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from hub.models.base import Base, Merge, categorised, hashed, key, sealed


class Integration(Base):
    """A connected system, under the name of its source.

    `state` is active, paused (a person said so), reconnect (its credentials no longer work) or
    stopped (a person has to change something); `code` and `message` say what came last and what to
    do. `settings` are the adapter's, without secrets; `mapping` is the integration's own, over the
    adapter's. `next_sync_at` is None while nothing is due, `every_seconds` None for one that is
    only read on demand. Until `hold_until` the vendor is asked nothing.
    """

    __tablename__ = "integration"
    __table_args__ = (
        Index(None, "next_sync_at", postgresql_where=text("next_sync_at IS NOT NULL")),
    )
    merge = Merge.KEEP
    category = "open"
    reach = None

    id: Mapped[UUID] = key()
    name: Mapped[str] = mapped_column(unique=True)
    adapter: Mapped[str]
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), unique=True)
    state: Mapped[str] = mapped_column(server_default="active")
    code: Mapped[str] = mapped_column(server_default="")
    message: Mapped[str] = mapped_column(server_default="")
    settings: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default="{}", info=categorised(None)
    )
    mapping: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default="{}", info=categorised(None)
    )
    every_seconds: Mapped[int | None]
    reconcile_seconds: Mapped[int | None]
    next_sync_at: Mapped[datetime | None]
    next_reconcile_at: Mapped[datetime | None]
    hold_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Credential(Base):
    """An integration's secrets, the leave that a person at the vendor gave (what renews tokens),
    and the token they were exchanged for, each sealed.

    `token_version` grows with each token, which is renewed from `token_due_at` on and is over at
    `token_expires_at`; until `renewing_until` one process is fetching the next. `leave_version`
    grows with each leave.
    """

    __tablename__ = "credential"
    merge = Merge.KEEP

    integration_id: Mapped[UUID] = mapped_column(
        ForeignKey("integration.id", ondelete="CASCADE"), primary_key=True
    )
    secrets: Mapped[bytes] = mapped_column(info=sealed("credential/{integration_id}/secrets"))
    token: Mapped[bytes | None] = mapped_column(info=sealed("credential/{integration_id}/token"))
    token_version: Mapped[int] = mapped_column(server_default="0")
    token_due_at: Mapped[datetime | None]
    token_expires_at: Mapped[datetime | None]
    leave: Mapped[bytes | None] = mapped_column(info=sealed("credential/{integration_id}/leave"))
    leave_version: Mapped[int] = mapped_column(server_default="0")
    renewing_until: Mapped[datetime | None]


class ConnectionRequest(Base):
    """A person on their way to a vendor, to give the hub leave there; by the hash of the `state`
    that they bring back. `sealed` is what only the hub may know meanwhile (the PKCE verifier).
    """

    __tablename__ = "connection_request"
    __table_args__ = (Index(None, "integration_id"), Index(None, "expires_at"))
    merge = Merge.KEEP

    id: Mapped[bytes] = mapped_column(primary_key=True, info=hashed())
    integration_id: Mapped[UUID] = mapped_column(ForeignKey("integration.id", ondelete="CASCADE"))
    sealed: Mapped[bytes] = mapped_column(info=sealed("connection_request/{id}"))
    expires_at: Mapped[datetime]


class StreamState(Base):
    """How far a stream was read.

    The next window begins at `since`; None: it was never read whole. `place` is where the run under
    way goes on. `read_at`: when the stream was last read to its end; `reconciled_at`: when it was
    last compared with the vendor's list.
    """

    __tablename__ = "stream_state"
    merge = Merge.KEEP
    category = "open"
    reach = None

    integration_id: Mapped[UUID] = mapped_column(
        ForeignKey("integration.id", ondelete="CASCADE"), primary_key=True
    )
    stream: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime | None]
    place: Mapped[dict[str, Any] | None] = mapped_column(info=categorised(None))
    page_size: Mapped[int | None] = mapped_column(info=categorised(None))
    read_at: Mapped[datetime | None]
    reconciled_at: Mapped[datetime | None]


class SyncRun(Base):
    """One reading of an integration, asked for by `schedule`, `command` or `client:NAME`.

    `mode` is incremental, full, reconcile, retry or remap; `state` is queued, running, done,
    waiting, failed, reconnect, stopped or cancelled. `streams` is empty for all of them; `stream`
    is the one being read. Who holds the run keeps `leased_until` ahead; who takes it over raises
    `fence`, so that the one before writes nothing more.
    """

    __tablename__ = "sync_run"
    __table_args__ = (
        Index(None, "integration_id", "created_at"),
        Index(
            "ix_sync_run_open",
            "integration_id",
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
        Index(
            "uq_sync_run_running",
            "integration_id",
            unique=True,
            postgresql_where=text("state = 'running'"),
        ),
    )
    merge = Merge.KEEP
    category = "open"
    reach = None

    id: Mapped[UUID] = key()
    integration_id: Mapped[UUID] = mapped_column(ForeignKey("integration.id", ondelete="CASCADE"))
    mode: Mapped[str]
    streams: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    since: Mapped[datetime | None]
    allow_deletions: Mapped[bool] = mapped_column(server_default="false")
    state: Mapped[str] = mapped_column(server_default="queued")
    code: Mapped[str] = mapped_column(server_default="")
    message: Mapped[str] = mapped_column(server_default="")
    stream: Mapped[str] = mapped_column(server_default="")
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    requested_by: Mapped[str]
    fence: Mapped[int] = mapped_column(server_default="0")
    leased_until: Mapped[datetime | None] = mapped_column(info=categorised(None))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class SourceItem(Base):
    """An object as the vendor sent it, so that a new mapping needs no new sync.

    `item` is JSON, and None where no record came of it: nothing personal stays that erasure would
    not find by its record. `mark` is a hash of the ids of its parts, for seeing that one is gone.
    """

    __tablename__ = "source_item"
    __table_args__ = (Index(None, "record_id"),)
    merge = Merge.KEEP

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), primary_key=True)
    stream: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("source_record.id", ondelete="CASCADE")
    )
    item: Mapped[bytes | None]
    mark: Mapped[bytes | None]
    read_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SyncListing(Base):
    """The ids that a vendor has, while a run compares them with what is known.

    Logged, though it does not last: after a crash of the server an unlogged table comes back empty,
    which would read as everything being deleted.
    """

    __tablename__ = "sync_listing"
    merge = Merge.KEEP

    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("sync_run.id", ondelete="CASCADE"), primary_key=True
    )
    stream: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[bytes | None]


class CallSlot(Base):
    """One of the calls that a limit allows: taken until `free_at`."""

    __tablename__ = "call_slot"
    __table_args__ = (Index(None, "integration_id", "rule", "free_at"),)
    merge = Merge.KEEP

    integration_id: Mapped[UUID] = mapped_column(
        ForeignKey("integration.id", ondelete="CASCADE"), primary_key=True
    )
    rule: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    free_at: Mapped[datetime] = mapped_column(server_default=text("'-infinity'"))
