"""Every kind of credentials lets the hub in over the real line, and says when it does not."""

from collections.abc import AsyncGenerator, Callable
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from auth.vault import Vault
from hub.adapter import (
    Adapter,
    Basic,
    Call,
    ClientCredentials,
    JwtBearer,
    OAuth,
    Setting,
    TokenEndpoint,
)
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Reconnect
from hub.net import Line, Target
from hub.pace import Pace
from tests.vendor import HERE, Vendor, adapter, connected, says, vendor

ASK = Call(path="/rpc/", body={})
KEY = ECKey.generate_key("P-256")
TOKEN = says(200, {"access_token": "k-token", "expires_in": 600})
ROW = says(200, ["row"])


def declared(auth: Basic | OAuth) -> Adapter:
    settings = (
        Setting(key="url", title="Address"),
        Setting(key="user", title="User"),
        Setting(key="secret", title="Secret", secret=True),
    )
    return adapter(settings=settings, auth=auth)


def own(**changed: Any) -> Adapter:
    """Of a vendor that the hub asks in its own name."""
    said = {"url": "{url}/token", "client_id": "{user}", "client_secret": "{secret}", **changed}
    return declared(ClientCredentials(tokens=TokenEndpoint(**said)))


SIGNING = declared(
    JwtBearer(
        tokens=TokenEndpoint(url="{url}/token", client="none", client_id=""),
        issuer="{user}",
        key="{secret}",
        algorithm="ES256",
    )
)


@pytest.fixture
async def there() -> AsyncGenerator[Vendor]:
    async with vendor() as found:
        yield found


@pytest.fixture
async def integration(database: Database) -> UUID:
    return await connected(database)


@pytest.fixture
async def line(
    database: Database, keyring: Keyring, there: Vendor, integration: UUID
) -> AsyncGenerator[Callable[[Adapter, str], Any]]:
    """Makes a line to the vendor with this declaration and secret."""
    made: list[Line] = []

    async def make(adapter: Adapter, secret: str) -> Line:
        vault = Vault(database, keyring)
        async with database.transaction() as connection:
            await vault.seal(connection, integration, {"secret": secret})
        values = {"url": there.url, "user": "Anna", "source": "erp"}
        pace = Pace(database, integration, (), deadline=60)
        target = Target(integration, adapter, values)
        options: dict[str, Any] = {"networks": HERE, "pauses": ()}
        made.append(Line(target, credentials=vault, pace=pace, **options))
        return made[-1]

    yield make
    for each in made:
        await each.close()


async def test_name_and_password_go_with_every_call(there: Vendor, line: Any) -> None:
    there.will(ROW)
    basic = Basic(password="{secret}")  # noqa: S106 - says where it comes from
    await (await line(declared(basic), "Sésame:1")).ask(ASK)
    assert there.arrivals[0].headers["authorization"] == "Basic QW5uYTpTw6lzYW1lOjE="


async def test_refused_password_is_for_people(
    there: Vendor, line: Any, connection: Connection
) -> None:
    there.will(says(401))
    basic = Basic(password="{secret}")  # noqa: S106 - says where it comes from
    with pytest.raises(Reconnect, match="--set secret=-"):
        await (await line(declared(basic), "k-wrong")).ask(ASK)
    assert await connection.fetchval("SELECT state FROM integration") == "reconnect"


async def test_token_in_our_own_name_is_fetched_once(there: Vendor, line: Any) -> None:
    there.will(TOKEN, ROW)
    opened = await line(own(), "k-secret")
    for _ in range(2):
        assert (await opened.ask(ASK)).body == ["row"]
    assert [arrival.path for arrival in there.arrivals] == ["/token", "/rpc/", "/rpc/"]
    assert there.arrivals[2].headers["authorization"] == "Bearer k-token"


async def test_vendor_may_want_its_token_elsewhere(there: Vendor, line: Any) -> None:
    there.will(TOKEN, ROW)
    await (await line(own(header="Access-Token", form="{token}"), "k-secret")).ask(ASK)
    assert there.arrivals[1].headers["access-token"] == "k-token"


async def test_refused_client_is_for_people(
    there: Vendor, line: Any, connection: Connection
) -> None:
    there.will(says(401, {"error": "invalid_client"}))
    opened = await line(own(), "k-wrong")
    for _ in range(2):
        with pytest.raises(Reconnect, match="--set secret=-"):
            await opened.ask(ASK)
    assert len(there.arrivals) == 1
    assert await connection.fetchval("SELECT state FROM integration") == "reconnect"


async def test_assertion_lets_in(there: Vendor, line: Any) -> None:
    there.will(TOKEN, ROW)
    pem = KEY.as_pem(private=True).decode().replace("\n", "\\n")
    assert (await (await line(SIGNING, pem)).ask(ASK)).body == ["row"]
    said = dict(parse_qsl(there.arrivals[0].body.decode()))
    claims = jwt.decode(said["assertion"], KEY, ["ES256"]).claims
    assert (claims["iss"], claims["aud"]) == ("Anna", f"{there.url}/token")


async def test_key_that_signs_nothing_is_for_people(there: Vendor, line: Any) -> None:
    with pytest.raises(Reconnect, match="give it again, in PEM or as a JWK"):
        await (await line(SIGNING, "k-no-key")).ask(ASK)
    assert not there.arrivals
