"""Pages speak the reader's language, and say to browsers what may become of them."""

from base64 import b64encode
from hashlib import sha256

import pytest

from auth.pages import page, words
from tests.auth.people.browsing import Browser


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en-US;q=0.8", "ru"),
        ("en-GB, ru;q=0.9", "en"),
        ("de, ru;q=0.1", "ru"),
        ("ru;q=0", "en"),
        ("RU ; q=0.5", "ru"),
        ("ru;q=x, fr", "en"),
        ("*", "en"),
        (",;,;=", "en"),
    ],
)
def test_best_language_is_spoken(accepted: str, language: str) -> None:
    assert words.spoken(accepted).language == language


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_word_is_said(language: str) -> None:
    spoken, other = words.LANGUAGES[language], words.EN
    assert all(getattr(spoken, name) for name in words.Words.__slots__)
    assert set(spoken.refusals) == set(other.refusals)


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("https://app.example.com/callback?a=b", "https://app.example.com"),
        ("https://APP.example.com:8443/", "https://app.example.com:8443"),
        ("http://127.0.0.1:5173/", "http://127.0.0.1:5173"),
        ("http://[::1]:5173/", "http:"),
        ("com.example.app:/callback", "com.example.app:"),
        ("https://a.example.com;script-src/", "https:"),
        ("https://a b/", "https:"),
        ("https://[", ""),
        ("", ""),
        ("; script-src *:x", ""),
    ],
)
def test_policy_names_where_a_form_may_lead(address: str, named: str) -> None:
    assert page.source(address) == named


async def test_style_is_the_one_that_is_allowed(browser: Browser) -> None:
    shown = await browser.get("/oauth/login")
    style = shown.text.partition("<style>")[2].partition("</style>")[0]
    allowed = b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{allowed}'" in shown.headers["content-security-policy"]
