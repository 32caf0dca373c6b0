"""The clients graphql-ws and graphql-sse: every kind of operation, errors, a hundred streams."""

from typing import Any

import pytest

from hub.config import Settings
from hub.web.figures import Figures
from tests.peers.conftest import Node
from tests.schema.toy import ToyEngine, ToyTokens
from tests.serving import doors, served

COUNTED = [{"data": {"count": number}} for number in (1, 2, 3)]


@pytest.fixture
def toy() -> ToyEngine:
    return ToyEngine()


async def told(node: Node, settings: Settings, toy: ToyEngine, script: str) -> Any:
    site = doors(settings, toy, ToyTokens(), Figures())
    async with served(site, settings) as address:
        scheme = "ws" if script == "graphql_ws.mjs" else "http"
        url = address.replace("http", scheme) + "/graphql"
        return await node(script, url, "good")


async def test_graphql_ws_client_is_content(node: Node, settings: Settings, toy: ToyEngine) -> None:
    seen = await told(node, settings, toy, "graphql_ws.mjs")
    assert seen["query"] == [{"data": {"hello": "hello Ёж"}}]
    assert seen["mutation"] == [{"data": {"rename": "peer"}}]
    assert seen["subscription"] == COUNTED
    assert seen["syntax"] == {"errors": ["GRAPHQL_PARSE_FAILED"]}
    assert seen["validation"] == {"errors": ["GRAPHQL_VALIDATION_FAILED"]}
    assert seen["stream"] == {"errors": ["INTERNAL_SERVER_ERROR"]}
    assert (seen["beside"], seen["closings"]) == (3, [])
    assert seen["parallel"] == [20] * 100
    assert seen["left"] is True
    for refused in (seen["badToken"], seen["noToken"]):
        assert refused["code"] == 4403
        assert refused["reason"].startswith("UNAUTHENTICATED")


async def test_graphql_sse_client_is_content(
    node: Node, settings: Settings, toy: ToyEngine
) -> None:
    seen = await told(node, settings, toy, "graphql_sse.mjs")
    assert seen["query"] == [{"data": {"hello": "hello Ёж"}}]
    assert seen["mutation"] == [{"data": {"rename": "peer"}}]
    assert seen["subscription"] == COUNTED
    assert seen["syntax"][0]["errors"][0]["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}
    assert (seen["left"], toy.closed) == (True, 2)
