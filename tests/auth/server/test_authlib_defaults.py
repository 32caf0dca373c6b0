"""What Authlib does by default and should not: each named, each closed.

The names are those of its sheet and of what its source shows (1.9.9); a newer Authlib that brings
one back fails here.
"""

import asyncio
import logging
from base64 import b64encode

import pytest
from authlib.oauth2.rfc6749 import InsecureTransportError, OAuth2Request
from authlib.oauth2.rfc7636 import CodeChallenge

from auth.server.authorizing import NoRedirect, SendBack
from auth.server.grants.pkce import S256
from auth.server.requests import Asking
from hub.db.engine import Database
from tests.auth.server.desk import BACK, Desk, fault, returned


async def test_pkce_is_demanded_when_a_person_is_asked(desk: Desk) -> None:
    """Default: only at the token endpoint, and only of public clients."""
    partner = await desk.partner(redirect_uris=[BACK])
    query = desk.query(partner.client, code_challenge="", code_challenge_method="")
    with pytest.raises(SendBack) as caught:
        await desk.server.asked(list(query.items()))
    assert returned(caught.value.location)["error"] == "invalid_request"


def test_plain_pkce_is_unknown() -> None:
    """Default: `plain` is supported, and taken where no method is named."""
    assert CodeChallenge.DEFAULT_CODE_CHALLENGE_METHOD == "plain"
    assert S256.DEFAULT_CODE_CHALLENGE_METHOD == "S256"
    assert S256.SUPPORTED_CODE_CHALLENGE_METHOD == ["S256"]
    assert list(S256.CODE_CHALLENGE_METHODS) == ["S256"]


async def test_tokens_of_people_live_ten_minutes(desk: Desk) -> None:
    """Default: ten days."""
    client, person = await desk.app(), await desk.person()
    told = (await desk.redeem(client, await desk.code(client, person))).json()
    claims = await desk.tokens.claims(told["access_token"])
    assert (told["expires_in"], claims.exp - claims.iat) == (600, 600)


def test_headers_are_passed_by_name() -> None:
    """Default: the third argument is a deprecated body, and clients fail to prove themselves."""
    asking = Asking("POST", "https://hub.example.com/x", [("a", "b")], {"Authorization": "Basic x"})
    assert isinstance(asking, OAuth2Request)
    assert asking.headers == {"Authorization": "Basic x"}
    assert asking.form == {"a": "b"}


async def test_errors_tell_the_issuer_too(desk: Desk) -> None:
    """Default: those raised before the person is asked bypass the hook that adds `iss`."""
    client = await desk.app()
    with pytest.raises(SendBack) as caught:
        await desk.server.asked(list(desk.query(client, scope="admin").items()))
    assert returned(caught.value.location)["iss"] == desk.database.settings.base_url


async def test_code_is_used_up_before_the_token_is_made(desk: Desk) -> None:
    """Default: it is deleted after, and two at a time both succeed."""
    client, person = await desk.app(), await desk.person()
    code = await desk.code(client, person)
    answers = await asyncio.gather(*(desk.redeem(client, code) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[400] * 7]


async def test_refresh_tokens_rotate_and_leave_a_tombstone(desk: Desk, database: Database) -> None:
    """Default: the refresh token stays the same, for ever."""
    client, person = await desk.app(), await desk.person()
    told = (await desk.redeem(client, await desk.code(client, person))).json()
    again = (await desk.refresh(client, told["refresh_token"])).json()
    assert again["refresh_token"] != told["refresh_token"]
    rows = await database.owner.fetch("SELECT used_at IS NULL AS fresh FROM oauth_token")
    assert sorted(row["fresh"] for row in rows) == [False, True]


def test_insecure_transport_is_never_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Default: an environment variable turns the demand for TLS off."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    for uri in ("http://hub.example.com/oauth/token", "http://127.0.0.1.example.com/", "ftp://a"):
        with pytest.raises(InsecureTransportError):
            Asking("POST", uri, [])
    for uri in ("https://hub.example.com/oauth/token", "http://127.0.0.1:8000/oauth/token"):
        assert Asking("POST", uri, []).uri == uri


async def test_no_token_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Default: the whole answer is written to the debug log."""
    caplog.set_level(logging.DEBUG)
    client, person = await desk.app(), await desk.person()
    code = await desk.code(client, person)
    told = (await desk.redeem(client, code)).json()
    await desk.credentials(await desk.partner())
    for secret in (code, told["access_token"], told["refresh_token"]):
        assert secret not in caplog.text
    assert "Issue token" not in caplog.text


async def test_unknown_client_looks_like_a_wrong_secret(desk: Desk) -> None:
    """Default: it says that the client does not exist."""
    partner = await desk.partner()
    texts = set[str]()
    for auth in ((partner.auth[0], "wrong"), ("nobody", "wrong")):
        answer = await desk.token(auth, grant_type="client_credentials")
        assert (answer.status_code, fault(answer)) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic ")
        texts.add(answer.text)
    assert len(texts) == 1


@pytest.mark.parametrize(
    "header",
    ["Basic ", "Basic", "Basic !!!", "Basic " + b64encode(b"\xff\xfe:x").decode(), "Basic eA=="],
)
async def test_odd_basic_header_is_refused(desk: Desk, header: str) -> None:
    """Default: some of them raise, which is a 500."""
    answer = await desk.http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"authorization": header},
    )
    assert fault(answer) == "invalid_client"


async def test_two_ways_of_proof_are_refused(desk: Desk) -> None:
    """Default: the first that fits is taken."""
    partner = await desk.partner()
    answer = await desk.credentials(partner, client_secret=partner.secret)
    assert fault(answer) == "invalid_request"


@pytest.mark.parametrize("odd", ['"', "\\", "é", "\N{SNOWMAN}", "<script>"])
async def test_nothing_that_was_sent_is_repeated(desk: Desk, odd: str) -> None:
    """Default: descriptions repeat it, and raise where it holds a quote or a foreign letter."""
    client = await desk.app()
    answer = await desk.token(None, grant_type=odd, client_id=str(client.id))
    assert fault(answer) == "unsupported_grant_type"
    assert odd not in answer.json()["error_description"]
    with pytest.raises(NoRedirect) as caught:
        await desk.server.asked(list(desk.query(client, redirect_uri=BACK + odd).items()))
    assert odd not in str(caught.value)
    with pytest.raises(SendBack) as sent:
        await desk.server.asked(list(desk.query(client, response_type=odd).items()))
    assert odd not in returned(sent.value.location)["error_description"]


async def test_address_to_go_back_to_is_not_rewritten(desk: Desk) -> None:
    """Default: its query is decoded and encoded anew, its empty host dropped."""
    for number, uri in enumerate((BACK + "?a=%20b&c", "com.example.app:///callback;x")):
        client = await desk.app(f"app-{number}", redirect_uris=[uri])
        query = list(desk.query(client, redirect_uri=uri).items())
        location = await desk.server.deny(query)
        assert location.startswith(uri + ("&" if "?" in uri else "?") + "error=access_denied")


async def test_repeated_token_parameter_is_refused(desk: Desk) -> None:
    """Default: the last one counts."""
    partner = await desk.partner()
    answer = await desk.http.post(
        "/oauth/token",
        content="grant_type=client_credentials&grant_type=refresh_token",
        headers={"content-type": "application/x-www-form-urlencoded"},
        auth=partner.auth,
    )
    assert fault(answer) == "invalid_request"


async def test_unknown_hint_is_no_fault(desk: Desk) -> None:
    """Default: 401 with `unsupported_token_type`; RFC 7009 lets a server ignore it."""
    partner = await desk.partner()
    told = (await desk.credentials(partner)).json()
    form = {"token": told["access_token"], "token_type_hint": "pension"}
    answer = await desk.http.post("/oauth/revoke", data=form, auth=partner.auth)
    assert answer.status_code == 200
    assert not await desk.is_good(told["access_token"])


@pytest.mark.parametrize("kind", ["password", "implicit", "urn:ietf:params:oauth:grant-type:uma"])
async def test_other_grants_do_not_exist(desk: Desk, kind: str) -> None:
    """Default: whatever was registered; here four, and no way to add one at run time."""
    answer = await desk.token((await desk.partner()).auth, grant_type=kind, username="a")
    assert fault(answer) == "unsupported_grant_type"
