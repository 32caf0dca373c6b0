"""Leave that is given in a browser, as one types it: asked for, used, and given back."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from auth.vendors.connector import PATH, Connector
from hub.config import Settings
from hub.db.connection import Connection
from hub.db.engine import Database
from tests.adapters import installed
from tests.adapters.sandboxed import TOKEN, Sandbox, running
from tests.adapters.visiting import query, visit
from tests.hub.cli import forked
from tests.peers.hub import begun
from tests.vendor import HERE

BACK = f"http://127.0.0.1:8000{PATH}"
KEY = "a" * 43
Done = subprocess.CompletedProcess[str]
Ask = Callable[..., Done]


@pytest.fixture(scope="module")
def running_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("shop"), "tests.adapters.shopfront") as sandbox:
        yield sandbox


@pytest.fixture
def shop(running_shop: Sandbox, tmp_path: Path) -> Iterator[Sandbox]:
    """The shop of the example, with a customer; its adapters are installed."""
    running_shop.empty()
    running_shop.put("shopfront", "customers", {"first": "Anna", "last": "Ivanova"})
    with installed.shopfront(tmp_path):
        yield running_shop


@pytest.fixture
def given(database: Database) -> Mapping[str, str]:
    return {
        "HUB_DATABASE_URL": database.addresses.owner,
        "HUB_SECRET_KEY": KEY,
        "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
        "HUB_LOG_LEVEL": "error",
    }


@pytest.fixture
def ask(given: Mapping[str, str], shop: Sandbox) -> Ask:
    def run(*words: str, command: str = "integration", stdin: str = "", **more: str) -> Done:
        return forked.run([command, *words], {**given, **more}, stdin)

    return run


@pytest.fixture
def connector(database: Database, shop: Sandbox) -> Connector:
    """What `hub serve` has with the same settings."""
    said = {"secret_key": KEY, "allowed_networks": "127.0.0.0/8"}
    return Connector.of(Settings.model_validate(said), database)


def add(ask: Ask, shop: Sandbox, *more: str, **given: str) -> Done:
    words = ("--adapter", "shopfront_oauth", "--every", "off", "--set", f"url={shop.url}")
    client = ("--set", "client_id=shop-app", "--set", "client_secret=-")
    return ask("add", "shop", *words, *client, *more, stdin=f"{TOKEN}\n", **given)


def told(done: Done) -> Any:
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


async def test_leave_is_asked_for_given_and_given_back(
    ask: Ask, shop: Sandbox, connector: Connector, connection: Connection
) -> None:
    done = add(ask, shop)
    said, page = done.stdout.splitlines()
    assert (done.returncode, said) == (1, "Connected.")
    assert "shop is kept, but can not be read yet" in done.stderr
    assert f"leads back to {BACK}" in done.stderr
    await connector.connect(urlsplit(await visit(page)).query)
    assert told(ask("check", "shop", "--json"))["works"]
    assert told(ask("shop", "--json", command="sync"))["streams"]["customers"]["created"] == 1
    assert "It was disconnected." in ask("disconnect", "shop").stdout
    assert "oauth/revoke" in {one["name"] for one in shop.arrivals("shopfront")}
    assert "hub integration authorize shop" in ask("check", "shop").stderr
    assert await connection.fetchval("SELECT leave FROM credential") is None


def test_address_is_told_to_programs(ask: Ask, shop: Sandbox) -> None:
    found = told(add(ask, shop, "--json"))
    assert found["check"]["code"] == "RECONNECT"
    again = told(ask("authorize", "shop", "--json"))
    for page in (found["authorize"], again):
        assert (page["seconds"], page["redirect_uri"]) == (600, BACK)
        assert query(page["url"])["redirect_uri"] == BACK
        assert TOKEN not in page["url"]
    assert query(found["authorize"]["url"])["state"] != query(again["url"])["state"]


async def test_removing_gives_leave_back(ask: Ask, shop: Sandbox, connector: Connector) -> None:
    page = add(ask, shop).stdout.splitlines()[-1]
    await connector.connect(urlsplit(await visit(page)).query)
    done = ask("remove", "shop")
    assert (done.stdout, done.stderr) == ("Removed.\n", "")
    assert "oauth/revoke" in {one["name"] for one in shop.arrivals("shopfront")}


async def test_vendor_that_is_away_is_no_reason_to_stay(
    ask: Ask, shop: Sandbox, connector: Connector
) -> None:
    page = add(ask, shop).stdout.splitlines()[-1]
    await connector.connect(urlsplit(await visit(page)).query)
    shop.trouble("shopfront", {"kind": "server_error", "method": "revoke", "times": None})
    done = ask("remove", "shop")
    assert (done.returncode, done.stdout) == (0, "Removed.\n")
    assert "end the hub's access there as well" in done.stderr


def test_adapters_say_who_wants_leave(ask: Ask, shop: Sandbox) -> None:
    assert "wants leave" in ask("adapters", "shopfront_oauth").stdout
    found = told(ask("adapters", "--json"))["adapters"]
    assert [one["key"] for one in found if one["wants_leave"]] == ["shopfront_oauth"]


def test_vendor_with_a_key_wants_no_leave(ask: Ask, shop: Sandbox) -> None:
    words = ("--adapter", "shopfront", "--set", f"url={shop.url}", "--set", "key=-")
    assert ask("add", "keyed", *words, stdin=f"{TOKEN}\n").returncode == 0
    done = ask("authorize", "keyed")
    assert (done.returncode, done.stdout) == (1, "")
    assert "wants no leave in a browser" in done.stderr


def test_other_token_address_wants_the_secret_again(ask: Ask, shop: Sandbox) -> None:
    add(ask, shop, "--no-check")
    done = ask("add", "shop", "--set", "url=https://elsewhere.example.com")
    assert (done.returncode, done.stdout) == (1, "")
    assert "client_secret is missing" in done.stderr


async def test_key_comes_from_a_file(
    ask: Ask, shop: Sandbox, tmp_path: Path, connection: Connection
) -> None:
    file = tmp_path / "secret.pem"
    file.write_text(f"\n{TOKEN}\n")
    words = ("--adapter", "shopfront", "--set", f"url={shop.url}", "--set", f"key=@{file}")
    assert ask("add", "keyed", *words).returncode == 0
    lost = ask("add", "keyed", "--set", f"key=@{tmp_path}/none")
    assert (lost.returncode, lost.stderr.count("\n")) == (1, 1)
    assert "can not be read" in lost.stderr


async def test_person_comes_back_to_the_running_hub(
    ask: Ask, shop: Sandbox, database: Database, settings: Settings
) -> None:
    allowed = settings.model_copy(update={"allowed_networks": HERE})
    async with begun(database, allowed) as hub:
        here = {"HUB_BASE_URL": hub.url}
        done = await asyncio.to_thread(add, ask, shop, **here)
        back = await visit(done.stdout.splitlines()[-1])
        async with httpx.AsyncClient() as browser:
            shown = await browser.get(back, headers={"accept-language": "ru"})
        assert back.startswith(f"{hub.url}{PATH}?")
        assert (shown.status_code, "Система shop подключена" in shown.text) == (200, True)
        check = await asyncio.to_thread(ask, "check", "shop", "--json", **here)
        assert told(check)["works"]
