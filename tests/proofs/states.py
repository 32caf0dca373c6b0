"""People in every state of consent, each with a bit of everything, and who of them is seen: as the
design's table says it, written down, and not asked of the code."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from hub.config import Settings
from hub.db.engine import Database
from hub.intake import Incoming, record
from hub.records import (
    Address,
    AnyRecord,
    Consent,
    Customer,
    Identifier,
    Interaction,
    Order,
    OrderLine,
    Participant,
    Person,
)
from tests.proofs.matrix import PROFILING, PURPOSES, Need, is_apart
from tests.shop import Shop, opened

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATES = (
    *("absent", "granted", "denied", "withdrawn", "objected", "expired", "restricted", "erased"),
    "unprofiled",
)
"""What each person said of every purpose; the last one agreed to all but to profiling. Who is
restricted or erased had agreed to everything."""
SEEN: Mapping[str, frozenset[str]] = {
    "contract": frozenset(STATES) - {"restricted", "erased"},
    "legitimate interest": frozenset({"absent", "granted", "expired", "unprofiled"}),
    "consent": frozenset({"granted", "unprofiled"}),
    "legal obligation": frozenset(STATES) - {"erased"},
}
"""Whom a purpose sees, by its basis."""


def seen(purpose: str, need: Need) -> frozenset[str]:
    """Who is seen for a purpose, by something that chooses people by certain data."""
    found = SEEN[PURPOSES[purpose].basis]
    if purpose == "profiling" or (is_apart(purpose) and need.chooses & PROFILING):
        return found - {"unprofiled"}
    return found


def token(state: str) -> str:
    """A word that is in all that is known of a person, and in nothing else."""
    return f"zz{state}zz"


def people() -> Iterator[AnyRecord]:
    """Everybody, with all that they said."""
    for number, state in enumerate(STATES):
        yield from _person(state, number)
        for place, purpose in enumerate(PURPOSES):
            yield from _said(state, purpose, f"{state}{place}")


def _person(state: str, number: int) -> Iterator[AnyRecord]:
    word, who = token(state), Person(external_id=state)
    yield Customer(
        external_id=state,
        given_name=word,
        family_name=word,
        birth_date=date(1980, 1, 1 + number),
        gender="other",
        city=word,
        identifiers=(
            Identifier(type="email", value=f"{word}@example.com"),
            Identifier(type="phone", value=f"+7900555010{number}"),
            Identifier(type="loyalty_card", value=word),
        ),
        addresses=(Address(text=word, city=word, country="RU"),),
        tags=(word,),
        attributes={"level": word, "regular": word, "passport": word},
    )
    yield Order(
        external_id=word,
        number=word,
        status=word,
        ordered_at=NOON + timedelta(days=number),
        customer=who,
        currency="EUR",
        lines=(OrderLine(name=word),),
    )
    yield from _talks(state, who, number)


def _talks(state: str, who: Person, number: int) -> Iterator[AnyRecord]:
    """One of their own, and one with whoever agreed to everything."""
    word, other = token(state), Person(external_id="granted")
    for name, present in (("alone", (who,)), ("both", (who, other))):
        yield Interaction(
            external_id=f"{word} {name}",
            kind="call",
            direction="in",
            started_at=NOON + timedelta(days=number),
            subject=word,
            text=word,
            participants=tuple(Participant(person=person) for person in dict.fromkeys(present)),
        )


def _said(state: str, purpose: str, name: str) -> Iterator[AnyRecord]:
    def consent(number: int, word: str, **more: datetime) -> Consent:
        return Consent(
            external_id=f"{name} {number}",
            customer=Person(external_id=state),
            purpose=purpose,
            state=word,  # type: ignore[arg-type]  # one of the words
            given_at=NOON + timedelta(days=number),
            **more,
        )

    match state:
        case "absent":
            return
        case "denied" | "objected":
            yield consent(1, state)
        case "withdrawn":
            yield from (consent(1, "granted"), consent(2, "withdrawn"))
        case "expired":
            yield consent(1, "granted", valid_until=NOON + timedelta(days=2))
        case "unprofiled" if purpose == "profiling":
            return
        case _:
            yield consent(1, "granted")


DEFINITIONS = """
INSERT INTO attribute_definition (key, type, category, title) VALUES
    ('level', 'text', 'profile', ''), ('regular', 'text', 'behaviour', ''),
    ('passport', 'text', 'identity', '')
"""
MARKED = """
UPDATE customer SET restricted_at = CASE WHEN given_name = 'zzrestrictedzz' THEN now() END,
                    erased_at = CASE WHEN given_name = 'zzerasedzz' THEN now() END;
UPDATE event SET position = seq
"""
"""Who was erased keeps all they had here, so that only the rule hides them."""


@pytest.fixture
async def everybody(database: Database, settings: Settings) -> Shop:
    async with database.transaction() as connection:
        await connection.execute(DEFINITIONS)
        batch = [Incoming(one, row) for row, one in enumerate(people(), 1)]
        outcome = await record(connection, batch, source="crm", cause="backfill")
        assert not outcome.rejections
        await connection.execute(MARKED)
    return await opened(database, settings)
