"""The consent state equals a replay of what was said, in whatever order, and after merges too."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.identity import decisions
from hub.intake import Defaults, Incoming, direct, record
from hub.records import Consent, Customer, Identifier, Person
from tests.properties.test_identity import empty, shared_database

PURPOSES = ("email_marketing", "analytics")
STATES = ("granted", "denied", "withdrawn", "objected")
PEOPLE = ("1", "2", "3")
MAILS = ("a@example.com", "b@example.com")

said = st.builds(
    lambda place, n, **words: (place, Consent(external_id=str(n), **words)),
    st.sampled_from(("crm", "web")),
    st.integers(0, 5),
    customer=st.sampled_from(PEOPLE).map(lambda id_: Person(external_id=id_)),
    purpose=st.sampled_from(PURPOSES),
    state=st.sampled_from(STATES),
    given_at=st.integers(1, 4).map(lambda day: datetime(2026, 2, day, tzinfo=UTC)),
    valid_until=st.sampled_from((None, datetime(2031, 1, 1, tzinfo=UTC))),
    contact_point=st.sampled_from((None, Identifier(type="email", value="a@example.com"))),
)
ledgers = st.lists(said, max_size=12, unique_by=lambda item: (item[0], item[1].external_id))
mailboxes = st.dictionaries(
    st.tuples(st.sampled_from(("crm", "web")), st.sampled_from(PEOPLE)),
    st.sampled_from(MAILS),
    max_size=4,
)

STATE = """
SELECT s.customer_id, s.purpose, s.state, s.until FROM consent_state s ORDER BY 1, 2
"""
MEMBERS = """
SELECT l.customer_id, s.key AS source, r.external_id FROM identity_link l
  JOIN source_record r ON r.id = l.record_id JOIN source s ON s.id = r.source_id
 WHERE l.unlinked_at IS NULL
"""
BITS = """
SELECT c.id FROM customer c
 WHERE c.granted <> coalesce((SELECT bit_or(1::bigint << p.bit) FROM consent_state s
         JOIN purpose p ON p.key = s.purpose
        WHERE s.customer_id = c.id AND s.state = 'granted'), 0)
    OR c.refused <> coalesce((SELECT bit_or(1::bigint << p.bit) FROM consent_state s
         JOIN purpose p ON p.key = s.purpose
        WHERE s.customer_id = c.id AND s.state <> 'granted'), 0)
"""


def replayed(ledger: list[tuple[str, Consent]], purpose: str) -> tuple[str, Any] | None:
    """The naive rule over the entries of one customer."""
    latest: dict[Any, Consent] = {}
    for source, entry in ledger:
        place = (source, entry.customer.external_id, entry.contact_point)
        known = latest.get(place)
        if entry.purpose == purpose and (known is None or strength(entry) > strength(known)):
            latest[place] = entry
    refusals = [e for e in latest.values() if e.state != "granted" and e.contact_point is None]
    if refusals:
        newest = max(entry.given_at for entry in refusals)
        return min(entry.state for entry in refusals if entry.given_at == newest), None
    grants = [entry for entry in latest.values() if entry.state == "granted"]
    if not grants:
        return None
    ends = [entry.valid_until for entry in grants]
    return "granted", None if None in ends else max(end for end in ends if end)


def strength(entry: Consent) -> tuple[Any, ...]:
    """Later counts, at one moment a refusal, then the first word, then the sooner end."""
    far = datetime(9999, 1, 1, tzinfo=UTC)
    word = -STATES_IN_ORDER.index(entry.state)
    return (
        entry.given_at,
        entry.state != "granted",
        word,
        -(entry.valid_until or far).timestamp(),
    )


STATES_IN_ORDER = sorted(STATES)


async def checked(connection: Connection, ledger: list[tuple[str, Consent]]) -> None:
    members = await connection.fetch(MEMBERS)
    customer_of = {(row["source"], row["external_id"]): row["customer_id"] for row in members}
    expected = []
    for customer in sorted(set(customer_of.values())):
        theirs = [
            (source, entry)
            for source, entry in ledger
            if customer_of[source, entry.customer.external_id] == customer
        ]
        for purpose in sorted(PURPOSES):
            state = replayed(theirs, purpose)
            expected += [(customer, purpose, *state)] if state else []
    assert [tuple(row) for row in await connection.fetch(STATE)] == expected
    assert await connection.fetch(BITS) == []


@shared_database
@given(ledger=ledgers, mails=mailboxes, data=st.data())
async def test_the_state_equals_a_replay(
    database: Database,
    ledger: list[tuple[str, Consent]],
    mails: dict[tuple[str, str], str],
    data: st.DataObject,
) -> None:
    people = [
        (source, Customer(external_id=id_, identifiers=(Identifier(type="email", value=mail),)))
        for (source, id_), mail in mails.items()
    ]
    async with database.transaction() as connection:
        await empty(connection)
    for source, item in data.draw(st.permutations([*ledger, *people])):
        async with database.transaction() as connection:
            await record(connection, [Incoming(item, 1)], source=source, cause="backfill")
    async with database.transaction() as connection:
        await checked(connection, ledger)
        query = "SELECT id FROM customer WHERE status = 'active' ORDER BY id LIMIT 2"
        ids = [row["id"] for row in await connection.fetch(query)]
        if len(ids) == 2:
            decision, _ = await decisions.merge(connection, *ids, by="tester", limit=50)
            await checked(connection, ledger)
            await decisions.undo(connection, decision, by="tester", limit=50)
            await checked(connection, ledger)


told = st.builds(
    direct.Statement,
    purpose=st.sampled_from(PURPOSES),
    state=st.sampled_from(STATES),
    given_at=st.integers(1, 4).map(lambda day: datetime(2026, 2, day, tzinfo=UTC)),
)
"""What a person tells the hub itself."""

OF_RECORD = MEMBERS + " AND s.key = $1 AND r.external_id = $2"
OURS = MEMBERS + " AND s.key = 'hub' AND l.customer_id = $1"


@shared_database
@given(
    ledger=ledgers,
    mails=mailboxes,
    direct_ones=st.lists(st.tuples(st.sampled_from(PEOPLE), told), max_size=5),
    data=st.data(),
)
async def test_what_the_hub_is_told_replays(
    database: Database,
    ledger: list[tuple[str, Consent]],
    mails: dict[tuple[str, str], str],
    direct_ones: list[tuple[str, direct.Statement]],
    data: st.DataObject,
) -> None:
    async with database.transaction() as connection:
        await empty(connection)
        for source in ("crm", "web"):
            people = [person(id_, mails.get((source, id_))) for id_ in PEOPLE]
            await record(connection, people, source=source, cause="backfill")
    standing: list[tuple[str, Consent]] = []
    for who, item in data.draw(st.permutations([*ledger, *direct_ones])):
        async with database.transaction() as connection:
            if isinstance(item, Consent):
                await record(connection, [Incoming(item, 1)], source=who, cause="backfill")
                standing.append((who, item))
            else:
                standing = await tell(connection, who, item, standing)
            await checked(connection, standing)


def person(id_: str, mail: str | None) -> Incoming:
    said = (Identifier(type="email", value=mail),) if mail else ()
    return Incoming(Customer(external_id=id_, identifiers=said), int(id_))


async def tell(
    connection: Connection,
    who: str,
    statement: direct.Statement,
    standing: list[tuple[str, Consent]],
) -> list[tuple[str, Consent]]:
    """Tell the hub something, and return what stands then by the naive rule."""
    row = await connection.fetchrow(OF_RECORD, "crm", who)
    assert row is not None
    customer = row["customer_id"]
    declared = await direct.declare(connection, customer, statement, defaults=Defaults())
    if declared.fate == "unchanged":
        return standing
    theirs = {
        (row["source"], row["external_id"])
        for row in await connection.fetch(MEMBERS)
        if row["customer_id"] == customer
    }
    ours = await connection.fetchrow(OURS, customer)
    assert ours is not None
    entry = Consent(
        external_id=str(declared.entry_id),
        customer=Person(external_id=ours["external_id"]),
        purpose=statement.purpose,
        state=statement.state,
        given_at=statement.given_at,
    )
    left = [one for one in standing if not is_overruled(one, entry, theirs)]
    assert len(standing) - len(left) == declared.superseded
    return [*left, ("hub", entry)]


def is_overruled(one: tuple[str, Consent], by: Consent, theirs: set[tuple[str, str]]) -> bool:
    source, entry = one
    is_theirs = (source, entry.customer.external_id) in theirs
    is_before = entry.purpose == by.purpose and entry.given_at <= by.given_at
    return by.state == "granted" and is_theirs and is_before
