"""GraphQL over HTTP: what is taken, what is refused, and with which status."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from hub.config import Settings
from hub.web.figures import Figures
from schema.http import HttpDoor
from schema.request import Answer, Outcome
from tests.schema.toy import CLIENT, ToyEngine, ToyTokens, refused
from tests.serving import doors, served

RESPONSE = {"accept": "application/graphql-response+json"}
HELLO = {"query": "{ hello }"}
JSON = {"content-type": "application/json"}


def code(answer: httpx.Response) -> str:
    found: str = answer.json()["errors"][0]["extensions"]["code"]
    return found


async def post(client: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    return await client.post("/graphql", content=body, headers=JSON | headers)


async def test_query_is_answered(client: httpx.AsyncClient) -> None:
    answer = await client.post("/graphql", json=HELLO)
    assert answer.status_code == 200
    assert answer.json() == {"data": {"hello": "hello world"}}
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


async def test_debug_line_names_the_client(
    settings: Settings, toy: ToyEngine, figures: Figures, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "hub.web.site")
    transport = httpx.ASGITransport(doors(settings, toy, ToyTokens(), figures))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        with capture_logs() as lines:
            await client.post("/graphql", json=HELLO, headers={"authorization": "Bearer good"})
            await client.post("/graphql", json=HELLO)
    assert [line.get("client_id") for line in lines] == [CLIENT, None]


async def test_query_in_the_address(client: httpx.AsyncClient) -> None:
    query = {"query": "query ($n: String) { hello(name: $n) }", "variables": '{"n": "Ёж+"}'}
    answer = await client.get("/graphql", params=query)
    assert answer.json() == {"data": {"hello": "hello Ёж+"}}


async def test_mutation_needs_post(client: httpx.AsyncClient, toy: ToyEngine) -> None:
    answer = await client.get("/graphql", params={"query": 'mutation { rename(name: "x") }'})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert toy.name == "world"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_other_methods_are_refused(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/graphql")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/graphql-response+json, application/json;q=0.9", "graphql-response"),
        ("application/json;q=0.9, application/graphql-response+json;q=0.8", "application/json"),
        ("application/json;q=0, */*", "graphql-response"),
        ("text/html, */*;q=0.1", "application/json"),
        ("APPLICATION/JSON ; Q=0.5", "application/json"),
        ("application/graphql-response+json, text/event-stream", "graphql-response"),
        ("", "application/json"),
    ],
)
async def test_client_chooses_the_form(client: httpx.AsyncClient, accept: str, kind: str) -> None:
    answer = await client.post("/graphql", json=HELLO, headers={"accept": accept})
    assert answer.status_code == 200
    assert kind in answer.headers["content-type"]


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "*/*;q=nan", ",;,"])
async def test_unknown_form_is_refused(client: httpx.AsyncClient, accept: str) -> None:
    answer = await client.post("/graphql", json=HELLO, headers={"accept": accept})
    assert (answer.status_code, code(answer)) == (406, "BAD_REQUEST")


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=koi8-r", ""],
)
async def test_other_bodies_are_refused(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.post(
        "/graphql", content=json.dumps(HELLO), headers={"content-type": kind}
    )
    assert (answer.status_code, code(answer)) == (415, "BAD_REQUEST")


async def test_utf8_may_be_named(client: httpx.AsyncClient) -> None:
    kind = {"content-type": 'Application/JSON; charset="UTF-8"'}
    answer = await client.post("/graphql", content=json.dumps(HELLO), headers=kind)
    assert answer.status_code == 200


async def test_compressed_body_is_refused(client: httpx.AsyncClient) -> None:
    answer = await post(client, b"...", **{"content-encoding": "gzip"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"query": ',
        b'{"query": NaN}',
        b'{"query": "\xff"}',
        b'{"query": "\\ud800"}',
        b'{"query": "{ hello }"} x',
        b"null",
        b'"{ hello }"',
        b"[]",
        b'[{"query": "{ hello }"}]',
        b"[" * 100_000,
        b'{"variables": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        b'{"query": 1}',
        b'{"query": {"a": 1}}',
        b'{"query": "{ hello }", "variables": []}',
        b'{"query": "{ hello }", "variables": "{}"}',
        b'{"query": "{ hello }", "extensions": 0}',
        b'{"query": "{ hello }", "operationName": false}',
        b'{"variables": {"a": 1e999}}',
        b"{}",
    ],
)
async def test_bad_body_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await post(client, body)
    assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")
    assert "data" not in answer.json()


async def test_last_of_equal_keys_counts(client: httpx.AsyncClient) -> None:
    answer = await post(client, b'{"query": "{ nope }", "query": "{ hello }", "more": 1}')
    assert answer.json() == {"data": {"hello": "hello world"}}


@pytest.mark.parametrize(
    "query",
    [
        b"query=%FF",
        b"query={hello}&query={hello}",
        b"query={hello}&variables={",
        b"query={hello}&variables=[]",
        b"query={hello}&variables=" + b"[" * 50_000,
        b"query={hello}&" + b"a=1&" * 50,
        b"",
    ],
)
async def test_bad_address_is_refused(client: httpx.AsyncClient, query: bytes) -> None:
    url = httpx.URL("http://localhost/graphql", query=query)
    answer = await client.get(url)
    assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("query", "wanted", "status", "statuses"),
    [
        ("{", "GRAPHQL_PARSE_FAILED", 200, (400, 400)),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED", 200, (400, 422)),
        ("query ($n: Int!) { rows(number: $n) }", "BAD_USER_INPUT", 200, (400, 422)),
        ("{ broken }", "INTERNAL_SERVER_ERROR", 200, (200, 294)),
    ],
)
async def test_status_follows_the_profile(
    settings: Settings, query: str, wanted: str, status: int, statuses: tuple[int, int]
) -> None:
    seen: list[int] = []
    for profile, headers in (("audits", {}), ("audits", RESPONSE), ("2026", RESPONSE)):
        chosen = settings.model_copy(update={"graphql_status": profile})
        site = doors(chosen, ToyEngine(), ToyTokens(), Figures())
        bearer = {"authorization": "Bearer good"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(site), base_url="http://localhost", headers=bearer
        ) as client:
            answer = await client.post("/graphql", json={"query": query}, headers=headers)
        assert code(answer) == wanted
        seen.append(answer.status_code)
    assert seen == [status, *statuses]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.FORBIDDEN, 403),
        (Outcome.RATE_LIMITED, 429),
        (Outcome.UNAVAILABLE, 503),
        (Outcome.FAILED, 500),
        (Outcome.BAD_REQUEST, 400),
    ],
)
async def test_engine_refuses(
    client: httpx.AsyncClient, toy: ToyEngine, outcome: Outcome, status: int
) -> None:
    toy.forced = refused("no", outcome.name, outcome, 1.2)
    answer = await client.post("/graphql", json=HELLO)
    assert (answer.status_code, code(answer)) == (status, outcome.name)
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize("authorization", ["", "good", "Basic good", "Bearer ", "Bearer bad"])
async def test_token_is_needed(client: httpx.AsyncClient, authorization: str) -> None:
    headers = {"authorization": authorization}
    answer = await client.post("/graphql", json=HELLO, headers=headers)
    assert (answer.status_code, code(answer)) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_unknown_token_is_asked_for(client: httpx.AsyncClient) -> None:
    late = {"authorization": "bearer late"}
    answer = await client.post("/graphql", json=HELLO, headers=late)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("purpose", "wanted"),
    [
        ({}, (403, "PURPOSE_NEEDED")),
        ({"hub-purpose": "email_marketing"}, (403, "PURPOSE_NOT_ALLOWED")),
    ],
)
async def test_purpose_is_needed(
    client: httpx.AsyncClient, purpose: dict[str, str], wanted: tuple[int, str]
) -> None:
    headers = {"authorization": "Bearer two"} | purpose
    answer = await client.post("/graphql", json=HELLO, headers=headers)
    assert (answer.status_code, code(answer)) == wanted


async def test_purpose_is_chosen(client: httpx.AsyncClient) -> None:
    headers = {"authorization": "Bearer two", "hub-purpose": "profiling"}
    answer = await client.post("/graphql", json={"query": "{ purpose }"}, headers=headers)
    assert answer.json() == {"data": {"purpose": "profiling"}}


async def test_long_body_is_refused(settings: Settings) -> None:
    chosen = settings.model_copy(update={"graphql_max_bytes": 1024})
    site = doors(chosen, ToyEngine(), ToyTokens(), Figures())
    async with served(site, chosen) as address, httpx.AsyncClient(base_url=address) as client:
        client.headers.update({"authorization": "Bearer good", **JSON})
        for body in (b" " * 1025, _pieces(1025)):
            answer = await client.post("/graphql", content=body)
            assert (answer.status_code, code(answer)) == (413, "BAD_REQUEST")
        answer = await client.post("/graphql", content=_pieces(1000))
        assert answer.status_code == 200


async def _pieces(length: int) -> Any:
    body = json.dumps(HELLO).encode().ljust(length)
    for start in range(0, length, 100):
        yield body[start : start + 100]


SLOW = (
    b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer good\r\n"
    b"Content-Type: application/json\r\nContent-Length: 30\r\n\r\n{"
)


async def test_slow_body_is_refused(settings: Settings, figures: Figures) -> None:
    door = HttpDoor(ToyEngine(), ToyTokens(), figures, body_seconds=0.2)
    async with served(door, settings) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(address).port)
        writer.write(SLOW)
        answer = await asyncio.wait_for(reader.read(1000), 30)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert figures.own().counts == {"http none bad_request": 1}


async def test_client_that_leaves_cancels(address: str, toy: ToyEngine, figures: Figures) -> None:
    async with httpx.AsyncClient(base_url=address, headers={"authorization": "Bearer good"}) as one:
        hang = {"query": "{ slow(seconds: 300) }"}
        asking = asyncio.create_task(one.post("/graphql", json=hang, timeout=60))
        async with asyncio.timeout(30):
            while not toy.begun:
                await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    async with asyncio.timeout(30):
        while not figures.own().counts:
            await asyncio.sleep(0.01)
    assert toy.cancelled == 1
    assert figures.own().counts == {"http none gone": 1}


async def test_slow_answer_arrives(address: str) -> None:
    async with httpx.AsyncClient(base_url=address, headers={"authorization": "Bearer good"}) as one:
        answers = [
            await one.post("/graphql", json={"query": "{ slow(seconds: 0.2) }"}) for _ in range(2)
        ]
    assert [answer.json() for answer in answers] == [{"data": {"slow": "at last"}}] * 2


class Broken(ToyEngine):
    async def answer(self, *_: Any, **__: Any) -> Answer:
        raise RuntimeError("secret of the engine")


async def test_fault_says_nothing(settings: Settings) -> None:
    site = doors(settings, Broken(), ToyTokens(), Figures())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(site), base_url="http://localhost"
    ) as client:
        answer = await client.post("/graphql", json=HELLO, headers={"authorization": "Bearer good"})
    assert (answer.status_code, code(answer)) == (500, "INTERNAL_SERVER_ERROR")
    assert "secret" not in answer.text
