"""A process that records chunks: told of a job and then of chunk after chunk on its standard input,
it answers each on its standard output. It ends when its input does, so it never outlives the hub
that started it by more than a chunk.
"""

import asyncio
import contextlib
import gc
import os
import signal
import sys
import traceback
from functools import partial
from typing import BinaryIO

import msgspec

from hub import logs
from hub.config import settings
from hub.db import faults
from hub.db.engine import Database
from hub.errors import HubError
from hub.transfer import runs
from hub.transfer.chunks import Chunk
from hub.transfer.reader import Reader
from hub.transfer.runs import Counts, Job


class Done(msgspec.Struct, tag=True, frozen=True):
    """A chunk is in."""

    number: int
    counts: Counts


class Failed(msgspec.Struct, tag=True, frozen=True):
    """The worker can not go on. `code` is that of an error in `hub/errors.py`, or empty."""

    code: str
    message: str


Answer = Done | Failed


async def record(database: Database, job: Job, reader: Reader, chunk: Chunk) -> Counts:
    """Read one chunk and record it in a transaction of its own."""
    batch = reader.batch(chunk.begun)
    for page in reader.table.pages(chunk.start, chunk.end, chunk.row):
        batch.add(page.numbers, page.rows)
    collected = batch.close(is_cut=chunk.is_cut)
    return await database.retrying(partial(runs.record, job=job, chunk=chunk, collected=collected))


async def _work(orders: BinaryIO, answers: BinaryIO) -> None:
    job = msgspec.json.decode(orders.readline(), type=Job)
    reader = Reader(job.reading)
    async with await Database.open(settings()) as database:
        while line := await asyncio.to_thread(orders.readline):
            chunk = msgspec.json.decode(line, type=Chunk)
            _say(answers, Done(chunk.number, await record(database, job, reader, chunk)))


def _say(answers: BinaryIO, answer: Answer) -> None:
    """Nobody listens when the hub that asked is gone: then its next import will find the chunk."""
    with contextlib.suppress(BrokenPipeError):
        answers.write(msgspec.json.encode(answer) + b"\n")
        answers.flush()


def _described(error: Exception) -> Failed:
    """An error without the values that its text may hold."""
    if isinstance(error, HubError):
        return Failed(error.code, str(error))
    place = traceback.extract_tb(error.__traceback__)[-1]
    said = faults.describe(error) or f"{type(error).__name__} at {place.name}:{place.lineno}"
    return Failed("", f"A worker failed unexpectedly: {said}")


def main() -> None:
    """Ctrl-C is the parent's to handle; whatever prints must not get between the answers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    gc.set_threshold(50_000)  # a chunk's records are many and live until it is in
    try:
        logs.configure(settings())
        asyncio.run(_work(sys.stdin.buffer, answers))
    except Exception as error:
        _say(answers, _described(error))


if __name__ == "__main__":
    main()
