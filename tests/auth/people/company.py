"""A company's OpenID provider that does as it is told, also what no provider should."""

import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.config import Settings
from tests.auth.people.browsing import Browser, browsing
from tests.auth.server.desk import Desk, returned
from tests.serving import served

SECRET = "a secret: of ours/"  # noqa: S105 - nobody has it
BORN = "born-1"


class Company:
    """What it says can be changed before it is asked. `asked` came to its token endpoint."""

    def __init__(self) -> None:
        self.issuer = ""
        self.key = RSAKey.generate_key(2048, {"kid": BORN})
        self.algorithm = "RS256"
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.described_times = 0
        self.described: dict[str, Any] = {}
        self.info: dict[str, Any] = {}
        self.published: list[Any] = []
        self.token: str | None = None
        self.asked: list[tuple[dict[str, str], str]] = []
        self.sent: dict[str, str] = {}

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._describe),
                Route("/jwks", self._keys),
                Route("/token", self._token, methods=["POST"]),
                Route("/me", self._me),
            ]
        )

    async def _describe(self, _: Request) -> Response:
        self.described_times += 1
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/me",
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse(said | self.described)

    async def _keys(self, _: Request) -> Response:
        keys = self.published or [self.key.as_dict(private=False, use="sig")]
        return JSONResponse({"keys": keys})

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        self.asked.append((form, request.headers.get("authorization", "")))
        verifier = sha256(form["code_verifier"].encode()).digest()
        challenge = urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if form["code"] != "good" or challenge != self.sent["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": "a", "id_token": self.token or self._signed()})

    async def _me(self, _: Request) -> Response:
        return JSONResponse({"sub": "42"} | self.info)

    def _signed(self) -> str:
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "aud": "hub",
            "sub": "42",
            "iat": now,
            "exp": now + 300,
            "nonce": self.sent["nonce"],
            "email": "anna@example.com",
            "email_verified": True,
        }
        said = {k: v for k, v in (good | self.claims).items() if v is not None}
        header = {"alg": self.algorithm, "kid": self.key.kid} | self.header
        return jwt.encode(header, said, self.key, [header["alg"]])


@asynccontextmanager
async def employed(
    company: Company, desk: Desk, settings: Settings, **changed: Any
) -> AsyncGenerator[Browser]:
    """A browser at a hub whose people log in at the company."""
    async with served(company.app, settings) as address:
        company.issuer = company.issuer or address
        chosen = {
            "login_issuer": address,
            "login_client_id": "hub",
            "login_client_secret": SecretStr(SECRET),
            "login_role_claim": "groups",
            "allowed_networks": ("127.0.0.1/32",),
        }
        given = Settings.model_validate(settings.model_dump() | chosen | changed)
        async with browsing(desk, given) as browser:
            yield browser


async def sent_away(browser: Browser, company: Company, **query: str) -> dict[str, str]:
    """What the browser is sent to the company with."""
    away = await browser.get("/oauth/login/company", **query)
    assert away.status_code == 303, away.text
    company.sent = returned(away.headers["location"])
    return company.sent


async def come_back(browser: Browser, company: Company, **said: str) -> httpx.Response:
    """What comes of the company's answer; an empty value leaves a word of it out."""
    answer = {"code": "good", "state": company.sent["state"], "iss": company.issuer} | said
    given = {name: value for name, value in answer.items() if value}
    return await browser.get("/oauth/login/callback", **given)


async def logged_in(browser: Browser, company: Company, **query: str) -> httpx.Response:
    await sent_away(browser, company, **query)
    return await come_back(browser, company)
