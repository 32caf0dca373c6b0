"""The audits of npm graphql-http: every one of them, on what is served today."""

from typing import Any

import pytest

from hub.app import App
from hub.cli import serving
from hub.config import Settings
from hub.db.engine import Database
from hub.feed import Feed
from hub.relay import Relay
from hub.web.figures import Figures
from schema.request import Engine
from tests.peers.conftest import Node, Serve
from tests.schema.toy import ToyEngine, ToyTokens

AUDITS = 61
NEWER = {"572B", "FDE2", "7B9B", "86EE"}
"""Where the text of 2026 wants 422 or 400 though the client takes plain JSON, or 422 for 400."""


@pytest.fixture(params=["toy", "hub"])
async def engine(request: pytest.FixtureRequest, database: Database, settings: Settings) -> Engine:
    """What answers behind the door."""
    if request.param == "toy":
        return ToyEngine()
    return await serving.engine(App(settings, database), Feed(database), Relay(database))


async def audited(serve: Serve, node: Node, app: App, engine: Engine) -> list[dict[str, Any]]:
    address = await serve(serving.site(app, engine, ToyTokens(), Figures()))
    told: list[dict[str, Any]] = await node("graphql_http.mjs", f"{address}/graphql", "good")
    assert len(told) == AUDITS
    return [audit for audit in told if audit["status"] != "ok"]


async def test_every_audit_is_ok(
    serve: Serve, node: Node, database: Database, settings: Settings, engine: Engine
) -> None:
    assert await audited(serve, node, App(settings, database), engine) == []


async def test_newer_text_differs_where_it_says(
    serve: Serve, node: Node, database: Database, settings: Settings
) -> None:
    chosen = settings.model_copy(update={"graphql_status": "2026"})
    found = await audited(serve, node, App(chosen, database), ToyEngine())
    assert {audit["id"] for audit in found if audit["status"] == "warn"} == NEWER
    malformed = {f"{kind}{place}" for kind in ("LKJ", "6C0", "476", "58B") for place in range(4)}
    assert {audit["id"] for audit in found if audit["status"] == "notice"} == malformed
    assert len(found) == len(NEWER | malformed)
