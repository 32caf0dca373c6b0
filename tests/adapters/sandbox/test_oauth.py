"""The sandbox's own OAuth is as strict as the strictest of vendors."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import urlencode

import httpx
import pytest

from tests.adapters.conftest import Emptied
from tests.adapters.sandboxed import TOKEN
from tests.adapters.visiting import query, visit

VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
BACK = "https://hub.example.com/connect/callback"
ASKED = {
    "client_id": "shop-app",
    "redirect_uri": BACK,
    "response_type": "code",
    "state": "s",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
Said = dict[str, str]


class Client:
    """An honest client, unless it is told otherwise."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, auth=("shop-app", TOKEN), trust_env=False)

    async def code(self, **changed: str) -> Said:
        """What somebody brings back who gives leave."""
        return query(await visit(f"{self.url}/oauth/authorize?{urlencode(ASKED | changed)}"))

    def token(self, grant: str, **said: str) -> httpx.Response:
        return self.http.post("/oauth/token", data={"grant_type": grant, **said})

    def redeem(self, code: str, **changed: str) -> httpx.Response:
        said = {"code": code, "redirect_uri": BACK, "code_verifier": VERIFIER} | changed
        return self.token("authorization_code", **said)

    def renew(self, told: Said) -> httpx.Response:
        return self.token("refresh_token", refresh_token=told["refresh_token"])

    def is_in(self, told: Said) -> bool:
        headers = {"Authorization": f"Bearer {told['access_token']}"}
        with httpx.Client(base_url=self.url, headers=headers, trust_env=False) as http:
            return http.get("/customers?limit=1").status_code == 200


@pytest.fixture
def client(emptied: Emptied) -> Iterator[Client]:
    made = Client(emptied("tests.adapters.shopfront").url)
    with made.http:
        yield made


async def test_leave_opens_and_takes_turns(client: Client) -> None:
    back = await client.code()
    assert (back["state"], back["iss"]) == ("s", client.url)
    first = client.redeem(back["code"]).json()
    second = client.renew(first).json()
    assert client.is_in(first)
    assert client.is_in(second)
    assert first["refresh_token"] != second["refresh_token"]


async def test_token_that_comes_twice_ends_everything(client: Client) -> None:
    first = client.redeem((await client.code())["code"]).json()
    second = client.renew(first).json()
    assert client.renew(first).json() == {"error": "invalid_grant"}
    assert client.renew(second).json() == {"error": "invalid_grant"}
    assert not client.is_in(second)


async def test_code_that_comes_twice_ends_everything(client: Client) -> None:
    code = (await client.code())["code"]
    told = client.redeem(code).json()
    assert client.redeem(code).json() == {"error": "invalid_grant"}
    assert not client.is_in(told)


@pytest.mark.parametrize(
    "changed", [{"code_verifier": "w" * 43}, {"code_verifier": ""}, {"redirect_uri": "https://a.b"}]
)
async def test_code_is_for_who_asked(client: Client, changed: Said) -> None:
    code = (await client.code())["code"]
    assert client.redeem(code, **changed).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    "changed",
    [{"code_challenge": ""}, {"code_challenge_method": "plain"}, {"response_type": "token"}],
)
async def test_leave_wants_a_challenge(client: Client, changed: Said) -> None:
    assert (await client.code(**changed))["error"] == "invalid_request"


def test_stranger_is_led_nowhere(client: Client) -> None:
    asked = urlencode(ASKED | {"client_id": "other"})
    answer = client.http.post(f"/oauth/authorize?{asked}", data={"decision": "allow"})
    assert (answer.status_code, "location" in answer.headers) == (400, False)


@pytest.mark.parametrize("auth", [("shop-app", "wrong"), ("other", TOKEN), None])
def test_strange_client_gets_nothing(client: Client, auth: tuple[str, str] | None) -> None:
    said = {"grant_type": "client_credentials"}
    with httpx.Client(base_url=client.url, auth=auth, trust_env=False) as http:
        answer = http.post("/oauth/token", data=said)
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


def test_client_may_come_in_its_own_name(client: Client) -> None:
    told = client.token("client_credentials").json()
    assert client.is_in(told)
    assert "refresh_token" not in told
    assert client.token("password").json() == {"error": "unsupported_grant_type"}


async def test_token_that_was_given_back_is_over(client: Client) -> None:
    told = client.redeem((await client.code())["code"]).json()
    assert (
        client.http.post("/oauth/revoke", data={"token": told["refresh_token"]}).status_code == 200
    )
    assert not client.is_in(told)
    assert client.renew(told).json() == {"error": "invalid_grant"}
