"""Purposes, what a person agreed to, and when they said so."""

from datetime import datetime
from enum import Enum

import strawberry

from hub import models
from schema.plan.mapping import Leaf, One, Tally, column, entity, field, word, words
from schema.source import SourceRecord, came_from
from schema.words import ConsentWord, DataCategory, IdentifierType


@strawberry.enum(description="Why data may be used for a purpose (GDPR, article 6).")
class LegalBasis(Enum):
    CONSENT = strawberry.enum_value("consent", description="The person agreed.")
    CONTRACT = strawberry.enum_value("contract", description="It is needed to serve them.")
    LEGITIMATE_INTEREST = strawberry.enum_value(
        "legitimate_interest", description="The retailer's interest, unless they object."
    )
    LEGAL_OBLIGATION = strawberry.enum_value("legal_obligation", description="The law wants it.")


@strawberry.enum(description="Why somebody is not seen for a purpose.")
class WithheldReason(Enum):
    ERASED = strawberry.enum_value("erased", description="They were erased.")
    RESTRICTED = strawberry.enum_value("restricted", description="They had all use restricted.")
    REFUSED = strawberry.enum_value(
        "refused", description="They did not agree, took it back or objected."
    )
    NOT_GRANTED = strawberry.enum_value("not_granted", description="They were never asked.")
    EXPIRED = strawberry.enum_value("expired", description="What they agreed to has ended.")


@strawberry.type(description="How many people are not seen, for one reason.")
class Withheld:
    reason: WithheldReason = strawberry.field(description="Why.")
    customers: int | None = strawberry.field(
        description="How many customers; null for fewer than ten."
    )


@entity(models.Purpose, "What data may be used for.")
class Purpose:
    key: str = column(models.Purpose.key, "Its name, as `Hub-Purpose` takes it.")
    title: str = column(models.Purpose.title, "Its name for people.")
    basis: LegalBasis = word(models.Purpose.basis, "Why it is lawful.")
    may_return: list[DataCategory] = words(
        models.Purpose.may_return, "What of a person it may return."
    )
    contact_types: list[IdentifierType] | None = words(
        models.Purpose.contact_types, "The contact points that it is of alone; null: any."
    )
    channels: list[str] | None = column(
        models.Purpose.channels,
        "What it works through: a grant for another channel grants nothing; null: anything.",
    )
    valid_months: int | None = column(
        models.Purpose.valid_months,
        "For how many months a grant holds that says nothing of its end; null: for good.",
    )
    retired_at: datetime | None = column(
        models.Purpose.retired_at, "Since when nobody uses it any more."
    )
    withheld: list[Withheld] = field(
        Tally(
            'withheld({t}."key")',
            ("key",),
            (("reason", 'upper({n}."reason")'), ("customers", '{n}."customers"')),
            "consents:read",
        ),
        "How many people it does not see, by why; of each the first reason counts.",
    )


@entity(models.ConsentState, "What all that a person said of a purpose comes to.")
class Consent:
    purpose: Purpose = field(One('{n}."key" = {t}."purpose"', ("purpose",)), "For what.")
    state: ConsentWord = word(models.ConsentState.state, "Whether they agree.")
    until: datetime | None = column(
        models.ConsentState.until,
        "Until when, if it ends: of consents for several contact points, when the first does.",
    )


@strawberry.enum(description="What an entry of the ledger says.")
class ConsentEntryState(Enum):
    GRANTED = strawberry.enum_value("granted", description="They agreed.")
    DENIED = strawberry.enum_value("denied", description="They were asked and did not agree.")
    WITHDRAWN = strawberry.enum_value("withdrawn", description="They agreed once, and no longer.")
    OBJECTED = strawberry.enum_value("objected", description="They object.")
    INVALIDATED = strawberry.enum_value(
        "invalidated", description="Who attested that they agreed took that back."
    )


@entity(models.ConsentEntry, "One entry of the consent ledger; it is never changed.")
class ConsentEntry:
    purpose: Purpose = field(One('{n}."key" = {t}."purpose"', ("purpose",)), "For what.")
    state: ConsentEntryState = word(models.ConsentEntry.state, "What the person said.")
    channel: str = column(models.ConsentEntry.channel, "For which channel, where it is narrower.")
    method: str = column(models.ConsentEntry.method, "How they said it.")
    document: str = column(models.ConsentEntry.document, "The text they were shown.")
    version: str = column(models.ConsentEntry.version, "Its version.")
    language: str = column(models.ConsentEntry.language, "In which language.")
    document_hash: str | None = field(
        Leaf("encode({t}.\"document_hash\", 'hex')", ("document_hash",)),
        "SHA-256 of that text, in hex; null where the hub was not given the text.",
    )
    evidence: str = column(models.ConsentEntry.evidence, "Where the proof lies.")
    given_at: datetime = column(models.ConsentEntry.given_at, "When they said it.")
    valid_until: datetime | None = column(models.ConsentEntry.valid_until, "Until when it holds.")
    recorded_at: datetime = column(models.ConsentEntry.recorded_at, "When the hub learnt of it.")
    recorded_by: str = column(
        models.ConsentEntry.recorded_by,
        "Who entered it: `client:` and a name, `source:` and a key, `command`, `person`; of an"
        " attestation, who attests.",
    )
    superseded_at: datetime | None = column(
        models.ConsentEntry.superseded_at, "When its record said something else."
    )
    source_record: SourceRecord = came_from()
