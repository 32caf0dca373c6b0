"""Where things come from: sources, their records, and why a record belongs to a customer."""

from datetime import datetime
from enum import Enum
from typing import Any

import strawberry

from hub import models
from hub.identity.component import TOLD_ID
from schema.connection import Node
from schema.plan.mapping import Choice, Leaf, One, column, entity, field, global_id, word

OPEN_LINK = '{n}."record_id" = {t}."id" AND {n}."unlinked_at" IS NULL'


@entity(models.Source, "A system, a file or the hub's own interface, where records come from.")
class Source:
    key: str = column(models.Source.key, "Its name.")
    kind: str = column(models.Source.kind, "What it is, such as `file`.")


@strawberry.enum(description="How it was found that a record belongs to its customer.")
class LinkMethod(Enum):
    FOUNDER = strawberry.enum_value("founder", description="The customer began with this record.")
    EXACT = strawberry.enum_value("exact", description="They share an identifier.")
    RULE = strawberry.enum_value("rule", description="They agree in enough of what they say.")
    MANUAL = strawberry.enum_value("manual", description="A person decided it.")


@entity(models.IdentityLink, "That a record belongs to a customer, since when and why.")
class Link:
    method: LinkMethod = word(models.IdentityLink.method, "How it was found.")
    linked_at: datetime = column(models.IdentityLink.linked_at, "Since when.")
    decided_by: str | None = column(models.IdentityLink.decided_by, "Who decided, if somebody did.")
    rule_version: str = column(models.IdentityLink.rule_version, "By which version of the rules.")


@entity(
    models.SourceRecord,
    "The latest version of what one source said of one thing.",
    people=(
        '(SELECT uuid_send(l."customer_id") FROM {v[identity_link]} l'
        ' WHERE l."record_id" = coalesce({t}."about_id", {t}."id") AND l."unlinked_at" IS NULL)'
    ),
)
class SourceRecord(Node):
    id: strawberry.ID = global_id("Its id in the hub.")
    source: Source = field(One('{n}."id" = {t}."source_id"', ("source_id",)), "Who said it.")
    type: str = column(models.SourceRecord.type, "What it is about, such as `customer` or `order`.")
    external_id: str = field(
        Leaf(TOLD_ID, ("type", "external_id")),
        "The source's own id of the thing. Of a record that is a mere contact point (`contact`) its"
        " kind alone, such as `email`.",
    )
    observed_at: datetime | None = column(
        models.SourceRecord.observed_at, "When the thing changed, as the source says."
    )
    deleted_at: datetime | None = column(
        models.SourceRecord.deleted_at, "When the source deleted it."
    )
    created_at: datetime = column(models.SourceRecord.created_at, "When it first came.")
    updated_at: datetime = column(models.SourceRecord.updated_at, "When this version came.")
    link: Link | None = field(
        One(OPEN_LINK), "Why a person's record belongs to its customer; null for other things."
    )
    subject: Node | None = field(
        Choice(
            by='{t}."type"',
            id='{t}."id"',
            columns=("type",),
            types=(("order", "Order"), ("interaction", "Interaction")),
        ),
        "The order or interaction that the record tells of.",
    )


def came_from(description: str = "The record that says so.") -> Any:
    """A field that leads to the record which states a fact."""
    return field(One('{n}."id" = {t}."record_id"', ("record_id",)), description)


def told_by(description: str = "The record that tells of it.") -> Any:
    """A field that leads from a thing to its own record."""
    return field(One('{n}."id" = {t}."id"'), description)


def of_source(description: str = "Where it comes from.") -> Any:
    """A field that leads from a thing to its source."""
    return field(One('{n}."id" = {t}."source_id"', ("source_id",)), description)
