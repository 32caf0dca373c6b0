"""How much a client may ask for, as the engine sees to it; and what `viewer` tells of it."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from auth import clients
from auth.principal import Principal
from hub.config import Settings
from schema.engine import Engine
from schema.request import Answer, Caller, Outcome, Request
from schema.scalars import global_id
from tests.shop import Shop, caller, opened

CHEAP = "{ purposes(first: 5) { key } }"
DEAR = "{ customers(first: 100) { nodes { id } } }"
"""More than a small budget holds: it is let through, and has to be paid off for a minute."""
BUDGET = "{ viewer { budget { costPerSecond costLeft requestsPerSecond requestsLeft } } }"


@pytest.fixture
async def principal(shop: Shop) -> Principal:
    """Who asks, as a client that is registered."""
    async with shop.database.transaction() as connection:
        made = await clients.create(
            connection, "limited", scopes=["customers:read"], purposes=["customer_service"]
        )
    return replace(caller("customer_service").principal, client_id=made.id)


async def asked(engine: Engine, principal: Principal, query: str) -> Answer:
    return await engine.answer(Request(query=query), Caller(principal, "customer_service"))


async def refused(engine: Engine, principal: Principal, query: str) -> Answer:
    """Ask until there is no more."""
    while (answer := await asked(engine, principal, query)).outcome is Outcome.OK:
        pass
    return answer


@asynccontextmanager
async def limited(shop: Shop, settings: Settings, **limits: int) -> AsyncGenerator[Engine]:
    """Another process, with settings of its own."""
    chosen = settings.model_copy(update=limits)
    database = await type(shop.database).over(chosen, shop.database.addresses)
    async with database:
        yield (await opened(database, chosen)).engine


def told(answer: Answer) -> Any:
    return json.loads(answer.body)["errors"][0]["extensions"]


async def test_cost_is_limited(shop: Shop, settings: Settings, principal: Principal) -> None:
    async with limited(shop, settings, graphql_cost_per_second=1) as engine:
        assert (await asked(engine, principal, DEAR)).outcome is Outcome.OK
        answer = await asked(engine, principal, CHEAP)
    assert answer.outcome is Outcome.RATE_LIMITED
    assert told(answer)["code"] == "RATE_LIMITED"
    assert 5 < told(answer)["retryAfter"] == answer.retry_after <= 95


async def test_requests_are_limited(shop: Shop, settings: Settings, principal: Principal) -> None:
    """Also those that nobody can read."""
    async with limited(shop, settings, graphql_requests_per_second=1) as engine:
        answers = [await asked(engine, principal, "{") for _ in range(10)]
        assert {answer.outcome for answer in answers} == {Outcome.PARSE_FAILED}
        answer = await refused(engine, principal, CHEAP)
    assert (answer.outcome, answer.kind) == (Outcome.RATE_LIMITED, "")


async def test_streams_are_limited(shop: Shop, principal: Principal) -> None:
    greedy = Caller(replace(principal, requests_per_second=1), "customer_service")
    request, last = Request(query=CHEAP), None
    while last is None or last.outcome is Outcome.OK:
        (last,) = [answer async for answer in shop.engine.stream(request, greedy)]
    assert last.outcome is Outcome.RATE_LIMITED


async def test_limit_of_a_client_goes_first(
    shop: Shop, settings: Settings, principal: Principal
) -> None:
    free = replace(principal, cost_per_second=0)
    async with limited(shop, settings, graphql_cost_per_second=1) as engine:
        await asked(engine, principal, DEAR)
        answers = [await asked(engine, free, CHEAP) for _ in range(5)]
    assert {answer.outcome for answer in answers} == {Outcome.OK}


async def test_processes_have_one_budget(
    shop: Shop, settings: Settings, principal: Principal
) -> None:
    slow = replace(principal, cost_per_second=1)
    async with limited(shop, settings) as one, limited(shop, settings) as other:
        assert (await asked(one, slow, DEAR)).outcome is Outcome.OK
        assert (await asked(other, slow, CHEAP)).outcome is Outcome.RATE_LIMITED


async def test_viewer_tells_the_budget(shop: Shop, principal: Principal) -> None:
    rich = replace(principal, cost_per_second=100, requests_per_second=7)
    await asked(shop.engine, rich, CHEAP)
    data = json.loads((await asked(shop.engine, rich, BUDGET)).body)["data"]["viewer"]["budget"]
    assert (data["costPerSecond"], data["requestsPerSecond"]) == (100, 7)
    assert 0 < data["requestsLeft"] <= 70
    assert 900 < data["costLeft"] <= 1000


async def test_viewer_without_limits_has_none(shop: Shop, principal: Principal) -> None:
    data = json.loads((await asked(shop.engine, principal, BUDGET)).body)["data"]["viewer"]
    assert set(data["budget"].values()) == {None}


async def test_viewer_tells_on_whose_behalf(shop: Shop, principal: Principal) -> None:
    anna = replace(principal, user_id=uuid4(), user="anna@example.com")
    data = json.loads((await asked(shop.engine, anna, "{ viewer { user customer } }")).body)["data"]
    assert data == {"viewer": {"user": "anna@example.com", "customer": None}}


async def test_viewer_tells_the_customer(shop: Shop) -> None:
    id_ = await shop.id("anna")
    bound = replace(caller().principal, scopes=frozenset({"privacy:self"}), customer_id=id_)
    answer = await shop.engine.answer(
        Request(query="{ viewer { customer purpose } }"), Caller(bound, "data_subject_rights")
    )
    customer = global_id("Customer", id_)
    assert json.loads(answer.body)["data"] == {
        "viewer": {"customer": customer, "purpose": "data_subject_rights"}
    }
