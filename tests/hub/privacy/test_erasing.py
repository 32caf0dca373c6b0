"""Erasure: nothing of the person is left, nothing of the others goes, and nobody comes back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from hub.clock import new_id, now
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Conflict, NotFound
from hub.intake import Incoming, Outcome, record
from hub.privacy import erasing, requests
from hub.records import (
    Address,
    AnyRecord,
    Consent,
    Customer,
    Detail,
    Identifier,
    Interaction,
    Order,
    OrderLine,
    Participant,
    Person,
)
from tests.everywhere import found_in_tables

MAIL, PHONE, HOME = "zinaida.quirke@example.com", "+7 900 111-22-33", "+7 900 444-55-66"
SAID = (MAIL, "+79001112233", "79001112233", "Zinaida", "Quirke", "Vasilisovna", "Zinnia Lane")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

ZINAIDA = Customer(
    external_id="z1",
    given_name="Zinaida",
    family_name="Quirke",
    middle_name="Vasilisovna",
    city="Kazan",
    identifiers=(
        Identifier(type="email", value=MAIL, verified=True),
        Identifier(type="phone", value=PHONE),
        Identifier(type="phone", value=HOME),
    ),
    addresses=(Address(street="Zinnia Lane 5", city="Kazan"),),
    tags=("friend of Zinaida",),
)
IVAN = Customer(
    external_id="i1",
    given_name="Ivan",
    family_name="Petrov",
    identifiers=(
        Identifier(type="phone", value=HOME),
        Identifier(type="email", value="ivan@example.org"),
    ),
)
BOUGHT = Order(
    external_id="o1",
    ordered_at=NOON,
    customer=Person(external_id="z1"),
    lines=(OrderLine(name="Gift for Quirke"),),
)
AGREED = Consent(
    external_id="c1",
    customer=Person(external_id="z1"),
    purpose="email_marketing",
    state="granted",
    given_at=NOON,
    contact_point=Identifier(type="email", value=MAIL),
    evidence="Zinaida ticked the box",
)
CALL = Interaction(
    external_id="call",
    kind="call",
    started_at=NOON,
    subject="Zinaida calls",
    participants=(
        Participant(person=Person(identifier=Identifier(type="phone", value=PHONE)), role="caller"),
    ),
)
MEETING = Interaction(
    external_id="meet",
    kind="meeting",
    started_at=NOON,
    subject="Zinaida meets Ivan",
    text="Quirke said yes",
    participants=(
        Participant(person=Person(external_id="z1"), role="guest"),
        Participant(person=Person(external_id="i1"), role="host"),
    ),
)
MORE = Detail(external_id="d1", customer="z1", tags=("Quirke's tag",))
EVERYTHING = (ZINAIDA, IVAN, BOUGHT, AGREED, CALL, MEETING, MORE)


async def take(connection: Connection, *said: AnyRecord, source: str = "crm") -> Outcome:
    batch = [Incoming(one, row) for row, one in enumerate(said, 1)]
    async with connection.transaction():
        return await record(connection, batch, source=source, cause="sync")


async def customer_of(connection: Connection, external_id: str, source: str = "crm") -> UUID:
    return await connection.fetchval(
        "SELECT l.customer_id FROM source_record r JOIN source s ON s.id = r.source_id"
        " JOIN identity_link l ON l.record_id = r.id AND l.unlinked_at IS NULL"
        " WHERE r.type = 'customer' AND r.external_id = $1 AND s.key = $2",
        external_id,
        source,
    )


async def erase(database: Database, customer: UUID) -> erasing.Erased:
    async with database.transaction() as connection:
        asked = await requests.ask(connection, "erasure", customer, by="command")
    return await erasing.erase(database, asked.id)


@pytest.fixture
async def zinaida(connection: Connection) -> UUID:
    await take(connection, *EVERYTHING)
    await connection.execute("ANALYZE")
    return await customer_of(connection, "z1")


async def test_nothing_is_left(database: Database, connection: Connection, zinaida: UUID) -> None:
    assert {"identifier", "customer", "statistics of customer"} <= await found_in_tables(
        connection, SAID
    )
    done = await erase(database, zinaida)
    assert (done.customer_id, done.state, done.holders) == (zinaida, "done", {"hub": "done"})
    assert await found_in_tables(connection, SAID) == set()


async def test_tombstone_is_blank(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    await erase(database, zinaida)
    row = await connection.fetchrow("SELECT * FROM customer WHERE id = $1", zinaida)
    assert row is not None
    assert (row["status"], row["display_name"], row["granted"]) == ("erased", "", 0)
    assert row["erased_at"] is not None
    assert await connection.fetchval("SELECT count(*) FROM customer WHERE status = 'active'") == 1


async def test_ledger_keeps_what_happened(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    await erase(database, zinaida)
    (entry,) = await connection.fetch("SELECT * FROM consent_entry")
    assert (entry["customer_id"], entry["purpose"], entry["given_at"], entry["evidence"]) == (
        zinaida, "email_marketing", NOON, ""
    )  # fmt: skip
    types = await connection.fetch("SELECT type FROM event WHERE customer_id = $1", zinaida)
    assert {"customer.created", "consent.recorded", "customer.erased"} <= {row[0] for row in types}


EXPORT = """
WITH run AS (
    INSERT INTO export_run (id, purpose, requested_by, recipient, reason, columns)
    VALUES ($3, 'data_subject_rights', 'command', 'court', $1, 'id') RETURNING id
)
INSERT INTO disclosure (customer_id, purpose, kind, recipient, grounds, categories, export_id)
SELECT c, 'data_subject_rights', 'file', 'court', 'legal_obligation', 'identity', run.id
  FROM run, unnest($2::uuid[]) AS c
"""


async def test_reason_of_a_file_about_them_alone_is_emptied(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    both = [zinaida, await customer_of(connection, "i1")]
    await connection.execute(EXPORT, "The court asks about Zinaida", [zinaida], new_id())
    await connection.execute(EXPORT, "All who came in March", both, new_id())
    await erase(database, zinaida)
    reasons = await connection.fetch("SELECT reason FROM export_run ORDER BY reason")
    assert [row["reason"] for row in reasons] == ["", "All who came in March"]


async def test_others_stay(database: Database, connection: Connection, zinaida: UUID) -> None:
    await erase(database, zinaida)
    ivan = await customer_of(connection, "i1")
    values = await connection.fetch(
        "SELECT value FROM identifier WHERE customer_id = $1 AND type <> 'external'", ivan
    )
    assert {row[0] for row in values} == {"+79004445566", "ivan@example.org"}
    home = await connection.fetchrow(
        "SELECT holders, shared FROM identifier_value WHERE value = '+79004445566'"
    )
    assert home is not None
    assert tuple(home) == (1, False)


async def test_value_in_another_ledger_stays(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    denies = Consent(
        external_id="c9",
        customer=Person(external_id="i1"),
        purpose="email_marketing",
        state="denied",
        given_at=NOON,
        contact_point=Identifier(type="email", value=MAIL),
    )
    await take(connection, denies)
    await erase(database, zinaida)
    rows = await connection.fetch(
        "SELECT v.holders FROM consent_entry e JOIN identifier_value v ON v.id = e.contact_point_id"
    )
    assert [row["holders"] for row in rows] == [0, 0], "the two entries speak of one value"


async def test_shared_meeting_falls_silent(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    await erase(database, zinaida)
    (meeting,) = await connection.fetch("SELECT subject, text FROM interaction")
    assert tuple(meeting) == ("", "")
    (left,) = await connection.fetch("SELECT customer_id, role FROM interaction_participant")
    assert tuple(left) == (await customer_of(connection, "i1"), "host")


async def test_same_records_are_refused(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    await erase(database, zinaida)
    outcome = await take(connection, *EVERYTHING)
    assert outcome.suppressed == {1, 3, 4, 5, 6, 7}
    assert outcome.total("suppressed") == 6
    assert await found_in_tables(connection, SAID) == set()
    assert await connection.fetchval("SELECT sum(refused)::int FROM suppression") == 6


async def test_other_sources_are_refused(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    await erase(database, zinaida)
    known = Customer(
        external_id="s9", given_name="Zinaida", identifiers=(Identifier(type="email", value=MAIL),)
    )
    outcome = await take(connection, known, source="shop")
    assert outcome.suppressed == {1}


ACCOUNT = Customer(
    external_id="s9", given_name="Zinaida", identifiers=(Identifier(type="email", value=MAIL),)
)
"""How another source knows her, where she bought before and after she was erased."""
BEFORE = Order(
    external_id="so1",
    ordered_at=NOON,
    customer=Person(external_id="s9"),
    lines=(OrderLine(name="For Quirke"),),
)


@pytest.mark.parametrize(
    "batches", [((ACCOUNT, BEFORE),), ((BEFORE, ACCOUNT),), ((ACCOUNT,), (BEFORE,))]
)
async def test_what_another_account_did_is_refused(
    database: Database,
    connection: Connection,
    zinaida: UUID,
    batches: Sequence[Sequence[AnyRecord]],
) -> None:
    await erase(database, zinaida)
    outcomes = [await take(connection, *said, source="shop") for said in batches]
    assert sum(outcome.total("suppressed") for outcome in outcomes) == 2
    assert await found_in_tables(connection, SAID) == set()
    assert await connection.fetchval('SELECT count(*) FROM "order"') == 0


async def test_account_without_an_id_makes_no_suppression(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    await erase(database, zinaida)
    before = await connection.fetchval("SELECT count(*) FROM suppression")
    nameless = msgspec.structs.replace(ACCOUNT, external_id=" ")
    assert (await take(connection, nameless, source="shop")).total("rejected") == 1
    assert await connection.fetchval("SELECT count(*) FROM suppression") == before


async def test_order_of_another_account_lifts(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    await erase(database, zinaida)
    await take(connection, ACCOUNT, source="shop")
    bought = Order(external_id="so2", ordered_at=now(), customer=Person(external_id="s9"))
    assert (await take(connection, bought, source="shop")).suppressed == set()
    assert (await take(connection, ACCOUNT, source="shop")).suppressed == set()
    assert await customer_of(connection, "s9", "shop") != zinaida


async def test_somebody_else_may_get_the_number(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    await erase(database, zinaida)
    hers = Identifier(type="phone", value=PHONE)
    ivan = msgspec.structs.replace(IVAN, city="Omsk", identifiers=(*IVAN.identifiers, hers))
    outcome = await take(connection, ivan)
    assert (outcome.curtailed, outcome.total("changed")) == ({1}, 1)
    assert await connection.fetchval("SELECT city FROM customer WHERE status = 'active'") == "Omsk"
    assert await found_in_tables(connection, SAID) == set()


async def test_shared_identifier_is_no_reason(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    await erase(database, zinaida)
    maria = Customer(
        external_id="m1", given_name="Maria", identifiers=(Identifier(type="phone", value=HOME),)
    )
    assert (await take(connection, maria)).total("created") == 1


async def test_new_meeting_leaves_them_out(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    await erase(database, zinaida)
    again = Interaction(
        external_id="meet2",
        kind="meeting",
        started_at=now(),
        text="Quirke again",
        participants=MEETING.participants,
    )
    outcome = await take(connection, again)
    assert (outcome.curtailed, outcome.total("created")) == ({1}, 1)
    assert await found_in_tables(connection, SAID) == set()


async def test_later_order_lifts(database: Database, connection: Connection, zinaida: UUID) -> None:
    await erase(database, zinaida)
    later = Order(external_id="o2", ordered_at=now(), customer=Person(external_id="z1"))
    outcome = await take(connection, later, *EVERYTHING)
    assert outcome.suppressed == {4, 5, 6, 7}, "what she did before stays away"
    assert await customer_of(connection, "z1") != zinaida
    lifted = await connection.fetch("SELECT DISTINCT lifted_by FROM suppression ORDER BY 1")
    assert [row[0] for row in lifted] == ["", "order"]


async def test_new_consent_lifts_by_identifier(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    await erase(database, zinaida)
    agrees = Consent(
        external_id="c2",
        customer=Person(identifier=Identifier(type="email", value=MAIL)),
        purpose="email_marketing",
        state="granted",
        given_at=now(),
    )
    assert (await take(connection, agrees, source="shop")).suppressed == set()
    assert (await take(connection, ZINAIDA)).total("created") == 1


@pytest.mark.parametrize(
    "act",
    [
        Order(external_id="o3", ordered_at=NOON, customer=Person(external_id="z1")),
        Order(
            external_id="o4",
            ordered_at=NOON + timedelta(days=20_000),
            customer=Person(external_id="z1"),
        ),
        Consent(
            external_id="c3",
            customer=Person(external_id="z1"),
            purpose="email_marketing",
            state="withdrawn",
            given_at=now(),
        ),
    ],
)
async def test_no_act_of_theirs_lifts_nothing(
    database: Database, connection: Connection, zinaida: UUID, act: AnyRecord
) -> None:
    await erase(database, zinaida)
    assert (await take(connection, act)).suppressed == {1}


async def test_again_changes_nothing(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    done = await erase(database, zinaida)
    before = await _everything(connection)
    assert await erasing.erase(database, done.request_id) == done
    assert await _everything(connection) == before


async def _everything(connection: Connection) -> Sequence[object]:
    events = await connection.fetch("SELECT type, customer_id FROM event ORDER BY seq")
    hashes = await connection.fetch("SELECT hash, erased_at FROM suppression ORDER BY hash")
    return [tuple(row) for row in [*events, *hashes]]


async def test_nobody_known_is_no_error(database: Database) -> None:
    done = await erasing.erase(database, new_id(), customer_id=new_id())
    assert (done.state, done.records) == ("done", 0)


async def test_no_request_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        await erasing.erase(database, new_id())


@pytest.mark.parametrize(("kind", "state"), [("access", "received"), ("erasure", "withdrawn")])
async def test_other_requests_erase_nobody(
    database: Database, connection: Connection, zinaida: UUID, kind: requests.Kind, state: str
) -> None:
    asked = await requests.ask(connection, kind, zinaida, by="command")
    await connection.execute("UPDATE privacy_request SET state = $1", state)
    with pytest.raises(Conflict):
        await erasing.erase(database, asked.id)
    assert await customer_of(connection, "z1") == zinaida


async def test_merged_ids_are_erased_as_well(
    database: Database, connection: Connection, zinaida: UUID
) -> None:
    other = Customer(
        external_id="s1",
        given_name="Zinaida",
        identifiers=(Identifier(type="email", value="quirke@example.org"),),
    )
    await take(connection, other, source="shop")
    old = await customer_of(connection, "s1", "shop")
    joined = Customer(
        external_id="s1",
        observed_at=now(),
        given_name="Zinaida",
        identifiers=(Identifier(type="email", value=MAIL),),
    )
    await take(connection, joined, source="shop")
    assert await customer_of(connection, "s1", "shop") == zinaida
    await erase(database, old)
    rows = await connection.fetch(
        "SELECT id, status FROM customer WHERE id = ANY($1::uuid[])", [old, zinaida]
    )
    assert {tuple(row) for row in rows} == {(old, "erased"), (zinaida, "erased")}
    assert await found_in_tables(connection, ("Zinaida", "quirke@example.org")) == set()
