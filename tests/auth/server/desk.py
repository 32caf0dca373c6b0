"""The authorization server as programs meet it, without a network; and clients to come with."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
from starlette.applications import Starlette

from auth import clients
from auth.clients import Client, Terms
from auth.hashes import keyed, new_secret
from auth.keys import Signing
from auth.server.client_proof import SECRET
from auth.server.endpoints import AuthorizationServer
from auth.server.routes import routes
from auth.throttle import Throttle
from auth.tokens import Tokens
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.errors import Unauthenticated
from tests.auth.people.colleagues import colleague

BACK = "https://app.example.com/callback"
SCOPES = ("customers:read", "orders:read")
PURPOSES = ("customer_service", "analytics")
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}

Answer = httpx.Response


@dataclass(frozen=True)
class Partner:
    """A client and its secret."""

    client: Client
    secret: str

    @property
    def auth(self) -> tuple[str, str]:
        return str(self.client.id), self.secret


class Desk:
    """The server, and everybody who comes to it."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database = database
        self.keyring = keyring
        self.tokens = Tokens(database, trusted_seconds=0)
        self.server = AuthorizationServer(
            database, keyring, Signing(database, keyring), self.tokens
        )
        app = Starlette(routes=routes(self.server, database, Throttle(database, keyring)))
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=database.settings.base_url
        )

    async def partner(
        self,
        name: str = "shop",
        *,
        scopes: Sequence[str] = SCOPES,
        purposes: Sequence[str] = PURPOSES,
        **terms: Any,
    ) -> Partner:
        """A client with a secret, unless its terms say otherwise."""
        secret = new_secret()
        given = {"secret_hash": keyed(self.keyring, SECRET, secret)} | terms
        async with self.database.transaction() as connection:
            made = await clients.create(
                connection, name, scopes=scopes, purposes=purposes, terms=Terms(**given)
            )
        return Partner(made, secret)

    async def app(self, name: str = "app", **terms: Any) -> Client:
        """A public client, with an address to go back to."""
        given: dict[str, Any] = {"auth_method": "none", "secret_hash": None}
        given |= {"redirect_uris": [BACK]}
        return (await self.partner(name, **given | terms)).client

    async def person(self, *roles: str) -> UUID:
        """Somebody who logged in."""
        return await self.person_named("anna@example.com", *(roles or ("support",)))

    async def person_named(self, name: str, *roles: str) -> UUID:
        return (await colleague(self.database, name, roles=roles)).id

    async def token(self, auth: tuple[str, str] | None = None, **form: str) -> Answer:
        return await self.http.post("/oauth/token", data=form, auth=auth)

    async def credentials(self, partner: Partner, **form: str) -> Answer:
        return await self.token(partner.auth, grant_type="client_credentials", **form)

    async def code(self, client: Client, user: UUID, **query: str) -> str:
        """A code of a person's leave."""
        location = await self.server.grant(list(self.query(client, **query).items()), user)
        return returned(location)["code"]

    @staticmethod
    def query(client: Client, **query: str) -> dict[str, str]:
        """What a browser is sent with; an empty value takes one away."""
        said = {"response_type": "code", "client_id": str(client.id), "redirect_uri": BACK}
        return said | PKCE | {"state": "s1"} | query

    async def redeem(self, client: Client, code: str, **form: str) -> Answer:
        """What a public client gets for a code."""
        said = {"client_id": str(client.id), "redirect_uri": BACK, "code_verifier": VERIFIER}
        return await self.token(
            None, **{"grant_type": "authorization_code", "code": code} | said | form
        )

    async def refresh(self, client: Client, token: str, **form: str) -> Answer:
        said = {"grant_type": "refresh_token", "client_id": str(client.id), "refresh_token": token}
        return await self.token(None, **said | form)

    async def is_good(self, access_token: str) -> bool:
        """Whether a token opens anything."""
        try:
            await self.tokens.principal(access_token)
        except Unauthenticated:
            return False
        return True


def returned(location: str) -> dict[str, str]:
    """What a redirect says."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def fault(answer: Answer) -> str:
    """The error of an answer, in OAuth's words."""
    assert answer.status_code in (400, 401), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()["error"]
