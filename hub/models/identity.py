"""The customer: what sources said of a person, what holds it together, the golden values."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Computed,
    ForeignKey,
    Identity,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from hub.models.base import (
    ROW_BY_ROW,
    Base,
    Merge,
    by_category,
    categorised,
    key,
    nearly_always,
)
from hub.models.consent import FOREVER_SQL
from hub.models.search import sortable, start, words

NEVER = datetime(1000, 1, 1, tzinfo=UTC)
"""`last_ordered_at` of whoever never ordered, as a sort key is not null. Nothing can be that old.

Neither -infinity nor the year 1: asyncpg takes the one for the other, so cursors would go astray.
"""
NEVER_SQL = "TIMESTAMPTZ '1000-01-01T00:00:00Z'"


def _record() -> Mapped[UUID]:
    """The person's record a fact belongs to; it never changes."""
    return mapped_column(ForeignKey("source_record.id", ondelete="CASCADE"), primary_key=True)


def _stated_by() -> Mapped[UUID]:
    """What stated the fact: the person's record or a detail; its newer version replaces its own."""
    return mapped_column(primary_key=True)


RULED = [
    *("status", "erased_at", "restricted_at"),
    *("granted", "refused", "narrowed", "granted_until"),
]
"""What the rules of purposes speak of (`hub.db.views.rule`)."""


class Customer(Base):
    """One person: golden values, and in `origins` the record each of them came from.

    `founder_id` is the record the customer was first made of. Wherever that record is, the id
    resolves to; that is what makes every merge undoable. `granted` and `refused` are bit sets of
    purposes (`purpose.bit`), `narrowed` of those granted for some contact points alone; from
    `granted_until` on one of the grants may be over. What lists go by is copied (`hub.sums`):
    `last_ordered_at` from the orders, `tags` and `attributes` from theirs (null without any),
    `sort_name` and `search` are made of the names.
    """

    __tablename__ = "customer"
    __table_args__ = (
        # With all that a purpose asks of a person, so that whoever is looked up for that alone is
        # found in the index: each list that hangs on a customer does so.
        PrimaryKeyConstraint("id", postgresql_include=RULED),
        Index(None, "created_at", "id"),
        Index(None, "updated_at", "id"),
        Index(None, "last_ordered_at", "id"),
        Index(None, "sort_name", "id"),
        Index("ix_customer_city", text(start("city")), "created_at", "id"),
        Index(
            "ix_customer_granted_until",
            "granted_until",
            postgresql_where=text(f"granted_until < {FOREVER_SQL}"),
        ),
        Index(None, "birth_date"),
        Index(None, "gender"),
        Index(
            "ix_customer_tags",
            "tags",
            postgresql_using="gin",
            postgresql_where=text("tags IS NOT NULL"),
        ),
        # What waits in the list to be sorted in is read by every search: so it is kept short.
        Index(
            None,
            "search",
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": 256},
        ),
    )
    merge = Merge.REBUILD
    category = "identity"
    reach = "{customer}"

    id: Mapped[UUID] = key()
    founder_id: Mapped[UUID] = mapped_column(unique=True, info=categorised("provenance"))
    status: Mapped[str] = mapped_column(server_default="active", info=categorised("open"))
    display_name: Mapped[str] = mapped_column(server_default="")
    given_name: Mapped[str | None]
    family_name: Mapped[str | None]
    middle_name: Mapped[str | None]
    birth_date: Mapped[date | None]
    gender: Mapped[str | None]
    locale: Mapped[str | None]
    city: Mapped[str | None]
    origins: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default="{}", info=categorised("provenance")
    )
    granted: Mapped[int] = mapped_column(server_default="0", info=categorised("consent"))
    refused: Mapped[int] = mapped_column(server_default="0", info=categorised("consent"))
    narrowed: Mapped[int] = mapped_column(server_default="0", info=categorised("consent"))
    granted_until: Mapped[datetime] = mapped_column(
        server_default=text(FOREVER_SQL), info=categorised("consent")
    )
    restricted_at: Mapped[datetime | None] = mapped_column(info=categorised("consent"))
    erased_at: Mapped[datetime | None] = mapped_column(info=categorised("consent"))
    created_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), info=categorised("open")
    )
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), info=categorised("open")
    )
    last_ordered_at: Mapped[datetime] = mapped_column(
        server_default=text(NEVER_SQL), info=categorised("trade")
    )
    tags: Mapped[list[str] | None] = mapped_column(ARRAY(Text), info=categorised("profile"))
    attributes: Mapped[dict[str, Any] | None] = mapped_column(JSONB, info=by_category())
    sort_name: Mapped[str] = mapped_column(Computed(sortable("display_name"), persisted=True))
    search: Mapped[str] = mapped_column(
        TSVECTOR, Computed(words("given_name", "family_name", "middle_name"), persisted=True)
    )


class CustomerAlias(Base):
    """An id that went into another customer and keeps resolving to it, for every purpose."""

    __tablename__ = "customer_alias"
    __table_args__ = (Index(None, "customer_id"),)
    merge = Merge.REBUILD
    category = "open"

    alias_id: Mapped[UUID] = key()
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"))


class IdentityLink(Base):
    """That a record belongs to a customer, since when and why; closed when it no longer does.

    `evidence` names the kind of identifier and the other record, never a value. `record_id` refers
    to no table, as closed links are in no index: whatever deletes a record would look through all.
    """

    __tablename__ = "identity_link"
    __table_args__ = (
        Index(
            "uq_identity_link_open",
            "record_id",
            unique=True,
            postgresql_where=text("unlinked_at IS NULL"),
        ),
        Index(
            "ix_identity_link_open_customer",
            "customer_id",
            postgresql_where=text("unlinked_at IS NULL"),
        ),
    )
    merge = Merge.REBUILD
    category = "provenance"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    record_id: Mapped[UUID]
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"))
    method: Mapped[str]
    weight: Mapped[float | None]
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    rule_version: Mapped[str]
    decided_by: Mapped[str | None]
    linked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    unlinked_at: Mapped[datetime | None]


class IdentityDecision(Base):
    """What a person decided about records (`merge`, `split`, `never_link`) until it is revoked.

    `revoked_for` is the later decision that contradicted it; when that one is undone, this one
    stands again.
    """

    __tablename__ = "identity_decision"
    merge = Merge.KEEP
    category = None

    id: Mapped[UUID] = key()
    kind: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime] = mapped_column(server_default=func.now())
    revoked_by: Mapped[str | None]
    revoked_at: Mapped[datetime | None]
    revoked_for: Mapped[UUID | None]


class DecisionRecord(Base):
    """A record that a decision names, and on which of its two sides it stands."""

    __tablename__ = "decision_record"
    __table_args__ = (Index(None, "record_id"),)
    merge = Merge.KEEP

    decision_id: Mapped[UUID] = mapped_column(
        ForeignKey("identity_decision.id", ondelete="CASCADE"), primary_key=True
    )
    record_id: Mapped[UUID] = mapped_column(
        ForeignKey("source_record.id", ondelete="CASCADE"), primary_key=True
    )
    side: Mapped[int] = mapped_column(SmallInteger)


class PersonalDetails(Base):
    """What one record says of a person's names, birth date and the like."""

    __tablename__ = "personal_details"
    __table_args__ = (Index(None, "customer_id"),)
    merge = Merge.FOLLOW
    category = "provenance"

    record_id: Mapped[UUID] = _record()
    customer_id: Mapped[UUID | None]
    given_name: Mapped[str | None]
    family_name: Mapped[str | None]
    middle_name: Mapped[str | None]
    birth_date: Mapped[date | None]
    gender: Mapped[str | None]
    locale: Mapped[str | None]
    city: Mapped[str | None]


class Identifier(Base):
    """A contact point or key that a record states of its person, in canonical form.

    `status` is that of its value (`IdentifierValue`), here beside the rest of what views ask.
    `granted` and `refused` are bit sets of the purposes that the person spoke of for this contact
    point alone.
    """

    __tablename__ = "identifier"
    __table_args__ = (
        Index(None, "type", "value"),
        Index(None, "customer_id"),
        Index(
            "ix_identifier_spoken",
            "customer_id",
            postgresql_where=text("granted <> 0 OR refused <> 0"),
        ),
        Index(
            "ix_identifier_nobodys",
            "type",
            "value",
            postgresql_where=text("customer_id IS NULL"),
        ),
        Index(
            "ix_identifier_phone_end",
            literal_column("reverse(value)", Text()).label("phone_end"),
            postgresql_ops={"phone_end": "text_pattern_ops"},
            postgresql_where=text("type = 'phone'"),
        ),
    )
    merge = Merge.FOLLOW
    category = "contact"

    record_id: Mapped[UUID] = _record()
    type: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    stated_by_id: Mapped[UUID] = _stated_by()
    customer_id: Mapped[UUID | None]
    verified: Mapped[bool] = mapped_column(server_default="false")
    status: Mapped[str] = mapped_column(server_default="valid")
    granted: Mapped[int] = mapped_column(server_default="0", info=categorised("consent"))
    refused: Mapped[int] = mapped_column(server_default="0", info=categorised("consent"))
    created_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), info=categorised("open")
    )


class IdentifierValue(Base):
    """One value, whoever states it: how many records hold it, and whether it may join them.

    `shared`: more than one customer holds it, or more records than the limit do. `status`: valid,
    unsubscribed, bounced or complained, also for who comes to hold it later. `id` is how ledgers
    and evidence name a contact point without repeating it.
    """

    __tablename__ = "identifier_value"
    __table_args__ = (UniqueConstraint("id"),)
    merge = Merge.REBUILD

    type: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity())
    holders: Mapped[int] = mapped_column(server_default="0")
    shared: Mapped[bool] = mapped_column(server_default="false")
    blocked: Mapped[bool] = mapped_column(server_default="false")
    status: Mapped[str] = mapped_column(server_default="valid")


class BlockedIdentifier(Base):
    """A pattern (`*` stands for anything) of values that join nobody, kept by people."""

    __tablename__ = "blocked_identifier"
    merge = Merge.KEEP

    type: Mapped[str] = mapped_column(primary_key=True)
    pattern: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Address(Base):
    """A postal address that a record states."""

    __tablename__ = "address"
    __table_args__ = (Index(None, "customer_id"),)
    merge = Merge.FOLLOW
    category = "contact"

    record_id: Mapped[UUID] = _record()
    stated_by_id: Mapped[UUID] = _stated_by()
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    customer_id: Mapped[UUID | None]
    kind: Mapped[str]
    text: Mapped[str]
    street: Mapped[str]
    city: Mapped[str]
    region: Mapped[str]
    postcode: Mapped[str]
    country: Mapped[str]


class Tag(Base):
    """A word that a record hangs on its person."""

    __tablename__ = "tag"
    __table_args__ = (Index(None, "customer_id", "tag"), Index(None, "tag", "customer_id"))
    merge = Merge.FOLLOW
    category = "profile"
    reach = ROW_BY_ROW

    record_id: Mapped[UUID] = _record()
    tag: Mapped[str] = mapped_column(primary_key=True)
    stated_by_id: Mapped[UUID] = _stated_by()
    customer_id: Mapped[UUID | None]


class AttributeDefinition(Base):
    """A declared attribute: its type (text, number, boolean, date) and category of data."""

    __tablename__ = "attribute_definition"
    merge = Merge.KEEP
    category = "open"
    reach = None

    key: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    category_: Mapped[str] = mapped_column("category", server_default="profile")
    title: Mapped[str] = mapped_column(server_default="")


class Attribute(Base):
    """The value of a declared attribute that a record states."""

    __tablename__ = "attribute"
    __table_args__ = (Index(None, "customer_id"),)
    merge = Merge.FOLLOW
    category = "profile"
    reach = ROW_BY_ROW
    row_category = nearly_always(
        "t.key = ANY (ARRAY(SELECT d.key FROM public.attribute_definition d"
        " WHERE d.category IN ({categories})))"
    )

    record_id: Mapped[UUID] = _record()
    key: Mapped[str] = mapped_column(ForeignKey("attribute_definition.key"), primary_key=True)
    stated_by_id: Mapped[UUID] = _stated_by()
    customer_id: Mapped[UUID | None]
    value: Mapped[Any] = mapped_column(JSONB)
