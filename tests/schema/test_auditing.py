"""What is asked and changed through GraphQL is in the audit, and can be looked up there."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import pytest
from graphql import parse

from hub.audit import Auditor
from hub.audit.mentions import look
from hub.config import Settings
from hub.feed import Feed
from hub.relay import Relay
from schema.build import build, core
from schema.engine import Engine
from schema.plan.digest import digest
from schema.request import Request
from schema.trusted import Trusted
from tests.events import commit, running
from tests.shop import Shop, caller

ANNA = 'query Card { customer(by: {email: "anna@example.com"}) { displayName } }'
MERGE = "mutation ($c: [ID!]!) { mergeCustomers(input: {customers: $c}) { customer { id } } }"
NEVER = "mutation ($c: [ID!]!) { neverLink(input: {customers: $c}) { decision } }"
CHANGED = "subscription { customerChanged { customer { displayName } } }"
AUDIT = """
query ($c: ID, $w: AuditWhere, $n: Int, $a: String) {
  auditEntries(customer: $c, where: $w, first: $n, after: $a) {
    nodes { kind action actor purpose customers customerCount document detail }
    pageInfo { hasNextPage endCursor }
  }
}
"""


@pytest.fixture
async def audited(shop: Shop, settings: Settings) -> AsyncGenerator[Shop]:
    """The shop, whose reads are noted."""
    feed, untrusted = Feed(shop.database), Trusted("off", {})
    async with Auditor(shop.database) as auditor:
        engine = Engine(
            build(), shop.database, settings, feed=feed, trusted=untrusted, auditor=auditor
        )
        await engine.prepare()
        async with running(feed.run(), Relay(shop.database).run()):
            await feed.beyond(-1)
            yield Shop(shop.database, engine)


async def entries(shop: Shop) -> list[Any]:
    return await shop.database.owner.fetch("SELECT * FROM audit_entry ORDER BY at, number")


async def drafts(shop: Shop) -> list[tuple[Any, ...]]:
    rows = await shop.database.owner.fetch("SELECT * FROM audit_draft ORDER BY id")
    return [(row["kind"], row["action"], row["people"]) for row in rows]


async def asked(shop: Shop, **variables: Any) -> Any:
    return (await shop.data(AUDIT, variables))["auditEntries"]


async def test_read_names_whom_and_what_for(audited: Shop) -> None:
    anna = await audited.id("anna")
    await audited.data(ANNA, purpose="customer_service")
    (row,) = await entries(audited)
    assert (row["kind"], row["action"], row["purpose"]) == ("read", "customer", "customer_service")
    assert (row["people"], row["actor"]) == (anna.bytes, "client:test")
    assert row["document"] == digest(core(build()), parse(ANNA))


async def test_answer_of_nobody_is_noted(audited: Shop) -> None:
    await audited.data('{ customer(by: {email: "no@example.com"}) { displayName } }')
    (row,) = await entries(audited)
    assert row["people"] == b""


async def test_viewer_is_not_noted(audited: Shop) -> None:
    await audited.data("{ viewer { client } }")
    assert await entries(audited) == []


async def test_unnoted_read_is_not_answered(audited: Shop) -> None:
    await audited.database.owner.execute("ALTER TABLE audit_entry RENAME TO elsewhere")
    assert await audited.code(ANNA) == "DATABASE_UNREACHABLE"


async def test_each_answer_of_a_subscription_is_noted(audited: Shop) -> None:
    anna, boris = await audited.id("anna"), await audited.id("boris")
    answers = aiter(audited.engine.stream(Request(query=CHANGED), caller("customer_service")))
    for person in (anna, boris):
        upcoming = asyncio.ensure_future(anext(answers))
        await asyncio.sleep(0)
        await commit(audited.database, person)
        answer = await upcoming
        assert person.bytes in answer.people
        row = (await entries(audited))[-1]
        assert (row["action"], row["people"]) == ("customerChanged", answer.people)


async def test_decision_is_drafted_with_its_answer(audited: Shop) -> None:
    boris, klara = await audited.id("boris"), await audited.id("klara")
    await audited.data(MERGE, {"c": [str(boris), str(klara)]})
    one = (await audited.id("boris")).bytes
    assert await drafts(audited) == [
        ("decided", "mergeCustomers", one),
        ("read", "mergeCustomers", one),
    ]


async def test_decision_without_people_names_them(audited: Shop) -> None:
    boris, klara = await audited.id("boris"), await audited.id("klara")
    await audited.data(NEVER, {"c": [str(boris), str(klara)]})
    told = await drafts(audited)
    assert {people for _, _, people in told} == {boris.bytes, klara.bytes}
    assert {(kind, action) for kind, action, _ in told} == {("decided", "neverLink")}


async def test_refused_decision_leaves_no_draft(audited: Shop) -> None:
    boris = str(await audited.id("boris"))
    await audited.data(MERGE, {"c": [boris, str(UUID(int=7))]})
    assert await drafts(audited) == []


@pytest.mark.parametrize("is_looked_up", [False, True])
async def test_who_saw_a_person(audited: Shop, is_looked_up: bool) -> None:
    await audited.data(ANNA, purpose="customer_service")
    await audited.data("{ customers(first: 2) { nodes { displayName } } }")
    if is_looked_up:
        async with audited.database.transaction() as connection:
            assert await look(connection)
    found = await asked(audited, c=str(await audited.id("anna")), w={"action": "customer"})
    (node,) = found["nodes"]
    assert (node["kind"], node["purpose"]) == ("READ", "customer_service")
    assert node["customerCount"] == 1


async def test_merged_person_was_seen_before(audited: Shop) -> None:
    boris, klara = await audited.id("boris"), await audited.id("klara")
    asking = "query ($i: ID!) { customer(by: {id: $i}) { displayName } }"
    for one in (boris, klara):
        await audited.data(asking, {"i": str(one)})
    await audited.data(MERGE, {"c": [str(boris), str(klara)]})
    for one in (boris, klara):
        found = await asked(audited, c=str(one), w={"action": "customer"})
        assert len(found["nodes"]) == 2


async def test_pages_go_back_in_time(audited: Shop) -> None:
    for _ in range(5):
        await audited.data(ANNA)
    seen, after = 0, None
    for _ in range(3):
        page = await asked(audited, n=2, a=after, w={"action": "customer"})
        seen, after = seen + len(page["nodes"]), page["pageInfo"]["endCursor"]
    assert (seen, page["pageInfo"]["hasNextPage"]) == (5, False)  # type: ignore[possibly-unbound]


async def test_audit_needs_its_scope(audited: Shop) -> None:
    assert await audited.code(AUDIT, without=["audit:read"]) == "FORBIDDEN"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "2"),
        ('{id: "a"}', '{id:"b"}'),
        ('["a", "b"]', '["c"]'),
        ('"""a"""', '"b"'),
        ("{anna: 1}", "{boris: {b: 2}}"),
        ("-1.5", "2.5e3"),
    ],
)
def test_literals_are_not_in_the_digest(one: str, other: str) -> None:
    texts = (f"{{ customer(by: {value}) {{ id }} }}" for value in (one, other))
    assert len({digest(core(build()), parse(text)) for text in texts}) == 1


@pytest.mark.parametrize("other", ["{id: 1, email: 2}", "EMAIL", "null", "true", "$x"])
def test_words_of_the_schema_are_in_the_digest(other: str) -> None:
    texts = (f"{{ customer(by: {value}) {{ id }} }}" for value in ("{id: 1}", other))
    assert len({digest(core(build()), parse(text)) for text in texts}) == 2
