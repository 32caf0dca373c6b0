"""Each trouble does what it is called, as often as it was told to, and where."""

import gzip
import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from tests.adapters.erp.tryton_server import Client
from tests.adapters.sandboxed import Sandbox

BY_ID = [["id", "ASC"]]
SEARCH = "model.party.party.search_read"


@pytest.fixture(autouse=True)
def parties(tryton: Client) -> list[int]:
    return tryton.model("party.party", "create", [{"name": f"Party {n}"} for n in range(8)])


def body(*domain: Any) -> dict[str, Any]:
    params = [[*domain], 0, 4, BY_ID, ["name"], {"language": "en"}]
    return {"id": 1, "method": SEARCH, "params": params}


def asked(client: Client, *domain: Any, timeout: float = 30) -> httpx.Response:
    heads = {"Authorization": client.session, "Accept-Encoding": "gzip"}
    with httpx.Client(trust_env=False, timeout=timeout) as http:
        return http.post(client.url + client.path, json=body(*domain), headers=heads)


def ids(answer: httpx.Response) -> list[int]:
    return [row["id"] for row in answer.json()["result"]]


@pytest.mark.parametrize(
    ("hint", "header"),
    [("none", None), ("seconds", "retry-after"), ("ratelimit_reset", "ratelimit-reset")],
)
def test_too_many(hint: str, header: str | None, sandbox: Sandbox, tryton: Client) -> None:
    sandbox.trouble("tryton", {"kind": "too_many", "hint": hint, "seconds": 2.5})
    answer = asked(tryton)
    assert answer.status_code == 429
    assert [answer.headers[name] for name in (header,) if name] == (["2.5"] if header else [])
    assert asked(tryton).status_code == 200


def test_too_many_with_a_date(sandbox: Sandbox, tryton: Client) -> None:
    sandbox.trouble("tryton", {"kind": "too_many", "hint": "http_date", "seconds": 90})
    answer = asked(tryton)
    until, now = (parsedate_to_datetime(answer.headers[key]) for key in ("retry-after", "date"))
    assert 90 <= (until - now).total_seconds() <= 92


def test_server_error_on_one_method(sandbox: Sandbox, tryton: Client) -> None:
    trouble = {"kind": "server_error", "status": 502, "method": "search_read", "times": 2}
    sandbox.trouble("tryton", {**trouble, "after": 1})
    assert tryton.model("party.party", "search_count", []) == 8
    assert [asked(tryton).status_code for _ in range(4)] == [200, 502, 502, 200]
    assert sandbox.control("tryton", "trouble") == [{"kind": "server_error", "done": 2}]


def test_hang(sandbox: Sandbox, tryton: Client) -> None:
    sandbox.trouble("tryton", {"kind": "hang", "seconds": 600})
    with pytest.raises(httpx.ReadTimeout):
        asked(tryton, timeout=0.3)
    assert asked(tryton).status_code == 200


def test_slow(sandbox: Sandbox, tryton: Client) -> None:
    sandbox.trouble("tryton", {"kind": "slow", "bytes": 500})
    begun = time.monotonic()
    assert len(ids(asked(tryton))) == 4
    assert time.monotonic() - begun > 0.2


@pytest.mark.parametrize("kind", ["truncate", "cut_connection"])
def test_cut_answers(kind: str, sandbox: Sandbox, tryton: Client) -> None:
    sandbox.trouble("tryton", {"kind": kind})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        asked(tryton)
    assert asked(tryton).status_code == 200


def test_error_inside_200(sandbox: Sandbox, tryton: Client) -> None:
    sandbox.trouble("tryton", {"kind": "error_inside_200", "name": "ConcurrencyException"})
    answer = asked(tryton)
    assert answer.status_code == 200
    assert answer.json()["error"][0] == "ConcurrencyException"


def test_no_json(sandbox: Sandbox, tryton: Client) -> None:
    sandbox.trouble("tryton", {"kind": "not_json"})
    answer = asked(tryton)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")


def test_huge(sandbox: Sandbox, tryton: Client) -> None:
    sandbox.trouble("tryton", {"kind": "huge", "bytes": 3_000_000})
    assert len(asked(tryton).content) == 3_000_000


def test_bomb(sandbox: Sandbox, tryton: Client) -> None:
    sandbox.trouble("tryton", {"kind": "gzip_bomb", "bytes": 3_000_000})
    told = tryton.ask(tryton.path, body())
    assert len(told.body) * 200 < len(gzip.decompress(told.body)) == 3_000_000


def test_repeated_page(sandbox: Sandbox, tryton: Client) -> None:
    first = ids(asked(tryton))
    sandbox.trouble("tryton", {"kind": "repeat_page"})
    assert ids(asked(tryton, ["id", ">", first[-1]])) == first
    assert ids(asked(tryton, ["id", ">", first[-1]])) != first


def test_shrunk_page(sandbox: Sandbox, tryton: Client) -> None:
    whole = ids(asked(tryton))
    sandbox.trouble("tryton", {"kind": "shrink_page"})
    assert ids(asked(tryton)) == whole[:2]


def test_unordered_page(sandbox: Sandbox, tryton: Client) -> None:
    whole = ids(asked(tryton))
    sandbox.trouble("tryton", {"kind": "unordered"})
    assert ids(asked(tryton)) == whole[::-1]


def test_redirect(sandbox: Sandbox, tryton: Client) -> None:
    there = "http://127.0.0.1:9/elsewhere"
    sandbox.trouble("tryton", {"kind": "redirect", "status": 307, "to": there})
    answer = asked(tryton)
    assert (answer.status_code, answer.headers["location"]) == (307, there)


def test_expired_sessions(sandbox: Sandbox, tryton: Client) -> None:
    sandbox.trouble("tryton", {"kind": "expire_sessions"})
    assert asked(tryton).status_code == 401
    assert asked(tryton).status_code == 401
    tryton.login()
    assert asked(tryton).status_code == 200


def test_wrong_clock(sandbox: Sandbox, tryton: Client) -> None:
    right = parsedate_to_datetime(asked(tryton).headers["date"])
    sandbox.control("tryton", "clock", {"skew": -3600}, method="PUT")
    wrong = parsedate_to_datetime(asked(tryton).headers["date"])
    assert 3500 < (right - wrong).total_seconds() <= 3600


def test_rows_change_under_the_reader(sandbox: Sandbox, tryton: Client) -> None:
    sandbox.trouble("tryton", {"kind": "change_rows_during", "count": 3})
    names = {row["name"] for row in asked(tryton).json()["result"]}
    told = sandbox.rows("tryton", "party.party")
    assert names == {f"Party {n}" for n in range(4)}
    assert sum(row["name"].startswith("name of") for row in told) == 3


def test_rows_go_under_the_reader(sandbox: Sandbox, tryton: Client) -> None:
    sandbox.trouble("tryton", {"kind": "delete_rows_during", "count": 3})
    assert len(ids(asked(tryton))) == 4
    assert len(sandbox.rows("tryton", "party.party")) == 5


def test_same_chance_each_time(sandbox: Sandbox, tryton: Client) -> None:
    trouble = {"kind": "server_error", "times": None, "probability": 0.5, "seed": 3}
    runs: list[list[int]] = []
    for _ in range(2):
        sandbox.trouble("tryton", trouble)
        runs.append([asked(tryton).status_code for _ in range(8)])
    assert runs[0] == runs[1]
    assert {*runs[0]} == {200, 503}


def test_arrivals_are_told(sandbox: Sandbox, tryton: Client) -> None:
    sandbox.control("tryton", "arrivals", method="DELETE")
    sandbox.trouble("tryton", {"kind": "server_error"})
    begun = time.monotonic()
    asked(tryton)
    asked(tryton)
    one, two = sandbox.arrivals("tryton")
    assert (one["name"], one["status"], one["trouble"]) == (SEARCH, 503, "server_error")
    assert (two["status"], two["trouble"]) == (200, "")
    assert begun <= one["at"] <= two["at"] <= time.monotonic()


def test_control_wants_its_token(sandbox: Sandbox) -> None:
    answer = httpx.get(f"{sandbox.url}/sandbox/tryton/arrivals", trust_env=False)
    assert answer.status_code == 401


def test_unknown_trouble_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(AssertionError, match="no trouble"):
        sandbox.trouble("tryton", {"kind": "nonsense"})
