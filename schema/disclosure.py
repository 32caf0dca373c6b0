"""What left the hub of a person: to whom, what for, and on which grounds."""

from datetime import datetime
from enum import Enum

import strawberry

from hub import models
from schema.consent import ConsentEntry, LegalBasis, Purpose
from schema.plan.mapping import Leaf, One, column, entity, field, word


@strawberry.enum(description="How something left the hub.")
class DisclosureKind(Enum):
    FILE = strawberry.enum_value("file", description="In a file.")


@entity(models.Disclosure, "That something of a person left the hub.")
class Disclosure:
    at: datetime = column(models.Disclosure.at, "When.")
    purpose: Purpose = field(One('{n}."key" = {t}."purpose"', ("purpose",)), "What for.")
    kind: DisclosureKind = word(models.Disclosure.kind, "How.")
    recipient: str = column(models.Disclosure.recipient, "To whom.")
    basis: LegalBasis = word(models.Disclosure.grounds, "Why it was lawful.")
    consent: ConsentEntry | None = field(
        One('{n}."id" = {t}."consent_entry_id"', ("consent_entry_id",)),
        "What the person said that it rested on, where it was consent.",
    )
    categories: list[str] = field(
        Leaf("string_to_array({t}.\"categories\", ',')", ("categories",)),
        "What kinds of data: identity, contact, trade, behaviour, profile, consent, provenance.",
    )
