"""A line gets an answer or says what happens next, and shows its credentials to nobody else."""

import asyncio
import contextlib
import logging
from collections.abc import Generator
from datetime import timedelta

import pytest
import structlog

from hub import clock, logs
from hub.adapter import Call, Limit, When
from hub.config import Settings
from hub.errors import (
    AddressRefused,
    Reconnect,
    RejectedRecord,
    Retry,
    VendorAway,
    VendorRefused,
)
from hub.net import TooMuch
from hub.net.transport import CONNECTIONS
from tests.hub.net.conftest import SIGNATURE, Badge, Lines
from tests.vendor import Arrival, Vendor, says

ASK = Call(path="/rpc/", body={"method": "search"})
READ = Call(path="/rows", method="GET", query=(("after", "7 & 8"),))


async def test_answer_is_decoded(there: Vendor, lines: Lines) -> None:
    there.will(says(200, b'{"result": [1.10]}', X_Kind="rows"))
    answer = await lines().ask(ASK)
    assert str(answer.body["result"][0]) == "1.10"
    assert (answer.status, answer.headers["x-kind"]) == (200, "rows")


async def test_call_arrives_as_declared(there: Vendor, lines: Lines) -> None:
    await lines(there.url + "/base").ask(
        Call(path="/rpc/", body={"a": 1}, method="PUT", headers=(("X-Database", "hub"),))
    )
    (arrival,) = there.arrivals
    assert (arrival.method, arrival.path, arrival.body) == ("PUT", "/base/rpc/", b'{"a":1}')
    assert arrival.headers["authorization"] == SIGNATURE
    assert arrival.headers["x-database"] == "hub"
    assert arrival.headers["accept-encoding"] == "gzip"


async def test_query_is_encoded(there: Vendor, lines: Lines) -> None:
    await lines().ask(READ)
    assert there.arrivals[0].path == "/rows?after=7+%26+8"


async def test_failure_is_tried_again(there: Vendor, lines: Lines) -> None:
    there.will(says(500), says(502), says(200, ["row"]))
    assert (await lines().ask(ASK)).body == ["row"]
    assert len(there.arrivals) == 3


async def test_lasting_failure_is_told(there: Vendor, lines: Lines) -> None:
    there.will(says(500, {"debug": "SELECT person@example.com"}))
    with pytest.raises(VendorAway, match=r"Pretend answered with status 500\. It fails") as told:
        await lines().ask(ASK)
    assert len(there.arrivals) == 4
    assert "person" not in str(told.value)


async def test_nobody_listens_is_told(there: Vendor, lines: Lines, unused: str) -> None:
    with pytest.raises(VendorAway, match="can not be reached"):
        await lines(unused).ask(ASK)


@pytest.fixture
async def unused() -> str:
    """An address at which nothing listens."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return f"http://127.0.0.1:{port}"


async def test_fault_in_good_status_counts(there: Vendor, lines: Lines) -> None:
    faults = (When(then="stop", at=("error",), say="Look at the user's rights."),)
    there.will(says(200, {"error": ["UserError", "person@example.com"]}))
    with pytest.raises(VendorRefused, match=r"^Look at the user's rights.$"):
        await lines(faults=faults).ask(ASK)


@pytest.mark.parametrize(
    ("then", "kind"),
    [("stop", VendorRefused), ("skip", RejectedRecord), ("reconnect", Reconnect)],
)
async def test_fault_decides_what_is_next(
    there: Vendor, lines: Lines, then: str, kind: type[Exception]
) -> None:
    faults = (When(then=then, status=frozenset({418}), say="Do this."),)
    there.will(says(418))
    with pytest.raises(kind, match=r"Do this\."):
        await lines(faults=faults).ask(ASK)
    assert len(there.arrivals) == 1


async def test_refused_token_is_renewed_once(there: Vendor, lines: Lines, badge: Badge) -> None:
    there.will(says(401), says(200, ["row"]))
    assert (await lines().ask(ASK)).body == ["row"]
    assert badge.renewals == 1


async def test_refused_twice_is_for_people(there: Vendor, lines: Lines, badge: Badge) -> None:
    there.will(says(401))
    with pytest.raises(Reconnect):
        await lines().ask(ASK)
    assert (badge.renewals, len(there.arrivals)) == (1, 2)


async def test_short_wait_is_kept(there: Vendor, lines: Lines) -> None:
    there.will(says(429, Retry_After="2"), says(200, ["row"]))
    assert (await lines().ask(ASK)).body == ["row"]
    first, second = there.arrivals
    assert second.at - first.at >= 2


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504])
async def test_failure_waits_as_told(there: Vendor, lines: Lines, status: int) -> None:
    there.will(says(status, Retry_After="0.5"), says(200, ["row"]))
    await lines().ask(ASK)
    first, second = there.arrivals
    assert second.at - first.at >= 0.5


async def test_own_rule_waits_as_told(there: Vendor, lines: Lines) -> None:
    busy = When(then="retry", at=("busy",), wait_at=("busy",), say="Busy.")
    there.will(says(200, {"busy": 0.5}), says(200, ["row"]))
    await lines(faults=(busy,)).ask(ASK)
    first, second = there.arrivals
    assert second.at - first.at >= 0.5


async def test_end_of_a_window_is_no_wait(there: Vendor, lines: Lines) -> None:
    """Many vendors say in every answer when their limits begin anew."""
    there.will(says(503, X_RateLimit_Reset="3000"), says(200, ["row"]))
    assert (await lines().ask(ASK)).body == ["row"]


async def test_long_wait_is_for_the_schedule(there: Vendor, lines: Lines) -> None:
    there.will(says(503, Retry_After="3600"))
    with pytest.raises(Retry) as told:
        await lines().ask(ASK)
    assert told.value.at is not None
    assert told.value.at - clock.now() > timedelta(minutes=59)
    assert not isinstance(told.value, VendorAway)


async def test_wait_binds_other_lines(there: Vendor, lines: Lines) -> None:
    there.will(says(429, Retry_After="3600"), says(200))
    with pytest.raises(Retry):
        await lines().ask(ASK)
    with pytest.raises(Retry):
        await lines().ask(ASK)
    assert len(there.arrivals) == 1


async def test_limits_hold_for_repetitions(there: Vendor, lines: Lines) -> None:
    there.will(says(500), says(200))
    await lines(limits=(Limit(1, 0.5),)).ask(ASK)
    first, second = there.arrivals
    assert second.at - first.at >= 0.5


async def test_limits_hold_for_redirects(there: Vendor, lines: Lines) -> None:
    there.will(says(307, Location="/hub/rpc/"), says(200))
    await lines(limits=(Limit(1, 0.5),)).ask(ASK)
    first, second = there.arrivals
    assert second.at - first.at >= 0.5


async def test_login_goes_out_bare(there: Vendor, lines: Lines) -> None:
    there.will(says(401, {"error": "wrong"}))
    answer = await lines().bare(ASK)
    assert answer.status == 401
    assert "authorization" not in there.arrivals[0].headers


async def test_failing_login_is_not_repeated(there: Vendor, lines: Lines) -> None:
    there.will(says(500))
    with pytest.raises(VendorAway):
        await lines().bare(ASK)
    assert len(there.arrivals) == 1


async def test_login_that_has_to_wait_says_until_when(there: Vendor, lines: Lines) -> None:
    there.will(says(429))
    with pytest.raises(
        Retry, match=r"asks to wait: it may be asked again at \d{4}-.+ UTC\.$"
    ) as told:
        await lines().bare(ASK)
    assert told.value.at is not None


async def test_redirect_elsewhere_stops(there: Vendor, elsewhere: Vendor, lines: Lines) -> None:
    there.will(says(307, Location=f"{elsewhere.url}/rpc/?token=t"))
    with pytest.raises(VendorRefused, match="has moved to") as told:
        await lines().ask(ASK)
    assert elsewhere.url in str(told.value)
    assert "token" not in str(told.value)
    assert elsewhere.arrivals == []


async def test_redirect_at_home_keeps_the_body(there: Vendor, lines: Lines) -> None:
    there.will(says(308, Location="/hub/rpc/"), says(200, ["row"]))
    assert (await lines().ask(ASK)).body == ["row"]
    assert [arrival.path for arrival in there.arrivals] == ["/rpc/", "/hub/rpc/"]
    assert there.arrivals[1].body == there.arrivals[0].body


async def test_redirect_of_what_was_sent_stops(there: Vendor, lines: Lines) -> None:
    there.will(says(302, Location="/login"))
    with pytest.raises(VendorRefused, match="correct the path"):
        await lines().ask(ASK)


async def test_redirects_in_a_circle_stop(there: Vendor, lines: Lines) -> None:
    there.will(says(302, Location="/rows"))
    with pytest.raises(VendorRefused, match="again and again"):
        await lines().ask(READ)
    assert len(there.arrivals) == 4


async def test_next_link_at_home_is_followed(there: Vendor, lines: Lines) -> None:
    await lines(there.url + "/odata").ask(READ, link="rows?$skiptoken=2")
    assert there.arrivals[0].path == "/odata/rows?$skiptoken=2"


async def test_next_link_elsewhere_is_not(there: Vendor, elsewhere: Vendor, lines: Lines) -> None:
    with pytest.raises(VendorRefused, match="not followed"):
        await lines().ask(READ, link=f"{elsewhere.url}/rows")
    assert (there.arrivals, elsewhere.arrivals) == ([], [])


async def test_cookies_are_not_kept(there: Vendor, lines: Lines) -> None:
    there.will(says(200, Set_Cookie="session=s; Path=/"), says(200))
    line = lines()
    await line.ask(ASK)
    await line.ask(ASK)
    assert "cookie" not in there.arrivals[1].headers


async def test_private_address_is_refused(there: Vendor, lines: Lines) -> None:
    with pytest.raises(AddressRefused, match=r"HUB_ALLOWED_NETWORKS=127\.0\.0\.1/32"):
        await lines(networks=()).ask(ASK)
    assert there.arrivals == []


async def test_proxies_are_not_asked(
    there: Vendor, elsewhere: Vendor, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", elsewhere.url)
    monkeypatch.setenv("ALL_PROXY", elsewhere.url)
    await lines().ask(ASK)
    assert (len(there.arrivals), elsewhere.arrivals) == (1, [])


async def test_hanging_vendor_is_left(there: Vendor, lines: Lines) -> None:
    there.will(hang)
    with pytest.raises(TooMuch, match=r"within 0\.2 seconds"):
        await lines(seconds=0.2).ask(ASK)


async def test_cancelled_calls_leave_no_trace(there: Vendor, lines: Lines) -> None:
    """More of them than there are connections to the vendor, or to the database."""
    line, there.replies = lines(limits=(Limit(30, 0),)), [hang]
    for _ in range(2):
        asked = [asyncio.create_task(line.ask(ASK)) for _ in range(12)]
        await arrived(there, CONNECTIONS)
        for task in asked:
            task.cancel()
        await asyncio.wait(asked)
        there.arrivals.clear()
    there.will(says(200, ["row"]))
    answers = await asyncio.gather(*(line.ask(ASK) for _ in range(12)))
    assert all(answer.body == ["row"] for answer in answers)


async def arrived(there: Vendor, number: int) -> None:
    while len(there.arrivals) < number:
        await asyncio.sleep(0.01)


async def hang(_: Arrival, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def test_bad_secret_is_not_quoted(there: Vendor, lines: Lines, badge: Badge) -> None:
    with pytest.raises(VendorRefused, match="no header may hold") as told:
        await lines().ask(Call(path="/", headers=(("X-Key", "k-secret\r\nHost: other"),)))
    assert told.value.__suppress_context__
    assert there.arrivals == []


async def test_log_holds_nothing_of_the_call(
    there: Vendor, lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    there.will(says(500, {"mail": "person@example.com"}, Set_Cookie="k-cookie"), says(200))
    call = Call(path="/rows", query=(("mail", "person@example.com"),), body={"s": "t0"})
    with talkative():
        await lines().ask(call)
    told = capsys.readouterr().err
    assert told.count("vendor asked") == 2
    assert not any(word in told for word in ("person", "k-", "rows", "t0"))


@contextlib.contextmanager
def talkative() -> Generator[None]:
    """Log all there is, and leave the logging of other tests alone."""
    logs.configure(Settings(log_level="debug", log_format="json"))
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        logging.basicConfig(force=True, handlers=[logging.NullHandler()], level=logging.WARNING)
        structlog.reset_defaults()
