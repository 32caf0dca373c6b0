"""Processes that ask one vendor in the same moment, each with a vault of its own.

`python -m tests.racers DATABASE INTEGRATION URL CLIENT MODULE:FUNCTION` asks some times at once
with each line that it reads, and says what came of it.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from uuid import UUID

from auth.vault import Vault
from hub import logs
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.addresses import Addresses
from hub.db.engine import Database
from hub.net import Line, Target
from hub.pace import Pace
from tests.vendor import HERE

ROOT = Path(__file__).parents[1]
KEY = b"k" * 32
AT_ONCE = 3


async def race(url: str, integration: UUID, target: Target) -> None:
    """One racer: ready, then as often as it is told."""
    found = Addresses(owner=url, direct=url, reader=url)
    async with await Database.over(Settings(), found) as database:
        line = Line(
            target,
            credentials=Vault(database, Keyring([KEY])),
            pace=Pace(database, integration, (), deadline=60),
            networks=HERE,
        )
        said = "ready"
        while True:
            print(said, flush=True)  # noqa: T201 - to whoever started it
            if not await asyncio.to_thread(sys.stdin.readline):
                break
            said = await _asked(line, target)
        await line.close()


async def _asked(line: Line, target: Target) -> str:
    """What came of asking: the statuses, or the errors."""
    asked = [line.ask(target.adapter.check(target.values)) for _ in range(AT_ONCE)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    words = {type(one).__name__ if isinstance(one, BaseException) else "fine" for one in found}
    return " ".join(sorted(words))


@asynccontextmanager
async def racers(
    number: int, database: Database, target: Target, declaration: str
) -> AsyncGenerator[Sequence[Process]]:
    """So many processes, ready. `declaration`: the function that makes the adapter."""
    said = (
        *(database.addresses.direct, str(target.integration)),
        *(target.values["url"], target.values["client_id"], declaration),
    )
    command = (sys.executable, "-m", "tests.racers", *said)
    made = [
        await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=ROOT)
        for _ in range(number)
    ]
    try:
        assert await _told(made) == ["ready"] * number
        yield made
        for process in made:
            process.stdin.close()
        await asyncio.gather(*(process.wait() for process in made))
    finally:
        for process in made:
            if process.returncode is None:
                process.kill()
                await process.communicate()


async def run(made: Sequence[Process]) -> list[str]:
    """One race, and what came of it for each."""
    for process in made:
        process.stdin.write(b"\n")
    return await _told(made)


async def _told(made: Sequence[Process]) -> list[str]:
    return [(await process.stdout.readline()).decode().strip() for process in made]


def main(database: str, integration: str, url: str, client: str, declaration: str) -> None:
    logs.configure(Settings(log_level="error"))
    module, _, function = declaration.partition(":")
    values = {"url": url, "client_id": client, "source": "erp"}
    target = Target(UUID(integration), getattr(import_module(module), function)(), values)
    asyncio.run(race(database, target.integration, target))


if __name__ == "__main__":
    main(*sys.argv[1:])
