"""Lists hold what a naive filter finds, in a naive sort's order, page by page and counted."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from hub.conditions import CATALOGUES, DIRECT
from hub.conditions.catalogue import Field
from tests import naive
from tests.properties.test_identity import shared_database
from tests.shop import NOON, Shop

TEXTS: Mapping[str, Sequence[str]] = {
    "city": ("Kazan", "Leeds", ""),
    "tag": ("tea", "vip", "even"),
    "status": ("", "new", "paid"),
    "channel": ("web", "store", ""),
    "number": ("A-1", "7", "", "nobody's"),
    "source": ("crm", "till", "erp", "none"),
    "email": ("anna@example.com", "BORIS@example.org", "anja@example.com", "x@example.com"),
    "phone": ("+7 900 123-45-67", "+79001234500", "+7 900 123-45-11"),
    "loyaltyCard": ("7001", "7002"),
    "sku": ("T-1", "none"),
    "brand": ("Leaf", "Kiln", ""),
    "category": ("drinks", "ware"),
    "name": ("Cup", "Green tea", ""),
}
SEARCHES = ("ann", "IVAN an", "елк", "Ёлк", "o'n", "neil", "4567", "anna@example.com", "te", "zz")
CANONICAL = {"+7 900 123-45-67": "+79001234567", "+7 900 123-45-11": "+79001234511"}
moments = st.integers(-2, 9).map(lambda day: NOON + timedelta(days=day))
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "Boolean": st.booleans(),
    "Date": st.integers(1950, 1957).map(lambda year: date(year, 2, 1)) | st.just(date(1980, 5, 17)),
    "DateTime": moments | st.just(datetime(2100, 1, 1, tzinfo=UTC)),
    "Decimal": st.integers(0, 8).map(Decimal),
    "AttributeValue": st.sampled_from(["gold", "silver", 3, 12.5, 0, True, False]),
    "Gender": st.sampled_from(["female", "male", "other"]),
    "InteractionKind": st.sampled_from(["call", "email", "visit", "review"]),
    "InteractionDirection": st.sampled_from(["in", "out"]),
}
NUMBERS = st.integers(-1, 13)


def _value(name: str, op: str, scalar: str, ids: Mapping[str, Sequence[UUID]]) -> Any:
    if name == "search":
        return st.sampled_from(SEARCHES)
    if scalar == "ID":
        return st.sampled_from(ids[name])
    if op == "key":
        return st.sampled_from(["points", "level", "regular", "none"])
    if scalar == "AttributeValue" and op not in {"eq", "in"}:
        return NUMBERS
    return VALUES[scalar] if scalar in VALUES else st.sampled_from(TEXTS[name])


def _one(name: str, field: Field, ids: Mapping[str, Sequence[UUID]]) -> st.SearchStrategy[Any]:
    def of(op: str) -> st.SearchStrategy[Any]:
        one = _value(name, op, field.operators[op].scalar.name, ids)
        return st.lists(one, max_size=3) if field.operators[op].is_list else one

    if field.direct:
        return of(DIRECT)
    needed = [op for op, how in field.operators.items() if how.is_needed]
    others = [op for op in field.operators if op not in needed]
    return st.lists(st.sampled_from(others), max_size=2, unique=True).flatmap(
        lambda asked: st.fixed_dictionaries({op: of(op) for op in [*needed, *asked]})
    )


def conditions(list_name: str, ids: Mapping[str, Sequence[UUID]]) -> st.SearchStrategy[Any]:
    """Conditions of everything that a list can be chosen by, joined in every way."""
    fields = CATALOGUES[list_name].fields
    one = st.sampled_from(sorted(fields)).flatmap(
        lambda name: _one(name, fields[name], ids).map(lambda given: {name: given})
    )
    return st.recursive(
        st.lists(one, max_size=2).map(
            lambda parts: {k: v for part in parts for k, v in part.items()}
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda parts: {"and": parts}),
            st.lists(inner, max_size=3).map(lambda parts: {"or": parts}),
            inner.map(lambda part: {"not": part}),
            st.tuples(one, inner).map(lambda pair: {**pair[0], "not": pair[1]}),
        ),
        max_leaves=5,
    )


WORDS = {"gender", "kind", "direction"}


def written(given: Any, name: str = "") -> Any:
    """A condition as variables have it."""
    match given:
        case dict():
            return {k: written(v, k if name not in WORDS else name) for k, v in given.items()}
        case list():
            return [written(item, name) for item in given]
        case datetime() | date():
            return given.isoformat()
        case Decimal() | UUID():
            return str(given)
        case str() if name in WORDS:
            return given.upper()
        case _:
            return given


def canonical(given: Any) -> Any:
    """A condition with contact points spelled as they are stored."""
    match given:
        case dict():
            return {key: canonical(value) for key, value in given.items()}
        case list():
            return [canonical(item) for item in given]
        case str() if "@" in given:
            return given.lower()
        case str():
            return CANONICAL.get(given, given)
        case _:
            return given


def raw(global_id: str) -> UUID:
    return UUID(base64.b64decode(global_id).decode().partition(":")[2])


async def _ids(shop: Shop) -> Mapping[str, Sequence[UUID]]:
    fetch = shop.database.owner.fetch
    people = [row["id"] for row in await fetch("SELECT id FROM customer LIMIT 20")]
    stores = [row["id"] for row in await fetch("SELECT id FROM store")]
    return {"id": people, "customer": people, "store": [*stores, people[0]]}


async def _page(shop: Shop, name: str, **arguments: Any) -> Any:
    """A page by the arguments that were given, with everything there is to know of it."""
    types = {"where": f"{name[:-1].title()}Where", "order": f"{name[:-1].title()}Order!"}
    declared = ", ".join(f"${key}: {types.get(key, _type(key))}" for key in arguments)
    passed = ", ".join(f"{'orderBy' if key == 'order' else key}: ${key}" for key in arguments)
    query = f"""query ({declared}) {{ page: {name}({passed}) {{ totalCount hasMore
        edges {{ cursor node {{ id }} }} pageInfo {{
        hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
    return (await shop.data(query, {key: written(value) for key, value in arguments.items()}))[
        "page"
    ]


def _type(key: str) -> str:
    return "Int" if key in {"first", "last"} else "String"


def _held(page: Any) -> list[UUID]:
    return [raw(edge["node"]["id"]) for edge in page["edges"]]


@pytest.mark.parametrize("name", CATALOGUES)
@shared_database
@given(data=st.data())
async def test_list_equals_a_naive_filter(shop: Shop, name: str, data: st.DataObject) -> None:
    catalogue = CATALOGUES[name]
    where = data.draw(conditions(name, await _ids(shop)))
    order = data.draw(st.sampled_from(sorted(catalogue.orderings)))
    table = await naive.table(shop.database.owner, name)
    expected = naive.chosen(table, catalogue, canonical(where), order)
    page = await _page(shop, name, where=where, order=order, first=200)
    event("some" if 0 < len(expected) < len(table.rows) else "all or none")
    assert _held(page) == expected
    assert (page["totalCount"], page["hasMore"]) == (len(expected), False)


@shared_database
@given(data=st.data())
async def test_page_equals_a_naive_slice(shop: Shop, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(CATALOGUES)))
    order = data.draw(st.sampled_from(sorted(CATALOGUES[name].orderings)))
    size = data.draw(st.integers(0, 12))
    whole = await _page(shop, name, order=order, first=200)
    ids, cursors = _held(whole), [edge["cursor"] for edge in whole["edges"]]
    low, high = sorted(data.draw(st.lists(st.integers(0, len(ids) - 1), min_size=2, max_size=2)))
    between = {"after": cursors[low], "before": cursors[high]}
    inside = ids[low + 1 : high]
    first = await _page(shop, name, order=order, first=size, **between)
    last = await _page(shop, name, order=order, last=size, **between)
    assert _held(first) == inside[:size]
    assert _held(last) == inside[len(inside) - min(size, len(inside)) :]
    assert first["pageInfo"]["hasNextPage"] is (size < len(inside))
    assert last["pageInfo"]["hasPreviousPage"] is (size < len(inside))
    assert first["totalCount"] == last["totalCount"] == len(ids)
