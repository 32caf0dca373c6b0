"""Purposes, what a person agreed to, and when they said so."""

from datetime import datetime
from enum import Enum

import strawberry

from hub import models
from schema.plan.mapping import One, column, entity, field, word
from schema.source import SourceRecord, came_from
from schema.words import ConsentWord


@strawberry.enum(description="Why data may be used for a purpose (GDPR, article 6).")
class LegalBasis(Enum):
    CONSENT = strawberry.enum_value("consent", description="The person agreed.")
    CONTRACT = strawberry.enum_value("contract", description="It is needed to serve them.")
    LEGITIMATE_INTEREST = strawberry.enum_value(
        "legitimate_interest", description="The retailer's interest, unless they object."
    )
    LEGAL_OBLIGATION = strawberry.enum_value("legal_obligation", description="The law wants it.")


@entity(models.Purpose, "What data may be used for.")
class Purpose:
    key: str = column(models.Purpose.key, "Its name, as `Hub-Purpose` takes it.")
    title: str = column(models.Purpose.title, "Its name for people.")
    basis: LegalBasis = word(models.Purpose.basis, "Why it is lawful.")


@entity(models.ConsentState, "What all that a person said of a purpose comes to.")
class Consent:
    purpose: Purpose = field(One('{n}."key" = {t}."purpose"', ("purpose",)), "For what.")
    state: ConsentWord = word(models.ConsentState.state, "Whether they agree.")
    until: datetime | None = column(models.ConsentState.until, "Until when, if it ends.")


@entity(models.ConsentEntry, "One entry of the consent ledger; it is never changed.")
class ConsentEntry:
    purpose: Purpose = field(One('{n}."key" = {t}."purpose"', ("purpose",)), "For what.")
    state: ConsentWord = word(models.ConsentEntry.state, "What the person said.")
    channel: str = column(models.ConsentEntry.channel, "For which channel, where it is narrower.")
    method: str = column(models.ConsentEntry.method, "How they said it.")
    document: str = column(models.ConsentEntry.document, "The text they were shown.")
    version: str = column(models.ConsentEntry.version, "Its version.")
    evidence: str = column(models.ConsentEntry.evidence, "Where the proof lies.")
    given_at: datetime = column(models.ConsentEntry.given_at, "When they said it.")
    valid_until: datetime | None = column(models.ConsentEntry.valid_until, "Until when it holds.")
    recorded_at: datetime = column(models.ConsentEntry.recorded_at, "When the hub learnt of it.")
    superseded_at: datetime | None = column(
        models.ConsentEntry.superseded_at, "When its record said something else."
    )
    source_record: SourceRecord = came_from()
