"""Access tokens say who asks, for as long as they and their client do."""

import asyncio
import json
import time
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any

import pytest

from auth import clients, tokens
from auth.clients import Client
from auth.epoch import Epoch
from auth.tokens import Tokens
from hub.config import Settings
from hub.db.engine import Database
from hub.errors import BadInput, Forbidden, Unauthenticated
from tests.auth.conftest import HERE, Issue, Signer, claims, outlast, signed


def opened(part: str) -> Any:
    return json.loads(urlsafe_b64decode(part + "=="))


async def test_token_tells_who_asks(issue: Issue, known: Tokens, client: Client) -> None:
    principal = await known.principal(await issue())
    assert (principal.client_id, principal.name) == (client.id, "storefront")
    assert principal.scopes == {"customers:read", "customers:write"}
    assert principal.purposes == ("customer_service", "analytics")
    assert 590 < principal.expires_at.timestamp() - time.time() <= 600


async def test_token_has_the_form_of_the_rfc(issue: Issue, client: Client) -> None:
    header, payload = map(opened, (await issue()).split(".")[:2])
    assert (header["typ"], header["alg"], len(header["kid"])) == ("at+jwt", "ES256", 43)
    assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} <= set(payload)
    assert (payload["iss"], payload["aud"], payload["sub"]) == (HERE, HERE, str(client.id))
    assert payload["scope"] == "customers:read customers:write"
    assert payload["purposes"] == ["customer_service", "analytics"]


async def test_verified_token_is_known(issue: Issue, known: Tokens) -> None:
    token = await issue()
    assert known.known(token) is None
    principal = await known.principal(token)
    assert known.known(token) is principal
    assert known.known(f"{token} ") is None


async def test_token_is_verified_once_for_all(issue: Issue, known: Tokens) -> None:
    token, *others = [await issue() for _ in range(3)]
    await asyncio.gather(*(known.principal(other) for other in others))
    first, *rest = await asyncio.gather(*(known.principal(token) for _ in range(50)))
    assert all(one == first for one in rest)
    assert known.figures()["tokens_verified"] == 3


async def test_given_up_request_leaves_the_others(issue: Issue, known: Tokens) -> None:
    token = await issue()
    first, second = (asyncio.create_task(known.principal(token)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).name == "storefront"
    assert first.cancelled()


@pytest.mark.parametrize("work", [clients.remove, clients.disable])
async def test_client_that_is_gone_is_refused(
    issue: Issue, database: Database, client: Client, work: Any
) -> None:
    known, token = Tokens(database, trusted_seconds=0.2), await issue()
    await known.principal(token)
    await work(database.owner, client.name)
    await asyncio.sleep(0.2)
    assert known.known(token) is None, "though nobody listens"
    with pytest.raises(Unauthenticated, match="removed or disabled"):
        await known.principal(token)


async def test_trust_ends_without_the_database(issue: Issue, database: Database) -> None:
    known, token = Tokens(database, trusted_seconds=0.0), await issue()
    await known.principal(token)
    assert known.known(token) is None


async def test_token_gives_no_more_than_its_client_has(
    issue: Issue, known: Tokens, database: Database
) -> None:
    token = await issue()
    await database.owner.execute(
        "UPDATE oauth_client SET scopes = '{customers:read}', purposes = '{analytics}'"
    )
    principal = await known.principal(token)
    assert (principal.scopes, principal.purposes) == ({"customers:read"}, ("analytics",))


async def test_life_is_bounded(issue: Issue, client: Client, database: Database) -> None:
    for life in (timedelta(minutes=61), timedelta(0), timedelta(seconds=-1)):
        with pytest.raises(BadInput, match="60 minutes"):
            await issue(life=life)
    await clients.disable(database.owner, client.name)
    with pytest.raises(Forbidden, match="disabled"):
        await issue(await clients.named(database.owner, client.name))


async def test_known_token_expires(signer: Signer, client: Client, known: Tokens) -> None:
    leeway = int(tokens.LEEWAY.total_seconds())
    token = signed(signer, claims(client, exp=int(time.time()) - leeway + 3))
    assert await known.principal(token)
    with pytest.raises(Unauthenticated, match="expired"):
        await outlast(known, token)
    assert known.known(token) is None


async def test_memory_is_bounded(
    signer: Signer, client: Client, database: Database, epoch: Epoch
) -> None:
    known = Tokens(database, epoch, trusted_seconds=3600)
    first, *others = (signed(signer, claims(client)) for _ in range(tokens.REMEMBERED + 1))
    await known.principal(first)
    for token in others:
        await known.principal(token)
    await epoch.ask("SELECT 1")
    assert known.known(first) is None
    assert all(known.known(token) for token in others)


async def test_base_url_parts_hubs(issue: Issue, known: Tokens, settings: Settings) -> None:
    assert settings.base_url == HERE
    with pytest.raises(Unauthenticated, match="another hub"):
        await known.principal(await issue(base_url="https://hub.example.com"))
