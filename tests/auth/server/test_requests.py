"""Whatever is sent to the OAuth endpoints, the answer is one of OAuth's."""

from base64 import b64encode

import pytest

from auth.server.authorizing import NoRedirect, SendBack
from auth.server.requests import Asking, basic, parsed
from hub.errors import BadInput
from tests.auth.server.desk import PKCE, Desk

ODD = (
    "\x00",
    "\ud800",
    "\ufffe",
    "\u202e",
    "a\r\nLocation: https://evil.example",
    "'; DROP TABLE oauth_client; --",
    "%00",
    "../../etc/passwd",
    "{{7*7}}",
    "[]",
    "0",
    "-1",
    "null",
    "\N{PILE OF POO}",
    "x" * 5000,
    " ",
)
POSTED = (
    "grant_type",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "redirect_uri",
    "refresh_token",
    "scope",
    "resource",
    "token",
    "token_type_hint",
    "client_assertion",
    "client_assertion_type",
    "subject_token",
)
KINDS = (
    "client_credentials",
    "authorization_code",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:token-exchange",
)


@pytest.mark.parametrize(
    ("path", "kind"),
    [*(("token", kind) for kind in KINDS), ("revoke", ""), ("introspect", "")],
)
async def test_odd_values_break_no_endpoint(desk: Desk, path: str, kind: str) -> None:
    partner = await desk.partner("all", redirect_uris=["https://app.example.com/callback"])
    good = {"grant_type": kind, "code": "a", "refresh_token": "a", "token": "a"}
    for name in POSTED if kind else ("token", "token_type_hint", "client_id"):
        for odd in ODD:
            said = good | {name: odd.encode("utf-8", "surrogatepass")}
            answer = await desk.http.post(f"/oauth/{path}", data=said, auth=partner.auth)
            assert answer.status_code in (200, 400, 401, 429), (name, odd)
            assert "evil" not in str(answer.headers)


async def test_odd_values_break_no_question(desk: Desk) -> None:
    client = await desk.app()
    for name in ("response_type", "client_id", "redirect_uri", "scope", "state", *PKCE, "resource"):
        for odd in ODD:
            told = await _outcome(desk, desk.query(client, **{name: odd}))
            assert "\n" not in told
            assert len(odd) == 1 or odd not in told or name == "state", (name, told)


async def _outcome(desk: Desk, query: dict[str, str]) -> str:
    """Where the browser would go, or what the page would say."""
    try:
        return await desk.server.deny(list(query.items()))
    except SendBack as error:
        return error.location
    except NoRedirect as error:
        return str(error)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("a:b", ("a", "b")),
        ("a%3A%20b:c%2Bd+e", ("a: b", "c+d e")),
        ("a:", ("a", "")),
        (":b", ("", "b")),
        ("a:b:c", ("a", "b:c")),
        ("%D0%BA%D0%B0%D1%81%D1%81%D0%B0:b", ("касса", "b")),
        ("a", None),
        ("a:b\n", None),
        ("a%00b:x", None),
        ("a:x%0a", None),
        ("\x00:b", None),
    ],
)
def test_header_holds_id_and_secret(header: str, found: tuple[str, str] | None) -> None:
    credentials = b64encode(header.encode()).decode()
    assert basic(f"Basic {credentials}") == basic(f"bAsIc  {credentials}") == found
    assert basic(f"Bearer {credentials}") is None


@pytest.mark.parametrize("header", ["", "Basic", "Basic !", "Basic Zg", "Basic \udcff", "Basic é"])
def test_odd_header_holds_nothing(header: str) -> None:
    assert basic(header) is None


def test_empty_parameter_is_not_sent() -> None:
    asking = Asking("POST", "https://hub.example.com/", [("a", ""), ("b", "1"), ("a", "2")])
    assert asking.form == {"a": "2", "b": "1"}


@pytest.mark.parametrize("text", [b"a=\xff", b"a=%ff", b"&".join([b"a=b"] * 31)])
def test_odd_form_is_refused(text: bytes) -> None:
    with pytest.raises(BadInput):
        parsed(text)


def test_only_some_parameters_may_be_repeated() -> None:
    uri = "https://hub.example.com/"
    assert Asking("POST", uri, [("resource", "a"), ("resource", "b")]).all("resource") == ["a", "b"]
    with pytest.raises(BadInput, match="twice"):
        Asking("POST", uri, [("scope", "a"), ("scope", "b")])
