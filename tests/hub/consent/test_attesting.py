"""Somebody's word for many people: whom it reaches, whom it does not, and how it is taken back."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hub import clock
from hub.consent import attesting
from hub.consent.attestation import Wanted
from hub.consent.attesting import Fates, Report, attest, preview
from hub.consent.undoing import undo
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import RejectedRecord
from hub.identity import decisions
from hub.intake import Defaults, direct
from hub.records import Consent, ConsentWord, Order, Person
from tests.asked import GIVEN, NAME, PURPOSE, customer, person, publish, record

STATE = """
SELECT r.external_id, (c.granted >> p.bit) & 1 AS granted, (c.refused >> p.bit) & 1 AS refused,
       s.state
  FROM source_record r JOIN identity_link l ON l.record_id = r.id AND l.unlinked_at IS NULL
  JOIN customer c ON c.id = l.customer_id JOIN purpose p ON p.key = $1
  LEFT JOIN consent_state s ON s.customer_id = c.id AND s.purpose = p.key
 WHERE r.type = 'customer' ORDER BY r.external_id
"""
CUSTOMERS = (
    "SELECT id, granted, narrowed, refused, granted_until FROM customer WHERE status = 'active'"
    " ORDER BY id"
)
STATES = "SELECT * FROM consent_state ORDER BY customer_id, purpose"


class Quiet:
    """Nobody waits."""

    def begin(self, total: int) -> None: ...

    def advance(self, people: int) -> None: ...


QUIET = Quiet()


def wanted(**said: Any) -> Wanted:
    known: dict[str, Any] = {
        "attester": "command",
        "source": "erp",
        "purpose": PURPOSE,
        "document": NAME,
        "given_at": GIVEN,
        "evidence": "signed forms in the archive, shelf 4",
    }
    return Wanted(**known | said)


def says(number: int, state: ConsentWord, purpose: str = PURPOSE) -> Consent:
    return Consent(
        external_id=f"c{number}{purpose}",
        customer=Person(external_id=str(number)),
        purpose=purpose,
        state=state,
        given_at=GIVEN - timedelta(days=30),
    )


async def states(database: Database, purpose: str = PURPOSE) -> dict[str, tuple[int, int]]:
    async with database.transaction() as connection:
        rows = await connection.fetch(STATE, purpose)
    return {row["external_id"]: (row["granted"], row["refused"]) for row in rows}


async def whole(database: Database) -> list[Any]:
    async with database.transaction() as connection:
        return [await connection.fetch(CUSTOMERS), await connection.fetch(STATES)]


async def test_people_are_attested(database: Database) -> None:
    await publish(database)
    await record(database, *(person(n) for n in range(5)))
    await record(database, person(9), source="shop")
    report = await attest(database, wanted(), progress=QUIET)
    assert (report.fates, report.people) == (Fates(attested=5), 5)
    assert await states(database) == {**{str(n): (1, 0) for n in range(5)}, "9": (0, 0)}


async def test_refusal_stands(database: Database) -> None:
    await publish(database)
    await record(database, *(person(n) for n in range(5)))
    words: tuple[ConsentWord, ...] = ("denied", "withdrawn", "objected")
    await record(database, *(says(n, word) for n, word in enumerate(words)))
    report = await attest(database, wanted(), progress=QUIET)
    assert report.fates == Fates(attested=2, refused=3)
    found = await states(database)
    assert [found[str(n)] for n in range(5)] == [(0, 1)] * 3 + [(1, 0)] * 2


async def test_restricted_and_erased_are_left(database: Database) -> None:
    await publish(database)
    await record(database, *(person(n) for n in range(3)))
    async with database.transaction() as connection:
        for number, change in ((0, "restricted_at = now()"), (1, "status = 'erased'")):
            id_ = await customer(connection, number)
            await connection.execute(f"UPDATE customer SET {change} WHERE id = $1", id_)
    report = await attest(database, wanted(), progress=QUIET)
    assert report.fates == Fates(attested=1, restricted=1, erased=1)


async def test_entry_says_who_and_what(database: Database) -> None:
    await publish(database)
    await record(database, person(1))
    report = await attest(database, wanted(attester="client:till"), progress=QUIET)
    async with database.transaction() as connection:
        entry = await connection.fetchrow(
            "SELECT e.*, d.hash FROM consent_entry e, consent_document d"
        )
        event = await connection.fetchrow(
            "SELECT * FROM event WHERE type = 'consent.recorded' AND record_id = $1", report.id
        )
        draft = await connection.fetchrow(
            "SELECT * FROM audit_draft WHERE action = 'consent attest'"
        )
    assert entry is not None
    assert event is not None
    assert draft is not None
    assert entry["recorded_by"] == "client:till"
    assert entry["document_hash"] == entry["hash"]
    assert (entry["language"], entry["given_at"]) == ("ru", GIVEN)
    assert entry["attestation_id"] == report.id
    assert event["customer_id"] == entry["customer_id"]
    assert draft["people"] == entry["customer_id"].bytes


async def test_undone_is_as_never_been(database: Database) -> None:
    await publish(database)
    await publish(database, purpose="profiling", name="profile")
    await record(database, *(person(n) for n in range(6)))
    await record(database, says(0, "granted"), says(1, "denied"), says(2, "granted", "profiling"))
    before = await whole(database)
    report = await attest(database, wanted(), progress=QUIET)
    assert await whole(database) != before
    assert await undo(database, report.id, by="command", progress=QUIET) == 5
    assert await whole(database) == before
    assert await undo(database, report.id, by="command", progress=QUIET) == 0


async def test_undo_leaves_the_ledger(database: Database) -> None:
    await publish(database)
    await record(database, person(1))
    report = await attest(database, wanted(), progress=QUIET)
    await undo(database, report.id, by="command", progress=QUIET)
    async with database.transaction() as connection:
        rows = await connection.fetch("SELECT * FROM consent_entry ORDER BY id")
        listed = await attesting.attestations(connection)
    granted, counter = rows
    assert granted["superseded_by"] == counter["id"]
    assert (counter["state"], counter["method"]) == ("invalidated", "attestation undone")
    assert counter["superseded_at"] is not None
    assert (listed[0]["state"], listed[0]["people"]) == ("undone", 1)


async def test_same_words_again_reach_newcomers_only(database: Database) -> None:
    await publish(database)
    await record(database, person(1))
    await attest(database, wanted(), progress=QUIET)
    await record(database, person(2))
    report = await attest(database, wanted(), progress=QUIET)
    assert report.fates == Fates(attested=1, already=1)


async def test_killed_one_goes_on(database: Database) -> None:
    """Chunks that were committed are not looked at again, or found to be entered."""
    await publish(database)
    await record(database, *(person(n) for n in range(10)))
    halted = _Halting(after=2)
    with pytest.raises(_Killed):
        await attest(database, wanted(), progress=halted, chunk=2)
    report = await attest(database, wanted(), progress=QUIET, chunk=2)
    assert report.is_resumed
    assert report.people == 10
    assert report.fates.attested < 10
    async with database.transaction() as connection:
        assert await connection.fetchval("SELECT count(*) FROM consent_entry") == 10
        assert await connection.fetchval("SELECT count(*) FROM consent_attestation") == 1


class _Killed(Exception):
    pass


class _Halting(Quiet):
    def __init__(self, *, after: int) -> None:
        self._left = after

    def advance(self, people: int) -> None:
        self._left -= 1
        if self._left < 0:
            raise _Killed


async def test_older_people_are_left_out(database: Database) -> None:
    await publish(database)
    late, early = GIVEN + timedelta(days=5), GIVEN - timedelta(days=5)
    await record(
        database,
        person(1, observed_at=late),
        person(2, observed_at=early),
        person(3, observed_at=late),
        Order(external_id="o", ordered_at=early, customer=Person(external_id="3")),
    )
    report = await attest(database, wanted(since=GIVEN), progress=QUIET)
    assert report.fates == Fates(attested=1, older=2)
    assert (await states(database))["1"] == (1, 0)


async def test_date_that_the_source_tells_counts(database: Database) -> None:
    await publish(database)
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO attribute_definition (key, type) VALUES ('registered', 'date')"
        )
    await record(
        database,
        person(1, attributes={"registered": "2025-10-01"}),
        person(2, attributes={"registered": "2024-10-01"}),
        person(3),
    )
    since = {"since": GIVEN, "since_attribute": "registered"}
    report = await attest(database, wanted(**since), progress=QUIET)
    assert report.fates == Fates(attested=1, older=2)


async def test_preview_writes_nothing(database: Database) -> None:
    await publish(database)
    await record(database, person(1), person(2), says(2, "denied"))
    assert await preview(database, wanted()) == Fates(attested=1, refused=1)
    async with database.transaction() as connection:
        assert not await connection.fetchval("SELECT count(*) FROM consent_attestation")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"source": "nowhere"}, "source"),
        ({"purpose": "nothing"}, "purpose"),
        ({"purpose": "customer_service"}, "purpose"),
        ({"purpose": "profiling"}, "document"),
        ({"document": "nothing"}, "document"),
        ({"version": "7"}, "version"),
        ({"evidence": " "}, "evidence"),
        ({"given_at": clock.now() + timedelta(days=1)}, "given_at"),
        ({"valid_until": GIVEN}, "valid_until"),
        ({"since_attribute": "nothing"}, "since_attribute"),
    ],
)
async def test_unfounded_word_is_refused(
    database: Database, said: dict[str, Any], field: str
) -> None:
    await publish(database)
    await record(database, person(1))
    with pytest.raises(RejectedRecord) as caught:
        await attest(database, wanted(**said), progress=QUIET)
    assert caught.value.field == field


async def test_own_grant_outlives_the_undoing(database: Database) -> None:
    await publish(database)
    await record(database, person(1))
    report: Report = await attest(database, wanted(), progress=QUIET)

    async def grants(connection: Connection) -> None:
        said = direct.Statement(PURPOSE, "granted", clock.now())
        whose = await customer(connection, 1)
        await direct.declare(connection, whose, said, by="person", defaults=Defaults())

    await database.retrying(grants)
    assert await undo(database, report.id, by="command", progress=QUIET) == 0
    assert (await states(database))["1"] == (1, 0)


async def test_who_is_merged_meanwhile_is_undone_too(database: Database) -> None:
    """The undoing waits for a merge into somebody of whom nothing was attested."""
    await publish(database)
    await record(database, person(9), source="crm")
    await record(database, person(1))
    report = await attest(database, wanted(), progress=QUIET)
    async with database.transaction() as connection:
        other, whose = await customer(connection, 9, "crm"), await customer(connection, 1)
        await decisions.merge(connection, other, whose, by="tester", limit=50)
        undoing = asyncio.create_task(undo(database, report.id, by="command", progress=QUIET))
        await blocked(database)
    assert await undoing == 1
    assert await states(database) == {"1": (0, 0), "9": (0, 0)}


async def blocked(database: Database) -> None:
    """Wait until somebody waits for a lock."""
    async with database.owner.acquire() as connection:
        while not await connection.fetchval(BLOCKED):
            await asyncio.sleep(0.01)


BLOCKED = """
SELECT EXISTS (SELECT FROM pg_locks k JOIN pg_stat_activity a USING (pid)
                WHERE NOT k.granted AND a.datname = current_database())
"""


async def test_undoing_goes_on_in_chunks(database: Database) -> None:
    await publish(database)
    await record(database, *(person(n) for n in range(5)))
    before = await whole(database)
    report = await attest(database, wanted(), progress=QUIET)
    assert await undo(database, report.id, by="command", progress=QUIET, chunk=2) == 5
    assert await whole(database) == before


async def test_undone_word_does_not_come_back_after_a_split(database: Database) -> None:
    """A grant to the hub had taken its place, and was another person's."""
    await publish(database)
    await record(database, person(9), source="crm")
    await record(database, person(1))
    report = await attest(database, wanted(), progress=QUIET)
    async with database.transaction() as connection:
        other, whose = await customer(connection, 9, "crm"), await customer(connection, 1)
        decision, one = await decisions.merge(connection, other, whose, by="tester", limit=50)
        said = direct.Statement(PURPOSE, "granted", clock.now())
        await direct.declare(connection, one, said, by="person", defaults=Defaults())
    await undo(database, report.id, by="command", progress=QUIET)
    async with database.transaction() as connection:
        await decisions.undo(connection, decision, by="tester", limit=50)
    found = await states(database)
    assert (found["1"], found["9"]) == ((0, 0), (1, 0))


async def test_who_is_merged_meanwhile_is_attested_too(database: Database) -> None:
    await publish(database)
    await record(database, person(9), source="crm")
    await record(database, person(1))
    async with database.transaction() as connection:
        other, whose = await customer(connection, 9, "crm"), await customer(connection, 1)
        await decisions.merge(connection, other, whose, by="tester", limit=50)
        attesting_ = asyncio.create_task(attest(database, wanted(), progress=QUIET))
        await blocked(database)
    assert (await attesting_).people == 1
    assert await states(database) == {"1": (1, 0), "9": (1, 0)}


async def test_word_that_stands_again_after_a_split_is_undone(database: Database) -> None:
    await publish(database)
    await record(database, person(9), source="crm")
    await record(database, person(1))
    report = await attest(database, wanted(), progress=QUIET)
    async with database.transaction() as connection:
        other, whose = await customer(connection, 9, "crm"), await customer(connection, 1)
        decision, one = await decisions.merge(connection, other, whose, by="tester", limit=50)
        said = direct.Statement(PURPOSE, "granted", clock.now())
        await direct.declare(connection, one, said, by="person", defaults=Defaults())
        await decisions.undo(connection, decision, by="tester", limit=50)
    assert (await states(database))["1"] == (1, 0)
    assert await undo(database, report.id, by="command", progress=QUIET) == 1
    assert (await states(database))["1"] == (0, 0)
