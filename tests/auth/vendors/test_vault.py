"""Credentials are sealed and shown to nobody; of many who need a token, one logs in."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from auth.vault import Vault
from hub import logs
from hub.adapter import Adapter, Call, Key, Login, Setting, When
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadSettings, Reconnect, Retry, VendorAway, VendorRefused
from hub.net import Line, Target
from hub.pace import Pace
from tests.vendor import (
    HERE,
    Arrival,
    Sessions,
    Vendor,
    adapter,
    logging_in,
    says,
)

ROOT = Path(__file__).parents[3]
ASK = Call(path="/rpc/", body={})
PASSWORD = {"password": "k-password"}
ROW = "SELECT * FROM credential WHERE integration_id = $1"
STATE = "SELECT state, code, message FROM integration WHERE id = $1"

Seal = Callable[..., Awaitable[None]]


@pytest.fixture
def sessions(there: Vendor) -> Sessions:
    """The vendor's own view of who logged in."""
    sessions = Sessions()
    there.will(sessions)
    return sessions


@pytest.fixture
def seal(database: Database, vault: Vault, integration: UUID) -> Seal:
    """Keeps secrets of the integration."""

    async def keep(**secrets: str) -> None:
        async with database.transaction() as connection:
            await vault.seal(connection, integration, secrets)

    return keep


@pytest.fixture
async def line(
    database: Database, there: Vendor, vault: Vault, integration: UUID
) -> AsyncGenerator[Callable[..., Line]]:
    """Makes lines to the vendor, signed by the vault."""
    made: list[Line] = []

    def make(declared: Adapter | None = None, credentials: Vault = vault) -> Line:
        target = Target(integration, declared or logging_in(), {"url": there.url, "source": "erp"})
        pace = Pace(database, integration, (), deadline=60)
        options = {"networks": HERE, "pauses": ()}
        made.append(Line(target, credentials=credentials, pace=pace, **options))
        return made[-1]

    yield make
    for each in made:
        await each.close()


Lines = Callable[..., Line]


async def test_key_goes_with_every_call(there: Vendor, line: Lines, seal: Seal) -> None:
    await seal(key="k-1")
    await line(adapter(auth=Key(header="X-Key", form="bearer {key}"))).ask(ASK)
    assert there.arrivals[0].headers["x-key"] == "bearer k-1"


async def test_new_key_counts_at_once(there: Vendor, line: Lines, seal: Seal) -> None:
    await seal(key="k-1")
    open_line = line(adapter())
    await open_line.ask(ASK)
    await seal(key="k-2")
    await open_line.ask(ASK)
    assert there.arrivals[1].headers["authorization"] == "Bearer k-2"


async def test_refused_key_is_for_people(
    there: Vendor, line: Lines, seal: Seal, connection: Connection, integration: UUID
) -> None:
    await seal(key="k-1")
    there.will(says(401))
    with pytest.raises(Reconnect, match="hub integration add erp --set key=-"):
        await line(adapter()).ask(ASK)
    assert (await connection.fetchrow(STATE, integration))["state"] == "reconnect"


async def test_login_is_made_when_needed(sessions: Sessions, line: Lines, seal: Seal) -> None:
    await seal(**PASSWORD)
    open_line = line()
    assert (await open_line.ask(ASK)).body == ["row"]
    assert (await open_line.ask(ASK)).body == ["row"]
    assert sessions.logins == 1


async def test_token_is_shared(
    sessions: Sessions, line: Lines, seal: Seal, database: Database, keyring: Keyring
) -> None:
    await seal(**PASSWORD)
    await line().ask(ASK)
    await line(credentials=Vault(database, keyring)).ask(ASK)
    assert sessions.logins == 1


async def test_lost_session_is_renewed(sessions: Sessions, line: Lines, seal: Seal) -> None:
    await seal(**PASSWORD)
    open_line = line()
    await open_line.ask(ASK)
    sessions.token = "k-other"  # noqa: S105 - of nobody
    assert (await open_line.ask(ASK)).body == ["row"]
    assert sessions.logins == 2


async def test_old_token_is_not_used(sessions: Sessions, line: Lines, seal: Seal) -> None:
    await seal(**PASSWORD)
    login = logging_in().auth
    assert isinstance(login, Login)
    brief = Login(ask=login.ask, token=login.token, header=login.header, lasts=timedelta())
    for _ in range(2):
        await line(logging_in(auth=brief)).ask(ASK)
    assert sessions.logins == 2


CALLERS = """
import asyncio, sys
from datetime import timedelta
from uuid import UUID
from auth.vault import Vault
from hub import logs
from hub.adapter import Call
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.addresses import Addresses
from hub.db.engine import Database
from hub.net import Line, Target
from hub.pace import Pace
from tests.vendor import HERE, logging_in

async def main(database_url, integration, url):
    logs.configure(Settings())
    found = Addresses(owner=database_url, direct=database_url, reader=database_url)
    async with await Database.over(Settings(), found) as database:
        id_ = UUID(integration)
        vault = Vault(database, Keyring([b"k" * 32]), lease=timedelta(seconds=5))
        target = Target(id_, logging_in(), {"url": url, "source": "erp"})
        pace = Pace(database, id_, (), deadline=60)
        line = Line(target, credentials=vault, pace=pace, networks=HERE)
        for _ in range(3):
            print("ready", flush=True)
            sys.stdin.readline()
            answers = [line.ask(Call(path="/rpc/", body={})) for _ in range(8)]
            assert all(a.body == ["row"] for a in await asyncio.gather(*answers))
        print("done", flush=True)
        await line.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def caller(database: Database, integration: UUID, there: Vendor) -> Process:
    """A process that asks eight times at once with each line that it reads."""
    said = (database.addresses.direct, str(integration), there.url)
    command = (sys.executable, "-c", CALLERS, *said)
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=ROOT)


@pytest.mark.slow
async def test_two_processes_log_in_once(
    sessions: Sessions, there: Vendor, seal: Seal, database: Database, integration: UUID
) -> None:
    await seal(**PASSWORD)
    processes = [await caller(database, integration, there) for _ in range(2)]
    for turn in range(3):
        for process in processes:
            assert await process.stdout.readline() == b"ready\n"
        assert sessions.logins == turn
        sessions.token = "k-expired"  # noqa: S105 - of nobody
        for process in processes:
            process.stdin.write(b"\n")
    assert [await process.stdout.readline() for process in processes] == [b"done\n"] * 2
    await asyncio.gather(*(process.communicate() for process in processes))
    assert sessions.logins == 3


async def test_refused_login_is_made_once(
    sessions: Sessions,
    line: Lines,
    seal: Seal,
    connection: Connection,
    integration: UUID,
    database: Database,
    keyring: Keyring,
) -> None:
    await seal(password="k-wrong")  # noqa: S106 - of nobody
    lines = [line(), line(credentials=Vault(database, keyring))]
    asked = [each.ask(ASK) for each in lines for _ in range(8)]
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(error) for error in told} == {Reconnect}
    assert (sessions.refused, sessions.logins) == (1, 0)
    found = await connection.fetchrow(STATE, integration)
    assert (found["state"], found["code"]) == ("reconnect", "RECONNECT")
    assert "--set password=-" in found["message"]


async def test_refusal_says_what_the_vendor_wants(
    there: Vendor, line: Lines, seal: Seal, connection: Connection, integration: UUID
) -> None:
    await seal(**PASSWORD)
    there.will(says(200, {"error": "second step"}))
    wants = When(then="reconnect", at=("error",), say="Give the hub a user without a second step.")
    for _ in range(2):
        with pytest.raises(Reconnect):
            await line(logging_in(faults=(wants,))).ask(ASK)
    assert len(there.arrivals) == 1
    state, _, message = await connection.fetchrow(STATE, integration)
    assert (state, message) == ("reconnect", wants.say)


async def test_new_secrets_reconnect(
    sessions: Sessions, line: Lines, seal: Seal, connection: Connection, integration: UUID
) -> None:
    await seal(password="k-wrong")  # noqa: S106 - of nobody
    with pytest.raises(Reconnect):
        await line().ask(ASK)
    await seal(**PASSWORD)
    assert tuple(await connection.fetchrow(STATE, integration)) == ("active", "", "")
    assert (await line().ask(ASK)).body == ["row"]
    assert (sessions.refused, sessions.logins) == (1, 1)


async def test_no_secrets_leave_those_there(sessions: Sessions, line: Lines, seal: Seal) -> None:
    await seal(**PASSWORD)
    await line().ask(ASK)
    await seal()
    assert (await line().ask(ASK)).body == ["row"]
    assert sessions.logins == 2, "the token may have been another user's"


async def test_secrets_that_change_meanwhile_win(
    there: Vendor, line: Lines, seal: Seal, connection: Connection, integration: UUID
) -> None:
    sessions = Sessions()

    async def replaced(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        if sessions.logins == 0:
            await seal(**PASSWORD, user="other")
        await sessions(arrival, writer)

    await seal(**PASSWORD)
    there.will(replaced)
    assert (await line().ask(ASK)).body == ["row"]
    assert sessions.logins == 2, "the token of the replaced secrets was not kept"


HELD = "SELECT FROM integration WHERE id = $1 FOR UPDATE"
WAITING = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.mark.parametrize("declared", [logging_in(), adapter()], ids=["login", "key"])
async def test_refusal_meets_new_secrets(
    declared: Adapter, there: Vendor, line: Lines, vault: Vault, seal: Seal,
    database: Database, integration: UUID, connection: Connection,
) -> None:  # fmt: skip
    """One who connects anew holds the integration, then its credentials; so does a refusal."""
    await seal(password="k-wrong", key="k-wrong")  # noqa: S106 - of nobody
    there.will(says(200, {"token": "k-token"}))
    open_line = line(declared)
    await open_line.ask(ASK)
    there.will(says(401))
    async with database.transaction() as theirs:
        await theirs.execute("SET LOCAL lock_timeout = '500 ms'")
        await theirs.execute(HELD, integration)
        asking = asyncio.create_task(open_line.ask(ASK))
        while await connection.fetchval(WAITING) == 0:
            assert not asking.done()
            await asyncio.sleep(0.01)
        await vault.seal(theirs, integration, {**PASSWORD, "key": "k-new"})
        there.will(says(200, {"token": "k-token"}))
    async with asyncio.timeout(20):  # less than the lease
        await asking
    assert tuple(await connection.fetchrow(STATE, integration)) == ("active", "", "")


async def test_failing_login_frees_the_others(there: Vendor, line: Lines, seal: Seal) -> None:
    await seal(**PASSWORD)
    there.will(says(500), Sessions())
    with pytest.raises(VendorAway):
        await line().ask(ASK)
    async with asyncio.timeout(20):  # less than the lease
        assert (await line().ask(ASK)).body == ["row"]


async def test_cancelled_login_frees_the_others(there: Vendor, line: Lines, seal: Seal) -> None:
    arrived = asyncio.Event()

    async def hang(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.Event().wait()

    await seal(**PASSWORD)
    there.will(hang, Sessions())
    asking = asyncio.create_task(line().ask(ASK))
    await arrived.wait()
    asking.cancel()
    await asyncio.wait([asking])
    async with asyncio.timeout(20):  # less than the lease
        assert (await line().ask(ASK)).body == ["row"]


@pytest.mark.slow
async def test_killed_login_is_taken_over(
    there: Vendor, line: Lines, seal: Seal, database: Database, integration: UUID
) -> None:
    arrived, sessions = asyncio.Event(), Sessions()

    async def hang(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.Event().wait()

    await seal(**PASSWORD)
    there.will(hang, sessions)
    process = await caller(database, integration, there)
    process.stdin.write(b"\n")
    await arrived.wait()
    process.kill()
    await process.communicate()
    assert (await line().ask(ASK)).body == ["row"]
    assert sessions.logins == 1


@pytest.mark.parametrize("told", [{"Retry_After": "3600"}, {}], ids=["how long", "not how long"])
async def test_login_waits_as_told(
    there: Vendor, line: Lines, seal: Seal, told: dict[str, str]
) -> None:
    await seal(**PASSWORD)
    there.will(says(429, **told))
    for _ in range(2):
        with pytest.raises(Retry):
            await line().ask(ASK)
    assert len(there.arrivals) == 1


async def test_wrong_address_is_told(there: Vendor, line: Lines, seal: Seal) -> None:
    await seal(**PASSWORD)
    there.will(says(404, b"<html>"))
    with pytest.raises(VendorRefused):
        await line().ask(ASK)


async def test_login_that_worked_before_is_tried_again(
    there: Vendor, sessions: Sessions, line: Lines, seal: Seal
) -> None:
    await seal(**PASSWORD)
    await line().ask(ASK)
    there.will(says(401), says(404, b"<html>"))
    with pytest.raises(VendorAway, match="just now"):
        await line().ask(ASK)


async def test_missing_credentials_are_told(line: Lines) -> None:
    with pytest.raises(Reconnect):
        await line().ask(ASK)


async def test_secret_that_is_new_to_the_adapter_is_asked_for(line: Lines, seal: Seal) -> None:
    await seal(user="hub")
    for declared in (logging_in(), adapter()):
        with pytest.raises(Reconnect, match="hub integration add erp"):
            await line(declared).ask(ASK)


async def test_secret_may_be_left_out(there: Vendor, line: Lines, seal: Seal) -> None:
    spare = (Setting(key="url", title=""), Setting(key="key", title="", secret=True, default="k-0"))
    await seal()
    await line(adapter(settings=spare)).ask(ASK)
    assert there.arrivals[0].headers["authorization"] == "Bearer k-0"


async def test_secrets_are_sealed(
    sessions: Sessions, line: Lines, seal: Seal, connection: Connection, integration: UUID
) -> None:
    await seal(**PASSWORD)
    await line().ask(ASK)
    row = await connection.fetchrow(ROW, integration)
    assert row["token"] is not None
    for told in (b"k-password", b"k-token"):
        assert told not in row["secrets"] + row["token"]


async def test_sealed_value_opens_nowhere_else(
    sessions: Sessions, line: Lines, seal: Seal, connection: Connection
) -> None:
    await seal(**PASSWORD)
    await connection.execute("UPDATE credential SET token = secrets, token_expires_at = 'infinity'")
    with pytest.raises(Exception, match="changed or moved"):
        await line().ask(ASK)


async def test_older_key_is_replaced(
    sessions: Sessions,
    line: Lines,
    seal: Seal,
    connection: Connection,
    integration: UUID,
    database: Database,
) -> None:
    await seal(**PASSWORD)
    before = await connection.fetchrow(ROW, integration)
    both = Vault(database, Keyring([b"n" * 32, b"k" * 32]))
    await line(credentials=both).ask(ASK)
    after = await connection.fetchrow(ROW, integration)
    assert before["secrets"] != after["secrets"]
    await line(credentials=Vault(database, Keyring([b"n" * 32]))).ask(ASK)


async def test_token_of_a_dropped_key_is_fetched_anew(
    sessions: Sessions, line: Lines, seal: Seal, database: Database
) -> None:
    await seal(**PASSWORD)
    await line().ask(ASK)
    for keys in ([b"n" * 32, b"k" * 32], [b"n" * 32]):
        rotated = Vault(database, Keyring(keys))
        assert (await line(credentials=rotated).ask(ASK)).body == ["row"]
    assert sessions.logins == 2


async def test_lost_key_is_told(line: Lines, seal: Seal, database: Database) -> None:
    await seal(**PASSWORD)
    with pytest.raises(BadSettings, match="another key"):
        await line(credentials=Vault(database, Keyring([b"n" * 32]))).ask(ASK)


async def test_nothing_shows_secrets(
    there: Vendor, line: Lines, seal: Seal, vault: Vault, integration: UUID
) -> None:
    await seal(**PASSWORD)
    there.will(says(200, {"token": "k-token"}))
    target = Target(integration, logging_in(), {"url": there.url})

    signed = await vault.headers(target, line())
    kept = await vault._safe.kept(target)  # what a debugger would print
    assert signed.headers == (("Authorization", "Session k-token"),)
    assert "k-" not in repr([signed, kept, target, vault])


async def test_errors_hold_no_secrets(sessions: Sessions, line: Lines, seal: Seal) -> None:
    await seal(password="k-wrong")  # noqa: S106 - of nobody
    with pytest.raises(Reconnect) as told:
        await line().ask(ASK)
    assert "k-" not in logs.retell(told.value, aloud=True)


@pytest.mark.parametrize("key", ["k-secret\r\nHost: other", "k-ключ"])
async def test_strange_key_is_not_quoted(there: Vendor, line: Lines, seal: Seal, key: str) -> None:
    await seal(key=key)
    with pytest.raises(VendorRefused) as told:
        await line(adapter()).ask(ASK)
    assert "k-" not in logs.retell(told.value, aloud=True)
    assert there.arrivals == []
