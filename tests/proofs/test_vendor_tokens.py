"""A vendor that somebody else wrote, npm's oidc-provider: it is connected, read, and let go.

Its tokens that renew are good once: one that comes twice ends the whole connection. Six processes
race for it a thousand times, one renews it, and it never dies.
"""

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey, RSAKey

from auth.vault import Vault
from auth.vendors.connector import Connector
from auth.vendors.token_endpoint import Exchange
from hub import integrations
from hub.adapter import Adapter, ClientCredentials, TokenEndpoint
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Reconnect
from hub.integrations import Integration
from hub.net import Line, Target, Wire
from hub.pace import Pace
from tests import racers
from tests.peers import vendors
from tests.peers.conftest import peers as peers
from tests.peers.vendors import CLIENT, SECRET, Vendor, declaration
from tests.vendor import HERE

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("peers")]

HUB = "https://hub.example.com"
BACK = f"{HUB}/connect/callback"
RACES, PROCESSES = 1000, 6
OVER = "UPDATE credential SET token_due_at = now(), token_expires_at = now()"
DUE = "UPDATE credential SET token_due_at = now()"
STATE = "SELECT state, message FROM integration"
KEYRING = Keyring([racers.KEY])


@pytest.fixture
async def wire() -> AsyncGenerator[Wire]:
    made = Wire(HERE)
    yield made
    await made.aclose()


@pytest.fixture
def vault(database: Database) -> Vault:
    return Vault(database, KEYRING)


async def added(
    database: Database, vault: Vault, there: Vendor, adapter: Adapter | None = None
) -> Integration:
    """The integration `erp`, which nobody gave leave to yet."""
    async with database.transaction() as connection:
        adapter = adapter or declaration()
        added = await integrations.add(connection, "erp", adapter, there.settings)
        await vault.seal(connection, added.id, added.secrets)
        return await integrations.named(connection, "erp")


async def let_in(
    database: Database, known: Integration, there: Vendor, adapter: Adapter | None = None
) -> Target:
    """Its owner signs in at the vendor and gives leave."""
    declared = adapter or declaration()
    known_as: dict[str, Any] = {"networks": HERE, "adapters": lambda _: declared}
    connector = Connector(database, KEYRING, base_url=HUB, **known_as)
    back = await there.visit(await connector.page(known))
    await connector.connect(urlsplit(back).query)
    return Target(known.id, declared, {**known.settings, "source": "erp"})


async def read(database: Database, vault: Vault, target: Target) -> Any:
    """What the vendor says to who is let in."""
    pace = Pace(database, target.integration, (), deadline=60)
    line = Line(target, credentials=vault, pace=pace, networks=HERE)
    try:
        return (await line.ask(target.adapter.check(target.values))).body
    finally:
        await line.close()


async def test_one_of_many_renews(
    database: Database, connection: Connection, vault: Vault, wire: Wire
) -> None:
    async with vendors.vendor(BACK) as there:
        target = await let_in(database, await added(database, vault, there), there)
        name = "tests.peers.vendors:declaration"
        async with racers.racers(PROCESSES, database, target, name) as made:
            for number in range(RACES):
                await connection.execute(DUE if number % 2 else OVER)
                assert await racers.run(made) == ["fine"] * PROCESSES, number
        assert await there.counts() == {"renewed": RACES, "refused": 0, "ended": 0}
        assert await vault.disconnect(target, wire)
        assert (await there.counts())["ended"] == 1


async def test_leave_that_ended_there_is_given_again(
    database: Database, connection: Connection, vault: Vault, wire: Wire
) -> None:
    async with vendors.vendor(BACK) as there:
        known = await added(database, vault, there)
        target = await let_in(database, known, there)
        assert await read(database, vault, target) == {"sub": "owner"}
        kept = await vault._safe.kept(target)
        assert kept.leave is not None
        exchange = Exchange(target, target.adapter.auth, kept.secrets)
        await exchange.give_back(wire, kept.leave.refresh, "refresh_token")
        with pytest.raises(Reconnect):
            await read(database, vault, target)
        state, message = await connection.fetchrow(STATE)
        assert state == "reconnect"
        assert "hub integration authorize erp" in message
        await let_in(database, known, there)
        assert await read(database, vault, target) == {"sub": "owner"}
        assert (await connection.fetchrow(STATE))["state"] == "active"


async def test_stolen_token_that_renews_ends_it_for_the_thief(
    database: Database, connection: Connection, vault: Vault, wire: Wire
) -> None:
    """The vendor ends everything; the hub notices, and waits for a person instead of insisting."""
    async with vendors.vendor(BACK) as there:
        target = await let_in(database, await added(database, vault, there), there)
        kept = await vault._safe.kept(target)
        assert kept.leave is not None
        exchange = Exchange(target, target.adapter.auth, kept.secrets)
        await exchange.refresh(wire, kept.leave.refresh)
        await connection.execute(OVER)
        for _ in range(2):
            with pytest.raises(Reconnect):
                await read(database, vault, target)
        assert (await there.counts())["refused"] == 1


RSA, EC = RSAKey.generate_key(2048), ECKey.generate_key("P-256")
WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "basic": ({}, {}),
    "body": (
        {"client": "body"},
        {"token_endpoint_auth_method": "client_secret_post"},
    ),
    "none": (
        {"client": "none"},
        {
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
        },
    ),
    **{
        algorithm: (
            {"client": "private_key_jwt", "algorithm": algorithm},
            {
                "token_endpoint_auth_method": "private_key_jwt",
                "token_endpoint_auth_signing_alg": algorithm,
                "jwks": {"keys": [key.as_dict(private=False)]},
            },
        )
        for algorithm, key in (("RS256", RSA), ("PS256", RSA), ("ES256", EC))
    },
}


@pytest.mark.parametrize("way", WAYS)
async def test_client_shows_itself_in_every_way(way: str, wire: Wire) -> None:
    said, metadata = WAYS[way]
    tokens = TokenEndpoint(**{"url": "{url}/token", "revoke": "{url}/token/revocation", **said})
    key = EC if way == "ES256" else RSA
    secret = key.as_pem(private=True).decode() if "algorithm" in said else SECRET
    async with vendors.vendor(BACK, **metadata) as there:
        values = {"url": there.url, "client_id": CLIENT, "source": "erp"}
        auth = ClientCredentials(tokens=tokens) if way != "none" else None
        adapter = declaration(**said)
        target = Target(uuid4(), adapter, values)
        exchange = Exchange(target, auth or adapter.auth, {"client_secret": secret})
        if auth is not None:
            assert (await exchange.own(wire, auth)).token
        else:
            with pytest.raises(Reconnect):
                await exchange.refresh(wire, "k-unknown")
        await exchange.give_back(wire, "k-unknown", "access_token")
