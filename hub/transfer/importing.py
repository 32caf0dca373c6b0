"""Imports a file with several processes: it hands out chunks, and begins anew those that died."""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

import msgspec

import hub
from hub.db import revision
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadFile, BadInput, HubError, StopJob
from hub.intake import OWN, Defaults
from hub.outbox import Cause
from hub.transfer import attributes, runs
from hub.transfer.chunks import Chunk, cut
from hub.transfer.reader import Reader, Reading
from hub.transfer.runs import Counts, Job
from hub.transfer.worker import Done, Failed

ATTEMPTS = 5
"""How often a worker that dies is begun anew before the chunk it dies of is blamed."""
PATIENCE = 20.0
"""Seconds a worker may take to finish its chunk when the import is stopped."""


class Progress(Protocol):
    """Who wants to see how far it is. Positions are bytes of the file, or rows of Parquet."""

    def begin(self, start: int, end: int) -> None: ...

    def advance(self, length: int, counts: Counts) -> None: ...

    def revive(self, chunk: Chunk) -> None: ...


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """What to import, and how."""

    reading: Reading
    source: str
    cause: Cause = "backfill"
    workers: int = 2


class Report(msgspec.Struct, kw_only=True):
    """How an import ended. `resumed` chunks had been recorded before, by a run that stopped."""

    run_id: UUID
    file: str
    source: str
    counts: Counts
    seconds: float
    resumed: int = 0

    @property
    def rows_per_second(self) -> float:
        return self.counts.rows / max(self.seconds, 0.001)


async def run(database: Database, wanted: Import, *, progress: Progress) -> Report:
    """Import a file, or go on with an import of it that was killed.

    Raises BadFile, and BadInput for a source that is the hub itself: what people tell it takes the
    place of what systems say.
    """
    if wanted.source == OWN:
        raise BadInput(f"The source {OWN} is the hub itself: name the system that says this.")
    begun = time.monotonic()
    path = Path(wanted.reading.path)
    before = _state(path)
    reader = Reader(wanted.reading)
    job, known = await _begin(database, wanted, reader)
    crew = _Crew(job, reader, known, progress)
    await crew.work(wanted.workers)
    if _state(path) != before:
        raise BadFile(f"{path}: the file changed while it was read; import it again")
    await _end(database, job, crew.counts, chunks=crew.chunks)
    return Report(
        run_id=job.run_id,
        file=str(path),
        source=wanted.source,
        counts=crew.counts,
        seconds=time.monotonic() - begun,
        resumed=len(known),
    )


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise BadFile(f"{path}: can not be read: {error.strerror}") from error
    return found.st_size, found.st_mtime_ns


async def _begin(
    database: Database, wanted: Import, reader: Reader
) -> tuple[Job, Mapping[int, Counts]]:
    defaults = Defaults.of(database.settings)
    content = await asyncio.to_thread(runs.fingerprint, reader.path)

    async def work(connection: Connection) -> tuple[Job, Mapping[int, Counts]]:
        await revision.demand(connection)
        await attributes.declare(connection, reader.mapping.attributes)
        source_id = await runs.source_id(connection, wanted.source)
        run_id = await runs.begin(
            connection,
            source_id=source_id,
            file_name=reader.path.name,
            fingerprint=content,
            mapping_hash=runs.mapping_hash(wanted.reading, wanted.cause, defaults),
            observed_at=reader.observed_at,
        )
        job = Job(
            reading=wanted.reading,
            source=wanted.source,
            source_id=source_id,
            run_id=run_id,
            cause=wanted.cause,
            defaults=defaults,
        )
        return job, await runs.done(connection, run_id)

    return await database.retrying(work)


async def _end(database: Database, job: Job, counts: Counts, *, chunks: int) -> None:
    async def work(connection: Connection) -> None:
        await runs.end(connection, job.run_id, counts, chunks=chunks)

    await database.retrying(work)


class _Crew:
    """The workers of one import, and the chunks they share."""

    def __init__(
        self, job: Job, reader: Reader, known: Mapping[int, Counts], progress: Progress
    ) -> None:
        self.chunks = 0
        self.counts = Counts()
        self._job = job
        self._reader = reader
        self._known = known
        self._progress = progress
        self._plan = self._planned()

    async def work(self, workers: int) -> None:
        """Have all chunks recorded. The first error stops all workers after their chunk."""
        self._progress.begin(self._reader.table.start, self._reader.table.end)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._tend())
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from group

    def _planned(self) -> Iterator[Chunk]:
        for chunk in cut(self._reader):
            self.chunks += 1
            if chunk.number in self._known:
                self._count(chunk, self._known[chunk.number])
            else:
                yield chunk

    def _count(self, chunk: Chunk, counts: Counts) -> None:
        self.counts.add(counts)
        self._progress.advance(chunk.end - chunk.start, counts)

    async def _tend(self) -> None:
        """Keep one worker busy, and begin another when it dies."""
        chunk, deaths = next(self._plan, None), 0
        while chunk is not None:
            async with _Worker(self._job) as worker:
                while chunk is not None and (counts := await worker.record(chunk)) is not None:
                    self._count(chunk, counts)
                    chunk, deaths = next(self._plan, None), 0
            if chunk is not None:
                deaths += 1
                self._mourn(chunk, deaths, worker.code)

    def _mourn(self, chunk: Chunk, deaths: int, code: int) -> None:
        if deaths >= ATTEMPTS:
            raise StopJob(
                f"{self._reader.path}: a worker died {deaths} times (exit code {code}) at rows "
                f"{chunk.row} to {chunk.row + chunk.rows}; the same command goes on from there"
            )
        self._progress.revive(chunk)


class _Worker:
    """A process of `hub/transfer/worker.py`."""

    def __init__(self, job: Job) -> None:
        self._job = job

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "hub.transfer.worker"),
            stdin=PIPE,
            stdout=PIPE,
            env={**os.environ, "PYTHONPATH": _import_path()},
        )
        await self._say(self._job)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let it finish its chunk: it ends when its input does."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), PATIENCE)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    @property
    def code(self) -> int:
        return self._process.returncode or 0

    async def record(self, chunk: Chunk) -> Counts | None:
        """What became of the chunk; None if the worker died of it."""
        await self._say(chunk)
        line = await self._process.stdout.readline() if self._process.stdout else b""
        if not line.endswith(b"\n"):
            return None
        answer = msgspec.json.decode(line, type=Done | Failed)
        if isinstance(answer, Failed):
            raise _error(answer)
        return answer.counts

    async def _say(self, value: Job | Chunk) -> None:
        if self._process.stdin:
            with suppress(BrokenPipeError, ConnectionResetError):  # its answer will be missed
                self._process.stdin.write(msgspec.json.encode(value) + b"\n")
                await self._process.stdin.drain()


def _import_path() -> str:
    """Where workers find this very code, whatever folder they are started from."""
    ours = str(Path(hub.__file__).parent.parent)
    return os.pathsep.join(filter(None, [ours, os.environ.get("PYTHONPATH")]))


def _error(failed: Failed) -> HubError:
    """The error a worker met, as one of our own."""
    kinds = [HubError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    known = {kind.code: kind for kind in kinds}
    return known.get(failed.code, StopJob)(failed.message)
