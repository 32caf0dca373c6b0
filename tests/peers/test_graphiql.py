"""GraphiQL in a real browser: it appears, asks, subscribes, and talks to nobody else."""

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZipFile

import pytest

from hub.web.graphiql import BUNDLE
from tests.peers.conftest import Node
from tests.peers.hub import Hub

BUILDER = Path(__file__).parents[2] / ".ci" / "graphiql.py"

pytestmark = pytest.mark.slow


@pytest.fixture
async def seen(hub: Hub, node: Node, browser: str, tmp_path: Path) -> dict[str, Any]:
    """What a person sees who gives a token, runs the first query and then a subscription."""
    env = {"BROWSER": browser, "SCREENSHOT": str(tmp_path / "graphiql.png")}
    return await node("graphiql.mjs", hub.url, hub.token, hub.purpose, env=env)


async def test_graphiql_works_in_browser(seen: dict[str, Any], hub: Hub) -> None:
    assert "FirstCustomers" in seen["editor"]
    assert "hub client token" in seen["withoutToken"]
    assert "query" in seen["documentation"].lower()
    assert "Customers whom the purpose allows." in seen["customers"]
    assert "displayName" in seen["answer"]
    assert '"order.recorded"' in seen["subscription"]
    assert '"Anna Ivanova"' in seen["subscription"]
    assert seen["console"] == []
    asked = {urlsplit(url).netloc for url in seen["requests"] if not url.startswith("data:")}
    assert asked == {urlsplit(hub.url).netloc}
    assert seen["kept"] == [[], ""]


@pytest.mark.usefixtures("peers")
def test_bundle_is_built_again_alike(tmp_path: Path) -> None:
    again = tmp_path / "graphiql.zip"
    subprocess.run([sys.executable, BUILDER, tmp_path / "work", again], check=True, timeout=600)
    assert contents(again) == contents(BUNDLE)


def contents(bundle: Path) -> dict[str, bytes]:
    """What is in it, however it is compressed."""
    with ZipFile(bundle) as archive:
        return {name: gzip.decompress(archive.read(name)) for name in archive.namelist()}
