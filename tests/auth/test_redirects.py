"""Addresses that are fit to send codes to."""

import pytest

from auth import redirects
from hub.errors import BadInput


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com/callback",
        "https://app.example.com:8443/callback?a=b",
        "https://app.example.com",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:8000/graphiql/",
        "http://[::1]:3000/cb",
        "http://localhost:3000/cb",
        "com.example.app:/callback",
        "com.example.app:///callback",
    ],
)
def test_fit_address_is_registered(uri: str) -> None:
    redirects.demand_fit(uri)
    assert redirects.is_registered(uri, [uri], has_free_port=False)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/callback",
        "app.example.com/callback",
        "http://app.example.com/callback",
        "http://127.0.0.1.example.com/cb",
        "https://user@app.example.com/",
        "https://app.example.com/#fragment",
        "https://app.example.com/#",
        "https://*.example.com/callback",
        "https://app.example.com\\@evil.example.org",
        "https://app.example.com/a b",
        "https://app.example.com/\n",
        "https://приложение.example.com/",
        "https://",
        "https://[::1/cb",
        "https://app.example.com:99999/",
        "javascript:alert(1)",
        "data:text/html,x",
        "myapp://callback",
        "file:///etc/passwd",
        "https://app.example.com/" + "a" * 2000,
    ],
)
def test_unfit_address_is_refused(uri: str) -> None:
    with pytest.raises(BadInput, match="redirect URI"):
        redirects.demand_fit(uri)


def test_answer_is_put_behind_the_address() -> None:
    said = [("code", "a&b"), ("state", "é")]
    assert redirects.back("https://a.example/cb", said).endswith("/cb?code=a%26b&state=%C3%A9")
    assert redirects.back("https://a.example/cb?x", said).startswith("https://a.example/cb?x&code=")
