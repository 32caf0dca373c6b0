"""The clients graphql-ws and graphql-sse on a real hub: all kinds of operations, many streams."""

from typing import Any

import pytest

from hub.config import Settings
from hub.web.figures import Figures
from tests.peers.conftest import Node
from tests.peers.hub import Hub
from tests.schema.toy import ToyEngine, ToyTokens
from tests.serving import doors, served

pytestmark = pytest.mark.slow

ANNA = "Anna Ivanova"


def demand_asked(seen: dict[str, Any]) -> None:
    """A query, a mutation, and a subscription that told of it."""
    assert [answer["data"] for answer in seen["query"]] == [{"customer": {"displayName": ANNA}}]
    (mutation,) = seen["mutation"]
    assert mutation["data"] == {"recordOrders": {"results": [{"outcome": "CREATED"}]}}
    (event,) = seen["subscription"]
    assert event["data"]["customerChanged"]["customer"] == {"displayName": ANNA}


def demand_followed(seen: dict[str, Any]) -> None:
    """A hundred streams of the same five sales in order; whoever left cost nothing any more."""
    first, *others = seen["parallel"]
    assert (len(first), len(others)) == (5, 99)
    assert all(stream == first for stream in others)
    positions = [int(event["data"]["customerChanged"]["position"]) for event in first]
    assert positions == sorted(set(positions))
    assert (seen["done"], seen["left"]) == (True, [0, 0, 0])


async def test_graphql_ws_client_is_content(node: Node, hub: Hub) -> None:
    seen = await node("graphql_ws.mjs", hub.url, hub.token, hub.purpose)
    demand_asked(seen)
    demand_followed(seen)
    assert seen["syntax"] == {"errors": ["GRAPHQL_PARSE_FAILED"]}
    assert seen["validation"] == {"errors": ["GRAPHQL_VALIDATION_FAILED"]}
    assert seen["closings"] == []
    assert seen["full"] == {"errors": ["RATE_LIMITED"]}
    for refused in (seen["badToken"], seen["noToken"]):
        assert refused["code"] == 4403
        assert refused["reason"].startswith("UNAUTHENTICATED")


async def test_graphql_sse_client_is_content(node: Node, hub: Hub) -> None:
    seen = await node("graphql_sse.mjs", hub.url, hub.token, hub.purpose)
    demand_asked(seen)
    demand_followed(seen)
    assert seen["syntax"][0]["errors"][0]["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}
    assert seen["badToken"] == 401


async def test_failing_stream_ends_alone(node: Node, settings: Settings) -> None:
    site = doors(settings, ToyEngine(), ToyTokens(), Figures())
    async with served(site, settings) as url:
        seen = await node("graphql_ws_fails.mjs", url, "good")
    assert seen == {"fails": {"errors": ["INTERNAL_SERVER_ERROR"]}, "beside": 3, "closings": []}
