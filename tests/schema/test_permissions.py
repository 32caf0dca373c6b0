"""Who may have what: scopes and purposes, checked before anything runs, and told of nobody."""

import json
from collections.abc import Mapping
from uuid import UUID

import pytest

from auth.scopes import READS
from hub.records import Consent, Person
from schema.request import Answer
from schema.scalars import global_id
from tests.shop import DAY, NOON, Shop, said

OF_CATEGORY: Mapping[str, tuple[str, ...]] = {
    "identity": ("displayName", "birthDate", "gender", "locale", "city"),
    "contact": ("identifiers { value }", "identifiers { __typename }", "addresses { city }"),
    "trade": (
        "orders { nodes { number } }",
        "orders { nodes { id } }",
        "orders { totalCount }",
        "lastOrderedAt",
    ),
    "behaviour": ("interactions { nodes { kind } }", "interactions { totalCount }"),
    "profile": ("tags { tag }", "tags { __typename }", "attributes { key }"),
    "consent": ("consents { state }", "consents { __typename }", "consentHistory { state }"),
    "provenance": ("sourceRecords { type }", "sourceRecords { id }"),
}
"""What of a customer is in which category."""
CASES = [(category, field) for category, fields in OF_CATEGORY.items() for field in fields]
CUSTOMER = "query ($id: ID!) {{ customer(by: {{id: $id}}) {{ id {} }} }}"


async def anna(shop: Shop) -> Mapping[str, str]:
    return {"id": global_id("Customer", await shop.id("anna"))}


@pytest.mark.parametrize(("category", "field"), CASES)
async def test_category_needs_its_scope(shop: Shop, category: str, field: str) -> None:
    query, variables = CUSTOMER.format(field), await anna(shop)
    scope = READS[category]  # type: ignore[index]  # one of the categories
    assert await shop.code(query, variables, without=[scope]) == "FORBIDDEN"
    assert await shop.data(query, variables)


@pytest.mark.parametrize(
    ("query", "scope"),
    [
        ("{ orders { nodes { id } } }", "orders:read"),
        ("{ orders { totalCount } }", "orders:read"),
        ("{ interactions { totalCount } }", "interactions:read"),
        ("{ products { nodes { name } } }", "products:read"),
        ("{ products { totalCount } }", "products:read"),
        ("{ orders { nodes { store { name } } } }", "stores:read"),
        ("{ customers(orderBy: NAME) { nodes { id } } }", "customers:read"),
        ("{ customers(orderBy: LAST_ORDER) { nodes { id } } }", "orders:read"),
        ('{ customers(where: {city: {eq: "x"}}) { totalCount } }', "customers:read"),
        ('{ customers(where: {email: {eq: "x@example.com"}}) { totalCount } }', "contacts:read"),
        ('{ customers(where: {tag: {eq: "x"}}) { totalCount } }', "profiles:read"),
        ('{ customers(where: {not: {or: [{tag: {eq: "x"}}]}}) { totalCount } }', "profiles:read"),
        ('{ customer(by: {email: "x@example.com"}) { id } }', "contacts:read"),
        ('{ customer(by: {external: {source: "a", externalId: "b"}}) { id } }', "contacts:read"),
        ("{ orders { nodes { sourceRecord { id } } } }", "sources:read"),
        ("{ interactions { nodes { participants { role } } } }", "interactions:read"),
        ("{ orders { nodes { customer { displayName } } } }", "customers:read"),
    ],
)
async def test_list_needs_its_scope(shop: Shop, query: str, scope: str) -> None:
    assert await shop.code(query, without=[scope]) == "FORBIDDEN"
    assert await shop.data(query)


@pytest.mark.parametrize(
    ("purpose", "field"),
    [
        ("analytics", "displayName"),
        ("analytics", "identifiers { value }"),
        ("analytics", "identifiers { __typename }"),
        ("analytics", "consents { state }"),
        ("analytics", "sourceRecords { id }"),
        ("customer_service", "tags { tag }"),
        ("customer_service", "tags { __typename }"),
        ("email_marketing", "addresses { city }"),
        ("email_marketing", "interactions { totalCount }"),
        ("email_marketing", "consents { state }"),
    ],
)
async def test_purpose_may_not_have_it(shop: Shop, purpose: str, field: str) -> None:
    code = await shop.code(CUSTOMER.format(field), await anna(shop), purpose=purpose)
    assert code == "PURPOSE_NOT_ALLOWED"


def granted(who: str, purpose: str) -> Consent:
    given = Person(external_id=who)
    return Consent(
        external_id=f"{who} {purpose}",
        customer=given,
        purpose=purpose,
        state="granted",
        given_at=NOON + 60 * DAY,
    )


@pytest.mark.parametrize(
    ("arguments", "finds"),
    [
        ("orderBy: LAST_ORDER", True),
        ('where: {hasOrderSince: "2026-03-01T00:00:00Z"}', True),
        ("where: {lastOrderedAt: {isNull: true}}", False),
        ('where: {tag: {eq: "tea"}}', True),
        ('where: {attribute: {key: "level"}}', True),
        ('where: {or: [{and: [{not: {tag: {eq: "nothing"}}}]}]}', True),
        ("orderBy: NAME", None),
    ],
)
@pytest.mark.parametrize("purpose", ["email_marketing", "ads_audiences"])
async def test_consent_alone_is_no_leave_to_profile(
    shop: Shop, purpose: str, arguments: str, finds: bool | None
) -> None:
    """Anna agreed to both, and Klara to the purpose alone, who is chosen by who she is."""
    await said(shop.database, [granted("anna", purpose), granted("klara", purpose)])
    query = f"{{ customers({arguments}) {{ nodes {{ id }} totalCount }} }}"
    found = (await shop.data(query, purpose=purpose))["customers"]["nodes"]
    anna, klara = [global_id("Customer", await shop.id(who)) for who in ("anna", "klara")]
    expected = {anna, klara} if finds is None else {anna} if finds else set[str]()
    assert {node["id"] for node in found} == expected


async def test_orders_choose_those_who_are_profiled(shop: Shop) -> None:
    await said(shop.database, [granted("boris", "partner_sharing")])
    await said(shop.database, [granted("anna", "partner_sharing")])
    query = "{ orders { nodes { number customer { id } } totalCount } }"
    found = (await shop.data(query, purpose="partner_sharing"))["orders"]["nodes"]
    assert {node["customer"]["id"] for node in found} == {(await anna(shop))["id"]}
    assert await shop.code(query, purpose="ads_audiences") == "PURPOSE_NOT_ALLOWED"


async def test_a_page_beyond_is_of_the_same_people(shop: Shop) -> None:
    await said(shop.database, [granted("anna", "partner_sharing"), granted("boris", "profiling")])
    await said(shop.database, [granted("boris", "partner_sharing")])
    query = """query ($after: String) { customers(first: 1, orderBy: LAST_ORDER, after: $after)
        { nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount } }"""
    first = (await shop.data(query, {}, purpose="partner_sharing"))["customers"]
    after = {"after": first["pageInfo"]["endCursor"]}
    second = (await shop.data(query, after, purpose="partner_sharing"))["customers"]
    assert first["totalCount"] == second["totalCount"] == 2
    assert second["pageInfo"] | {"endCursor": ""} == {
        "hasNextPage": False,
        "hasPreviousPage": True,
        "endCursor": "",
    }


async def test_a_cursor_tells_no_more_than_may_be_returned(shop: Shop) -> None:
    query = "{ customers(orderBy: LAST_ORDER) { pageInfo { endCursor } } }"
    assert await shop.code(query, purpose="ads_audiences") == "PURPOSE_NOT_ALLOWED"
    assert await shop.data(query, purpose="email_marketing")


async def test_when_they_last_ordered_may_be_told_without_profiling(shop: Shop) -> None:
    await said(shop.database, [granted("anna", "partner_sharing")])
    who = await anna(shop)
    query = CUSTOMER.format("lastOrderedAt")
    told = [await shop.data(query, who, purpose=p) for p in ("partner_sharing", "analytics")]
    assert told[0]["customer"]["lastOrderedAt"] == told[1]["customer"]["lastOrderedAt"] is not None


async def test_bought_things_may_be_told_under_consent(shop: Shop) -> None:
    query = CUSTOMER.format('orders(where: {status: {eq: "paid"}}) { nodes { number } }')
    found = await shop.data(query, await anna(shop), purpose="email_marketing")
    assert found["customer"]["orders"]["nodes"] == [{"number": "A-1"}]


async def test_search_finds_contacts_for_who_may_choose_by_them(shop: Shop) -> None:
    query = '{ customers(where: {search: "anna@example.com"}) { totalCount } }'
    assert (await shop.data(query))["customers"]["totalCount"] == 1
    hidden = await shop.data(query, without=["contacts:read"])
    assert hidden["customers"]["totalCount"] == 0


async def test_attribute_needs_the_scope_of_its_category(shop: Shop) -> None:
    query, variables = CUSTOMER.format("attributes { key }"), await anna(shop)
    found = await shop.data(query, variables, without=["customers:read"])
    keys = [attribute["key"] for attribute in found["customer"]["attributes"]]
    assert keys == ["level", "points", "regular"]


@pytest.mark.parametrize(
    "by",
    [
        'email: "boris@example.org"',
        'email: "nobody@example.org"',
        'phone: "+7 900 123-45-00"',
        'email: "not an address"',
        'external: {source: "crm", externalId: "boris"}',
        'external: {source: "crm", externalId: "none"}',
        f'id: "{UUID(int=1)}"',
    ],
)
async def test_withheld_is_as_nobody(shop: Shop, by: str) -> None:
    answer = await shop.ask(f"{{ customer(by: {{{by}}}) {{ id }} }}", purpose="email_marketing")
    assert json.loads(answer.body)["data"] == {"customer": None}
    assert answer.people == b""


async def test_withheld_by_id_is_as_nobody(shop: Shop) -> None:
    boris = global_id("Customer", await shop.id("boris"))
    query = "query ($id: ID!) { node(id: $id) { id } customer(by: {id: $id}) { id } }"
    answer = await shop.ask(query, {"id": boris}, purpose="email_marketing")
    assert json.loads(answer.body)["data"] == {"node": None, "customer": None}
    assert answer.people == b""


async def test_merged_id_leads_on(shop: Shop) -> None:
    alias, survivor = await shop.database.owner.fetchrow(
        "SELECT alias_id, customer_id FROM customer_alias"
    )
    query = "query ($id: ID!) { customer(by: {id: $id}) { id } }"
    for purpose in ("data_subject_rights", "email_marketing"):
        found = await shop.data(query, {"id": str(alias)}, purpose=purpose)
        assert found["customer"]["id"] == global_id("Customer", survivor)


def people(answer: Answer) -> set[UUID]:
    found = answer.people
    return {UUID(bytes=found[at : at + 16]) for at in range(0, len(found), 16)}


PEOPLE_OF = "SELECT customer_id FROM interaction_participant WHERE customer_id IS NOT NULL"


async def _ids(shop: Shop, sql: str) -> set[UUID]:
    return {row[0] for row in await shop.database.owner.fetch(sql)}


async def test_participants_are_told_of(shop: Shop) -> None:
    answer = await shop.ask("{ interactions { nodes { participants { customer { id } } } } }")
    assert people(answer) == await _ids(shop, PEOPLE_OF)


async def test_unnamed_participants_are_told_of(shop: Shop) -> None:
    answer = await shop.ask("{ interactions { nodes { text } } }")
    assert people(answer) == await _ids(shop, PEOPLE_OF)


async def test_participants_of_somebody_are_told_of(shop: Shop) -> None:
    query = CUSTOMER.format("interactions { nodes { text } }")
    answer = await shop.ask(query, await anna(shop))
    assert people(answer) == {await shop.id("anna"), await shop.id("boris")}


async def test_buyers_are_told_of(shop: Shop) -> None:
    answer = await shop.ask("{ orders(first: 200) { nodes { customer { id } } } }")
    sql = 'SELECT customer_id FROM "order" WHERE customer_id IS NOT NULL'
    assert people(answer) == await _ids(shop, sql)


@pytest.mark.parametrize("field", ["nodes { id }", "edges { node { id } }", "edges { cursor }"])
async def test_only_the_page_is_told_of(shop: Shop, field: str) -> None:
    query = f"{{ customers(first: 3) {{ {field} pageInfo {{ hasNextPage }} totalCount }} }}"
    assert len(people(await shop.ask(query))) == 3


async def test_somebody_by_their_record_is_told_of(shop: Shop) -> None:
    record = await shop.database.owner.fetchval(
        "SELECT id FROM source_record WHERE type = 'customer' AND external_id = 'boris'"
    )
    query = "query ($id: ID!) { node(id: $id) { ... on SourceRecord { link { method } } } }"
    answer = await shop.ask(query, {"id": global_id("SourceRecord", record)})
    assert people(answer) == {await shop.id("boris")}


async def test_record_of_a_contact_point_tells_its_kind_alone(shop: Shop) -> None:
    query = CUSTOMER.format("sourceRecords { type externalId }")
    told = await shop.data(query, await anna(shop), without=["contacts:read"])
    records = {(one["type"], one["externalId"]) for one in told["customer"]["sourceRecords"]}
    assert {("contact", "email"), ("customer", "anna")} <= records
    assert not any("@" in id_ for _, id_ in records)


async def test_nobody_is_told_of_without_people(shop: Shop) -> None:
    answer = await shop.ask("{ products { nodes { name } } purposes { key } viewer { client } }")
    assert answer.people == b""


NAMED = "anna@example.com'; SELECT 1 --"
LEAKS = ["anna@", "SELECT", "for_data", "$1", "asyncpg", "Traceback", "customer_id"]


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query ($i: ID!) { customer(by: {id: $i}) { id } }", {"i": NAMED}),
        ("query ($i: ID!) { node(id: $i) { id } }", {"i": NAMED}),
        ("query ($i: Int) { customers(first: $i) { nodes { id } } }", {"i": NAMED}),
        (
            "query ($i: DateTime!) { customers(where: {hasOrderSince: $i}) { hasMore } }",
            {"i": NAMED},
        ),
        (
            "query ($i: Date!) { customers(where: {birthDate: {eq: $i}}) { __typename } }",
            {"i": NAMED},
        ),
        ("query ($i: CustomerOrder!) { customers(orderBy: $i) { nodes { id } } }", {"i": NAMED}),
        ("query ($i: String!) { customers(after: $i) { nodes { id } } }", {"i": NAMED}),
        ("query ($i: CustomerWhere) { customers(where: $i) { __typename } }", {"i": {NAMED: 1}}),
        ("query ($i: CustomerBy!) { customer(by: $i) { id } }", {"i": {"email": [NAMED]}}),
        (
            "query ($i: String!) { customers(where: {phone: {eq: $i}}) { __typename } }",
            {"i": NAMED},
        ),
        ("query ($i: Decimal!) { orders(where: {total: {gt: $i}}) { __typename } }", {"i": NAMED}),
    ],
)
async def test_error_repeats_nothing(
    shop: Shop, query: str, variables: Mapping[str, object]
) -> None:
    answer = await shop.ask(query, variables)
    told = answer.body.decode()
    assert json.loads(told)["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert not [leak for leak in LEAKS if leak in told], told
