"""The customer: golden values, contact points, and everything that hangs on a person."""

from datetime import date, datetime
from enum import Enum

import strawberry
from strawberry import UNSET

from hub import models
from schema.conditions import InteractionWhere, OrderWhere
from schema.connection import After, Before, Connection, First, Last, Most, Node
from schema.consent import Consent, ConsentEntry
from schema.disclosure import Disclosure
from schema.interaction import Interaction
from schema.order import Order
from schema.orderings import InteractionOrder, OrderOrder
from schema.plan.mapping import (
    Leaf,
    Many,
    Page,
    column,
    entity,
    field,
    global_id,
    listed,
    word,
)
from schema.scalars import Json
from schema.source import SourceRecord, came_from
from schema.words import Gender, IdentifierType

OF_CUSTOMER = '{n}."customer_id" = {t}."id"'
TOOK_PART = (
    '{n}."id" IN (SELECT p."interaction_id" FROM {v[interaction_participant]} p'
    ' WHERE p."customer_id" = {t}."id")'
)
SENT_OF = (
    '{n}."customer_id" IN (SELECT {t}."id" UNION ALL SELECT a."alias_id"'
    ' FROM {v[customer_alias]} a WHERE a."customer_id" = {t}."id")'
)
"""What was sent of somebody is of whoever they have become."""
SAID_OF = (
    '{n}."id" IN (SELECT l."record_id" FROM {v[identity_link]} l'
    ' WHERE l."customer_id" = {t}."id" AND l."unlinked_at" IS NULL)'
)

LAST_ORDERED = (
    '(SELECT o."ordered_at" FROM {v[order]} o WHERE o."customer_id" = {t}."id"'
    ' ORDER BY o."ordered_at" DESC LIMIT 1)'
)
IS_OPEN = (
    '(SELECT d."category" FROM {v[attribute_definition]} d WHERE d."key" = {n}."key") = ANY({c})'
)
"""An attribute is of its own declared category."""


@strawberry.enum(description="Whether a contact point may be used.")
class IdentifierStatus(Enum):
    VALID = strawberry.enum_value("valid", description="Nothing speaks against it.")
    BOUNCED = strawberry.enum_value("bounced", description="Mail came back.")
    UNSUBSCRIBED = strawberry.enum_value("unsubscribed", description="They unsubscribed it.")
    COMPLAINED = strawberry.enum_value("complained", description="They complained.")


@entity(models.Identifier, "A contact point or key of a person, in its canonical spelling.")
class Identifier:
    type: IdentifierType = word(models.Identifier.type, "What kind it is.")
    value: str = column(models.Identifier.value, "The canonical spelling.")
    verified: bool = column(models.Identifier.verified, "Whether a source checked it.")
    status: IdentifierStatus = word(models.Identifier.status, "Whether it may be used.")
    source_record: SourceRecord = came_from()


@entity(models.Address, "A postal address.")
class Address:
    kind: str = column(models.Address.kind, "What it is for, such as `home`.")
    text: str = column(models.Address.text, "The address in one line, where it came as one.")
    street: str = column(models.Address.street, "Street and house.")
    city: str = column(models.Address.city, "City.")
    region: str = column(models.Address.region, "Region.")
    postcode: str = column(models.Address.postcode, "Postcode.")
    country: str = column(models.Address.country, "Country (ISO 3166-1 alpha-2).")
    source_record: SourceRecord = came_from()


@entity(models.Tag, "A word that a source hangs on a person.")
class Tag:
    tag: str = column(models.Tag.tag, "The word.")
    source_record: SourceRecord = came_from()


@entity(models.Attribute, "The value of a declared attribute.")
class Attribute:
    key: str = column(models.Attribute.key, "Its key.")
    title: str = field(
        Leaf(
            '(SELECT d."title" FROM {v[attribute_definition]} d WHERE d."key" = {t}."key")',
            ("key",),
        ),
        "Its name for people.",
    )
    value: Json = column(models.Attribute.value, "Its value, of the declared type.")
    source_record: SourceRecord = came_from()


@entity(
    models.Customer,
    "One person, made of the records of all sources.",
    people='uuid_send({t}."id")',
)
class Customer(Node):
    id: strawberry.ID = global_id("The customer's id; ids of customers merged into it lead here.")
    display_name: str = column(models.Customer.display_name, "What to call them; may be empty.")
    given_name: str | None = column(models.Customer.given_name, "Given name.")
    family_name: str | None = column(models.Customer.family_name, "Family name.")
    middle_name: str | None = column(models.Customer.middle_name, "Middle name or patronymic.")
    birth_date: date | None = column(models.Customer.birth_date, "Day of birth.")
    gender: Gender | None = word(models.Customer.gender, "Gender.")
    locale: str | None = column(models.Customer.locale, "Preferred language and region (BCP 47).")
    city: str | None = column(models.Customer.city, "City.")
    last_ordered_at: datetime | None = field(
        Leaf(
            f'nullif({{t}}."last_ordered_at", {models.NEVER_SQL})',
            ("last_ordered_at",),
            instead=LAST_ORDERED,
        ),
        "When they last ordered; null for never.",
    )
    created_at: datetime = column(models.Customer.created_at, "When the hub first knew them.")
    updated_at: datetime = column(models.Customer.updated_at, "When they last changed.")

    @listed(
        Many(
            OF_CUSTOMER,
            '{n}."type", {n}."value", {n}."verified" DESC, {n}."record_id"',
            distinct='{n}."type", {n}."value"',
        ),
        "Contact points and keys, each once.",
    )
    def identifiers(self, first: Most = UNSET) -> list[Identifier]: ...

    @listed(
        Many(OF_CUSTOMER, '{n}."record_id", {n}."stated_by_id", {n}."position"'),
        "Postal addresses.",
    )
    def addresses(self, first: Most = UNSET) -> list[Address]: ...

    @listed(
        Many(OF_CUSTOMER, '{n}."tag", {n}."record_id"', distinct='{n}."tag"'), "Tags, each once."
    )
    def tags(self, first: Most = UNSET) -> list[Tag]: ...

    @listed(
        Many(f"{OF_CUSTOMER} AND {IS_OPEN}", '{n}."key", {n}."record_id"'),
        "Declared attributes, by key.",
    )
    def attributes(self, first: Most = UNSET) -> list[Attribute]: ...

    @listed(Many(OF_CUSTOMER, '{n}."purpose"'), "What they agreed to, by purpose.")
    def consents(self, first: Most = UNSET) -> list[Consent]: ...

    @listed(
        Many(OF_CUSTOMER, '{n}."given_at" DESC, {n}."id" DESC'),
        "What they said of purposes, the newest first.",
    )
    def consent_history(self, first: Most = UNSET) -> list[ConsentEntry]: ...

    @listed(
        Many(SENT_OF, '{n}."at" DESC, {n}."id" DESC'),
        "What left the hub of them, the newest first; only a purpose that the law wants has it.",
    )
    def disclosures(self, first: Most = UNSET) -> list[Disclosure]: ...

    @listed(
        Many(SAID_OF, '{n}."created_at", {n}."id"'),
        "The records they are made of, the oldest first.",
    )
    def source_records(self, first: Most = UNSET) -> list[SourceRecord]: ...

    @listed(Page("orders", OF_CUSTOMER), "What they bought.")
    def orders(
        self,
        where: OrderWhere | None = UNSET,
        order_by: OrderOrder = OrderOrder.NEWEST,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Order]: ...

    @listed(Page("interactions", TOOK_PART), "What they did.")
    def interactions(
        self,
        where: InteractionWhere | None = UNSET,
        order_by: InteractionOrder = InteractionOrder.NEWEST,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Interaction]: ...
