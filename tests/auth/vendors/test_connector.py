"""A person is sent to the sandbox's own OAuth, and comes back: once, in time, and from there."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from auth import connect
from auth.vault import Vault
from auth.vendors.connector import Connector, NotConnected
from hub import integrations, registry
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadInput, VendorAway, VendorRefused
from hub.integrations import Integration
from hub.net import Line, Target, Wire
from hub.pace import Pace
from tests.adapters import installed
from tests.adapters.conftest import Emptied
from tests.adapters.conftest import emptied as emptied
from tests.adapters.conftest import processes as processes
from tests.adapters.sandboxed import TOKEN, Sandbox
from tests.adapters.visiting import query, visit
from tests.vendor import HERE

HUB = "https://hub.example.com"
EXAMPLE = "shopfront_oauth"


@pytest.fixture
def shop(emptied: Emptied, tmp_path: Path) -> Iterator[Sandbox]:
    """The shop of the example, whose adapter is installed."""
    with installed.shopfront(tmp_path):
        yield emptied("tests.adapters.shopfront")


@pytest.fixture
def settings_of(shop: Sandbox) -> dict[str, str]:
    return {"url": shop.url, "client_id": "shop-app", "client_secret": TOKEN}


@pytest.fixture
def vault(database: Database, keyring: Keyring) -> Vault:
    return Vault(database, keyring)


@pytest.fixture
async def known(database: Database, vault: Vault, settings_of: dict[str, str]) -> Integration:
    return await added(database, vault, settings_of)


async def added(
    database: Database, vault: Vault, said: dict[str, str], name: str = "shop"
) -> Integration:
    """An integration by leave that nobody gave yet."""
    async with database.transaction() as connection:
        adapter = registry.adapter(EXAMPLE)
        added = await integrations.add(connection, name, adapter, said)
        await vault.seal(connection, added.id, added.secrets)
        return await integrations.named(connection, name)


@pytest.fixture
def connector(database: Database, keyring: Keyring, shop: Sandbox) -> Connector:
    return Connector(database, keyring, base_url=HUB, networks=HERE)


@pytest.fixture
async def line(database: Database, vault: Vault, known: Integration) -> AsyncGenerator[Line]:
    target = Target(known.id, registry.adapter(EXAMPLE), {**known.settings, "source": "shop"})
    pace = Pace(database, known.id, (), deadline=60)
    made = Line(target, credentials=vault, pace=pace, networks=HERE)
    yield made
    await made.close()


async def came(connector: Connector, known: Integration, decision: str = "allow") -> dict[str, str]:
    """What somebody brings back who was sent to the vendor."""
    back = await visit(await connector.page(known), decision)
    assert back.startswith(f"{HUB}/connect/callback?")
    return query(back)


async def refused(connector: Connector, said: dict[str, str] | str) -> str:
    """Why somebody is not let in."""
    with pytest.raises(NotConnected) as told:
        await connector.connect(said if isinstance(said, str) else urlencode(said))
    return told.value.why


async def test_leave_opens_the_vendor(
    connector: Connector, known: Integration, line: Line, connection: Connection
) -> None:
    found = await connector.connect(urlencode(await came(connector, known)))
    assert (found.name, found.title) == ("shop", "Shopfront, by leave")
    call = registry.adapter(EXAMPLE).check(known.settings)
    assert (await line.ask(call)).body == {"data": []}
    row = await connection.fetchrow("SELECT token, leave FROM credential")
    assert TOKEN.encode() not in row["token"] + row["leave"]


async def test_integration_is_read_from_then_on(
    connector: Connector, known: Integration, database: Database, connection: Connection
) -> None:
    await connection.execute("UPDATE integration SET state = 'reconnect', next_sync_at = NULL")
    await connector.connect(urlencode(await came(connector, known)))
    async with database.transaction() as theirs:
        now = await integrations.named(theirs, "shop")
    assert (now.state, now.code, now.message) == ("active", "", "")
    assert now.next_sync_at is not None


async def test_stopped_one_goes_on(
    connector: Connector, known: Integration, connection: Connection
) -> None:
    await connection.execute("UPDATE integration SET state = 'stopped', code = 'VENDOR_REFUSED'")
    await connector.connect(urlencode(await came(connector, known)))
    assert tuple(await connection.fetchrow("SELECT state, code FROM integration")) == ("active", "")


async def test_paused_one_stays_paused(
    connector: Connector, known: Integration, connection: Connection
) -> None:
    await integrations.pause(connection, "shop")
    await connector.connect(urlencode(await came(connector, known)))
    assert await connection.fetchval("SELECT state FROM integration") == "paused"


async def test_state_opens_once(connector: Connector, known: Integration) -> None:
    said = await came(connector, known)
    await connector.connect(urlencode(said))
    assert await refused(connector, said) == "strange"


async def test_disconnecting_ends_requests(
    connector: Connector, known: Integration, vault: Vault, connection: Connection
) -> None:
    """Who still has the page open connects nothing again."""
    said = await came(connector, known)
    target = Target(known.id, registry.adapter(EXAMPLE), {**known.settings, "source": "shop"})
    wire = Wire(HERE)
    await vault.disconnect(target, wire)
    await wire.aclose()
    assert await refused(connector, said) == "strange"
    assert await connection.fetchval("SELECT state FROM integration") == "reconnect"


async def test_of_many_who_come_back_at_once_one_is_let_in(
    connector: Connector, known: Integration
) -> None:
    said = urlencode(await came(connector, known))
    came_back = [connector.connect(said) for _ in range(10)]
    found = await asyncio.gather(*came_back, return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in found) == 1


async def test_state_is_over_in_time(
    connector: Connector, known: Integration, connection: Connection
) -> None:
    said = await came(connector, known)
    await connection.execute("UPDATE connection_request SET expires_at = now()")
    assert await refused(connector, said) == "strange"


async def test_state_is_kept_as_a_hash(
    connector: Connector, known: Integration, connection: Connection
) -> None:
    state = query(await connector.page(known))["state"]
    row = await connection.fetchrow("SELECT id, sealed FROM connection_request")
    assert state.encode() not in row["id"] + row["sealed"]
    assert len(state) >= 43


@pytest.mark.parametrize(
    "said", ["", "state=", "state=k&code=c", "code=c", "state=%00%ff", f"state={'k' * 20_000}"]
)
async def test_made_up_state_opens_nothing(
    connector: Connector, known: Integration, said: str
) -> None:
    await connector.page(known)
    assert await refused(connector, said) == "strange"


async def test_word_that_comes_twice_opens_nothing(
    connector: Connector, known: Integration, connection: Connection
) -> None:
    said = urlencode(await came(connector, known))
    for more in ("&state=other", "&code=other", "&iss=other"):
        assert await refused(connector, said + more) == "strange"
    await connector.connect(said)


async def test_another_servers_answer_is_refused(connector: Connector, known: Integration) -> None:
    """Mix-up: the code of an honest server would be shown to another."""
    for issuer in ("https://evil.example.com", "", None):
        said = await came(connector, known) | ({} if issuer is None else {"iss": issuer})
        said = {name: word for name, word in said.items() if name != "iss" or issuer is not None}
        assert await refused(connector, said) == "other_server"


@pytest.mark.parametrize(
    ("issuer", "is_let_in"),
    [
        (None, True),
        ("{url}", True),
        ("{url}/tenant", True),
        ("https://evil.example.com", False),
        ("{url}.evil.example.com", False),
        ("", False),
        ("http://[", False),
    ],
)
async def test_undeclared_issuer_has_to_be_of_the_pages_origin(
    database: Database, keyring: Keyring, known: Integration, shop: Sandbox,
    issuer: str | None, is_let_in: bool,
) -> None:  # fmt: skip
    plain = registry.adapter(EXAMPLE)
    silent = replace(plain, auth=replace(plain.auth, issuer=""))
    options: dict[str, Any] = {"networks": HERE, "adapters": lambda _: silent}
    connector = Connector(database, keyring, base_url=HUB, **options)
    said = await came(connector, known)
    del said["iss"]
    said |= {} if issuer is None else {"iss": issuer.format(url=shop.url)}
    if is_let_in:
        await connector.connect(urlencode(said))
    else:
        assert await refused(connector, said) == "other_server"


async def test_leave_that_was_not_given_is_told(
    connector: Connector, known: Integration, shop: Sandbox
) -> None:
    assert await refused(connector, await came(connector, known, "deny")) == "denied"
    assert "/oauth/token" not in {one["name"] for one in shop.arrivals("shopfront")}


@pytest.mark.parametrize(
    ("error", "why"), [("server_error", "away"), ("<script>", "vendor"), ("", "vendor")]
)
async def test_error_beside_a_code_is_an_error(
    connector: Connector, known: Integration, error: str, why: str
) -> None:
    said = await came(connector, known) | {"error": error}
    assert await refused(connector, said) == why


async def test_missing_code_asks_nobody(
    connector: Connector, known: Integration, shop: Sandbox
) -> None:
    """A library was seen to fetch a token of the app itself where neither came."""
    said = await came(connector, known)
    del said["code"]
    assert await refused(connector, said) == "no_code"
    assert not [one for one in shop.arrivals("shopfront") if one["name"].endswith("/token")]


async def test_state_is_of_one_integration(
    connector: Connector,
    known: Integration,
    database: Database,
    vault: Vault,
    settings_of: dict[str, str],
) -> None:
    """The code of one, brought with the state of the other, does not fit its verifier."""
    other = await added(database, vault, settings_of, "other")
    one, two = await came(connector, known), await came(connector, other)
    assert await refused(connector, one | {"code": two["code"]}) == "refused"


async def test_code_counts_with_our_verifier_only(
    connector: Connector, known: Integration, connection: Connection
) -> None:
    """A code that was stolen on its way is of no use to who began a request of their own."""
    stolen = (await came(connector, known))["code"]
    mine = await came(connector, known)
    assert await refused(connector, mine | {"code": stolen}) == "refused"
    assert await connection.fetchval("SELECT leave FROM credential") is None


async def test_settings_that_changed_meanwhile_begin_again(
    connector: Connector,
    known: Integration,
    database: Database,
    vault: Vault,
    settings_of: dict[str, str],
) -> None:
    said = await came(connector, known)
    await added(database, vault, {**settings_of, "client_id": "another"})
    assert await refused(connector, said) == "changed"


async def test_removed_integration_is_not_connected(
    connector: Connector, known: Integration, database: Database
) -> None:
    said = await came(connector, known)
    async with database.transaction() as connection:
        await integrations.remove(connection, "shop")
    assert await refused(connector, said) == "strange"


async def test_wrong_secret_is_told(
    connector: Connector, database: Database, vault: Vault, settings_of: dict[str, str]
) -> None:
    known = await added(database, vault, {**settings_of, "client_secret": "k-wrong"})
    assert await refused(connector, await came(connector, known)) == "refused"


@pytest.mark.parametrize(
    ("status", "error"), [(503, VendorAway), (404, VendorRefused)], ids=["away", "wrong"]
)
async def test_trouble_of_the_vendor_is_told(
    connector: Connector, known: Integration, shop: Sandbox, status: int, error: type[Exception]
) -> None:
    said = await came(connector, known)
    shop.trouble("shopfront", {"kind": "server_error", "status": status, "method": "/token"})
    with pytest.raises(error):
        await connector.connect(urlencode(said))


async def test_vendor_with_a_key_wants_no_leave(
    connector: Connector, database: Database, shop: Sandbox
) -> None:
    async with database.transaction() as connection:
        said = {"url": shop.url, "key": TOKEN}
        await integrations.add(connection, "keyed", registry.adapter("shopfront"), said)
        known = await integrations.named(connection, "keyed")
    with pytest.raises(BadInput, match="wants no leave"):
        await connector.page(known)


async def test_requests_that_are_over_go(
    connector: Connector, known: Integration, connection: Connection
) -> None:
    await connector.page(known)
    await connection.execute("UPDATE connection_request SET expires_at = now()")
    await connector.page(known)
    assert await connection.fetchval("SELECT count(*) FROM connection_request") == 1


Browser = Callable[[], httpx.AsyncClient]


@pytest.fixture
async def browser(connector: Connector) -> AsyncGenerator[httpx.AsyncClient]:
    """Somebody's browser before the hub itself."""
    app = Starlette(routes=[*connect.routes(connector)])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=HUB) as client:
        yield client


@pytest.mark.parametrize(
    ("language", "word"),
    [("en", "shop is connected"), ("ru-RU,ru;q=0.9", "Система shop подключена")],
)
async def test_page_says_that_it_worked(
    browser: httpx.AsyncClient, connector: Connector, known: Integration, language: str, word: str
) -> None:
    back = await visit(await connector.page(known))
    headers = {"accept-language": language}
    shown = await browser.get(f"/connect/callback?{urlsplit(back).query}", headers=headers)
    assert shown.status_code == 200
    assert word in shown.text
    again = await browser.get(f"/connect/callback?{urlsplit(back).query}", headers=headers)
    assert again.status_code == 400
    demand_closed(shown)
    demand_closed(again)


def demand_closed(shown: httpx.Response) -> None:
    """A page that nobody keeps, frames or scripts, and that tells no address further."""
    assert "script" not in shown.text
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["x-frame-options"] == "DENY"


async def test_page_repeats_nothing_that_came(browser: httpx.AsyncClient, shop: Sandbox) -> None:
    said = {"state": "<b>k-state", "error": "<b>k-error", "error_description": "<b>k-told"}
    shown = await browser.get("/connect/callback", params=said)
    assert shown.status_code == 400
    assert "k-" not in shown.text


async def test_looking_at_a_link_uses_nothing_up(
    browser: httpx.AsyncClient, connector: Connector, known: Integration
) -> None:
    """What checks links asks by HEAD."""
    back = await visit(await connector.page(known))
    path = f"/connect/callback?{urlsplit(back).query}"
    assert (await browser.head(path)).status_code == 405
    assert (await browser.get(path)).status_code == 200


@pytest.mark.parametrize(("status", "shown"), [(503, 503), (404, 502)])
async def test_page_says_that_the_vendor_is_in_trouble(
    browser: httpx.AsyncClient,
    connector: Connector,
    known: Integration,
    shop: Sandbox,
    status: int,
    shown: int,
) -> None:
    back = await visit(await connector.page(known))
    trouble: dict[str, Any] = {"kind": "server_error", "status": status, "method": "/token"}
    shop.trouble("shopfront", trouble)
    answer = await browser.get(f"/connect/callback?{urlsplit(back).query}")
    assert answer.status_code == shown
    assert "hub integration authorize NAME" in answer.text
