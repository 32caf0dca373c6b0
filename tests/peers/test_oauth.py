"""npm oauth4webapi as a client of the hub: by its address alone, with every check it makes."""

import json
from typing import Any
from uuid import UUID

import pytest
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from auth import bound, clients
from auth.clients import Client, Terms
from auth.hashes import keyed, new_secret
from auth.keys import Signing
from auth.server import assertion
from auth.server.authorizing import SendBack
from auth.server.client_proof import SECRET
from auth.server.endpoints import AuthorizationServer
from auth.tokens import Tokens
from hub.crypto import Keyring
from hub.db.engine import Database
from tests.auth.people.colleagues import colleague
from tests.peers.conftest import Node, Serve
from tests.peers.hub import Hub

pytestmark = pytest.mark.slow

BACK = "https://app.example.com/callback"
SAW = {
    "pkce": ["S256"],
    "person": True,
    "opens": 200,
    "rotates": True,
    "reuse": "invalid_grant",
    "ended": [401, "invalid_grant"],
    "replay": "invalid_grant",
    "replayed": 401,
    "iss": "OAUTH_INVALID_RESPONSE",
    "refused": "invalid_scope",
    "scope": "customers:read",
    "post": "bearer",
    "wrong": "OAUTH_WWW_AUTHENTICATE_CHALLENGE",  # as it calls a 401
    "active": [True, False, 401],
    "signed": "bearer",
    "bound": True,
}


async def test_peer_finds_everything_in_order(hub: Hub, node: Node, serve: Serve) -> None:
    user = (await colleague(hub.database)).id
    async with await Database.over(hub.settings, hub.database.addresses) as database:
        facts = await _known(hub) | {"user": str(user)}
        facts["person"] = await serve(_person(database, user))
        assert await node("oauth.mjs", json.dumps(facts)) == SAW


async def _known(hub: Hub) -> dict[str, Any]:
    """What the script is told, with its clients registered."""
    secret, key = new_secret(), ECKey.generate_key("P-256")
    jwks = assertion.public_keys(json.dumps(key.as_dict(private=False)).encode())
    hashed = keyed(Keyring.of(hub.settings), SECRET, secret)
    app = await _client(hub, "app", Terms(auth_method="none", redirect_uris=[BACK]))
    shop = await _client(hub, "shop", Terms(secret_hash=hashed))
    erp = await _client(hub, "erp", Terms(auth_method="private_key_jwt", jwks=jwks))
    front = await _client(hub, "front", Terms(secret_hash=hashed), "customers:exchange")
    return {
        **{"url": hub.url, "app": str(app.id), "shop": str(shop.id), "secret": secret},
        **{"erp": str(erp.id), "key": key.as_dict(private=True), "front": str(front.id)},
        **{"customer": str(await _customer(hub)), "kind": bound.TOKEN_TYPE},
    }


async def _client(hub: Hub, name: str, terms: Terms, *scopes: str) -> Client:
    given = ["customers:read", *scopes]
    async with hub.database.transaction() as connection:
        return await clients.create(
            connection, name, scopes=given, purposes=[hub.purpose], terms=terms
        )


async def _customer(hub: Hub) -> UUID:
    found = await hub.database.owner.fetchval("SELECT id FROM customer WHERE status = 'active'")
    assert isinstance(found, UUID)
    return found


def _person(database: Database, user: UUID) -> Starlette:
    """Somebody who is logged in and grants whatever they are asked for.

    The hub's own processes redeem their codes: a code does not depend on which one made it.
    """
    keyring = Keyring.of(database.settings)
    signing, tokens = Signing(database, keyring), Tokens(database)
    server = AuthorizationServer(database, keyring, signing, tokens)

    async def grant(request: Request) -> RedirectResponse:
        try:
            return RedirectResponse(await server.grant(request.query_params.multi_items(), user))
        except SendBack as error:
            return RedirectResponse(error.location)

    return Starlette(routes=[Route("/", grant)])
