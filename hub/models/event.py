"""What happened, written in the transaction that did it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Sequence, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from hub.models.base import Base, Merge

event_seq = Sequence("event_seq", cache=1, metadata=Base.metadata)


class Event(Base):
    """A change of a customer or of something of theirs. It names ids, never values.

    `seq` is drawn after the customer's row was locked, so per customer it is the order of
    commits. `position` is given to committed events later; readers see only those that have one,
    and only while they may see the customer, or who the customer has become.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_unnumbered", "seq", postgresql_where=text("position IS NULL")),
        Index(None, "customer_id"),
    )
    merge = Merge.KEEP
    category = "open"
    reach = (
        "t.position IS NOT NULL AND EXISTS (SELECT FROM public.customer c"
        " WHERE c.id = coalesce((SELECT a.customer_id FROM public.customer_alias a"
        " WHERE a.alias_id = t.customer_id), t.customer_id) AND {customer})"
    )

    seq: Mapped[int] = mapped_column(
        event_seq, server_default=event_seq.next_value(), primary_key=True
    )
    position: Mapped[int | None] = mapped_column(unique=True)
    type: Mapped[str]
    cause: Mapped[str]
    customer_id: Mapped[UUID | None]
    record_id: Mapped[UUID | None]
    run_id: Mapped[UUID | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
