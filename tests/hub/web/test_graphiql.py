"""GraphiQL comes out of the package whole, guarded, and with nothing from elsewhere."""

import gzip
import re
import runpy
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from hub.config import Settings
from hub.web.graphiql import BUNDLE, graphiql, is_wanted

ROOT = Path(__file__).parents[3]
ORIGIN = "http://hub.invalid"

# Namespaces, and links that a reader may follow; nothing is fetched from them.
NAMED = set(
    """
    code.visualstudio.com commonmark.org en.wikipedia.org github.com json-schema.org microsoft.com
    prettier.io react.dev www.w3.org yarnpkg.com
    """.split()
)


def client(base_url: str = ORIGIN) -> httpx.AsyncClient:
    page = graphiql(base_url)
    app = Starlette(routes=[Mount("/graphiql", page), Mount("/deep", Mount("/graphiql", page))])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)


async def test_page_names_its_hub() -> None:
    async with client('https://hub.invalid/a"') as http:
        answer = await http.get("/graphiql/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<meta name="hub" content="https://hub.invalid/a&quot;"' in answer.text


async def test_page_is_found_behind_mounts() -> None:
    async with client() as http:
        assert (await http.get("/deep/graphiql/")).status_code == 200
        assert (await http.get("/graphiql", follow_redirects=True)).status_code == 200


async def test_redirect_knows_no_host() -> None:
    app = Starlette(routes=[Route("/graphiql", graphiql(ORIGIN))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as http:
        answer = await http.get("/graphiql")
    assert (answer.status_code, answer.headers["location"]) == (307, "graphiql/")


async def test_every_named_asset_is_there() -> None:
    async with client() as http:
        page = await http.get("/graphiql/")
        assets = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page.text)
        answers = [await http.get(f"/graphiql/{name}") for name in assets]
    assert {answer.headers["content-type"].partition(";")[0] for answer in answers} == {
        "text/javascript",
        "text/css",
    }
    assert {answer.headers["cache-control"] for answer in answers} == {
        "public, max-age=31536000, immutable"
    }


async def test_page_is_asked_for_anew() -> None:
    async with client() as http:
        assert (await http.get("/graphiql/")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, br", "gzip"), ("br;q=1, gzip;q=0.5", "gzip"), ("gzip;q=0.0", None), ("", None)],
)
async def test_gzip_is_sent_where_accepted(accepted: str, encoding: str | None) -> None:
    async with client() as http:
        answer = await http.get("/graphiql/", headers={"accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == encoding
    assert "<!doctype html>" in answer.text


async def test_page_is_guarded() -> None:
    async with client() as http:
        headers = (await http.get("/graphiql/")).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["worker-src"] == "'self'"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["nothing", "../graphiql.py", "assets/", "%2e%2e/asgi.py"])
async def test_other_files_are_not_there(path: str) -> None:
    async with client() as http:
        assert (await http.get(f"/graphiql/{path}")).status_code == 404


async def test_page_is_only_read() -> None:
    async with client() as http:
        answer = await http.post("/graphiql/", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("host", "setting", "wanted"),
    [
        ("127.0.0.1", None, True),
        ("::1", None, True),
        ("localhost", None, True),
        ("0.0.0.0", None, False),  # noqa: S104 - nothing listens here
        ("hub.invalid", None, False),
        ("0.0.0.0", True, True),  # noqa: S104
        ("127.0.0.1", False, False),
    ],
)
def test_page_is_shown_at_home(host: str, setting: bool | None, wanted: bool) -> None:
    assert is_wanted(Settings(host=host, graphiql=setting)) is wanted


def test_bundle_names_no_strange_place() -> None:
    with ZipFile(BUNDLE) as archive:
        names = [name for name in archive.namelist() if name.endswith((".js", ".css", ".html"))]
        text = "\n".join(gzip.decompress(archive.read(name)).decode() for name in names)
    assert {host.rstrip(".") for host in re.findall(r"(?:https?|wss?)://([\w.-]+)", text)} <= NAMED
    assert not re.findall(r"[\"'(]//[\w-]+\.[\w.-]+/", text)
    assert "sourceMappingURL" not in text
    assert str(ROOT) not in text


def test_bundle_is_built_from_the_sources() -> None:
    builder = runpy.run_path(str(ROOT / ".ci" / "graphiql.py"))
    with ZipFile(BUNDLE) as archive:
        built = gzip.decompress(archive.read("sources")).decode()
    assert built == builder["fingerprint"](), "make graphiql"


@pytest.mark.parametrize("folder", ["hub/web/graphiql", "tests/peers"])
def test_lock_names_no_registry(folder: str) -> None:
    lock = (ROOT / folder / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
