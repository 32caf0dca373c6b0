"""The OAuth endpoints as HTTP has them: what is described, who may read it, who has to wait."""

from collections.abc import AsyncGenerator, MutableMapping
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from starlette.applications import Starlette

from auth.server.routes import routes
from auth.throttle import Throttle
from hub.db.engine import Database
from hub.web.origins import Hosts, Origins
from hub.web.site import Site
from tests.auth.server.desk import PURPOSES, Answer, Desk, fault

SPA = "https://spa.example.com"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def site(desk: Desk) -> AsyncGenerator[httpx.AsyncClient]:
    """The endpoints behind the site, which pages of one origin may ask."""
    found = routes(desk.server, desk.database, Throttle(desk.database, desk.keyring))
    site = Site({}, Starlette(routes=found), hosts=Hosts([]), origins=Origins([SPA]))
    transport = httpx.ASGITransport(site)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        yield http


async def test_metadata_says_where_everything_is(desk: Desk) -> None:
    told = (await desk.http.get("/.well-known/oauth-authorization-server")).json()
    assert told["issuer"] == desk.database.settings.base_url
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["response_types_supported"] == ["code"]
    assert told["authorization_response_iss_parameter_supported"] is True
    assert {"customers:read", "purpose:customer_service"} <= set(told["scopes_supported"])
    for name in ("token", "revocation", "introspection"):
        path = told[f"{name}_endpoint"].removeprefix(told["issuer"])
        assert (await desk.http.post(path)).status_code == 400


async def test_issuer_with_a_path_is_described_there(desk: Desk) -> None:
    base = {"base_url": "https://shop.example.com/hub"}
    desk.database.settings = desk.database.settings.model_copy(update=base)
    found = routes(desk.server, desk.database, Throttle(desk.database, desk.keyring))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(Starlette(routes=found)), base_url="https://shop.example.com"
    ) as http:
        told = (await http.get("/.well-known/oauth-authorization-server/hub")).json()
    assert told["token_endpoint"] == "https://shop.example.com/hub/oauth/token"  # noqa: S105


async def test_published_keys_verify_tokens(desk: Desk) -> None:
    token = (await desk.credentials(await desk.partner())).json()["access_token"]
    answer = await desk.http.get("/oauth/jwks")
    assert "d" not in answer.json()["keys"][0]
    claims = jwt.decode(token, KeySet.import_key_set(answer.json()), ["ES256"]).claims
    assert claims["purposes"] == list(PURPOSES)


async def test_pages_of_an_allowed_origin_may_ask(desk: Desk, site: httpx.AsyncClient) -> None:
    asking = {"origin": SPA, "access-control-request-method": "POST"}
    for path in ("/oauth/token", "/oauth/revoke"):
        answer = await site.options(path, headers=asking)
        assert answer.headers["access-control-allow-origin"] == SPA
        assert "Content-Type" in answer.headers["access-control-allow-headers"]
        answer = await site.post(path, headers={"origin": SPA})
        assert answer.headers["access-control-allow-origin"] == SPA
    refused = await site.options("/oauth/token", headers=asking | {"origin": "https://a.example"})
    assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (403, False)


@pytest.mark.parametrize("origin", [SPA, "https://anybody.example.org", None])
async def test_what_is_public_is_so_for_all(site: httpx.AsyncClient, origin: str | None) -> None:
    headers = {"origin": origin} if origin else {}
    for path in ("/oauth/jwks", "/.well-known/oauth-authorization-server"):
        answer = await site.get(path, headers=headers)
        assert answer.headers.get_list("access-control-allow-origin") == ["*"]


async def test_failing_client_waits(desk: Desk) -> None:
    partner = await desk.partner()
    wrong = (partner.auth[0], "wrong")
    assert fault(await desk.token(wrong, grant_type="client_credentials")) == "invalid_client"
    answer = await _guessing(desk, wrong)
    assert int(answer.headers["retry-after"]) >= 1
    assert (await desk.credentials(partner)).status_code == 200  # who has the secret never waits
    other = ("another", "wrong")
    assert fault(await desk.token(other, grant_type="client_credentials")) == "invalid_client"


async def test_who_guesses_is_known_by_the_client(desk: Desk) -> None:
    """However the guess comes, it counts against the same client."""
    partner = await desk.partner()
    await _guessing(desk, (partner.auth[0], "a"))
    for _ in range(8):  # the longer it takes, the longer it has to wait
        said = {"client_id": partner.auth[0], "client_secret": "b"}
        answer = await desk.token(None, grant_type="client_credentials", **said)
        if answer.status_code == 429:
            return
    pytest.fail("a guess in the body was never kept waiting")


async def _guessing(desk: Desk, auth: tuple[str, str]) -> Answer:
    """The first answer that says to wait: each does so for longer than the one before."""
    for _ in range(8):
        answer = await desk.token(auth, grant_type="client_credentials")
        if answer.status_code == 429:
            return answer
    pytest.fail("nobody was kept waiting")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"grant_type": "client_credentials"}', "application/json"),
        (b"grant_type=client_credentials", "text/plain"),
        (b"grant_type=\xff", FORM),
        (b"grant_type=a%00b", FORM),
        (b"a=" + b"b" * 40_000, FORM),
        (b"&".join(b"a%d=b" % number for number in range(40)), FORM),
        (b"", FORM),
        (b"%", FORM),
    ],
)
async def test_what_is_no_form_is_refused(desk: Desk, body: bytes, kind: str) -> None:
    answer = await desk.http.post("/oauth/token", content=body, headers={"content-type": kind})
    assert fault(answer) in ("invalid_request", "unsupported_grant_type")


async def test_form_that_breaks_off_is_no_fault_of_ours(desk: Desk) -> None:
    """An error with a traceback for each would fill the log of whoever serves."""
    found = routes(desk.server, desk.database, Throttle(desk.database, desk.keyring))
    sent: list[MutableMapping[str, Any]] = []
    parts = [
        {"type": "http.request", "body": b"grant_type=", "more_body": True},
        {"type": "http.disconnect"},
    ]
    headers = [(b"content-type", FORM.encode())]
    scope = {"type": "http", "method": "POST", "path": "/oauth/token", "headers": headers}
    scope |= {"query_string": b"", "root_path": ""}

    async def receive() -> MutableMapping[str, Any]:
        return parts.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await Starlette(routes=found)(scope, receive, send)
    assert sent[0]["status"] == 400


async def test_query_is_not_looked_at(desk: Desk) -> None:
    partner = await desk.partner()
    secret = {"client_id": partner.auth[0], "client_secret": partner.secret}
    answer = await desk.http.post("/oauth/token?grant_type=client_credentials", params=secret)
    assert fault(answer) == "invalid_request"
    assert (await desk.http.get("/oauth/token")).status_code == 405


async def test_database_that_is_away_is_told(desk: Desk, database: Database) -> None:
    partner = await desk.partner()
    await desk.credentials(partner)  # so that the key is known
    found = database.addresses
    database.addresses = type(found)("postgresql://a@127.0.0.1:1/a", found.direct, found.reader)
    await database.engine.dispose()
    answer = await desk.credentials(partner)
    database.addresses = found
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["error"] == "temporarily_unavailable"
