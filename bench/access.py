"""What it costs to see who asks, to give out tokens, and to keep to a budget.

Times are of the processor: of this process, and of PostgreSQL beside it.
"""

import asyncio
import contextlib
import statistics
import tempfile
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path

import click
from joserfc import jws
from joserfc.jwk import ECKey

from auth import clients
from auth.budget import Budgets
from auth.clients import NO_TERMS, Client, Terms
from auth.epoch import Epoch
from auth.hashes import keyed, new_secret
from auth.keys import ALGORITHM, Signing
from auth.principal import Principal
from auth.server.client_proof import SECRET
from auth.tokens import Said, Tokens, sign
from bench import processes, store, wrk
from bench.figures import Figure
from bench.serving import SERVERS_CORE, Served
from bench.wrk import Asked
from hub import clock, collecting
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.errors import Unauthenticated
from schema.admission import admit

SCOPES, PURPOSES = ["customers:read", "orders:read"], ["customer_service"]
ROUNDS = 5
WARM, COLD, REFUSED = "≤ 5 µs", "≤ 300 µs", "≤ 5,000 µs"
RATE = "≥ 300/s on one process"

Checking = Callable[[Sequence[str]], Awaitable[None]]


class Desk:
    """A hub with one client, whose tokens are made here."""

    def __init__(self, database: Database, client: Client, signer: tuple[str, ECKey]) -> None:
        self.database, self.client, self.signer = database, client, signer

    def tokens(self, number: int, *, key: ECKey | None = None) -> Sequence[str]:
        kid, ours = self.signer
        said, base_url = Said(self.client.id, SCOPES, PURPOSES), self.database.settings.base_url
        return [sign(kid, key or ours, said, base_url=base_url)[0] for _ in range(number)]


async def measure(*, is_quick: bool) -> list[Figure]:
    number, seconds = (200, 3) if is_quick else (2_000, 10)
    async with store.fresh() as database, _listening(database) as epoch:
        client = await _client(database, "bench")
        signer = await Signing(database, Keyring.of(database.settings)).current()
        desk = Desk(database, client, signer)
        collecting.settle()
        found = [
            await _warm(desk, epoch, number),
            await _cold(desk, epoch, number, at_a_time=1),
            await _cold(desk, epoch, number, at_a_time=8),
            await _changed(desk, epoch, number),
            await _refused(desk, epoch, number),
            await _taken(desk, number * 50),
        ]
        if not wrk.is_here():
            click.echo("wrk is not installed: the token endpoint is left out", err=True)
            return found
        return [*found, await _given(database, seconds)]


@contextlib.asynccontextmanager
async def _listening(database: Database) -> AsyncGenerator[Epoch]:
    epoch = Epoch(database)
    running = asyncio.create_task(epoch.run())
    await epoch.beyond(0, seconds=30)
    try:
        yield epoch
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _client(database: Database, name: str, terms: Terms = NO_TERMS) -> Client:
    async with database.transaction() as connection:
        return await clients.create(connection, name, scopes=SCOPES, purposes=PURPOSES, terms=terms)


async def _warm(desk: Desk, epoch: Epoch, number: int) -> Figure:
    """The whole check of a request: its header read, its token known, its purpose chosen."""
    tokens, seen = Tokens(desk.database, epoch), desk.tokens(number)
    for token in seen:
        await tokens.principal(token)
    headers = [b"Bearer " + token.encode() for token in seen] * 10

    async def check(_: Sequence[str]) -> None:
        for header in headers:
            await admit(tokens, header.decode("latin-1"), PURPOSES[0])

    return await _figure("a token that is known", desk, check, seen, times=10, reach=WARM)


async def _cold(desk: Desk, epoch: Epoch, number: int, *, at_a_time: int) -> Figure:
    """Against no more than a signature and a question to the database, for each."""
    _, key = desk.signer

    async def floor(fresh: Sequence[str]) -> None:
        for token in fresh:
            jws.deserialize_compact(token, key, [ALGORITHM])
            await epoch.ask("SELECT 1")

    async def check(fresh: Sequence[str]) -> None:
        tokens = Tokens(desk.database, epoch)

        async def come(share: Sequence[str]) -> None:
            for token in share:
                await tokens.principal(token)

        await asyncio.gather(*(come(fresh[begin::at_a_time]) for begin in range(at_a_time)))

    name = f"a token seen for the first time, {at_a_time} at a time"
    return await _figure(name, desk, check, desk.tokens(number), floor=floor, reach=COLD)


async def _changed(desk: Desk, epoch: Epoch, number: int) -> Figure:
    """All come again after somebody's rights have changed."""
    tokens, seen = Tokens(desk.database, epoch), desk.tokens(number)
    for token in seen:
        await tokens.principal(token)

    async def check(known: Sequence[str]) -> None:
        number = epoch.number
        await desk.database.owner.execute("NOTIFY hub_access")
        await epoch.beyond(number, seconds=30)
        await asyncio.gather(*(tokens.principal(token) for token in known))

    return await _figure("a token looked up again, all at once", desk, check, seen)


async def _refused(desk: Desk, epoch: Epoch, number: int) -> Figure:
    async def check(forged: Sequence[str]) -> None:
        tokens = Tokens(desk.database, epoch)
        for token in forged:
            with contextlib.suppress(Unauthenticated):
                await tokens.principal(token)

    forged = desk.tokens(number, key=ECKey.generate_key("P-256"))
    return await _figure("a forged token", desk, check, forged, reach=REFUSED)


async def _taken(desk: Desk, number: int) -> Figure:
    """Out of a budget that is never empty, of which this process takes a share ten times a
    second."""
    budgets = Budgets(desk.database)
    principal = Principal(
        desk.client.id, "bench", frozenset(), (), clock.now(), cost_per_second=10_000_000
    )

    async def take(asked: Sequence[str]) -> None:
        for _ in asked:
            await budgets.take(principal, cost=10)

    return await _figure("a cost taken out of a budget", desk, take, [""] * number)


async def _figure(
    name: str,
    desk: Desk,
    check: Checking,
    asked: Sequence[str],
    *,
    times: int = 1,
    floor: Checking | None = None,
    reach: str = "",
) -> Figure:
    """Microseconds of this process for each; `times` each is asked in a round. The ratio is that of
    the floor's time to it, in turns."""
    count, rounds, floors, spent = len(asked) * times, list[float](), list[float](), 0.0
    for _ in range(ROUNDS):
        if floor is not None:
            floors.append(await _spent(floor, asked) / count)
        server = processes.server_seconds(desk.database.settings.data_dir)
        rounds.append(await _spent(check, asked) / count)
        spent += processes.server_seconds(desk.database.settings.data_dir) - server
    value = statistics.median(rounds)
    ratios = [low / high for low, high in zip(floors, rounds, strict=False)]
    return Figure(
        name=f"access, {name}",
        value=value,
        unit="µs",
        ceiling=statistics.median(floors) if floors else None,
        ratio=statistics.median(ratios) if ratios else None,
        reach=reach,
        hub_cpu=value / 1000,
        server_cpu=spent / count / ROUNDS * 1000,
        rounds=rounds,
    )


async def _spent(check: Checking, asked: Sequence[str]) -> float:
    """Microseconds of the processor."""
    began = time.process_time()
    await check(asked)
    return (time.process_time() - began) * 1_000_000


async def _given(database: Database, seconds: int) -> Figure:
    """Client credentials, from one process over HTTP."""
    asked = await _asked(database)
    with (
        tempfile.TemporaryDirectory(prefix="hub-bench-") as folder,
        Served("hub", database.settings.data_dir, core=SERVERS_CORE) as served,
    ):
        script = wrk.script(Path(folder) / "tokens.lua", *asked)
        await asyncio.to_thread(served.load, script, 1)
        cost = await asyncio.to_thread(served.load, script, seconds)
    return Figure(
        name="access, client credentials",
        value=cost.rate,
        unit="tokens/s",
        reach=RATE,
        hub_cpu=cost.hub / cost.load.requests * 1000,
        server_cpu=cost.server / cost.load.requests * 1000,
    )


async def _asked(database: Database) -> tuple[dict[str, str], Sequence[Asked]]:
    """The headers and the request of a client with a secret."""
    secret = new_secret()
    kept = keyed(Keyring.of(database.settings), SECRET, secret)
    client = await _client(database, "partner", Terms(secret_hash=kept))
    basic = b64encode(f"{client.id}:{secret}".encode()).decode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": f"Basic {basic}",
    }
    return headers, [Asked("POST", "/oauth/token", "grant_type=client_credentials")]
