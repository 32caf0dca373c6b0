"""Lists keep the Relay rules: what may be asked, where a page lies, and no item lost or doubled."""

import base64
import itertools
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from hub.records import AnyRecord, Customer, Order, Person
from tests.shop import NOON, Shop, said

PAGE = """query ($first: Int, $after: String, $last: Int, $before: String, $order: CustomerOrder!) {
    customers(first: $first, after: $after, last: $last, before: $before, orderBy: $order) {
        totalCount nodes { id } edges { cursor node { id } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
PEOPLE = 44
"""Customers in the shop."""


async def page(shop: Shop, order: str = "OLDEST", **asked: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (await shop.data(PAGE, {"order": order, **asked}))["customers"]
    return found


def ids(page: Mapping[str, Any]) -> list[str]:
    return [node["id"] for node in page["nodes"]]


async def test_nothing_is_a_page(shop: Shop) -> None:
    found = await page(shop, first=0)
    assert (found["nodes"], found["edges"], found["totalCount"]) == ([], [], PEOPLE)
    assert found["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }


async def test_default_is_twenty(shop: Shop) -> None:
    assert len(ids(await page(shop))) == 20


@pytest.mark.parametrize(
    "asked",
    [
        {"first": -1},
        {"last": -1},
        {"first": 201},
        {"last": 1_000_000},
        {"first": 1, "last": 1},
        {"first": 1, "after": "x"},
        {"first": 1, "after": ""},
        {"first": 1, "before": "4pyT"},
        {"first": 1, "after": base64.b64encode(b'["OLDEST","x","y"]').decode()},
        {"first": 1, "after": base64.b64encode(b'["OLDEST",1,2]').decode()},
        {"first": 1, "after": base64.b64encode(b'["OLDEST"]').decode()},
        {"first": 1, "after": base64.b64encode(b'["OLDEST","2026-03-01","a"]').decode()},
        {"first": 1, "after": base64.b64encode(b'["NAME","a\\u0000","b"]').decode()},
        {"first": 1, "after": "A" * 100_000},
    ],
)
async def test_bad_page_is_refused(shop: Shop, asked: Mapping[str, Any]) -> None:
    assert await shop.code(PAGE, {"order": "OLDEST", **asked}) == "BAD_USER_INPUT"


@pytest.mark.parametrize("argument", ["first: -1", "last: 201", "first: 1, last: 1"])
async def test_bad_page_in_the_document_is_refused(shop: Shop, argument: str) -> None:
    query = f"{{ customers({argument}) {{ nodes {{ id }} }} }}"
    assert await shop.code(query) == "BAD_USER_INPUT"


async def test_foreign_cursor_is_refused(shop: Shop) -> None:
    cursor = (await page(shop, "NAME", first=1))["pageInfo"]["endCursor"]
    asked = {"order": "OLDEST", "first": 1, "after": cursor}
    assert await shop.code(PAGE, asked) == "BAD_USER_INPUT"


@pytest.mark.parametrize("number", [2**31, 1.5, "1", True, [1], {}])
async def test_size_is_a_number(shop: Shop, number: object) -> None:
    assert await shop.code(PAGE, {"order": "OLDEST", "first": number}) == "BAD_USER_INPUT"


async def test_null_is_as_if_left_out(shop: Shop) -> None:
    nothing = {"first": None, "after": None, "last": None, "before": None}
    assert await page(shop, **nothing) == await page(shop)


async def test_null_is_no_order(shop: Shop) -> None:
    query = "query ($o: CustomerOrder = NAME) { customers(orderBy: $o) { nodes { id } } }"
    assert await shop.code(query, {"o": None}) == "BAD_USER_INPUT"
    assert "customers" in await shop.data(query)


@pytest.mark.parametrize("order", ["OLDEST", "NEWEST", "NAME", "LAST_ORDER", "RECENTLY_UPDATED"])
async def test_walks_meet_everything_once(shop: Shop, order: str) -> None:
    whole = ids(await page(shop, order, first=200))
    there, back = await _forwards(shop, order), await _backwards(shop, order)
    assert there == back == whole
    assert len(set(whole)) == PEOPLE


Meanwhile = Callable[[], Awaitable[None]]


async def nothing() -> None:
    """Nobody writes."""


async def _forwards(shop: Shop, order: str, meanwhile: Meanwhile = nothing) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        one = await page(shop, order, first=7, after=after)
        assert one["pageInfo"]["hasPreviousPage"] is (after is not None)
        found += ids(one)
        after = one["pageInfo"]["endCursor"]
        if not one["pageInfo"]["hasNextPage"]:
            return found
        await meanwhile()


async def _backwards(shop: Shop, order: str, meanwhile: Meanwhile = nothing) -> list[str]:
    found: list[str] = []
    before = None
    while True:
        one = await page(shop, order, last=7, before=before)
        assert one["pageInfo"]["hasNextPage"] is (before is not None)
        found = ids(one) + found
        before = one["pageInfo"]["startCursor"]
        if not one["pageInfo"]["hasPreviousPage"]:
            return found
        await meanwhile()


async def test_page_tells_its_ends(shop: Shop) -> None:
    one = await page(shop, first=3)
    info = one["pageInfo"]
    assert info["startCursor"] == one["edges"][0]["cursor"]
    assert info["endCursor"] == one["edges"][-1]["cursor"]
    assert [edge["node"] for edge in one["edges"]] == one["nodes"]


async def test_nothing_follows_the_last(shop: Shop) -> None:
    last = (await page(shop, last=1))["pageInfo"]["endCursor"]
    beyond = await page(shop, first=3, after=last)
    assert beyond["nodes"] == []
    assert beyond["pageInfo"]["hasNextPage"] is False
    assert beyond["pageInfo"]["hasPreviousPage"] is True


@pytest.mark.parametrize("order", ["OLDEST", "NAME", "LAST_ORDER"])
@pytest.mark.parametrize("way", [_forwards, _backwards])
async def test_writes_hide_nothing_that_stays(shop: Shop, order: str, way: Any) -> None:
    settled = set(ids(await page(shop, order, first=200)))
    numbers = itertools.count()

    async def somebody_comes() -> None:
        await said(shop.database, _newcomer(next(numbers)))

    walked = await way(shop, order, somebody_comes)
    assert len(walked) == len(set(walked))
    assert settled <= set(walked)


def _newcomer(n: int) -> list[AnyRecord]:
    ordered_at = NOON.replace(year=2020 + n % 9)
    return [
        Customer(external_id=f"new{n}", given_name=f"{'AZaж'[n % 4]}{n}"),
        Order(external_id=f"new{n}", ordered_at=ordered_at, customer=Person(external_id=f"new{n}")),
    ]


async def test_total_is_exact_or_unknown(shop: Shop) -> None:
    query = '{ orders(where: {status: {eq: "paid"}}) { totalCount hasMore } }'
    count = "SELECT count(*) FROM \"order\" WHERE status = 'paid' AND customer_id IS NOT NULL"
    expected = await shop.database.owner.fetchval(count)
    assert await shop.data(query) == {"orders": {"totalCount": expected, "hasMore": False}}


async def test_totals_are_told_with_an_empty_page(shop: Shop) -> None:
    query = "{ a: customers(first: 0) { totalCount } b: customers { totalCount } }"
    assert await shop.data(query) == {"a": {"totalCount": PEOPLE}, "b": {"totalCount": PEOPLE}}


async def test_cursor_is_opaque_yet_json_inside(shop: Shop) -> None:
    cursor = (await page(shop, first=1))["pageInfo"]["endCursor"]
    order, _, _ = json.loads(base64.b64decode(cursor))
    assert order == "OLDEST"
