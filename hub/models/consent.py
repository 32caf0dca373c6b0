"""Purposes, the consent ledger, and the state that follows from it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hub.models.base import Base, Merge, categorised, key


class Purpose(Base):
    """What data may be used for, on which legal basis, and which categories it may return.

    `contact_types` narrows the category `contact`. `bit` is the place in `customer.granted` and
    `refused`; it is never used again.
    """

    __tablename__ = "purpose"
    merge = Merge.KEEP
    category = "open"
    reach = None

    key: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    basis: Mapped[str]
    bit: Mapped[int] = mapped_column(SmallInteger, unique=True)
    may_return: Mapped[list[str]] = mapped_column(ARRAY(Text))
    contact_types: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    retired_at: Mapped[datetime | None]


class ConsentEntry(Base):
    """One entry of the ledger; it is never changed. `contact_point_id` names an `identifier_value`.

    `superseded_at` is set when the record that made the entry says something else now, or when the
    person granted the purpose to the hub itself; `superseded_by` is the entry that took its place.
    """

    __tablename__ = "consent_entry"
    __table_args__ = (
        Index(None, "record_id"),
        Index(None, "customer_id"),
        Index(None, "statement_id"),
    )
    merge = Merge.FOLLOW
    category = "consent"

    id: Mapped[UUID] = key()
    statement_id: Mapped[UUID] = mapped_column(info=categorised("provenance"))
    record_id: Mapped[UUID] = mapped_column(
        ForeignKey("source_record.id"), info=categorised("provenance")
    )
    customer_id: Mapped[UUID | None]
    purpose: Mapped[str] = mapped_column(ForeignKey("purpose.key"))
    state: Mapped[str]
    contact_point_id: Mapped[int | None]
    channel: Mapped[str]
    method: Mapped[str]
    document: Mapped[str]
    version: Mapped[str]
    evidence: Mapped[str]
    given_at: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    superseded_at: Mapped[datetime | None]
    superseded_by: Mapped[UUID | None]


class ConsentState(Base):
    """What the ledger comes to, per customer and purpose."""

    __tablename__ = "consent_state"
    merge = Merge.REBUILD
    category = "consent"

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(ForeignKey("purpose.key"), primary_key=True)
    state: Mapped[str]
    until: Mapped[datetime | None]
