"""A worker does what people asked for, takes up what was left lying, and notes what fails."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from hub import clock
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.errors import AlreadyRunning, Conflict
from hub.identity import decisions
from hub.jobs import Worker
from hub.privacy import duty, requests, restricting
from hub.privacy.archive import fetching
from hub.privacy.duty import HELD, Desk
from hub.privacy.requests import Kind, Request
from tests.events import running
from tests.shop import Shop

PATIENCE = 60
QUEUE = "DELETE FROM jobs.pgqueuer"


async def asked(shop: Shop, kind: Kind, who: str = "anna") -> Request:
    customer = await shop.id(who)
    return await shop.database.retrying(lambda c: requests.ask(c, kind, customer, by="command"))


@asynccontextmanager
async def working(shop: Shop, chosen: Settings) -> AsyncGenerator[None]:
    duties = duty.duties(shop.database, chosen)
    worker = Worker(shop.database, duties.entries, rounds=duties.rounds)
    async with running(worker.run()):
        yield


async def ended(database: Database, request: UUID) -> Request:
    """The request when nothing more is to be done about it for now."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await database.retrying(lambda c: requests.find(c, request))
            if found.state not in {"received", "running"}:
                return found
            await asyncio.sleep(0.02)


async def test_worker_gives_access(shop: Shop, chosen: Settings) -> None:
    async with working(shop, chosen):
        made = await asked(shop, "access")
        found = await ended(shop.database, made.id)
    assert found.state == "done"
    assert found.available_until is not None
    assert timedelta(days=6) < found.available_until - clock.now() < timedelta(days=7)


async def test_worker_erases(shop: Shop, chosen: Settings) -> None:
    made = await asked(shop, "erasure")
    async with working(shop, chosen):
        found = await ended(shop.database, made.id)
    assert found.state == "done"
    assert found.records > 5
    assert await shop.database.owner.fetchval(MAIL) == 0


MAIL = "SELECT count(*) FROM identifier WHERE value = 'anna@example.com'"


async def test_crowd_is_done_one_after_the_other(shop: Shop, chosen: Settings) -> None:
    """A job that comes while another is done ends at once, and what it was about is done after."""
    made = [await asked(shop, "access", f"m{n}") for n in range(6)]
    desk, stopping = Desk(shop.database, chosen), asyncio.Event()
    await asyncio.gather(*(desk.work(str(one.id).encode(), stopping) for one in made))
    for one in made:
        assert (await ended(shop.database, one.id)).state == "done"


async def test_stopped_worker_begins_no_more(shop: Shop, chosen: Settings) -> None:
    made = await asked(shop, "access")
    stopping = asyncio.Event()
    stopping.set()
    await Desk(shop.database, chosen).work(str(made.id).encode(), stopping)
    found = await shop.database.retrying(lambda c: requests.find(c, made.id))
    assert found.state == "received"


async def test_what_was_left_lying_is_taken_up(shop: Shop, chosen: Settings) -> None:
    """Its job is lost, and whoever had begun it was killed."""
    made = await asked(shop, "access")
    await shop.database.owner.execute(QUEUE)
    await shop.database.owner.execute(
        "UPDATE privacy_request SET state = 'running', started_at = now()"
    )
    async with working(shop, chosen):
        assert (await ended(shop.database, made.id)).state == "done"


async def test_what_is_under_way_is_left_alone(shop: Shop, chosen: Settings) -> None:
    made = await asked(shop, "access")
    await shop.database.owner.execute(QUEUE)
    await shop.database.owner.execute("UPDATE privacy_request SET state = 'running'")
    async with shop.database.transaction() as guard:
        assert await guard.fetchval(HELD, str(made.id))
        await duty.look(shop.database)
        with pytest.raises(AlreadyRunning):
            await Desk(shop.database, chosen).do(made.id)
    assert await shop.database.owner.fetchval("SELECT count(*) FROM jobs.pgqueuer") == 0
    await duty.look(shop.database)
    assert await shop.database.owner.fetchval("SELECT count(*) FROM jobs.pgqueuer") == 1


async def test_failure_is_noted_and_tried_again(shop: Shop, chosen: Settings) -> None:
    made = await asked(shop, "access")
    await shop.database.owner.execute("DROP TABLE privacy_archive")
    await Desk(shop.database, chosen).work(str(made.id).encode(), asyncio.Event())
    found = await ended(shop.database, made.id)
    assert (found.state, found.message) == ("failed", duty.UNEXPECTED)
    await shop.database.owner.execute(QUEUE)
    await duty.look(shop.database)
    assert await shop.database.owner.fetchval("SELECT count(*) FROM jobs.pgqueuer") == 0
    await shop.database.owner.execute("UPDATE privacy_request SET started_at = '2026-01-01'")
    await duty.look(shop.database)
    assert await shop.database.owner.fetchval("SELECT count(*) FROM jobs.pgqueuer") == 1


async def test_new_archive_takes_the_place_of_the_old(shop: Shop, chosen: Settings) -> None:
    desk = Desk(shop.database, chosen)
    first = await desk.do((await asked(shop, "access")).id)
    second = await desk.do((await asked(shop, "access")).id)
    assert first.id != second.id
    assert second.available_until is not None
    former = await shop.database.retrying(lambda c: requests.find(c, first.id))
    assert (former.state, former.available_until) == ("done", None)
    rows = await shop.database.owner.fetch("SELECT DISTINCT request_id FROM privacy_archive")
    assert [row["request_id"] for row in rows] == [second.id]


async def test_merged_meanwhile_have_all_of_it(shop: Shop, chosen: Settings) -> None:
    """Who asked was merged into somebody older before a worker came."""
    anna, boris = await shop.id("anna"), await shop.id("boris")
    made = [await asked(shop, "access", who) for who in ("anna", "boris")]
    async with shop.database.transaction() as connection:
        await decisions.merge(connection, anna, boris, by="test", limit=50)
    for one in made:
        assert (await Desk(shop.database, chosen).do(one.id)).state == "done"
    keyring, last = Keyring.of(chosen), made[1].id
    pieces = [piece async for piece in fetching.opened(shop.database, keyring, last, 1)]
    told = zipfile.ZipFile(io.BytesIO(b"".join(pieces))).read("json/identifier.json").decode()
    assert "anna@example.com" in told
    assert "boris@example.org" in told


async def test_erased_meanwhile_have_nothing(shop: Shop, chosen: Settings) -> None:
    desk = Desk(shop.database, chosen)
    access, erasure = await asked(shop, "access"), await asked(shop, "erasure")
    await desk.do(erasure.id)
    found = await desk.do(access.id)
    assert (found.state, found.message) == ("withdrawn", duty.GONE)
    assert await shop.database.owner.fetchval("SELECT count(*) FROM privacy_archive") == 0


async def test_erased_afterwards_leave_no_archive(shop: Shop, chosen: Settings) -> None:
    desk = Desk(shop.database, chosen)
    await desk.do((await asked(shop, "access")).id)
    await desk.do((await asked(shop, "erasure")).id)
    assert await shop.database.owner.fetchval("SELECT count(*) FROM privacy_archive") == 0


async def test_archive_and_erasure_at_once(shop: Shop, chosen: Settings) -> None:
    """Whichever comes first: afterwards there is no archive."""
    access, erasure = await asked(shop, "access"), await asked(shop, "erasure")
    desks = [Desk(shop.database, chosen) for _ in range(2)]
    await asyncio.gather(desks[0].do(access.id), desks[1].do(erasure.id))
    assert await shop.database.owner.fetchval("SELECT count(*) FROM privacy_archive") == 0


async def test_done_request_is_not_done_again(shop: Shop, chosen: Settings) -> None:
    desk = Desk(shop.database, chosen)
    made = await asked(shop, "access")
    first, again = await desk.do(made.id), await desk.do(made.id)
    assert first == again


async def test_restriction_is_no_workers(shop: Shop, chosen: Settings) -> None:
    anna = await shop.id("anna")
    made = await shop.database.retrying(lambda c: restricting.restrict(c, anna, by="command"))
    with pytest.raises(Conflict, match="when it was asked for"):
        await Desk(shop.database, chosen).do(made.id)


async def test_restricted_have_access(shop: Shop, chosen: Settings) -> None:
    anna = await shop.id("anna")
    await shop.database.retrying(lambda c: restricting.restrict(c, anna, by="command"))
    made = await asked(shop, "access")
    assert (await Desk(shop.database, chosen).do(made.id)).state == "done"


WORKER = """
import asyncio, sys
from pathlib import Path
from hub.config import Settings
from hub.db.addresses import Addresses
from hub.db.engine import Database
from hub.jobs import Worker
from hub.privacy import duty

async def main():
    owner, direct, reader, folder = sys.argv[1:]
    settings = Settings(data_dir=Path(folder))
    async with await Database.over(settings, Addresses(owner, direct, reader)) as database:
        duties = duty.duties(database, settings)
        print("ready", flush=True)
        await Worker(database, duties.entries, rounds=duties.rounds).run()

asyncio.run(main())
"""


def started(shop: Shop, chosen: Settings) -> "subprocess.Popen[bytes]":
    where = shop.database.addresses
    words: Sequence[str] = (where.owner, where.direct, where.reader or "", str(chosen.data_dir))
    return subprocess.Popen([sys.executable, "-c", WORKER, *words], stdout=subprocess.PIPE)


@pytest.mark.slow
async def test_killed_worker_leaves_it_to_another(shop: Shop, chosen: Settings) -> None:
    """Killed in the middle of an archive, which is made whole by the next one, or not at all."""
    await shop.database.owner.execute(LARGE)
    made = await asked(shop, "access")
    worker = started(shop, chosen)
    try:
        while not await shop.database.owner.fetchval(BEGUN, made.id):
            await asyncio.sleep(0.01)
        os.kill(worker.pid, signal.SIGKILL)
    finally:
        worker.kill()
        worker.communicate()
    assert await shop.database.owner.fetchval("SELECT count(*) FROM privacy_archive") == 0
    async with working(shop, chosen):
        assert (await ended(shop.database, made.id)).state == "done"


BEGUN = "SELECT state = 'running' FROM privacy_request WHERE id = $1"
LARGE = """
UPDATE source_record SET payload = jsonb_build_object('noise', (
       SELECT string_agg(md5(n::text), '') FROM generate_series(1, 500000) AS n))
 WHERE type = 'customer' AND external_id = 'anna'
"""
