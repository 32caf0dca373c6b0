"""GraphiQL in a real browser: it appears, asks, subscribes, and talks to nobody else."""

import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZipFile

import httpx
import pytest

from hub.web.graphiql import BUNDLE
from tests.auth.people.colleagues import PASSWORD, colleague
from tests.peers.conftest import Begin, Node
from tests.peers.hub import Hub
from tests.shop import Shop

BUILDER = Path(__file__).parents[2] / ".ci" / "graphiql.py"

pytestmark = pytest.mark.slow


@pytest.fixture
async def seen(hub: Hub, node: Node, browser: str, tmp_path: Path) -> dict[str, Any]:
    """What a person sees who gives a token, runs the first query and then a subscription."""
    env = {"BROWSER": browser, "SCREENSHOT": str(tmp_path / "graphiql.png")}
    return await node("graphiql.mjs", hub.url, hub.token, hub.purpose, env=env)


async def test_graphiql_works_in_browser(seen: dict[str, Any], hub: Hub) -> None:
    assert "FirstCustomers" in seen["editor"]
    assert "Sign in above" in seen["withoutToken"]
    assert "token" in seen["wrongToken"].splitlines()[-1]
    assert "query" in seen["documentation"].lower()
    assert "Customers whom the purpose allows." in seen["customers"]
    assert "displayName" in seen["answer"]
    assert '"order.recorded"' in seen["subscription"]
    assert '"Anna Ivanova"' in seen["subscription"]
    assert [line for line in seen["console"] if "401" not in line] == []
    asked = {urlsplit(url).netloc for url in seen["requests"] if not url.startswith("data:")}
    assert asked == {urlsplit(hub.url).netloc}
    assert seen["kept"] == [[], ""]


async def test_person_signs_in(
    begin: Begin, node: Node, browser: str, shop: Shop, tmp_path: Path
) -> None:
    hub = await begin()
    await colleague(shop.database, "anna@example.com", roles=["administrator"], must_change=True)
    env = {"BROWSER": browser, "SHOTS": os.environ.get("HUB_TEST_SHOTS", str(tmp_path))}
    wanted = ("signing.mjs", hub.url, "anna@example.com", PASSWORD)
    seen = await node(*wanted, env=env, seconds=600)
    assert f"Sign in at {hub.url}" in seen["away"]
    alert, address, asked = seen["unasked"]
    assert ("sign in again" in alert, address, asked) == (True, f"{hub.url}/graphiql/", [])
    assert "password" in seen["forced"].lower()
    assert "anna@example.com" in seen["bar"]
    assert seen["address"].startswith(f"{hub.url}/graphiql/")
    assert "code" not in urlsplit(seen["address"]).query
    assert seen["purposes"][:2] == ["customer_service", "analytics"]
    assert '"user": "anna@example.com"' in seen["service"]
    assert '"client": "graphiql"' in seen["analytics"]
    assert seen["isRenewed"]
    assert seen["isAlone"]
    asked = ["authorization_code", "refresh_token", "refresh_token", "revoke", "authorization_code"]
    assert seen["asked"] == asked
    assert sorted(seen["remembered"]) == ["hub:purpose", "hub:tab"]
    assert "anna@example.com" not in seen["left"]
    assert "anna@example.com" in seen["again"]
    assert seen["kept"] == [[], ""]
    assert seen["console"] == []
    await demand_ended(hub, seen["token"])


async def demand_ended(hub: Hub, token: str) -> None:
    """Nothing is opened by it any more."""
    async with httpx.AsyncClient(base_url=hub.url) as http:
        headers = {"authorization": f"Bearer {token}", "hub-purpose": "analytics"}
        answer = await http.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
    assert answer.status_code == 401


@pytest.mark.usefixtures("peers")
def test_bundle_is_built_again_alike(tmp_path: Path) -> None:
    again = tmp_path / "graphiql.zip"
    subprocess.run([sys.executable, BUILDER, tmp_path / "work", again], check=True, timeout=600)
    assert contents(again) == contents(BUNDLE)


def contents(bundle: Path) -> dict[str, bytes]:
    """What is in it, however it is compressed."""
    with ZipFile(bundle) as archive:
        return {name: gzip.decompress(archive.read(name)) for name in archive.namelist()}
