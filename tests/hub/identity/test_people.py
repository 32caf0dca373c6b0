"""What people do with identity: decide, ask why, look, set rules."""

from uuid import UUID, uuid4

import pytest

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Conflict, NotFound, Refused
from hub.identity import card, decisions, rules
from hub.identity.explain import customer_of, explain
from hub.identity.report import report
from hub.intake import record
from hub.records import Customer, Identifier
from tests.people import incoming

PHONE = Identifier(type="phone", value="+7 900 123-45-67")
MAIL = Identifier(type="email", value="anna@example.com")
ANNA = Customer(external_id="1", given_name="Anna", identifiers=(PHONE, MAIL))
BORIS = Customer(external_id="2", given_name="Boris", identifiers=(PHONE,))
ANJA = Customer(external_id="9", given_name="Anna", city="Kazan", identifiers=(MAIL,))


@pytest.fixture
async def family(connection: Connection) -> Connection:
    """Anna known to crm and erp, and Boris, who shares her phone."""
    for source, people in (("crm", [ANNA, BORIS]), ("erp", [ANJA])):
        async with connection.transaction():
            await record(connection, incoming(people), source=source, cause="backfill")
    return connection


async def of(connection: Connection, name: str) -> UUID:
    return await customer_of(connection, name)


async def test_why_they_are_one(family: Connection) -> None:
    found = await explain(family, "crm:1", "erp:9", limit=50)
    assert found.verdict == "one"
    assert [(s.left, s.right, s.how) for s in found.steps] == [("crm:1", "erp:9", "email")]
    assert found.steps[0].value == "a•••@example.com"


async def test_why_they_are_not(family: Connection) -> None:
    found = await explain(family, "crm:2", "erp:9", limit=50, show_values=True)
    assert found.verdict == "apart"
    assert found.obstacles[0].value == "+79001234567"
    assert "different names" in found.obstacles[0].reason


async def test_they_have_nothing_in_common(family: Connection) -> None:
    async with family.transaction():
        stranger = incoming([Customer(external_id="7")])
        await record(family, stranger, source="crm", cause="backfill")
    assert (await explain(family, "crm:7", "erp:9", limit=50)).verdict == "unrelated"


async def test_nobody_by_that_name(family: Connection) -> None:
    with pytest.raises(NotFound):
        await explain(family, "crm:404", "erp:9", limit=50)
    with pytest.raises(NotFound):
        await customer_of(family, str(uuid4()))


async def test_the_report_shows_the_family_phone(family: Connection) -> None:
    found = await report(family, limit=50)
    assert found.totals["customers"] == 2
    assert [(c.records, c.sources) for c in found.largest] == [(2, 2), (1, 1)]
    assert [(s.type, s.customers, s.records) for s in found.shared] == [("phone", 2, 2)]
    assert [(c.type, c.given_names) for c in found.conflicts] == [("phone", 2)]
    assert "4567" not in str(found)


async def test_a_card_tells_who_said_what(family: Connection) -> None:
    found = await card.card(family, await of(family, "crm:1"))
    said = {value.field: value.said_by for value in found.golden}
    assert said == {"given_name": "crm:1", "city": "erp:9"}
    assert [r.name for r in found.records] == ["crm:1", "erp:9"]


async def test_the_order_of_sources_is_obeyed(database: Database, family: Connection) -> None:
    again = Customer(external_id="9", given_name="Анна", identifiers=(MAIL,))
    async with family.transaction():
        await record(family, incoming([again]), source="erp", cause="backfill")
        await rules.order_sources(family, ["erp"])
    assert [done async for done in rules.resolve_all(database, limit=50)]
    name = "SELECT given_name FROM customer WHERE id = $1"
    assert await family.fetchval(name, await of(family, "crm:1")) == "Анна"
    with pytest.raises(NotFound):
        await rules.order_sources(family, ["nowhere"])


async def test_blocking_separates_and_unblocking_joins(
    database: Database, family: Connection
) -> None:
    assert await rules.block(database, "email", "Anna@*", limit=50) == 2
    assert await of(family, "crm:1") != await of(family, "erp:9")
    assert await rules.blocklist(family) == [("email", "anna@*")]
    found = await explain(family, "crm:1", "erp:9", limit=50)
    assert "blocklist" in found.obstacles[0].reason
    await rules.unblock(database, "email", "anna@*", limit=50)
    assert await of(family, "crm:1") == await of(family, "erp:9")


async def test_what_comes_later_is_blocked_too(database: Database, family: Connection) -> None:
    await rules.block(database, "email", "info@*", limit=50)
    info = Identifier(type="email", value="info@example.org")
    async with family.transaction():
        people = [Customer(external_id=n, identifiers=(info,)) for n in ("11", "12")]
        await record(family, incoming(people), source="crm", cause="backfill")
    assert await of(family, "crm:11") != await of(family, "crm:12")


async def test_the_blocklist_knows_its_words(database: Database) -> None:
    with pytest.raises(Refused):
        await rules.block(database, "fax", "1", limit=50)
    with pytest.raises(NotFound):
        await rules.unblock(database, "email", "nobody@*", limit=50)


async def test_a_merge_of_one_is_refused(family: Connection) -> None:
    one = await of(family, "crm:1")
    with pytest.raises(Conflict):
        await decisions.merge(family, one, one, by="tester", limit=50)


async def test_a_split_takes_a_part(family: Connection) -> None:
    one, record_ = (
        await of(family, "crm:1"),
        await family.fetchval(
            "SELECT id FROM source_record WHERE external_id = '9' AND type = 'customer'"
        ),
    )
    with pytest.raises(NotFound):
        await decisions.split(family, one, [uuid4()], by="tester", limit=50)
    _, other = await decisions.split(family, one, [record_], by="tester", limit=50)
    assert await of(family, "erp:9") == other != one
    with pytest.raises(Conflict):
        await decisions.split(family, other, [record_], by="tester", limit=50)


async def test_a_split_is_obeyed_by_newcomers(family: Connection) -> None:
    record_ = await family.fetchval("SELECT id FROM source_record WHERE external_id = '9'")
    await decisions.split(family, await of(family, "crm:1"), [record_], by="tester", limit=50)
    async with family.transaction():
        changed = Customer(external_id="9", given_name="Anja", identifiers=(MAIL, PHONE))
        await record(family, incoming([changed]), source="erp", cause="sync")
    assert await of(family, "crm:1") != await of(family, "erp:9")


async def test_decisions_are_listed_until_undone(family: Connection) -> None:
    left, right = await of(family, "crm:1"), await of(family, "crm:2")
    decision, _ = await decisions.merge(family, left, right, by="tester", limit=50)
    assert [(d.kind, d.decided_by) for d in await decisions.listed(family)] == [("merge", "tester")]
    await decisions.undo(family, decision, by="other", limit=50)
    assert await decisions.listed(family) == []
    assert [d.revoked_by for d in await decisions.listed(family, with_revoked=True)] == ["other"]
    with pytest.raises(NotFound):
        await decisions.undo(family, decision, by="other", limit=50)


async def test_a_merge_forgets_an_earlier_split(family: Connection) -> None:
    record_ = await family.fetchval("SELECT id FROM source_record WHERE external_id = '9'")
    one = await of(family, "crm:1")
    _, other = await decisions.split(family, one, [record_], by="tester", limit=50)
    _, survivor = await decisions.merge(family, one, other, by="tester", limit=50)
    assert survivor == one
    assert [d.kind for d in await decisions.listed(family)] == ["merge"]


async def test_undoing_a_merge_lets_a_split_stand_again(family: Connection) -> None:
    record_ = await family.fetchval("SELECT id FROM source_record WHERE external_id = '9'")
    one = await of(family, "crm:1")
    _, other = await decisions.split(family, one, [record_], by="tester", limit=50)
    merged, _ = await decisions.merge(family, one, other, by="tester", limit=50)
    assert await decisions.undo(family, merged, by="tester", limit=50) == 2
    assert await of(family, "crm:1") != await of(family, "erp:9")
    assert [d.kind for d in await decisions.listed(family)] == ["split"]


async def test_undoing_a_split_lets_a_merge_stand_again(family: Connection) -> None:
    boris = await of(family, "crm:2")
    record_ = await family.fetchval(
        "SELECT id FROM source_record WHERE external_id = '2' AND type = 'customer'"
    )
    _, one = await decisions.merge(family, await of(family, "crm:1"), boris, by="t", limit=50)
    split, _ = await decisions.split(family, one, [record_], by="t", limit=50)
    assert await decisions.undo(family, split, by="t", limit=50) == 1
    assert await of(family, "crm:2") == await of(family, "crm:1")


async def test_a_link_names_who_decided(family: Connection) -> None:
    await decisions.merge(
        family, await of(family, "crm:1"), await of(family, "crm:2"), by="ada", limit=50
    )
    query = "SELECT decided_by FROM identity_link WHERE method = 'manual' AND unlinked_at IS NULL"
    assert await family.fetchval(query) == "ada"


async def test_a_decision_alone_explains_two_strangers(family: Connection) -> None:
    async with family.transaction():
        await record(family, incoming([Customer(external_id="7")]), source="crm", cause="backfill")
    left, right = await of(family, "crm:7"), await of(family, "crm:2")
    await decisions.never_link(family, left, right, by="tester", limit=50)
    found = await explain(family, "crm:7", "crm:2", limit=50)
    assert (found.verdict, [o.how for o in found.obstacles]) == ("apart", ["decision"])


async def test_both_customers_of_a_merge_are_told(family: Connection) -> None:
    left, right = await of(family, "crm:1"), await of(family, "crm:2")
    await decisions.merge(family, left, right, by="tester", limit=50)
    rows = await family.fetch(
        "SELECT type, customer_id FROM event WHERE cause = 'merge' ORDER BY 1"
    )
    survivor, gone = sorted((left, right))
    assert [tuple(row) for row in rows] == [
        ("customer.merged", gone),
        ("customer.updated", survivor),
    ]
