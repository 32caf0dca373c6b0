"""The routes beside GraphQL: alive, ready, and what is counted."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Route

from hub.app import App
from hub.cli.serving import site
from hub.config import Settings
from hub.db.addresses import Addresses
from hub.db.engine import Database
from hub.web import routes
from hub.web.asgi import Application
from hub.web.figures import Figures, Reading
from hub.web.metrics import Metrics
from tests.schema.toy import ToyEngine, ToyTokens

TOKEN = {"authorization": "Bearer metrics"}

NOWHERE = "postgresql://hub:secret@127.0.0.1:1/hub"


def asking(whole: Application, address: str = "192.0.2.1") -> httpx.AsyncClient:
    """A client at that address."""
    transport = httpx.ASGITransport(whole, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.fixture
def figures(tmp_path: Path) -> Figures:
    return Figures(tmp_path)


@pytest.fixture
def chosen(settings: Settings) -> Settings:
    return settings.model_copy(update={"metrics_token": SecretStr("metrics")})


@pytest.fixture
async def client(
    database: Database, chosen: Settings, figures: Figures
) -> AsyncGenerator[httpx.AsyncClient]:
    whole = site(App(chosen, database), ToyEngine(), ToyTokens(), figures)
    async with asking(whole) as client:
        yield client


async def test_hub_is_alive_and_ready(client: httpx.AsyncClient) -> None:
    alive, ready = await client.get("/healthz"), await client.get("/readyz")
    assert (alive.status_code, alive.json()) == (200, {"state": "alive"})
    assert (ready.status_code, ready.json()) == (200, {"state": "ready"})
    assert ready.headers["cache-control"] == "no-store"


async def test_other_schema_is_not_ready(client: httpx.AsyncClient, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json() == {"state": "not ready", "code": "SCHEMA_CHANGED"}


async def test_silent_database_is_not_ready(settings: Settings) -> None:
    nowhere = Addresses(owner=NOWHERE, direct=NOWHERE, reader=None)
    async with (
        await Database.over(settings, nowhere) as database,
        asking(routes.router(settings, database, Figures())) as client,
    ):
        ready = await client.get("/readyz")
        assert (await client.get("/healthz")).status_code == 200
    assert ready.status_code == 503
    assert ready.json() == {"state": "not ready", "code": "DATABASE_UNREACHABLE"}


async def test_door_says_where_to_go(client: httpx.AsyncClient) -> None:
    assert "/graphql" in (await client.get("/")).text
    assert (await client.get("/nowhere")).status_code == 404


async def test_page_asks_where_the_hub_is(database: Database, settings: Settings) -> None:
    below = {"base_url": "https://example.com/hub", "graphiql": True}
    app = App(settings.model_copy(update=below), database)
    async with asking(site(app, ToyEngine(), ToyTokens(), Figures())) as client:
        slashless, page = await client.get("/graphiql"), await client.get("/graphiql/")
    assert slashless.headers["location"] == "graphiql/"
    assert '<meta name="hub" content="https://example.com/hub"' in page.text


async def numbers(client: httpx.AsyncClient) -> dict[str, float]:
    """What the metrics say, by name and labels."""
    answer = await client.get("/metrics", headers=TOKEN)
    assert answer.status_code == 200
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_requests_are_counted(client: httpx.AsyncClient) -> None:
    good = {"authorization": "Bearer good"}
    await client.post("/graphql", json={"query": "{ hello }"}, headers=good)
    await client.post("/graphql", json={"query": "{"}, headers=good)
    await client.post("/graphql", json={"query": "{ hello }"})
    found = await numbers(client)
    for ending in ("query ok", "none parse_failed", "none unauthenticated"):
        assert found[f"hub_requests_total http {ending}"] == 1
    assert found["hub_request_seconds_bucket http +Inf"] == 3
    assert found["hub_request_seconds_count http"] == 3
    assert found["hub_pool_reader_size"] == 0


async def test_processes_are_added_up(
    client: httpx.AsyncClient, figures: Figures, tmp_path: Path
) -> None:
    with figures.open("streams"):
        figures.count("http", "ok", kind="query", seconds=0.2)
        dead = Reading(counts={"http query ok": 5}, gauges={"open_streams": 7})
        (tmp_path / "4194305").write_bytes(msgspec.json.encode(dead))
        alive = Reading(counts={"http none failed": 1}, gauges={"open_streams": 2})
        (tmp_path / "1").write_bytes(msgspec.json.encode(alive))
        figures.publish()
        found = await numbers(client)
    assert found["hub_requests_total http query ok"] == 6
    assert found["hub_requests_total http none failed"] == 1
    assert found["hub_open_streams"] == 3


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.1", {}, 403),
        ("192.0.2.1", {"authorization": "Bearer wrong"}, 403),
        ("192.0.2.1", TOKEN, 200),
        ("127.0.0.1", {"x-forwarded-for": "192.0.2.1"}, 403),
        ("127.0.0.1", {"forwarded": "for=192.0.2.1"}, 403),
        ("testclient", {}, 403),
    ],
)
async def test_metrics_are_not_for_everybody(
    address: str, headers: dict[str, str], status: int
) -> None:
    metrics = Metrics(Figures(), SecretStr("metrics"))
    whole = Starlette(routes=[Route("/metrics", metrics.answer)])
    async with asking(whole, address) as client:
        assert (await client.get("/metrics", headers=headers)).status_code == status


async def test_without_token_nobody_knows_it() -> None:
    whole = Starlette(routes=[Route("/metrics", Metrics(Figures(), None).answer)])
    async with asking(whole) as client:
        for word in ("", "Bearer ", "Bearer None"):
            answer = await client.get("/metrics", headers={"authorization": word})
            assert answer.status_code == 403
