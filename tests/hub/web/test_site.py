"""Who may come to the port: names, pages of other origins, proxies."""

from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.config import Settings
from hub.web import origins
from hub.web.site import Site
from tests.serving import served

SHOP = "https://shop.example.com"
ASKING = {"origin": SHOP, "access-control-request-method": "POST"}
Browser = Callable[..., httpx.AsyncClient]


async def _seen(request: Request) -> Response:
    """What the hub believes about who asks."""
    client = request.client.host if request.client else None
    return JSONResponse({"client": client, "scheme": request.url.scheme})


def site(settings: Settings) -> Site:
    rest = Starlette(routes=[Route("/seen", _seen, methods=["GET", "POST"])])
    return Site(
        {},
        rest,
        hosts=origins.hosts(settings),
        origins=origins.Origins(settings.allowed_origins),
    )


@pytest.fixture
def browser(settings: Settings) -> Browser:
    def browse(**named: object) -> httpx.AsyncClient:
        chosen = Settings(**(settings.model_dump() | named))
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(site(chosen)), base_url="http://localhost"
        )

    return browse


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("hub.localhost:1", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("192.0.2.7", 200),
        ("hub.example.com", 200),
        ("other.example.com:443", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("evil.example:80@localhost", 200),  # the name is what stands behind the sign
        ("localhost@evil.example", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
async def test_only_known_names_are_answered(browser: Browser, host: str, status: int) -> None:
    named = {"base_url": "https://hub.example.com", "allowed_hosts": ["other.example.com"]}
    async with browser(**named) as client:
        answer = await client.get("/seen", headers={"host": host})
    assert answer.status_code == status


async def test_allowed_page_may_ask(browser: Browser) -> None:
    async with browser(allowed_origins=[SHOP]) as client:
        asked = await client.options("/seen", headers=ASKING)
        answer = await client.get("/seen", headers={"origin": SHOP})
    assert asked.status_code == 200
    assert (
        asked.headers["access-control-allow-headers"] == "Authorization, Content-Type, Hub-Purpose"
    )
    assert asked.headers["access-control-allow-methods"] == "GET, POST"
    for headers in (asked.headers, answer.headers):
        assert headers["access-control-allow-origin"] == SHOP
        assert headers["access-control-expose-headers"] == "Retry-After"
        assert headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://shop.example.com", f"{SHOP}:8443", "null", ""]
)
async def test_other_pages_may_not(browser: Browser, origin: str) -> None:
    async with browser(allowed_origins=[SHOP]) as client:
        asked = await client.options("/seen", headers=ASKING | {"origin": origin})
        answer = await client.get("/seen", headers={"origin": origin})
    assert asked.status_code == 403
    for headers in (asked.headers, answer.headers):
        assert "access-control-allow-origin" not in headers


async def test_nobody_is_allowed_by_default(browser: Browser) -> None:
    async with browser() as client:
        assert (await client.options("/seen", headers=ASKING)).status_code == 403


FORWARDED = {"x-forwarded-for": "192.0.2.1, 198.51.100.7", "x-forwarded-proto": "https"}


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [
        ([], {"client": "127.0.0.1", "scheme": "http"}),
        (["10.0.0.0/8"], {"client": "127.0.0.1", "scheme": "http"}),
        (["127.0.0.0/8"], {"client": "198.51.100.7", "scheme": "https"}),
        (["127.0.0.1", "198.51.100.0/24"], {"client": "192.0.2.1", "scheme": "https"}),
    ],
)
async def test_only_named_proxies_are_believed(
    settings: Settings, proxies: list[str], seen: dict[str, str]
) -> None:
    chosen = Settings(**(settings.model_dump() | {"trusted_proxies": proxies}))
    async with served(site(chosen), chosen) as address, httpx.AsyncClient() as client:
        answer = await client.get(f"{address}/seen", headers=FORWARDED)
    assert answer.json() == seen


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_origins", "shop.example.com"),
        ("allowed_origins", "*"),
        ("allowed_origins", "https://shop.example.com/"),
        ("allowed_hosts", "https://hub.example.com"),
        ("trusted_proxies", "proxy.example.com"),
        ("graphql_status", "418"),
    ],
)
def test_strange_settings_are_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings(**{name: value})


def test_lists_come_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_ALLOWED_ORIGINS", f"{SHOP}, http://localhost:3000,")
    assert Settings().allowed_origins == (SHOP, "http://localhost:3000")
