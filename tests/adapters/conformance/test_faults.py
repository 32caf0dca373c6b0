"""Whatever a vendor does wrong, a run ends in a state with a name and a sentence for people."""

import asyncio
from typing import Any

import pytest

from hub.adapter import Key
from hub.errors import Reconnect
from tests.adapters.conformance.test_paging import filled, missing
from tests.adapters.peer import House, connected

PASSING: dict[str, dict[str, Any]] = {
    "server error": {"kind": "server_error", "status": 502},
    "cut connection": {"kind": "cut_connection"},
    "truncated": {"kind": "truncate"},
    "no json": {"kind": "not_json"},
    "slow": {"kind": "slow", "bytes": 20_000},
    "repeated page": {"kind": "repeat_page", "after": 2},
}
LASTING: dict[str, tuple[dict[str, Any], str]] = {
    "server error": ({"kind": "server_error", "status": 502}, "failed"),
    "cut connection": ({"kind": "cut_connection"}, "failed"),
    "no json": ({"kind": "not_json"}, "failed"),
    "bomb": ({"kind": "gzip_bomb", "bytes": 2 << 20}, "failed"),
    "long wait": ({"kind": "too_many", "hint": "seconds", "seconds": 3600}, "waiting"),
    "redirect": ({"kind": "redirect", "to": "http://127.0.0.1:9/"}, "stopped"),
    "refused": ({"kind": "server_error", "status": 400}, "stopped"),
}
HINTS = [
    "seconds",
    *(pytest.param(hint, marks=pytest.mark.slow) for hint in ("http_date", "ratelimit_reset")),
]


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING.keys())
async def test_what_passes_loses_nothing(trouble: dict[str, Any], house: House) -> None:
    made = filled(house, 3)
    house.trouble({**trouble, "times": 1})
    ended = await house.sync()
    assert (ended.state, ended.message) == ("done", "")
    assert await missing(house, made) == {}


@pytest.mark.parametrize("case", LASTING.values(), ids=LASTING.keys())
async def test_what_lasts_ends_in_a_state(case: tuple[dict[str, Any], str], house: House) -> None:
    trouble, state = case
    made = filled(house, 3)
    house.trouble({**trouble, "times": None})
    ended = await house.sync()
    assert ended.state == state, ended.message
    assert ended.code
    assert ended.message.endswith((".", "`"))
    assert _none_of(house, ended.message)
    house.trouble()
    if state != "waiting":
        assert (await house.sync()).state == "done"
        assert await missing(house, made) == {}


@pytest.mark.parametrize("hint", HINTS)
async def test_never_faster_than_told(hint: str, house: House) -> None:
    """Whoever asks next, the vendor has its time; in each form in which it may say so."""
    made = filled(house, 3)
    house.trouble({"kind": "too_many", "hint": hint, "seconds": 1.2})
    assert (await house.sync()).state == "done"
    arrivals = house.arrivals()
    (place,) = (n for n, one in enumerate(arrivals) if one["trouble"])
    assert arrivals[place + 1]["at"] - arrivals[place]["at"] >= 1.2
    assert await missing(house, made) == {}


async def test_refused_token_is_renewed_once(house: House) -> None:
    """Eight ask at the same time with a token that is over: one logs in, for all of them."""
    async with house.asking() as asking:
        call = house.adapter.check(asking.values)
        await asking.asker.ask(call)
        house.forget_arrivals()
        house.trouble({"kind": "expire_sessions", "method": ""})
        asked = [asking.asker.ask(call) for _ in range(8)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
    logins = [one for one in house.arrivals() if one["name"].endswith(("login", "/token"))]
    errors = {type(answer) for answer in answers if isinstance(answer, BaseException)}
    if isinstance(house.adapter.auth, Key):
        assert (len(logins), errors) == (0, {Reconnect})
    else:
        assert (len(logins), errors) == (1, set())


async def test_wrong_secrets_ask_for_a_person(house: House) -> None:
    secret = next(setting.key for setting in house.adapter.settings if setting.secret)
    wrong = {**house.peer.settings, secret: "not-the-secret"}
    house.peer.settings = wrong
    again = await connected(house.database, house.adapter.key, house.peer)
    ended = await again.sync()
    assert ended.state == "reconnect"
    assert (await house.integration()).state == "reconnect"
    assert "not-the-secret" not in ended.message


def _none_of(house: House, message: str) -> bool:
    """A message repeats no secret and nothing of what the vendor said."""
    private = (*house.peer.settings.values(), "Anna", "example.com", "7946")
    known = {house.peer.settings["url"], *("admin",)}
    return not any(word in message for word in private if word not in known)
