"""Attestation: everybody of a source gets a grant, and then it is taken back."""

import time
from pathlib import Path

from bench import processes
from bench.figures import Figure
from hub import clock
from hub.audit import Act
from hub.consent import attesting, documents, undoing
from hub.consent.attestation import Wanted
from hub.consent.documents import Wording
from hub.db.connection import Connection
from hub.db.engine import Database

BIGGEST = """
SELECT s.key FROM source s JOIN source_record r ON r.source_id = s.id AND r.type = 'customer'
 GROUP BY s.key ORDER BY count(*) DESC LIMIT 1
"""


class Quiet:
    """Nobody waits."""

    def begin(self, total: int) -> None: ...

    def advance(self, people: int) -> None: ...


async def measure(database: Database, *, size: int, is_quick: bool) -> list[Figure]:
    """Attest everybody of the largest source, and undo it."""
    wanted = await database.retrying(_wanted)
    data_dir = database.settings.data_dir
    begun = _spent(data_dir)
    report = await attesting.attest(database, wanted, progress=Quiet())
    entered = _spent(data_dir)
    undone = await undoing.undo(database, report.id, by="command", progress=Quiet())
    ended = _spent(data_dir)
    return [
        _figure("attestation", report.people, begun, entered, "≥ 8,334 (1,000,000 in 2 minutes)"),
        _figure("its undoing", undone, entered, ended, ""),
    ]


Spent = tuple[float, float, float]
"""Seconds on the clock, of the hub's process, and of PostgreSQL."""


def _spent(data_dir: Path) -> Spent:
    return time.monotonic(), time.process_time(), processes.server_seconds(data_dir)


def _figure(name: str, people: int, begun: Spent, ended: Spent, reach: str) -> Figure:
    seconds, hub, server = (after - before for before, after in zip(begun, ended, strict=True))
    return Figure(
        name=f"{name} of {people:,} people",
        value=people / seconds,
        unit="people/s",
        reach=reach,
        hub_cpu=hub / people * 1000,
        server_cpu=server / people * 1000,
    )


async def _wanted(connection: Connection) -> Wanted:
    wording = Wording("bench", "1", "en", ("email_marketing",), "I agree.")
    await documents.publish(connection, wording, by=Act("changed", "bench", "command"))
    return Wanted(
        attester="command",
        source=await connection.fetchval(BIGGEST),
        purpose="email_marketing",
        document="bench",
        given_at=clock.now(),
        evidence="a bench",
    )
