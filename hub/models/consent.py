"""Purposes, the consent ledger, what people were shown, and the state that follows."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hub.models.base import Base, Merge, categorised, hashed, key

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
"""`granted_until` of whoever granted nothing that ends."""
FOREVER_SQL = "TIMESTAMPTZ '9999-01-01T00:00:00Z'"


class Purpose(Base):
    """What data may be used for, on which legal basis, and which categories it may return.

    `contact_types` narrows the category `contact`. `channels`: what the purpose works through, so
    that a grant for another channel grants nothing; None: any. `bit` is the place in
    `customer.granted` and `refused`; it is never used again. `valid_months`: how long a grant holds
    that says nothing of it; None: until it is taken back.
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
    channels: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    valid_months: Mapped[int | None] = mapped_column(SmallInteger)
    retired_at: Mapped[datetime | None]


class ConsentDocument(Base):
    """One wording of what people are asked or told, exactly as it was shown; never changed.

    `hash` is the SHA-256 of `text` in UTF-8. The other columns are what a consent record has to
    hold of its notice (ISO/IEC TS 27560:2023).
    """

    __tablename__ = "consent_document"
    __table_args__ = (UniqueConstraint("name", "version", "language"),)
    merge = Merge.KEEP
    category = "open"
    reach = None

    id: Mapped[UUID] = key()
    name: Mapped[str]
    version: Mapped[str]
    language: Mapped[str]
    purposes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    text: Mapped[str]
    hash: Mapped[bytes]
    controller: Mapped[str] = mapped_column(server_default="")
    jurisdiction: Mapped[str] = mapped_column(server_default="")
    storage: Mapped[str] = mapped_column(server_default="")
    retention: Mapped[str] = mapped_column(server_default="")
    recipients: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    withdrawal: Mapped[str] = mapped_column(server_default="")
    published_at: Mapped[datetime] = mapped_column(server_default=func.now())
    retired_at: Mapped[datetime | None]


class ConsentEntry(Base):
    """One entry of the ledger; it is never changed. `contact_point_id` names an `identifier_value`.

    It outlives its record: after an erasure it still says that there was a consent, and of nobody
    who. `superseded_at` is set when the record that made the entry says something else now, or
    when the person granted the purpose to the hub itself; `superseded_by` is the entry that took
    its place. `recorded_by` is who entered it, of an attestation who attests.
    """

    __tablename__ = "consent_entry"
    __table_args__ = (
        Index(None, "record_id"),
        Index(None, "customer_id"),
        Index(None, "statement_id"),
        Index(
            "ix_consent_entry_attestation",
            "attestation_id",
            "id",
            postgresql_where=text("attestation_id IS NOT NULL"),
        ),
    )
    merge = Merge.FOLLOW
    category = "consent"

    id: Mapped[UUID] = key()
    statement_id: Mapped[UUID] = mapped_column(info=categorised("provenance"))
    record_id: Mapped[UUID] = mapped_column(info=categorised("provenance"))
    customer_id: Mapped[UUID | None]
    purpose: Mapped[str] = mapped_column(ForeignKey("purpose.key"))
    state: Mapped[str]
    contact_point_id: Mapped[int | None]
    channel: Mapped[str]
    method: Mapped[str]
    document: Mapped[str]
    version: Mapped[str]
    language: Mapped[str] = mapped_column(server_default="")
    document_hash: Mapped[bytes | None]
    evidence: Mapped[str]
    recorded_by: Mapped[str] = mapped_column(server_default="", info=categorised("provenance"))
    attestation_id: Mapped[UUID | None] = mapped_column(info=categorised("provenance"))
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


class ConsentRequest(Base):
    """A person who was asked to confirm, by a message to the contact point it is about.

    `token_hash` is of what the message's link holds. `state` is asked, sent, confirmed, denied,
    failed or expired; until it is sent it is tried again at `due_at`.
    """

    __tablename__ = "consent_request"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(None, "customer_id"),
        Index(None, "record_id"),
        Index(
            "ix_consent_request_open",
            "expires_at",
            postgresql_where=text("state IN ('asked', 'sent')"),
        ),
    )
    merge = Merge.FOLLOW

    id: Mapped[UUID] = key()
    token_hash: Mapped[bytes] = mapped_column(info=hashed())
    record_id: Mapped[UUID] = mapped_column(ForeignKey("source_record.id", ondelete="CASCADE"))
    customer_id: Mapped[UUID | None]
    purpose: Mapped[str] = mapped_column(ForeignKey("purpose.key"))
    contact_point_id: Mapped[int]
    document_id: Mapped[UUID] = mapped_column(ForeignKey("consent_document.id"))
    state: Mapped[str] = mapped_column(server_default="asked")
    requested_by: Mapped[str]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]


class ConsentAttestation(Base):
    """Somebody's word that all of certain people consented: who says so, of whom, to what, since
    when. `reached` is how far it was entered (`source_record.id`), so that a killed one goes on.
    `since` leaves out whoever is known for longer, by the date in `since_attribute` where set.
    `state` is running, done or undone.
    """

    __tablename__ = "consent_attestation"
    merge = Merge.KEEP

    id: Mapped[UUID] = key()
    attester: Mapped[str]
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    since: Mapped[datetime | None]
    since_attribute: Mapped[str] = mapped_column(server_default="")
    purpose: Mapped[str] = mapped_column(ForeignKey("purpose.key"))
    document_id: Mapped[UUID] = mapped_column(ForeignKey("consent_document.id"))
    given_at: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    evidence: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="running")
    people: Mapped[int] = mapped_column(server_default="0")
    reached: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(server_default="")
    undone_at: Mapped[datetime | None]
