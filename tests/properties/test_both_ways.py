"""What plans answer is what the executor answers on their rows, to the order of the keys."""

import base64
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from graphql import (
    REMOVE,
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    StringValueNode,
    Visitor,
    get_named_type,
    is_leaf_type,
    parse_value,
    print_ast,
    print_schema,
    visit,
)
from hypothesis import event, given
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from schema.build import build, core
from schema.request import Caller, Outcome, Request
from tests.properties.test_identity import shared_database
from tests.shop import Shop, caller

EXAMPLES = [
    "{ viewer { client purpose scopes __typename } me: viewer { expiresAt purposes } __typename }",
    """query ($id: ID!, $n: Int = 2) {
      customer(by: {id: $id}) { id name: displayName same: displayName birthDate gender
        orders(first: $n) { nodes { number lines { quantity } } }
        more: orders(last: 1, orderBy: OLDEST) { edges { cursor node { id } } totalCount } } }""",
    """query ($id: ID!) { customer(by: {id: $id}) { ...A ... on Customer { city ...B } } }
       fragment A on Customer { id orders { nodes { id } ...Page } ...B }
       fragment B on Customer { city gender orders { nodes { number } } }
       fragment Page on OrderConnection { pageInfo { endCursor } pageInfo { hasNextPage } }""",
    """query ($id: ID!, $yes: Boolean = true, $no: Boolean!) { customer(by: {id: $id}) {
        id @skip(if: $no) city @include(if: $no) gender @include(if: true)
        ... @include(if: $yes) { locale } ...N @skip(if: $yes) } }
       fragment N on Customer { givenName }""",
    """{ customers(first: 3, orderBy: NAME) { a: edges { c: cursor node { id } }
        b: edges { node { displayName city } d: cursor } nodes { id } n2: nodes { gender }
        p: pageInfo { startCursor hasPreviousPage } pageInfo { endCursor hasNextPage }
        totalCount t: totalCount hasMore __typename } }""",
    """query ($id: ID!) { node(id: $id) { id __typename ... on Customer { displayName
        tags(first: 1) { tag } } ... on Order { number customer { id } }
        ... on Interaction { kind participants { role customer { id city } } }
        ... on Node { id } ...R } } fragment R on SourceRecord { subject { id ... on Order { id
        total { amount currency } } ... on Interaction { startedAt text } } link { method } }""",
    """{ interactions(orderBy: OLDEST) { nodes { kind direction text participants { role
        customer { displayName interactions(first: 1) { nodes { id participants { role } }
        pageInfo { hasNextPage } } } } } pageInfo { endCursor } } }""",
    """query ($w: OrderWhere, $in: [String!] = ["paid"]) { orders(where: $w, last: 3) {
        nodes { number } pageInfo { startCursor hasPreviousPage } }
        p: orders(where: {status: {in: $in}, or: [{channel: {eq: "web"}}, {number: {in: ["A-2"]}}]})
        { totalCount nodes { number status } } }""",
    """{ products(where: {search: "te"}) { nodes { name price { amount currency p: amount }
        source { key kind } } } purposes(first: 2) { key basis }
        customers(where: {attribute: {key: "points", gte: 3}, not: {city: {eq: "Kazan"}}}) {
        nodes { attributes { key value title } } } }""",
    "{ customers(first: 1) { nodes { id @skip(if: true) } edges @include(if: false) { cursor } } }",
]
"""Documents that use every way to say things; `$id` stands for a customer and others."""


async def compared(
    shop: Shop, query: str, variables: Mapping[str, Any] | None, by: Caller
) -> Outcome:
    """The outcome of the plan, where both ways agree; a document may as well be refused by both."""
    request = Request(query=query, variables=None if variables is None else dict(variables))
    planned = await shop.engine.answer(request, by)
    if planned.outcome in {Outcome.OK, Outcome.PARTIAL}:
        prepared = shop.engine.prepared(request, by, typed=True)
        executed = await shop.engine.executed(prepared, by)
        assert _ordered(planned.body) == _ordered(executed.body)
        assert planned.people == executed.people
    return planned.outcome


def _ordered(body: bytes) -> Any:
    """JSON with objects as lists of pairs, so that the order of keys counts."""
    return json.loads(body, object_pairs_hook=list)


@pytest.mark.parametrize("query", EXAMPLES, ids=range(len(EXAMPLES)))
async def test_examples_agree(shop: Shop, query: str) -> None:
    variables = {
        "id": global_id("Customer", await shop.id("anna")),
        "no": False,
        "w": {"total": {"gt": 1}},
    }
    assert await compared(shop, query, variables, caller()) is Outcome.OK


async def test_purposes_agree(shop: Shop) -> None:
    variables = {"id": global_id("Customer", await shop.id("anna")), "no": True}
    for purpose in ("customer_service", "email_marketing", "partner_sharing"):
        by = caller(purpose)
        assert await compared(shop, EXAMPLES[1], variables, by) is Outcome.OK


THINGS = {
    "Customer": "SELECT id FROM customer WHERE status = 'active' ORDER BY id LIMIT 4",
    "Order": 'SELECT id FROM "order" ORDER BY id LIMIT 4',
    "Product": "SELECT id FROM product",
    "Store": "SELECT id FROM store",
    "Interaction": "SELECT id FROM interaction",
    "SourceRecord": "SELECT id FROM source_record WHERE type IN ('order', 'interaction')"
    " UNION SELECT id FROM source_record WHERE type = 'customer'",
}
"""Some of everything that `node` leads to."""


def global_id(type_name: str, id_: UUID) -> str:
    return base64.b64encode(f"{type_name}:{id_}".encode()).decode()


@cache
def schema() -> GraphQLSchema:
    return core(build())


def _fields(type_: GraphQLNamedType, depth: int) -> str:
    """A selection of everything that a type has, as deep as that."""
    assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
    selected = [
        _selected(name, get_named_type(field.type), depth) for name, field in type_.fields.items()
    ]
    if isinstance(type_, GraphQLInterfaceType) and depth > 1:
        possible = [schema().type_map[name] for name in ("Order", "Interaction")]
        selected += [f"... on {each.name} {_fields(each, depth)}" for each in possible]
    return "{ " + " ".join(["__typename", *filter(None, selected)]) + " }"


def _selected(name: str, type_: GraphQLNamedType, depth: int) -> str:
    if is_leaf_type(type_):
        return name
    return f"{name} {_fields(type_, depth - 1)}" if depth > 1 else ""


def _everything(type_name: str) -> Iterator[str]:
    """A document for every field of a type, with all that it leads to."""
    type_ = schema().type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    for name, field in type_.fields.items():
        selected = _selected(name, get_named_type(field.type), 4)
        yield f"query ($id: ID!) {{ node(id: $id) {{ ... on {type_name} {{ {selected} }} }} }}"


@pytest.mark.parametrize("type_name", THINGS)
async def test_every_field_agrees(shop: Shop, type_name: str) -> None:
    ids = [row["id"] for row in await shop.database.owner.fetch(THINGS[type_name])]
    for query in [EXAMPLES[5], *_everything(type_name)]:
        for id_ in ids[:6]:
            variables = {"id": global_id(type_name, id_)}
            assert await compared(shop, query, variables, caller()) is Outcome.OK, query


@pytest.mark.parametrize("name", ["customers", "orders", "products", "interactions", "purposes"])
async def test_every_list_agrees(shop: Shop, name: str) -> None:
    assert schema().query_type is not None
    named = get_named_type(schema().query_type.fields[name].type)
    query = f"{{ {name}(first: 3) {_fields(named, 4)} }}"
    assert await compared(shop, query, None, caller()) is Outcome.OK


class Tame(Visitor):
    """Turns what was generated into something that finds something, most of the time."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__()
        self.ids = ids

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        names = {argument.name.value for argument in node.arguments or ()}
        self.drops = {"after", "before"} | ({"last"} if "first" in names else set[str]())

    def enter_argument(self, node: ArgumentNode, *_: Any) -> Any:
        name, value = node.name.value, node.value
        if name in self.drops:
            return REMOVE
        if name in {"first", "last"} and isinstance(value, IntValueNode):
            return ArgumentNode(name=node.name, value=IntValueNode(value=str(int(value.value) % 5)))
        if name == "id" and isinstance(value, StringValueNode):
            id_ = self.ids[len(value.value) % len(self.ids)]
            return ArgumentNode(name=node.name, value=StringValueNode(value=id_))
        if name == "by":
            id_ = next(id_ for id_ in self.ids if id_.startswith("Q3Vz"))
            return ArgumentNode(name=node.name, value=parse_value(f'{{id: "{id_}"}}'))
        return None


documents: st.SearchStrategy[DocumentNode] = queries(
    print_schema(schema()),
    custom_scalars={
        "DateTime": st.sampled_from(["2026-03-02T12:00:00Z", "2026-03-01T12:00+03:00"]).map(
            nodes.String
        ),
        "Date": st.dates().map(nodes.String),
        "Decimal": st.decimals(-10, 10, places=2).map(nodes.String),
        "JSON": st.one_of(st.integers(-5, 5).map(nodes.Int), st.booleans().map(nodes.Boolean)),
    },
    print_ast=lambda document: document,
    allow_null=False,
)
SETTLED = {Outcome.OK, Outcome.COERCION_FAILED, Outcome.VALIDATION_FAILED}
"""How a generated document may end: its conditions may hold values that nothing can have."""


@shared_database
@given(document=documents)
async def test_generated_documents_agree(shop: Shop, document: DocumentNode) -> None:
    ids = [
        global_id(type_name, row["id"])
        for type_name, sql in THINGS.items()
        for row in (await shop.database.owner.fetch(sql))[:3]
    ]
    query = print_ast(visit(document, Tame(ids)))
    outcome = await compared(shop, query, None, caller())
    event(outcome.name)
    assert outcome in SETTLED, query
