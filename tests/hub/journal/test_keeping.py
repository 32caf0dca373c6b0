"""The journal holds what people took back, once at least, and nothing that is theirs."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

from hub.db.engine import Database
from hub.journal import files, keeping
from hub.journal.entries import Erased, Line, Opened, Refused, Restricted, Unrestricted
from hub.journal.keeping import Keeper
from hub.relay import Relay
from tests.events import running
from tests.restored import arrive, erase, journaled, lift, mail, report, restrict, say


def written(folder: Path) -> list[Line]:
    lines = [line for file in files.found(folder) for line in file.lines()]
    return [line for line in lines if not isinstance(line, Opened)]


def kinds(lines: Sequence[Line]) -> list[type[Line]]:
    return [type(line) for line in lines]


async def test_everything_taken_back_is_written(database: Database, tmp_path: Path) -> None:
    people = await arrive(database, range(4))
    await say(database, people[0], "profiling")
    await say(database, people[1], "email_marketing", contact_point=mail(1))
    await say(database, people[1], "profiling", state="granted")
    await report(database, 2, "partner_sharing")
    await restrict(database, people[3])
    await lift(database, people[3])
    request = await erase(database, people[3])
    await journaled(database, tmp_path)
    lines = written(tmp_path)
    assert kinds(lines) == [Refused, Refused, Refused, Restricted, Unrestricted, Erased]
    first, second, third, *_, erased = lines
    assert isinstance(first, Refused)
    assert isinstance(second, Refused)
    assert isinstance(third, Refused)
    assert isinstance(erased, Erased)
    assert (first.purpose, first.state, first.contact_point) == ("profiling", "withdrawn", None)
    assert second.contact_point is not None
    assert (first.is_own, third.is_own, third.state) == (True, False, "denied")
    assert len(first.records) == len(first.keys) == 2
    assert (erased.request, erased.customer) == (request, people[3])
    assert {kind for _, kind in erased.hashes} >= {"customer", "email"}
    assert erased.key is not None


async def test_nothing_personal_is_written(database: Database, tmp_path: Path) -> None:
    people = await arrive(database, range(3))
    await say(database, people[0], "email_marketing", contact_point=mail(0), evidence="Given0")
    await report(database, 1, "profiling")
    await erase(database, people[2])
    await journaled(database, tmp_path)
    text = b"".join(file.path.read_bytes() for file in files.found(tmp_path)).lower()
    assert text.count(b"\n") == 4
    for said in (b"person", b"example.com", b"given0", b"given2", b'"c1"', b'"c2"'):
        assert said not in text, said


async def test_lost_folder_is_written_again(database: Database, tmp_path: Path) -> None:
    people = await arrive(database, [1])
    await say(database, people[1], "profiling")
    await journaled(database, tmp_path)
    before = written(tmp_path)
    shutil.rmtree(tmp_path)
    await say(database, people[1], "email_marketing")
    await journaled(database, tmp_path)
    assert written(tmp_path)[:1] == before
    assert len(written(tmp_path)) == 2


async def test_two_keepers_leave_no_gap(database: Database, tmp_path: Path) -> None:
    """One takes over from the other; both end with every entry once, or more, in order."""
    people = await arrive(database, range(30))
    async with running(Relay(database).run()):
        async with running(Keeper(database, tmp_path).run()):
            for number in range(0, 15):
                await say(database, people[number], "profiling")
        async with running(Keeper(database, tmp_path).run(), Keeper(database, tmp_path).run()):
            for number in range(15, 30):
                await say(database, people[number], "profiling")
            while len({line.position for line in written(tmp_path)}) < 30:
                await asyncio.sleep(0.02)
    found = {line.customer for line in written(tmp_path) if isinstance(line, Refused)}
    assert found == set(people.values())


async def test_held_hub_writes_nothing(database: Database, tmp_path: Path) -> None:
    await database.owner.execute("DELETE FROM release")
    async with running(Keeper(database, tmp_path).run()):
        await asyncio.sleep(3 * keeping.IDLE_SECONDS)
    assert files.found(tmp_path) == []


async def test_next_file_begins_where_the_last_ended(database: Database, tmp_path: Path) -> None:
    people = await arrive(database, [1])
    for purpose in ("profiling", "email_marketing"):
        await say(database, people[1], purpose)
        await journaled(database, tmp_path)
    first, second = files.found(tmp_path)
    assert (first.opened.position, second.opened.position) == (0, first.end)


async def test_folder_in_the_way_is_waited_for(database: Database, tmp_path: Path) -> None:
    people = await arrive(database, [1])
    await say(database, people[1], "profiling")
    folder = tmp_path / "journal"
    folder.write_text("no folder")
    async with running(Relay(database).run(), Keeper(database, folder).run()):
        await asyncio.sleep(0.3)
        folder.unlink()
        while not files.found(folder) or not written(folder):
            await asyncio.sleep(0.05)
    assert kinds(written(folder)) == [Refused]


async def test_damaged_journal_is_written_anew(database: Database, tmp_path: Path) -> None:
    people = await arrive(database, [1, 2])
    for number in (1, 2):
        await say(database, people[number], "profiling")
    await journaled(database, tmp_path)
    (damaged,) = files.found(tmp_path)
    damaged.path.write_bytes(damaged.path.read_bytes().replace(b"withdrawn", b"Withdrawn", 1))
    await say(database, people[1], "email_marketing")
    await journaled(database, tmp_path)
    damaged.path.unlink()
    assert len(written(tmp_path)) == 3
