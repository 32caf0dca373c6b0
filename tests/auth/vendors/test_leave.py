"""A leave that a person gave is renewed by one at a time, ahead of its end, and never lost."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest

from auth.vault import Vault
from auth.vendors import renewal
from auth.vendors.safe import Leave, Safe
from auth.vendors.token_endpoint import Fresh
from hub.adapter import Adapter, Call
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Reconnect, Retry, VendorAway
from hub.net import Line, Target, Wire
from hub.pace import Pace
from tests import racers
from tests.auth.vendors.leaves import SECRETS, Leaves, by_leave, endpoint
from tests.vendor import HERE, Arrival, Vendor, says, vendor

ASK = Call(path="/rpc/", body={})
STATE = "SELECT state, code, message FROM integration WHERE id = $1"
OLD = "UPDATE credential SET token_due_at = now(), token_expires_at = now()"
DUE = "UPDATE credential SET token_due_at = now()"
Lines = Callable[..., Line]
Given = Callable[..., Awaitable[None]]


@pytest.fixture
def leaves(there: Vendor) -> Leaves:
    """The vendor's own view of who renewed what."""
    leaves = Leaves()
    there.will(leaves)
    return leaves


@pytest.fixture
async def lines(
    database: Database, there: Vendor, vault: Vault, integration: UUID
) -> AsyncGenerator[Lines]:
    """Makes lines to the vendor, signed by the vault."""
    made: list[Line] = []

    def make(declared: Adapter | None = None, credentials: Vault = vault, **said: str) -> Line:
        target = target_of(integration, there, declared, **said)
        pace = Pace(database, integration, (), deadline=60)
        options: dict[str, Any] = {"networks": HERE, "pauses": ()}
        made.append(Line(target, credentials=credentials, pace=pace, **options))
        return made[-1]

    yield make
    for each in made:
        await each.close()


def target_of(
    integration: UUID, there: Vendor, declared: Adapter | None = None, **said: str
) -> Target:
    known = {"url": there.url, "source": "erp", "client_id": "hub-1", **said}
    return Target(integration, declared or by_leave(), known)


def place(there: Vendor) -> str:
    """For what leave is given."""
    return f"{there.url} {there.url}/token hub-1"


@pytest.fixture
def given(
    database: Database, vault: Vault, keyring: Keyring, integration: UUID, there: Vendor
) -> Given:
    """Somebody gave leave; the token that came of it is over, unless it is said otherwise."""

    async def give(statement: str = OLD, **changed: str) -> None:
        leave = {"place": place(there), "refresh": "k-refresh-0", **changed}
        async with database.transaction() as connection:
            await vault.seal(connection, integration, SECRETS)
            fresh = Fresh("k-token-0", None)
            safe = Safe(database, keyring)
            await renewal.grant(connection, safe, integration, fresh, Leave(**leave))
            await connection.execute(statement)

    return give


async def test_token_is_renewed_when_it_is_over(leaves: Leaves, lines: Lines, given: Given) -> None:
    await given()
    assert (await lines().ask(ASK)).body == ["row"]
    assert (await lines().ask(ASK)).body == ["row"]
    assert leaves.renewals == 1


async def test_refused_token_is_renewed_for_all(
    leaves: Leaves, lines: Lines, given: Given, database: Database, keyring: Keyring
) -> None:
    await given("SELECT")
    leaves.token = "k-other"  # noqa: S105 - of nobody
    there = [lines(), lines(credentials=Vault(database, keyring))]
    answers = await asyncio.gather(*(line.ask(ASK) for line in there for _ in range(8)))
    assert [answer.body for answer in answers] == [["row"]] * 16
    assert (leaves.renewals, leaves.refused) == (1, 0)


@pytest.mark.slow
async def test_one_of_many_processes_renews(
    leaves: Leaves, there: Vendor, given: Given, database: Database, integration: UUID,
    connection: Connection,
) -> None:  # fmt: skip
    """The same with npm's oidc-provider, a thousand times: tests/proofs/test_vendor_tokens.py."""
    await given()
    target = target_of(integration, there)
    async with racers.racers(3, database, target, "tests.auth.vendors.leaves:by_leave") as made:
        for number in range(1, 13):
            await connection.execute(DUE if number % 2 else OLD)
            assert await racers.run(made) == ["fine"] * 3
            assert (leaves.renewals, leaves.refused) == (number, 0)


async def test_leave_takes_turns(
    leaves: Leaves, lines: Lines, given: Given, connection: Connection
) -> None:
    await given()
    for number in range(1, 4):
        assert (await lines().ask(ASK)).body == ["row"]
        assert (leaves.renewals, leaves.refused) == (number, 0)
        await connection.execute(OLD)


async def test_token_is_renewed_ahead_of_its_end(
    leaves: Leaves, lines: Lines, given: Given
) -> None:
    await given(DUE)
    assert (await lines().ask(ASK)).body == ["row"]
    assert leaves.renewals == 1


@pytest.mark.parametrize(("seconds", "ahead"), [(3600, 300), (600, 150), (86_400, 300)], ids=str)
async def test_how_far_ahead_follows_its_life(
    leaves: Leaves, lines: Lines, given: Given, connection: Connection, seconds: int, ahead: int
) -> None:
    await given()
    leaves.seconds = seconds
    await lines().ask(ASK)
    found = "SELECT extract(epoch FROM token_expires_at - token_due_at)::int FROM credential"
    assert abs(await connection.fetchval(found) - ahead) <= 1


async def test_present_token_does_while_the_next_is_not_to_be_had(
    there: Vendor,
    leaves: Leaves,
    lines: Lines,
    given: Given,
    connection: Connection,
    integration: UUID,
) -> None:
    """The endpoint fails: nobody has to do anything, and it is not asked with every call."""

    async def failing(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        if arrival.path != "/token":
            await leaves(arrival, writer)
            return
        writer.write(says(503))
        await writer.drain()

    await given(DUE)
    there.will(failing)
    for _ in range(3):
        assert (await lines().ask(ASK)).body == ["row"]
    assert [arrival.path for arrival in there.arrivals].count("/token") == 1
    assert (await connection.fetchrow(STATE, integration))["state"] == "active"


async def test_others_use_the_present_token_meanwhile(
    there: Vendor, leaves: Leaves, lines: Lines, given: Given, database: Database, keyring: Keyring
) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        if arrival.path == "/token":
            arrived.set()
            await go_on.wait()
        await leaves(arrival, writer)

    await given(DUE)
    there.will(slow)
    renewing = asyncio.create_task(lines().ask(ASK))
    await arrived.wait()
    for credentials in ({}, {"credentials": Vault(database, keyring)}):
        assert (await lines(**credentials).ask(ASK)).body == ["row"]
    go_on.set()
    assert (await renewing).body == ["row"]
    assert leaves.renewals == 1


@pytest.mark.parametrize(
    "reply",
    [
        says(503),
        says(500, {"error": "invalid_grant"}),
        says(400, {"error": "temporarily_unavailable"}),
        says(400, {"error": "invalid_request"}),
        says(404, b"<html>"),
        says(200, b"<html>"),
        says(200, {"token_type": "bearer"}),
        b"",
    ],
    ids=["503", "500", "busy", "strange", "404", "page", "no token", "nothing"],
)
async def test_trouble_is_no_refusal(
    there: Vendor,
    lines: Lines,
    given: Given,
    connection: Connection,
    integration: UUID,
    reply: bytes,
) -> None:
    await given()
    there.will(reply)
    with pytest.raises(VendorAway):
        await lines().ask(ASK)
    assert (await connection.fetchrow(STATE, integration))["state"] == "active"
    there.will(Leaves())
    assert (await lines().ask(ASK)).body == ["row"]


async def test_endpoint_that_asks_to_wait_is_left_alone(
    there: Vendor, lines: Lines, given: Given
) -> None:
    await given()
    there.will(says(429, Retry_After="3600"))
    with pytest.raises(Retry) as told:
        await lines().ask(ASK)
    assert told.value.at is not None


async def test_leave_that_was_taken_back_is_for_people(
    leaves: Leaves, lines: Lines, given: Given, connection: Connection, integration: UUID
) -> None:
    await given()
    leaves.is_over = True
    told = await asyncio.gather(*(lines().ask(ASK) for _ in range(8)), return_exceptions=True)
    assert {type(error) for error in told} <= {Reconnect, type(told[0])}
    assert all(isinstance(error, Reconnect) for error in told)
    assert leaves.refused == 1
    state, code, message = await connection.fetchrow(STATE, integration)
    assert (state, code) == ("reconnect", "RECONNECT")
    assert "`hub integration authorize erp`" in message


async def test_wrong_client_is_told_apart(
    there: Vendor, lines: Lines, given: Given, connection: Connection, integration: UUID
) -> None:
    """The leave is as good as it was: with the right secret it counts again."""
    await given()
    there.will(says(401, {"error": "invalid_client"}))
    with pytest.raises(Reconnect, match="--set client_secret=-"):
        await lines().ask(ASK)
    assert len(there.arrivals) == 1
    there.will(leaves := Leaves())
    await given("SELECT")
    assert leaves.refused == 0


async def test_rotated_leave_is_saved_before_its_token_is_used(
    there: Vendor, leaves: Leaves, lines: Lines, given: Given, connection: Connection
) -> None:
    seen: list[int] = []

    async def looking(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        if arrival.path != "/token":
            seen.append(await connection.fetchval("SELECT leave_version FROM credential"))
        await leaves(arrival, writer)

    await given()
    before = await connection.fetchval("SELECT leave_version FROM credential")
    there.will(looking)
    await lines().ask(ASK)
    assert seen == [before + 1]


async def test_former_leave_counts_where_the_vendor_forgot_the_new_one(
    leaves: Leaves, lines: Lines, given: Given
) -> None:
    await given(refresh="k-lost", former="k-refresh-0")
    assert (await lines().ask(ASK)).body == ["row"]
    assert (leaves.refused, leaves.renewals) == (1, 1)


async def test_former_leave_is_kept_until_the_new_one_worked(
    leaves: Leaves,
    lines: Lines,
    given: Given,
    vault: Vault,
    integration: UUID,
    there: Vendor,
    connection: Connection,
) -> None:
    await given()
    target = target_of(integration, there)
    for number in range(2):
        await lines().ask(ASK)
        kept = await vault._safe.kept(target)
        assert kept.leave is not None
        wanted = (f"k-refresh-{number + 1}", f"k-refresh-{number}")
        assert (kept.leave.refresh, kept.leave.former) == wanted
        await connection.execute(OLD)


async def test_leave_that_does_not_rotate_stays(
    there: Vendor, lines: Lines, given: Given, vault: Vault, integration: UUID
) -> None:
    await given()
    there.will(says(200, {"access_token": "k-1", "expires_in": 60}), says(200, ["row"]))
    await lines().ask(ASK)
    kept = await vault._safe.kept(target_of(integration, there))
    assert kept.leave == Leave(place(there), "k-refresh-0")


async def test_settings_leave_it_alone(
    leaves: Leaves, lines: Lines, given: Given, database: Database, vault: Vault, integration: UUID
) -> None:
    await given("SELECT")
    for secrets in ({}, SECRETS):
        async with database.transaction() as connection:
            await vault.seal(connection, integration, secrets)
        assert (await lines().ask(ASK)).body == ["row"]
    assert (leaves.renewals, leaves.refused) == (2, 0)


async def test_settings_that_change_meanwhile_lose_nothing(
    there: Vendor,
    leaves: Leaves,
    lines: Lines,
    given: Given,
    database: Database,
    vault: Vault,
    integration: UUID,
) -> None:
    """A token that renews is on its way to the vendor, and is used up there."""

    async def changing(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        if arrival.path == "/token" and not leaves.renewals:
            async with database.transaction() as connection:
                await vault.seal(connection, integration, {})
        await leaves(arrival, writer)

    await given()
    there.will(changing)
    answers = await asyncio.gather(*(lines().ask(ASK) for _ in range(4)))
    assert [answer.body for answer in answers] == [["row"]] * 4
    assert (leaves.refused, leaves.is_over) == (0, False)


async def test_token_of_former_settings_is_not_used(
    there: Vendor,
    leaves: Leaves,
    lines: Lines,
    given: Given,
    database: Database,
    vault: Vault,
    integration: UUID,
) -> None:
    """It may be another client's, at another address: only the leave is kept."""

    async def changing(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        if arrival.path == "/token":
            async with database.transaction() as meanwhile:
                await vault.seal(meanwhile, integration, SECRETS)
        await leaves(arrival, writer)
        there.will(leaves)

    await given()
    there.will(changing)
    assert (await lines().ask(ASK)).body == ["row"]
    used = [
        arrival.headers["authorization"] for arrival in there.arrivals if arrival.path == "/rpc/"
    ]
    assert used == ["Bearer k-token-2"]
    assert (leaves.renewals, leaves.refused) == (2, 0)


async def test_caller_that_leaves_loses_nothing(
    there: Vendor, leaves: Leaves, lines: Lines, given: Given
) -> None:
    """What the vendor gave meanwhile is kept all the same."""
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await go_on.wait()
        await leaves(arrival, writer)

    await given()
    there.will(slow)
    asking = asyncio.create_task(lines().ask(ASK))
    await arrived.wait()
    asking.cancel()
    go_on.set()
    with suppress(asyncio.CancelledError):
        await asking
    assert (await lines().ask(ASK)).body == ["row"]
    assert (leaves.renewals, leaves.refused) == (1, 0)


@pytest.mark.parametrize(
    "said", [{"url": "other"}, {"client_id": "hub-2"}], ids=["address", "client"]
)
async def test_leave_is_shown_to_nobody_else(
    there: Vendor, lines: Lines, given: Given, said: dict[str, str]
) -> None:
    """It was given for one client at one address."""
    await given()
    async with vendor() as elsewhere:
        if "url" in said:
            said = {"url": elsewhere.url}
        with pytest.raises(Reconnect, match="hub integration authorize erp"):
            await lines(**said).ask(ASK)
        assert not elsewhere.arrivals + there.arrivals


async def test_token_is_shown_at_no_other_address(
    there: Vendor, lines: Lines, given: Given
) -> None:
    """Where tokens are made does not change with it, and there is no secret to give again."""
    declared = by_leave(endpoint(url=f"{there.url}/token", client="none"))
    await given()
    async with vendor() as elsewhere:
        with pytest.raises(Reconnect, match="hub integration authorize erp"):
            await lines(declared, url=elsewhere.url).ask(ASK)
        assert not elsewhere.arrivals + there.arrivals


async def test_former_vendor_can_not_be_told(
    there: Vendor, given: Given, vault: Vault, integration: UUID, connection: Connection
) -> None:
    await given()
    wire = Wire(HERE)
    target = target_of(integration, there, client_id="hub-2")
    assert not await vault.disconnect(target, wire)
    await wire.aclose()
    assert not there.arrivals
    assert await connection.fetchval("SELECT leave FROM credential") is None


async def test_without_leave_nobody_is_asked(
    there: Vendor, lines: Lines, database: Database, vault: Vault, integration: UUID
) -> None:
    async with database.transaction() as connection:
        await vault.seal(connection, integration, SECRETS)
    with pytest.raises(Reconnect, match="has to give the hub leave"):
        await lines().ask(ASK)
    assert not there.arrivals


async def test_token_without_end_is_used_until_it_is_refused(
    there: Vendor, lines: Lines, given: Given
) -> None:
    await given("SELECT", refresh="")
    there.will(says(200, ["row"]), says(401))
    await lines().ask(ASK)
    with pytest.raises(Reconnect, match="hub integration authorize"):
        await lines().ask(ASK)
    assert [arrival.path for arrival in there.arrivals] == ["/rpc/", "/rpc/"]


async def test_disconnecting_gives_it_back(
    there: Vendor,
    leaves: Leaves,
    lines: Lines,
    given: Given,
    vault: Vault,
    integration: UUID,
    connection: Connection,
) -> None:
    await given("SELECT")
    wire = Wire(HERE)
    assert await vault.disconnect(target_of(integration, there), wire)
    await wire.aclose()
    assert leaves.revoked == ["k-refresh-0", "k-token-0"]
    row = await connection.fetchrow("SELECT token, leave FROM credential")
    assert tuple(row) == (None, None)
    assert "It was disconnected" in (await connection.fetchrow(STATE, integration))["message"]
    with pytest.raises(Reconnect):
        await lines().ask(ASK)
    assert leaves.renewals == 0


@pytest.mark.parametrize("reply", [says(503), says(400), b""], ids=["503", "400", "nothing"])
async def test_vendor_that_does_not_hear_of_it_is_told_of(
    there: Vendor,
    given: Given,
    vault: Vault,
    integration: UUID,
    connection: Connection,
    reply: bytes,
) -> None:
    await given()
    there.will(reply)
    wire = Wire(HERE)
    assert not await vault.disconnect(target_of(integration, there), wire)
    await wire.aclose()
    assert await connection.fetchval("SELECT leave FROM credential") is None


async def test_leave_is_sealed_anew(
    leaves: Leaves, lines: Lines, given: Given, database: Database, connection: Connection
) -> None:
    await given("SELECT")
    before = await connection.fetchval("SELECT leave FROM credential")
    await lines(credentials=Vault(database, Keyring([b"n" * 32, b"k" * 32]))).ask(ASK)
    after = await connection.fetchval("SELECT leave FROM credential")
    assert before != after
    assert b"k-" not in before + after
    await connection.execute(OLD)
    newest = Vault(database, Keyring([b"n" * 32]))
    assert (await lines(credentials=newest).ask(ASK)).body == ["row"]


async def test_vendor_without_revocation_is_not_asked(
    there: Vendor, given: Given, vault: Vault, integration: UUID
) -> None:
    await given()
    wire = Wire(HERE)
    plain = by_leave(endpoint(revoke=""))
    assert not await vault.disconnect(target_of(integration, there, plain), wire)
    await wire.aclose()
    assert not there.arrivals
