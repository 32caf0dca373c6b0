"""The audits of npm graphql-http: every one of them, on a real hub."""

from typing import Any

import pytest

from tests.peers.conftest import Begin, Node
from tests.peers.hub import Hub

pytestmark = pytest.mark.slow

AUDITS = 61
NEWER = {"572B", "FDE2", "7B9B", "86EE"}
"""Where the text of 2026 wants 422 or 400 though the client takes plain JSON, or 422 for 400."""


async def audited(node: Node, hub: Hub) -> list[dict[str, Any]]:
    """The audits that found something."""
    told: list[dict[str, Any]] = await node("graphql_http.mjs", f"{hub.url}/graphql", hub.token)
    assert len(told) == AUDITS
    return [audit for audit in told if audit["status"] != "ok"]


async def test_every_audit_is_ok(node: Node, hub: Hub) -> None:
    assert await audited(node, hub) == []


async def test_newer_text_differs_where_it_says(node: Node, begin: Begin) -> None:
    found = await audited(node, await begin(graphql_status="2026"))
    assert {audit["id"] for audit in found if audit["status"] == "warn"} == NEWER
    malformed = {f"{kind}{place}" for kind in ("LKJ", "6C0", "476", "58B") for place in range(4)}
    assert {audit["id"] for audit in found if audit["status"] == "notice"} == malformed
    assert len(found) == len(NEWER | malformed)
