"""What a source can say, in the hub's own words: the neutral records that every file, adapter and
API call is turned into before anything is stored.

They are plain values: no clock, no database. A record says only what its source said; a field left
out says nothing. The same records are read from JSON Lines, one object a line with a `type`.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

IdentifierType = Literal["email", "phone", "loyalty_card", "external"]
Gender = Literal["female", "male", "other"]
ConsentWord = Literal["granted", "denied", "withdrawn", "objected"]
InteractionKind = Literal["call", "email", "meeting", "sms", "chat", "visit", "review"]
Direction = Literal["in", "out"]
AttributeValue = str | int | float | bool | None


class _Value(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A part of a record."""


class Identifier(_Value, frozen=True):
    """Something that points at a person. `value` is as the source wrote it; the hub normalises it.

    `external` is another system's id for the same person, written `source:id` (`erp:C-104`).
    """

    type: IdentifierType
    value: str
    verified: bool = False


class Address(_Value, frozen=True):
    """A postal address; `text` when it is only one line. `country` is ISO 3166-1 alpha-2."""

    kind: str = ""
    text: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""


class Person(_Value, frozen=True):
    """Whom a fact is about: the source's own id of a customer, or else a contact point.

    A person named by id becomes a customer even before the source sends the customer itself. One
    named by contact point alone (a caller) never creates a customer: the fact waits, and joins
    the one customer known to hold that contact point.
    """

    external_id: str | None = None
    identifier: Identifier | None = None


class OrderLine(_Value, frozen=True):
    """One line. `product` is the source's product id; `total` is what was paid for the line."""

    product: str | None = None
    name: str = ""
    quantity: Decimal = Decimal(1)
    unit_price: Decimal | None = None
    discount: Decimal | None = None
    total: Decimal | None = None
    external_id: str | None = None


class Participant(_Value, frozen=True):
    """Somebody on a call, a meeting or a mail. `role` is caller, callee, organizer, attendee…"""

    person: Person
    role: str = ""


class Record(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="type",
    tag=str.lower,
):
    """What every record has.

    `external_id`: the source's own id, unique within the source and the record's type.
    `observed_at`: when the source last changed it, by the source's own clock. Of two versions the
    later one counts, whichever arrives first; without a time a version counts as the oldest.
    """

    external_id: str
    observed_at: datetime | None = None


class Customer(Record, frozen=True):
    """A person, as one system describes them."""

    given_name: str = ""
    family_name: str = ""
    middle_name: str = ""
    birth_date: date | None = None
    gender: Gender | None = None
    locale: str = ""
    city: str = ""
    identifiers: tuple[Identifier, ...] = ()
    addresses: tuple[Address, ...] = ()
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, AttributeValue] = {}


class Detail(Record, frozen=True):
    """Something more about a customer whom another record of the same source describes.

    `customer` is that record's external id. `external_id` identifies this statement.
    """

    customer: str
    identifiers: tuple[Identifier, ...] = ()
    addresses: tuple[Address, ...] = ()
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, AttributeValue] = {}


class Product(Record, frozen=True):
    """Something that is sold."""

    name: str = ""
    sku: str = ""
    brand: str = ""
    category: str = ""
    price: Decimal | None = None
    currency: str = ""


class Store(Record, frozen=True):
    """A place where things are sold, or a web shop."""

    name: str = ""
    city: str = ""
    address: str = ""


class Order(Record, frozen=True):
    """An order with its lines. `ordered_at` is an instant; `currency` is ISO 4217.

    `total` defaults to the sum of the lines' totals.
    """

    ordered_at: datetime
    customer: Person | None = None
    number: str = ""
    status: str = ""
    channel: str = ""
    store: str | None = None
    currency: str = ""
    total: Decimal | None = None
    lines: tuple[OrderLine, ...] = ()


class Interaction(Record, frozen=True):
    """A call, a mail, a meeting, a visit…, with everybody who took part."""

    kind: InteractionKind
    started_at: datetime
    ended_at: datetime | None = None
    direction: Direction | None = None
    subject: str = ""
    text: str = ""
    participants: tuple[Participant, ...] = ()


class Consent(Record, frozen=True):
    """An entry for the consent ledger: what somebody said about one purpose, and how it is known.

    `contact_point` narrows it to one address or number. `document`, `version` and `language` name
    the text that was agreed to.
    """

    customer: Person
    purpose: str
    state: ConsentWord
    given_at: datetime
    valid_until: datetime | None = None
    contact_point: Identifier | None = None
    channel: str = ""
    method: str = ""
    document: str = ""
    version: str = ""
    language: str = ""
    evidence: str = ""


AnyRecord = Customer | Detail | Product | Store | Order | Interaction | Consent
