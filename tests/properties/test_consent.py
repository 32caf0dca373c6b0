"""The consent state equals a replay of what was said, in whatever order, and after merges too."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from hub import clock
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

WEB, CRM = "web", "crm"
AGO, AHEAD = datetime(2026, 3, 1, tzinfo=UTC), datetime(2131, 1, 1, tzinfo=UTC)
LATER = datetime(2132, 1, 1, tzinfo=UTC)
FAR = datetime(9999, 1, 1, tzinfo=UTC)
POINTS = (None, *(Identifier(type="email", value=mail) for mail in MAILS))

said = st.builds(
    lambda place, n, **words: (place, Consent(external_id=str(n), **words)),
    st.sampled_from((CRM, WEB)),
    st.integers(0, 5),
    customer=st.sampled_from(PEOPLE).map(lambda id_: Person(external_id=id_)),
    purpose=st.sampled_from(PURPOSES),
    state=st.sampled_from(("granted", *STATES)),
    given_at=st.integers(1, 4).map(lambda day: datetime(2026, 2, day, tzinfo=UTC)),
    valid_until=st.sampled_from((None, AGO, AHEAD, LATER)),
    contact_point=st.sampled_from(POINTS),
    channel=st.sampled_from(("", "", "email", "Email", "telegram")),
)
ledgers = st.lists(said, max_size=12, unique_by=lambda item: (item[0], item[1].external_id))
mailboxes = st.dictionaries(
    st.tuples(st.sampled_from((CRM, WEB)), st.sampled_from(PEOPLE)),
    st.sampled_from(MAILS),
    max_size=4,
)

BITS = {"analytics": 1 << 1, "email_marketing": 1 << 3}
STATE = """
SELECT s.customer_id, s.purpose, s.state, s.until FROM consent_state s ORDER BY 1, 2
"""
MEMBERS = """
SELECT l.customer_id, s.key AS source, r.external_id FROM identity_link l
  JOIN source_record r ON r.id = l.record_id JOIN source s ON s.id = r.source_id
 WHERE l.unlinked_at IS NULL
"""
OF_CUSTOMERS = """
SELECT id, granted, narrowed, refused, granted_until FROM customer
 WHERE status = 'active' ORDER BY id
"""
OF_POINTS = """
SELECT i.customer_id, i.value, i.granted, i.refused FROM identifier i
  JOIN customer c ON c.id = i.customer_id WHERE i.type = 'email' ORDER BY 1, 2
"""
LEFT_OVER = """
SELECT id FROM customer
 WHERE status <> 'active' AND (granted, narrowed, refused, granted_until)
       IS DISTINCT FROM (0, 0, 0, TIMESTAMPTZ '9999-01-01T00:00:00Z')
"""


@dataclass
class Replay:
    """The naive rule over the entries of one customer about one purpose."""

    refusal: str | None = None
    general: datetime | None = None
    points: dict[str, datetime] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    @property
    def standing(self) -> dict[str, datetime]:
        return {point: end for point, end in self.points.items() if end > clock.now()}

    @property
    def is_general(self) -> bool:
        return self.refusal is None and self.general is not None and self.general > clock.now()

    @property
    def is_narrowed(self) -> bool:
        return self.refusal is None and not self.is_general and bool(self.standing)

    def row(self) -> tuple[str, datetime | None] | None:
        if self.refusal is not None:
            return self.refusal, None
        ends = [end for end in (self.general, *self.points.values()) if end is not None]
        if not ends:
            return None
        end = max(ends)
        if self.is_general and self.general is not None:
            end = self.general
        elif self.is_narrowed:
            end = min(self.standing.values())
        return "granted", None if end == FAR else end


def replayed(ledger: list[tuple[str, Consent]], purpose: str) -> Replay:
    latest: dict[Any, Consent] = {}
    for source, entry in ledger:
        place = (source, entry.customer.external_id, entry.contact_point, entry.channel.lower())
        known = latest.get(place)
        if entry.purpose != purpose or not speaks(entry):
            continue
        if known is None or strength(entry) > strength(known):
            latest[place] = entry
    replay = Replay()
    by_point: dict[Identifier | None, list[Consent]] = {}
    for (*place, _), entry in latest.items():
        on_all = latest.get((*place, ""))
        if on_all is not None and strength(on_all) > strength(entry):
            continue
        by_point.setdefault(entry.contact_point, []).append(entry)
    for point, entries in by_point.items():
        refusals = [entry for entry in entries if entry.state != "granted"]
        end = max((entry.valid_until or FAR for entry in entries), default=FAR)
        if point is None and refusals:
            newest = max(entry.given_at for entry in refusals)
            replay.refusal = min(e.state for e in refusals if e.given_at == newest)
        elif point is None:
            replay.general = end
        elif refusals:
            replay.refused.add(point.value)
        else:
            replay.points[point.value] = end
    return replay


def speaks(entry: Consent) -> bool:
    """A grant for what the purpose does not work through says nothing of it."""
    is_refusal = entry.state != "granted"
    return is_refusal or entry.purpose == "analytics" or entry.channel.lower() in {"", "email"}


def strength(entry: Consent) -> tuple[Any, ...]:
    """Later counts, at one moment a refusal, then the first word, then the sooner end."""
    word = -STATES_IN_ORDER.index(entry.state)
    end = entry.valid_until or FAR
    return (entry.given_at, entry.state != "granted", word, -end.timestamp())


STATES_IN_ORDER = sorted(STATES)


async def checked(connection: Connection, ledger: list[tuple[str, Consent]]) -> None:
    members = await connection.fetch(MEMBERS)
    customer_of = {(row["source"], row["external_id"]): row["customer_id"] for row in members}
    replays = {
        customer: {
            purpose: replayed(
                [e for e in ledger if customer_of[e[0], e[1].customer.external_id] == customer],
                purpose,
            )
            for purpose in sorted(PURPOSES)
        }
        for customer in sorted(set(customer_of.values()))
    }
    states = [
        (customer, purpose, *row)
        for customer, replay in replays.items()
        for purpose, one in replay.items()
        if (row := one.row()) is not None
    ]
    assert [tuple(row) for row in await connection.fetch(STATE)] == states
    expected = [(customer, *of_customer(replay)) for customer, replay in replays.items()]
    assert [tuple(row) for row in await connection.fetch(OF_CUSTOMERS)] == expected
    for customer, value, *pair in await connection.fetch(OF_POINTS):
        assert pair == of_point(replays[customer], value)
    assert await connection.fetch(LEFT_OVER) == []


def of_customer(replay: dict[str, Replay]) -> tuple[int, int, int, datetime]:
    granted = [key for key, one in replay.items() if one.is_general or one.is_narrowed]
    narrowed = [key for key, one in replay.items() if one.is_narrowed]
    refused = [key for key, one in replay.items() if one.refusal is not None]
    ends = [row[1] for key in granted if (row := replay[key].row()) is not None]
    until = min((end for end in ends if end is not None), default=FAR)
    return (
        sum(BITS[k] for k in granted),
        *(sum(BITS[k] for k in w) for w in (narrowed, refused)),
        until,
    )


def of_point(replay: dict[str, Replay], value: str) -> list[int]:
    granted = sum(BITS[key] for key, one in replay.items() if value in one.standing)
    return [granted, sum(BITS[key] for key, one in replay.items() if value in one.refused)]


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
    state=st.sampled_from(("granted", *STATES)),
    given_at=st.integers(3, 5).map(lambda day: datetime(2026, 2, day, tzinfo=UTC)),
)
"""What a person tells the hub itself."""

OURS = """
SELECT r.external_id FROM consent_entry e JOIN source_record r ON r.id = e.record_id WHERE e.id = $1
"""


@shared_database
@given(
    ledger=ledgers,
    mails=mailboxes,
    direct_ones=st.lists(st.tuples(st.sampled_from(PEOPLE), told), min_size=2, max_size=8),
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
    said: list[Entry] = []
    merged: list[UUID] = []
    items = [*data.draw(st.permutations(ledger)), *direct_ones]
    turns = {len(ledger), len(ledger) + data.draw(st.integers(1, len(direct_ones)))}
    for number, (who, item) in enumerate(items):
        async with database.transaction() as connection:
            if number in turns:
                await regroup(connection, merged)
            if isinstance(item, Consent):
                await record(connection, [Incoming(item, 1)], source=who, cause="backfill")
                said.append(Entry(who, item))
            else:
                await tell(connection, who, item, said)
            await checked(connection, await standing(connection, said))
    for _ in range(2):
        async with database.transaction() as connection:
            await regroup(connection, merged)
            await checked(connection, await standing(connection, said))


async def regroup(connection: Connection, merged: list[UUID]) -> None:
    """Merge two customers, or take that back."""
    if merged:
        await decisions.undo(connection, merged.pop(), by="tester", limit=50)
        return
    customer_of = await owners(connection)
    one, other = (customer_of["crm", id_] for id_ in PEOPLE[:2])
    if one != other:
        decision, _ = await decisions.merge(connection, one, other, by="tester", limit=50)
        merged.append(decision)


Record = tuple[str, str | None]


@dataclass
class Entry:
    """What was said, and the hub's record of whose grant took its place."""

    source: str
    consent: Consent
    overruled_by: Record | None = None

    @property
    def record(self) -> Record:
        return self.source, self.consent.customer.external_id


async def standing(connection: Connection, said: list[Entry]) -> list[tuple[str, Consent]]:
    """What counts: all but that in whose place the same person granted it to the hub."""
    customer_of = await owners(connection)
    return [(one.source, one.consent) for one in said if stands(one, customer_of)]


def stands(one: Entry, customer_of: dict[Record, Any]) -> bool:
    by = one.overruled_by
    return by is None or customer_of[by] != customer_of[one.record]


async def owners(connection: Connection) -> dict[Record, Any]:
    members = await connection.fetch(MEMBERS)
    return {(row["source"], row["external_id"]): row["customer_id"] for row in members}


def person(id_: str, mail: str | None) -> Incoming:
    said = (Identifier(type="email", value=mail),) if mail else ()
    return Incoming(Customer(external_id=id_, identifiers=said), int(id_))


async def tell(
    connection: Connection, who: str, statement: direct.Statement, said: list[Entry]
) -> None:
    """Tell the hub something, and note what it takes the place of by the naive rule."""
    customer = (await owners(connection))["crm", who]
    declared = await direct.declare(
        connection, customer, statement, by="person", defaults=Defaults()
    )
    if declared.fate == "unchanged":
        return
    ours = await connection.fetchval(OURS, declared.entry_id)
    consent = Consent(
        external_id=str(declared.entry_id),
        customer=Person(external_id=ours),
        purpose=statement.purpose,
        state=statement.state,
        given_at=statement.given_at,
    )
    customer_of = await owners(connection)
    before = [one for one in said if stands(one, customer_of)]
    left = [one for one in before if is_overruled(one, consent, customer_of)]
    assert len(left) == declared.superseded
    for one in left:
        one.overruled_by = ("hub", ours)
    said.append(Entry("hub", consent))


def is_overruled(one: Entry, by: Consent, customer_of: dict[Record, Any]) -> bool:
    is_theirs = customer_of[one.record] == customer_of["hub", by.customer.external_id]
    is_before = one.consent.purpose == by.purpose and one.consent.given_at <= by.given_at
    return by.state == "granted" and is_theirs and is_before
