"""`python -m tests.proofs.asking NAME LANES CALLS`: asks an integration's vendor as fast as the hub
may, over several lanes at a time; each makes so many calls, however long it has to wait."""

import asyncio
import sys

from hub import clock, integrations, registry
from hub.adapter import Call
from hub.app import opened
from hub.cli.reading import engine
from hub.config import settings
from hub.errors import Retry
from hub.sync.asking import settled
from hub.sync.claim import Integration
from hub.sync.reader import Asker


async def main(name: str, lanes: int, calls: int) -> None:
    async with opened(settings()) as app:
        async with app.database.transaction() as connection:
            found = await integrations.named(connection, name)
        known = Integration(
            id=found.id,
            name=found.name,
            adapter=found.adapter,
            source_id=found.source_id,
            settings=found.settings,
            mapping=found.mapping,
        )
        adapter = registry.adapter(known.adapter)
        values = settled(adapter, known)
        async with engine(app).opening(known, adapter, values) as line:
            await asyncio.gather(*(_ask(line, adapter.check(values), calls) for _ in range(lanes)))


async def _ask(line: Asker, call: Call, calls: int) -> None:
    made = 0
    while made < calls:
        try:
            await line.ask(call)
            made += 1
        except Retry as error:
            if error.at is None:
                raise
            await asyncio.sleep((error.at - clock.now()).total_seconds())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
