"""Every field, choice and mutation × every set of scopes × every purpose, and a bound customer."""

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type, is_leaf_type

from auth.principal import Principal
from auth.scopes import SCOPES as KNOWN
from hub import clock
from hub.db import views
from hub.errors import Refused
from schema.build import build, core
from schema.plan.document import Document, Operation
from schema.plan.limits import Limits
from schema.plan.plan import Planner
from schema.plan.sight import Sight
from schema.request import Caller, Request
from tests.proofs.conftest import Tell
from tests.proofs.matrix import (
    ALL,
    ARGUMENTS,
    CHOICES,
    IDENTITY,
    NOTHING,
    PAYLOADS,
    PLACES,
    PURPOSES,
    WRITES,
    Need,
    faults,
    faults_of_bound,
    of_customer,
    scoped,
)
from tests.shop import Shop

SCHEMA = core(build())
SETS = [frozenset[str](), ALL, *({scope} for scope in ALL), *(ALL - {scope} for scope in ALL)]
"""None, all, each one, and all but each one."""
CLIENT = uuid4()


def fields() -> Iterator[tuple[str, Need]]:
    """A document for every field, and what it takes."""
    for name, place in PLACES.items():
        type_ = SCHEMA.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        for field, need in place.fields.items():
            inner = "" if is_leaf_type(get_named_type(type_.fields[field].type)) else BARE
            said = f"{field}{ARGUMENTS.get(f'{name}.{field}', '')}{inner}"
            yield place.path % said, place.need | need


BARE = " { __typename }"


def documents() -> Iterator[tuple[str, Need]]:
    yield from fields()
    for choice, need in CHOICES.items():
        yield f"{{ {choice}{BARE} }}", need
        if choice.startswith(("orders", "interactions")):  # what hangs on one person chooses nobody
            yield of_customer(f"{choice}{BARE}"), Need(returns=need.chooses)


def writes() -> Iterator[tuple[str, str, Need]]:
    """A document for every mutation, once bare and once with the customers in its answer."""
    for name, write in WRITES.items():
        head = f"mutation {{ {name}(input: {{ {write.input} }})"
        yield name, f"{head}{BARE} }}", scoped(write.scope)
        if write.customer:
            asked = scoped(write.scope) | IDENTITY
            yield name, f"{head} {{ {write.customer} }} }}", asked


def caller(purpose: str, scopes: frozenset[str], customer: UUID | None = None) -> Caller:
    ends = clock.now() + timedelta(minutes=10)
    principal = Principal(CLIENT, "matrix", scopes, (purpose,), ends, customer_id=customer)
    return Caller(principal, purpose)


def test_every_field_has_its_place() -> None:
    """What is new in the schema has to be thought of here, before anybody may have it."""
    for name, type_ in SCHEMA.type_map.items():
        if isinstance(type_, GraphQLObjectType) and not name.startswith("__"):
            if name == "Mutation":
                assert type_.fields.keys() == WRITES.keys()
            elif name not in PAYLOADS:
                assert type_.fields.keys() == PLACES[name].fields.keys(), name


def test_every_choice_has_its_place() -> None:
    said = " ".join(CHOICES)
    root = SCHEMA.query_type
    assert root is not None
    for name in ("customers", "orders", "products", "interactions", "privacyRequests"):
        where = get_named_type(root.fields[name].args["where"].type)
        assert isinstance(where, GraphQLInputObjectType)
        for field in where.fields.keys() - {"and", "or", "not"}:
            assert f"{name}(where: {{{field}:" in said, f"{name}.{field}"
        order = get_named_type(root.fields[name].args["orderBy"].type)
        for value in getattr(order, "values", {}):
            assert f"{name}(orderBy: {value})" in said, f"{name} by {value}"


def test_every_scope_is_tried() -> None:
    assert KNOWN.keys() == ALL


def told(use: views.Use, who: Principal, operation: Operation) -> str:
    """The code of what is refused when a document is planned; empty when it is not."""
    try:
        planner = Planner(SCHEMA, Sight.of(use, who), "RU")
        planner.plan(operation, operation.coerced({}))
    except Refused as refused:
        return refused.code
    return ""


@pytest.mark.slow
async def test_each_field_for_each_purpose_by_each_scope(shop: Shop, tell: Tell) -> None:
    async with shop.database.owner.acquire() as connection:
        uses = {use.key: use for use in await views.uses(connection)}
    assert uses.keys() == PURPOSES.keys()
    limits, tried, wrong = Limits(cost=10_000_000), 0, list[tuple[object, ...]]()
    asked = [(text, Document(SCHEMA, text, limits).operation(None), n) for text, n in documents()]
    for purpose, use in uses.items():
        for scopes in map(frozenset, SETS):
            anybody = caller(purpose, scopes).principal
            oneself = caller(purpose, scopes, CLIENT).principal
            for text, operation, need in asked:
                for who, expect in ((anybody, faults), (oneself, faults_of_bound)):
                    expected, found = expect(need, purpose, scopes), told(use, who, operation)
                    tried += 1
                    if found not in (expected or {""}):
                        wrong.append((text, purpose, sorted(scopes), found, expected))
    tell(f"{len(asked)} fields and choices, {tried:,} combinations, {len(wrong)} wrong")
    assert not wrong, wrong[:5]


@pytest.mark.slow
@pytest.mark.parametrize("purpose", list(PURPOSES))
async def test_each_field_is_answered_as_planned(shop: Shop, purpose: str) -> None:
    """With all scopes, through everything; subscriptions are only planned."""
    anna = await shop.id("anna")
    for text, need in documents():
        if text.startswith("subscription"):
            continue
        for who, expect in ((None, faults), (anna, faults_of_bound)):
            answer = await shop.engine.answer(Request(query=text), caller(purpose, ALL, who))
            body = json.loads(answer.body)
            expected = expect(need, purpose, ALL)
            found = {error["extensions"]["code"] for error in body.get("errors", ())}
            assert found <= expected, (text, who, body)
            assert ("data" in body) is not bool(expected), (text, who, body)


@pytest.mark.slow
@pytest.mark.parametrize("purpose", list(PURPOSES))
async def test_each_mutation_by_each_scope(shop: Shop, purpose: str) -> None:
    before = await written(shop)
    for scopes in map(frozenset, SETS):
        for name, text, need in writes():
            for who in (None, CLIENT):
                expected = faults(need, purpose, scopes)
                if who is not None:
                    expected = faults_of_bound(NOTHING, purpose, scopes)
                    expected |= set() if WRITES[name].is_own else {"FORBIDDEN"}
                answer = await shop.engine.answer(Request(query=text), caller(purpose, scopes, who))
                body = json.loads(answer.body)
                codes = {error["extensions"]["code"] for error in body.get("errors", ())}
                refused = codes & {"FORBIDDEN", "PURPOSE_NOT_ALLOWED"}
                assert refused <= expected, (text, who, body)
                assert bool(refused) == bool(expected), (text, who, body)
    assert await written(shop) == before


async def written(shop: Shop) -> object:
    """How much there is of all that mutations write."""
    tables = ("source_record", "consent_entry", "identity_decision", "event", "sync_run")
    counted = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    return tuple(await shop.database.owner.fetchrow(f"SELECT {counted}"))
