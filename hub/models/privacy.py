"""People's requests about what is held of them, what was disclosed, and who is not to come back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Identity, Index, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hub.models.base import Base, Merge, categorised, key, sealed


class PrivacyRequest(Base):
    """What a person asks for: access, erasure, restriction or objection (GDPR, 15 to 21).

    `state` is received, running, waiting (for other systems), done, failed or withdrawn. `due_at`
    is a calendar month after `received_at`, or up to two more where it was extended for a reason.
    `available_until`: how long what it came to (an archive) can be fetched. A restriction goes with
    the records that the customer had then (`record_ids`), until it is lifted.
    """

    __tablename__ = "privacy_request"
    __table_args__ = (
        Index(None, "customer_id"),
        Index(None, "received_at", "id"),
        Index(
            "ix_privacy_request_open",
            "due_at",
            postgresql_where=text("state NOT IN ('done', 'withdrawn')"),
        ),
        Index(
            "ix_privacy_request_restriction",
            "record_ids",
            postgresql_using="gin",
            postgresql_where=text("record_ids IS NOT NULL AND lifted_at IS NULL"),
        ),
    )
    merge = Merge.KEEP
    category = "open"
    reach = None
    law_only = True

    id: Mapped[UUID] = key()
    kind: Mapped[str]
    customer_id: Mapped[UUID]
    purpose: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="received")
    requested_by: Mapped[str]
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]
    extended_for: Mapped[str] = mapped_column(server_default="")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    message: Mapped[str] = mapped_column(server_default="")
    records: Mapped[int] = mapped_column(server_default="0")
    available_until: Mapped[datetime | None]
    record_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid), info=categorised(None))
    lifted_at: Mapped[datetime | None]


class PrivacyStep(Base):
    """What a request comes to at one holder: the hub itself, or a connected system.

    `state` is pending, done, by_hand (a person has to do it there) or failed.
    """

    __tablename__ = "privacy_step"
    merge = Merge.KEEP
    category = "open"
    reach = None
    law_only = True

    request_id: Mapped[UUID] = mapped_column(
        ForeignKey("privacy_request.id", ondelete="CASCADE"), primary_key=True
    )
    holder: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(server_default="pending")
    message: Mapped[str] = mapped_column(server_default="")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PrivacyArchive(Base):
    """What a person takes away, in sealed parts, until `expires_at`."""

    __tablename__ = "privacy_archive"
    __table_args__ = (Index(None, "expires_at"),)
    merge = Merge.KEEP

    request_id: Mapped[UUID] = mapped_column(
        ForeignKey("privacy_request.id", ondelete="CASCADE"), primary_key=True
    )
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes] = mapped_column(info=sealed("privacy_archive/{request_id}/{part}"))
    expires_at: Mapped[datetime]


class Suppression(Base):
    """Something erased that is not to come back: a keyed hash of a record's key or an identifier.

    `kind` is the record's type or the identifier's. `refused` counts how often it came all the
    same. `lifted_at`: since when it may come again, by which act of the person's own (`lifted_by`:
    `consent` or `order`).
    """

    __tablename__ = "suppression"
    __table_args__ = (
        Index(None, "request_id"),
        Index("ix_suppression_standing", "hash", postgresql_where=text("lifted_at IS NULL")),
    )
    merge = Merge.KEEP

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str]
    request_id: Mapped[UUID] = mapped_column(ForeignKey("privacy_request.id"))
    erased_at: Mapped[datetime]
    refused: Mapped[int] = mapped_column(server_default="0")
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str] = mapped_column(server_default="")


class SealedKey(Base):
    """A key of the deployment that outlives HUB_SECRET_KEY, sealed with it."""

    __tablename__ = "sealed_key"
    merge = Merge.KEEP

    name: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(info=sealed("sealed_key/{name}"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Disclosure(Base):
    """That somebody's data left the hub: to whom, what for, on which grounds, of which categories.

    `kind` is file, and what else there will be; `recipient` names it. `grounds` is the legal basis,
    `consent_entry_id` the consent it went out on, where that is the basis. `contact_point_id` names
    what was sent where it matters. It is of whoever the customer was then; it shows of whoever they
    have become.
    """

    __tablename__ = "disclosure"
    __table_args__ = (Index(None, "customer_id", "at"), Index(None, "export_id"))
    merge = Merge.KEEP
    category = "consent"
    law_only = True
    reach = (
        "EXISTS (SELECT FROM public.customer c"
        " WHERE c.id = coalesce((SELECT a.customer_id FROM public.customer_alias a"
        " WHERE a.alias_id = t.customer_id), t.customer_id) AND {customer})"
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    customer_id: Mapped[UUID]
    purpose: Mapped[str]
    kind: Mapped[str]
    recipient: Mapped[str]
    grounds: Mapped[str]
    consent_entry_id: Mapped[UUID | None]
    contact_point_id: Mapped[int | None]
    categories: Mapped[str]
    export_id: Mapped[UUID | None] = mapped_column(info=categorised(None))
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ExportRun(Base):
    """A file that was written under a purpose: by whom, for whom, what was in it, how many.

    `reason`: why, where the law is the basis. `state` is running, done or failed; one that was
    killed stays running.
    """

    __tablename__ = "export_run"
    merge = Merge.KEEP

    id: Mapped[UUID] = key()
    purpose: Mapped[str]
    requested_by: Mapped[str]
    recipient: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    columns: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="running")
    people: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]
