"""Somebody bound to a customer: all that is their own, and no sign of anybody else."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest

from auth.scopes import SCOPES
from hub.config import Settings
from hub.feed import Feed
from hub.models import Base
from hub.records import Order, OrderLine, Person, Product, Store
from hub.relay import Relay
from schema.build import build
from schema.engine import Engine
from schema.plan.views import OPEN, OWN
from schema.request import Request
from schema.scalars import global_id
from schema.trusted import Trusted
from tests.events import running
from tests.schema.oneself import ask, bound, code, data, demand_own, documents
from tests.shop import NOON, Shop, caller, said

NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("who", ["anna", "boris", "klara", "nobody", "m3"])
async def test_nothing_tells_of_anybody_else(shop: Shop, who: str) -> None:
    await said(shop.database, MORE)
    me = await shop.id(who)
    for query in documents(shop):
        answer = await ask(shop, me, query)
        assert b'"data":{' in answer.body, answer.body[:500]
        await demand_own(shop, me, answer)


async def test_every_list_is_ones_own(shop: Shop) -> None:
    await said(shop.database, MORE)
    query = """{ customers { totalCount nodes { displayName } } orders { totalCount }
      products { totalCount nodes { name } } interactions { totalCount } }"""
    found = await data(shop, "anna", query)
    assert found["customers"] == {
        "totalCount": 1,
        "nodes": [{"displayName": "Anna Ivanova"}],
    }
    assert [found[name]["totalCount"] for name in ("orders", "interactions")] == [4, 1]
    assert [node["name"] for node in found["products"]["nodes"]] == ["Cup", "Green tea"]


CARD = """query ($by: CustomerBy!) { customer(by: $by) {
    displayName birthDate identifiers { value } addresses { city } tags { tag }
    attributes { key title value } lastOrderedAt orders { nodes { number store { name }
      lines { name product { name } } source { key } sourceRecord { externalId } } }
    interactions { nodes { text participants { role customer { displayName } } } }
    consents { state purpose { key } } consentHistory { method }
    sourceRecords { externalId link { method } } } }"""


async def test_all_of_ones_own_is_there(shop: Shop) -> None:
    """As whoever answers people's requests sees it, but for other participants."""
    by = {"by": {"id": str(await shop.id("anna"))}}
    own, all_of_it = await data(shop, "anna", CARD, **by), await shop.data(CARD, by)
    (talk,) = own["customer"].pop("interactions")["nodes"]
    del all_of_it["customer"]["interactions"]
    assert own == all_of_it
    assert talk["participants"] == [{"role": "caller", "customer": {"displayName": "Anna Ivanova"}}]
    assert talk["text"] == "About\nthe tea"


async def test_who_of_the_staff_decided_is_not_told(shop: Shop) -> None:
    query = "query ($i: ID!) { customer(by: {id: $i}) { sourceRecords { link { decidedBy } } } }"
    id_ = {"i": str(await shop.id("anna"))}
    for told, names in ((await shop.data(query, id_), {None, "test"}), (None, {None})):
        found = told or await data(shop, "anna", query, **id_)
        records = found["customer"]["sourceRecords"]
        assert {record["link"]["decidedBy"] for record in records} == names


WAYS: Mapping[str, Mapping[str, Any]] = {
    "anna": {
        "email": "ANNA@example.com",
        "phone": "8 (900) 123-45-67",
        "loyaltyCard": "7001",
        "external": {"source": "till", "externalId": "44"},
    },
    "boris": {"email": "boris@example.org", "phone": "+7 900 123-45-00"},
    "m3": {"external": {"source": "till", "externalId": "m3"}},
}


@pytest.mark.parametrize("whose", list(WAYS))
@pytest.mark.parametrize("who", ["anna", "boris"])
async def test_nobody_else_is_found_by_anything(shop: Shop, who: str, whose: str) -> None:
    query = "query ($by: CustomerBy!) { customer(by: $by) { id } }"
    id_ = await shop.id(whose)
    ways = [{key: value} for key, value in WAYS[whose].items()]
    for by in [*ways, {"id": str(id_)}, {"id": global_id("Customer", id_)}]:
        found = (await data(shop, who, query, by=by))["customer"]
        assert found == ({"id": global_id("Customer", id_)} if who == whose else None)


async def test_the_id_from_before_a_merge_is_ones_own(shop: Shop) -> None:
    alias, me = await shop.database.owner.fetchrow(
        "SELECT alias_id, customer_id FROM customer_alias"
    )
    query = "query ($i: ID!) { customer(by: {id: $i}) { id } }"
    assert (await data(shop, me, query, i=str(alias)))["customer"]
    assert (await data(shop, "boris", query, i=str(alias)))["customer"] is None


THINGS = {
    "Customer": "SELECT id, id = $1 FROM customer WHERE status = 'active'",
    "Order": 'SELECT id, customer_id = $1 FROM "order"',
    "Product": "SELECT id, EXISTS (SELECT FROM order_line l WHERE l.product_id = p.id"
    " AND l.customer_id = $1) FROM product p",
    "Store": 'SELECT id, EXISTS (SELECT FROM "order" o WHERE o.store_id = s.id'
    " AND o.customer_id = $1) FROM store s",
    "Interaction": "SELECT id, EXISTS (SELECT FROM interaction_participant p"
    " WHERE p.interaction_id = i.id AND p.customer_id = $1) FROM interaction i",
    "SourceRecord": "SELECT id, EXISTS (SELECT FROM identity_link l WHERE l.customer_id = $1"
    " AND l.unlinked_at IS NULL AND l.record_id = coalesce(r.about_id, r.id)) FROM source_record r",
}


MORE = [
    Product(external_id="pot", name="Pot"),
    Store(external_id="s2", name="Second"),
    Order(
        external_id="o9",
        ordered_at=NOON,
        customer=Person(external_id="boris"),
        store="s2",
        lines=(OrderLine(product="pot"),),
    ),
]
"""What only others have anything to do with."""


@pytest.mark.parametrize("type_name", list(THINGS))
async def test_no_node_of_anybody_else(shop: Shop, type_name: str) -> None:
    me = await shop.id("anna")
    await said(shop.database, MORE)
    rows = await shop.database.owner.fetch(THINGS[type_name], me)
    assert {bool(is_own) for _, is_own in rows} == {True, False}
    for id_, is_own in rows:
        query = "query ($i: ID!) { a: node(id: $i) { id ...P } b: node(id: $i) { __typename } }"
        query += " fragment P on Order { customer { id } }"
        found = await data(shop, me, query, i=global_id(type_name, id_))
        assert (found["a"] is not None, found["b"] is not None) == (is_own or False,) * 2


async def test_filters_by_others_find_nothing(shop: Shop) -> None:
    query = """query ($i: ID!, $m: String!) {
      orders(where: {customer: {eq: $i}}) { totalCount nodes { id } }
      some: orders(where: {customer: {in: [$i]}}) { totalCount }
      not: orders(where: {not: {customer: {eq: $i}}}) { totalCount }
      interactions(where: {customer: {eq: $i}}) { totalCount }
      customers(where: {id: {in: [$i]}}) { totalCount }
      mails: customers(where: {email: {eq: $m}}) { totalCount }
      found: customers(where: {search: $m}) { totalCount } }"""
    other = await data(shop, "anna", query, i=str(await shop.id("boris")), m="boris@example.org")
    nobody = await data(shop, "anna", query, i=NOBODY, m="nobody@example.org")
    assert other == nobody
    assert other["not"]["totalCount"] == 4
    me = await data(shop, "anna", query, i=str(await shop.id("anna")), m="anna@example.com")
    assert [me[key]["totalCount"] for key in ("orders", "some", "not", "found")] == [4, 4, 0, 1]


async def test_cursors_of_others_lead_to_ones_own(shop: Shop) -> None:
    listed = await shop.data(
        "{ orders(last: 1) { edges { cursor } } customers { edges { cursor } } }"
    )
    last = listed["orders"]["edges"][0]["cursor"]
    query = """query ($c: String!) { orders(before: $c) { nodes { customer { id } }
      pageInfo { hasNextPage hasPreviousPage } } }"""
    found = (await data(shop, "anna", query, c=last))["orders"]
    assert {node["customer"]["id"] for node in found["nodes"]} == {
        global_id("Customer", await shop.id("anna"))
    }
    assert found["pageInfo"]["hasPreviousPage"] is False
    for edge in listed["customers"]["edges"]:
        query = "query ($c: String!) { customers(after: $c) { nodes { id } pageInfo { %s } } }"
        before = query % "hasPreviousPage"
        answer = await ask(shop, "boris", before, {"c": edge["cursor"]})
        await demand_own(shop, await shop.id("boris"), answer)


BIG = re.compile(
    r'Seq Scan on "?(customer|identifier|address|tag|attribute|order|order_line|interaction|event'
    r"|interaction_participant|consent_entry|consent_state|source_record|identity_link|customer_alias)\b"
)


async def test_nothing_is_read_through(shop: Shop) -> None:
    """Each table that grows with the people is read by an index, where there is any choice."""
    me = bound(await shop.id("anna"))
    node = "query ($i: ID!) { node(id: $i) { id ... on Order { number } } }"
    ids = {"i": global_id("Customer", UUID(NOBODY))}
    asked = [(node, ids), (CHANGES, None), *((query, None) for query in documents(shop))]
    async with shop.database.reader.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        for query, variables in asked:
            prepared = shop.engine.prepared(Request(query=query, variables=variables), me)
            for statement in prepared.plan.statements.values():
                values = statement.bound({"#since": 0, "#until": 9, **prepared.variables})
                rows = await connection.fetch(f"EXPLAIN {statement.sql}", *values)
                found = BIG.findall("\n".join(row[0] for row in rows))
                assert not found, (query, found)


OTHERS = [
    "UPDATE customer SET display_name = 'Changed', city = 'Kazan', last_ordered_at = now()"
    " WHERE id <> $1",
    "DELETE FROM order_line WHERE customer_id <> $1",
    'DELETE FROM "order" WHERE customer_id IS DISTINCT FROM $1',
    "DELETE FROM identifier WHERE customer_id <> $1",
    "DELETE FROM tag WHERE customer_id <> $1",
    "DELETE FROM attribute WHERE customer_id <> $1",
    "DELETE FROM consent_state WHERE customer_id <> $1",
    "UPDATE consent_entry SET superseded_at = now() WHERE customer_id <> $1",
    "UPDATE interaction_participant SET role = 'changed', customer_id = NULL"
    " WHERE customer_id <> $1",
    "DELETE FROM customer_alias WHERE customer_id <> $1",
    "UPDATE product SET name = 'Changed' WHERE NOT EXISTS (SELECT FROM order_line l"
    " WHERE l.product_id = product.id AND l.customer_id = $1)",
]
"""Whatever may happen to everybody else."""
ASKED = """query ($o: String!, $c: String!, $b: ID!) {
  a: orders(after: $o) { totalCount hasMore pageInfo { hasNextPage hasPreviousPage startCursor } }
  b: orders(before: $o, last: 1) { nodes { id } pageInfo { hasNextPage hasPreviousPage } }
  c: customers(after: $c) { totalCount pageInfo { hasPreviousPage hasNextPage } }
  d: customers(before: $c, orderBy: OLDEST) { nodes { id } pageInfo { hasNextPage } }
  e: orders(where: {or: [{customer: {eq: $b}}, {number: {eq: "A-1"}}]}) { totalCount }
  f: interactions(where: {not: {customer: {eq: $b}}}) { totalCount nodes { id } }
  g: customers(where: {or: [{email: {eq: "boris@example.org"}}, {search: "Boris"}, {tag: {eq:
    "tea"}}, {attribute: {key: "level", eq: "silver"}}, {phone: {eq: "+79001234500"}}]}) {
    totalCount }
  h: products(where: {search: "pot"}) { totalCount }
  i: node(id: $b) { id } }"""


async def test_nothing_depends_on_anybody_else(shop: Shop) -> None:
    """Not even that there is or is not somebody or something: answers are the same, to the byte."""
    me = await shop.id("anna")
    await said(shop.database, MORE)
    listed = await shop.data(
        "{ orders(first: 3) { edges { cursor } } customers(first: 4) { edges { cursor } } }"
    )
    given = {
        "o": listed["orders"]["edges"][-1]["cursor"],
        "c": listed["customers"]["edges"][-1]["cursor"],
        "b": global_id("Customer", await shop.id("boris")),
    }
    asked = [(ASKED, given), *((query, None) for query in documents(shop))]
    before = [(await ask(shop, me, *one)).body for one in asked]
    for change in OTHERS:
        await shop.database.owner.execute(change, me)
    after = [(await ask(shop, me, *one)).body for one in asked]
    assert before == after
    assert b"errors" not in before[0], before[0]


@pytest.mark.parametrize(
    "query",
    [
        "{ integrations { name } }",
        '{ integration(name: "works") { name } }',
        "{ adapters { key } }",
        "{ viewer { client } integrations { __typename } }",
        '{ customers { totalCount } a: integration(name: "x") { id } }',
    ],
)
async def test_nothing_of_the_deployment_is_told(shop: Shop, query: str) -> None:
    assert await code(shop, "anna", query) == "FORBIDDEN"


async def test_whoever_is_restricted_sees_themselves(shop: Shop) -> None:
    me = await shop.id("anna")
    await shop.database.owner.execute("UPDATE customer SET restricted_at = now() WHERE id = $1", me)
    assert (await data(shop, me, "{ customers { totalCount } }"))["customers"]["totalCount"] == 1


async def test_whoever_is_erased_is_nobody(shop: Shop) -> None:
    me = await shop.id("anna")
    await shop.database.owner.execute("UPDATE customer SET erased_at = now() WHERE id = $1", me)
    query = "{ customers { totalCount } orders { totalCount } interactions { totalCount } }"
    found = await data(shop, me, query)
    assert [one["totalCount"] for one in found.values()] == [0, 0, 0]


async def test_other_purposes_are_not_for_the_bound(shop: Shop) -> None:
    request = Request(query="{ customers { totalCount } }")
    me = await shop.id("anna")
    for purpose in ("customer_service", "email_marketing", "analytics"):
        told = await shop.engine.answer(request, bound(me, purpose, frozenset(SCOPES)))
        assert json.loads(told.body)["errors"][0]["extensions"]["code"] == "PURPOSE_NOT_ALLOWED"


async def test_more_scopes_show_no_more(shop: Shop) -> None:
    me = await shop.id("anna")
    everything = bound(me, scopes=frozenset(SCOPES))
    for query in documents(shop):
        await demand_own(shop, me, await shop.engine.answer(Request(query=query), everything))
    told = await shop.engine.answer(Request(query="{ integrations { id } }"), everything)
    assert b"FORBIDDEN" in told.body
    few = bound(me, scopes=frozenset(SCOPES) - {"privacy:self"})
    told = await shop.engine.answer(Request(query="{ customers { totalCount } }"), few)
    assert b"FORBIDDEN" in told.body


async def test_privacy_self_is_nothing_without_a_customer(shop: Shop) -> None:
    query = "{ customers { totalCount } }"
    assert await shop.code(query, without=["privacy:manage"]) == "FORBIDDEN"


async def test_the_bound_share_plans_and_nobody_else_does(shop: Shop) -> None:
    request = Request(query="{ customers { nodes { id } totalCount } }")
    scopes = frozenset(SCOPES)
    for who in ("anna", "boris", "anna"):
        me = await shop.id(who)
        told = await shop.engine.answer(request, bound(me, scopes=scopes))
        (node,) = json.loads(told.body)["data"]["customers"]["nodes"]
        assert node["id"] == global_id("Customer", me)
        everybody = await shop.engine.answer(request, caller())
        assert json.loads(everybody.body)["data"]["customers"]["totalCount"] == 44
    assert shop.engine.figures()["plans_missed"] == 2


async def test_the_executor_tells_the_same(shop: Shop) -> None:
    me = bound(await shop.id("anna"))
    for query in documents(shop):
        request = Request(query=query)
        prepared = shop.engine.prepared(request, me, typed=True)
        executed = await shop.engine.executed(prepared, me)
        planned = await shop.engine.answer(request, me)
        assert json.loads(executed.body) == json.loads(planned.body)
        assert executed.people == planned.people


async def test_the_schema_tells_of_itself(shop: Shop) -> None:
    found = await data(shop, "anna", "{ __schema { queryType { name } } viewer { purpose } }")
    assert found["viewer"] == {"purpose": "data_subject_rights"}


def test_every_view_is_own_open_or_unread() -> None:
    """A table that is read one day has to be thought of: until then nobody bound can read it."""
    viewed = {
        m.class_.__tablename__ for m in Base.registry.mappers if m.class_.category is not None
    }
    unread = viewed - OWN.keys() - OPEN
    connected = {"integration", "rejected_record", "stream_state", "sync_run"}
    assert unread == {"consent_document", *connected}
    assert not (OWN.keys() | OPEN) - viewed


WRITES = {
    "recordCustomers": 'source: "x", customers: []',
    "recordOrders": 'source: "x", orders: []',
    "recordInteractions": 'source: "x", interactions: []',
    "mergeCustomers": "customers: []",
    "splitCustomer": 'customer: "x", records: []',
    "neverLink": "customers: []",
    "undoDecision": 'decision: "x"',
    "syncIntegration": 'integration: "x"',
    "requestConsent": 'customer: "x", purpose: "x", document: "x", contactPoint:'
    ' {type: EMAIL, value: "x"}',
    "createPurpose": 'key: "x", title: "x", basis: CONTRACT, mayReturn: []',
    "updatePurpose": 'key: "x"',
    "retirePurpose": 'key: "x"',
}


OWN_WRITES = (
    *("recordConsent", "withdrawConsent"),
    *("requestAccess", "requestErasure", "restrictProcessing", "objectToProcessing"),
)
"""What is for the person; tests/schema/test_privacy.py tries those that consents are not."""


@pytest.mark.parametrize("name", list(WRITES))
async def test_nothing_else_is_written(shop: Shop, name: str) -> None:
    query = f"mutation {{ {name}(input: {{{WRITES[name]}}}) {{ __typename }} }}"
    assert await code(shop, "anna", query) == "FORBIDDEN"
    told = await shop.engine.answer(
        Request(query=query), bound(await shop.id("anna"), scopes=frozenset(SCOPES))
    )
    assert b"FORBIDDEN" in told.body


def test_every_other_mutation_is_tried(shop: Shop) -> None:
    root = shop.engine.core.mutation_type
    assert root is not None
    assert root.fields.keys() == {*WRITES, *OWN_WRITES}


ANSWER = """{ entryId outcome errors { code message field } customer { id displayName
    orders { nodes { customer { id } } } interactions { nodes { participants { role } } } } }"""
RECORD = f"mutation ($i: RecordConsentInput!) {{ recordConsent(input: $i) {ANSWER} }}"
WITHDRAW = f"mutation ($i: WithdrawConsentInput!) {{ withdrawConsent(input: $i) {ANSWER} }}"
STATE = "SELECT state FROM consent_state WHERE customer_id = $1 AND purpose = $2"


async def state(shop: Shop, who: UUID, purpose: str = "email_marketing") -> str | None:
    return await shop.database.owner.fetchval(STATE, who, purpose)


async def test_one_consents_for_oneself(shop: Shop) -> None:
    me = await shop.id("boris")
    given = {
        "customer": global_id("Customer", me),
        "purpose": "email_marketing",
        "state": "GRANTED",
    }
    answer = await ask(shop, me, RECORD, {"i": given})
    payload = json.loads(answer.body)["data"]["recordConsent"]
    assert (payload["outcome"], payload["errors"]) == ("CREATED", [])
    assert payload["customer"]["interactions"]["nodes"][0]["participants"] == [{"role": ""}]
    assert await state(shop, me) == "granted"
    await demand_own(shop, me, answer)
    given = {"customer": str(me), "purpose": "email_marketing"}
    assert (await data(shop, me, WITHDRAW, i=given))["withdrawConsent"]["outcome"] == "CREATED"
    assert await state(shop, me) == "withdrawn"


async def test_whoever_is_restricted_may_still_consent(shop: Shop) -> None:
    me = await shop.id("boris")
    await shop.database.owner.execute("UPDATE customer SET restricted_at = now() WHERE id = $1", me)
    given = {"customer": str(me), "purpose": "email_marketing", "state": "GRANTED"}
    payload = (await data(shop, me, RECORD, i=given))["recordConsent"]
    assert payload["customer"]["displayName"] == "Boris Petrov"
    assert await state(shop, me) == "granted"


@pytest.mark.parametrize("query", [RECORD, WITHDRAW])
async def test_nobody_consents_for_others(shop: Shop, query: str) -> None:
    boris = await shop.id("boris")
    before = await state(shop, boris)
    more = {"state": "GRANTED"} if query == RECORD else {}
    payloads = [
        (
            await data(
                shop, "anna", query, i={"customer": whose, "purpose": "email_marketing", **more}
            )
        )
        for whose in (str(boris), global_id("Customer", boris), NOBODY)
    ]
    assert payloads[0] == payloads[1] == payloads[2]
    (payload,) = payloads[0].values()
    assert payload["errors"][0]["code"] == "NOT_FOUND"
    assert await state(shop, boris) == before


async def test_nobody_consents_by_contacts_of_others(shop: Shop) -> None:
    me = await shop.id("anna")
    given = {"customer": str(me), "purpose": "email_marketing", "state": "GRANTED"}
    refused: list[Any] = []
    for mail in ("boris@example.org", "nobody@example.net", "nonsense"):
        point = {"type": "EMAIL", "value": mail}
        payload = (await data(shop, me, RECORD, i={**given, "contactPoint": point}))[
            "recordConsent"
        ]
        refused.append((payload["outcome"], payload["errors"]))
    assert refused[0] == refused[1] == refused[2]
    assert refused[0][1][0]["field"] == "contactPoint"
    point = {"type": "EMAIL", "value": "Anna@Example.com"}
    payload = (await data(shop, me, RECORD, i={**given, "contactPoint": point}))["recordConsent"]
    assert payload["outcome"] == "CREATED"


async def test_both_at_once_write_for_oneself_alone(shop: Shop) -> None:
    """One may be allowed and the other not: each mutation is asked on its own."""
    me, boris = await shop.id("anna"), await shop.id("boris")
    query = """mutation ($a: RecordConsentInput!, $b: RecordConsentInput!) {
      a: recordConsent(input: $a) { outcome customer { id } }
      b: recordConsent(input: $b) { outcome customer { id } } }"""
    given = {"purpose": "analytics", "state": "OBJECTED"}
    told = await data(
        shop, me, query, a={"customer": str(me), **given}, b={"customer": str(boris), **given}
    )
    assert [told[key]["outcome"] for key in "ab"] == ["CREATED", "REJECTED"]
    assert told["b"]["customer"] is None
    assert await state(shop, boris, "analytics") is None


CHANGES = """subscription ($i: [ID!]) { customerChanged(ids: $i) {
    type customerId customer { displayName } } }"""


@pytest.fixture
async def told(shop: Shop, settings: Settings) -> AsyncGenerator[Engine]:
    """An engine that hears of what happens."""
    feed = Feed(shop.database)
    engine = Engine(build(), shop.database, settings, feed=feed, trusted=Trusted("off", {}))
    await engine.prepare()
    async with running(feed.run(), Relay(shop.database).run()):
        await feed.beyond(-1)
        yield engine


def sold(who: str, number: str) -> Order:
    return Order(external_id=number, ordered_at=NOON, customer=Person(external_id=who))


@pytest.mark.parametrize("named", [False, True])
async def test_changes_of_oneself_alone_are_told(shop: Shop, told: Engine, named: bool) -> None:
    me, boris = await shop.id("anna"), await shop.id("boris")
    request = Request(query=CHANGES, variables={"i": [str(boris), str(me)]} if named else {})
    heard: list[Any] = []
    async with aclosing(told.stream(request, bound(me))) as changes:
        first = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0)
        await said(shop.database, [sold("boris", "b1"), sold("klara", "k1")])
        await said(shop.database, [sold("anna", "a1")])
        await said(shop.database, [sold("klara", "k2"), sold("anna", "a2")])
        answers = [await asyncio.wait_for(first, 30), await asyncio.wait_for(anext(changes), 30)]
    for answer in answers:
        await demand_own(shop, me, answer)
        heard.append(json.loads(answer.body)["data"]["customerChanged"])
    assert {change["type"] for change in heard} == {"order.recorded"}
    assert {change["customerId"] for change in heard} == {global_id("Customer", me)}


async def test_readings_of_systems_are_not_told(shop: Shop) -> None:
    query = 'subscription { syncProgress(integration: "works") { state } }'
    stream = shop.engine.stream(Request(query=query), bound(await shop.id("anna")))
    (answer,) = [answer async for answer in stream]
    assert b"FORBIDDEN" in answer.body
