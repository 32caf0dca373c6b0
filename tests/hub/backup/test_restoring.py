"""A hub that is restored gives nothing out until what people took back is applied again."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from hub import audit
from hub.backup import creating, manifest, releasing, restoring
from hub.backup.manifest import DUMP, Backup
from hub.config import Settings
from hub.consent import attesting, documents, undoing
from hub.consent.attestation import Wanted
from hub.consent.documents import Wording
from hub.db import hold, migrate, roles
from hub.db.engine import Database
from hub.errors import BadFile, Conflict, Held, StopJob
from hub.journal import replaying
from hub.journal.replaying import Incomplete
from tests.conftest import Store
from tests.restored import (
    DEFAULTS,
    NOON,
    arrive,
    emptied,
    erase,
    journaled,
    lift,
    mail,
    report,
    restrict,
    say,
    standing,
)

ACT = audit.Act("changed", "trial", "command")
VIEWS = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'for_')"

LATER = """
INSERT INTO purpose (key, title, basis, bit, may_return)
VALUES ('prize_draws', 'Prize draws', 'consent', 60, '{identity}')
"""
REFUSED = "SELECT count(*) FROM consent_entry WHERE purpose = 'prize_draws'"


class Unseen:
    def begin(self, total: int) -> None:
        pass

    def advance(self, people: int) -> None:
        pass


@dataclass(frozen=True)
class Disaster:
    """A hub of which there is a backup, a journal, and a database to restore it into."""

    database: Database
    customers: dict[int, UUID]
    backup: Backup
    journal: Path
    empty: Database


@pytest.fixture
async def disaster(
    database: Database, store: Store, settings: Settings, tmp_path: Path
) -> AsyncGenerator[Disaster]:
    """Twelve people at the time of the backup, and one who came later."""
    customers = await arrive(database, range(12))
    await say(database, customers[11], "profiling")  # before: in the backup, not in the journal
    journal = tmp_path / "journal"
    await journaled(database, journal)
    backup = await creating.create(database, tmp_path / "backup", release="1")
    async with emptied(store, settings) as empty:
        yield Disaster(database, customers, backup, journal, empty)


async def take_back(disaster: Disaster) -> None:
    """All that people can take back."""
    database, people = disaster.database, disaster.customers
    await say(database, people[0], "email_marketing")
    await say(database, people[1], "email_marketing", contact_point=mail(1))
    await say(database, people[2], "analytics", state="objected")
    await say(database, people[3], "partner_sharing", state="denied", channel="email")
    await report(database, 4, "profiling")
    await restrict(database, people[5])
    await restrict(database, people[6])
    await lift(database, people[6])
    await erase(database, people[7])
    await journaled(database, disaster.journal)


async def test_state_after_replay_is_as_before(disaster: Disaster) -> None:
    await take_back(disaster)
    async with disaster.database.owner.acquire() as connection:
        before = await standing(connection)
    await restoring.restore(disaster.empty, disaster.backup)
    done = await replaying.replay(disaster.empty, disaster.journal, DEFAULTS)
    counts = {"refused": 5, "restricted": 2, "unrestricted": 1, "erased": 1}
    assert (done.applied.counts, done.applied.unknown, done.lost) == (counts, 0, [])
    async with disaster.empty.owner.acquire() as connection:
        after = await standing(connection)
    for subject, rows in before.items():
        if subject != "entries":  # the hub's own records of people have other ids
            assert after[subject] == rows, subject
    assert len(after["entries"]) == len(before["entries"])


async def test_nothing_is_given_out_before_replay(disaster: Disaster) -> None:
    await take_back(disaster)
    empty = disaster.empty
    await restoring.restore(empty, disaster.backup)
    with pytest.raises(Held):
        await empty.retrying(hold.demand)
    assert await empty.owner.fetch(VIEWS) == []
    await migrate.migrate(empty.direct, reader=empty.reader_role)
    assert await empty.owner.fetch(VIEWS) == []
    with pytest.raises(asyncpg.UndefinedTableError):
        await empty.reader.fetch("SELECT * FROM for_customer_service.customer")
    await replaying.replay(empty, disaster.journal, DEFAULTS)
    with pytest.raises(Held):
        await empty.retrying(hold.demand)
    await releasing.release(empty, reason="tried")
    seen = await empty.reader.fetch("SELECT id FROM for_email_marketing.customer")
    people = disaster.customers
    assert {row["id"] for row in seen} == {
        id_ for number, id_ in people.items() if number not in {0, 5, 7}
    }


async def test_replay_again_changes_nothing(disaster: Disaster) -> None:
    await take_back(disaster)
    await restoring.restore(disaster.empty, disaster.backup)
    await replaying.replay(disaster.empty, disaster.journal, DEFAULTS)
    async with disaster.empty.owner.acquire() as connection:
        before = await standing(connection)
        await connection.execute("UPDATE journal_timeline SET position = start")
        again = await replaying.replay(disaster.empty, disaster.journal, DEFAULTS)
        assert again.lines == 9  # from where the backup was made
        assert await standing(connection) == before


async def test_missing_journal_keeps_the_hub_held(disaster: Disaster, tmp_path: Path) -> None:
    await take_back(disaster)
    await restoring.restore(disaster.empty, disaster.backup)
    with pytest.raises(Incomplete, match="HUB_JOURNAL_DIR"):
        await replaying.replay(disaster.empty, tmp_path / "none", DEFAULTS)
    done = await replaying.replay(disaster.empty, tmp_path / "none", DEFAULTS, in_spite=True)
    assert len(done.lost) == 1


async def test_second_life_is_replayed_after_the_first(
    disaster: Disaster, store: Store, settings: Settings
) -> None:
    """A backup of the first life, restored after the second: both journals count."""
    await take_back(disaster)
    await restoring.restore(disaster.empty, disaster.backup)
    await replaying.replay(disaster.empty, disaster.journal, DEFAULTS)
    await releasing.release(disaster.empty, reason="tried")
    await say(disaster.empty, disaster.customers[8], "email_marketing")
    await journaled(disaster.empty, disaster.journal)
    async with disaster.empty.owner.acquire() as connection:
        before = await standing(connection)
    async with emptied(store, settings) as third:
        await restoring.restore(third, disaster.backup)
        done = await replaying.replay(third, disaster.journal, DEFAULTS)
        assert done.lost == []
        async with third.owner.acquire() as connection:
            after = await standing(connection)
    assert after["customers"] == before["customers"]
    assert after["states"] == before["states"]
    assert after["suppressed"] == before["suppressed"]


async def test_people_who_came_later_are_awaited(disaster: Disaster) -> None:
    """Who came, and took something back, after the backup is refused when they come again."""
    database, empty = disaster.database, disaster.empty
    later = await arrive(database, [97, 98, 99])
    await say(database, later[97], "profiling")
    await restrict(database, later[98])
    await restrict(database, later[99])
    await lift(database, later[99])
    await journaled(database, disaster.journal)
    await restoring.restore(empty, disaster.backup)
    done = await replaying.replay(empty, disaster.journal, DEFAULTS)
    assert done.applied.unknown == 4
    await releasing.release(empty, reason="tried")
    again = await arrive(empty, [97, 98, 99])
    seen = await empty.reader.fetch("SELECT id FROM for_profiling.customer")
    assert {row["id"] for row in seen} & set(again.values()) == {again[99]}
    seen = await empty.reader.fetch("SELECT id FROM for_partner_sharing.customer")
    assert {row["id"] for row in seen} & set(again.values()) == {again[97], again[99]}
    left = await empty.owner.fetch("SELECT state FROM awaited_refusal")
    assert len(left) == 1  # the hub's own record of the first never comes again


async def test_refusal_of_an_unknown_purpose_stops_nobody(disaster: Disaster) -> None:
    """A purpose that came after the backup, refused by somebody who did so, too."""
    database, empty = disaster.database, disaster.empty
    await database.owner.execute(LATER)
    await arrive(database, [97])
    await report(database, 97, "prize_draws")
    await journaled(database, disaster.journal)
    await restoring.restore(empty, disaster.backup)
    done = await replaying.replay(empty, disaster.journal, DEFAULTS)
    assert done.applied.purposes == {"prize_draws"}
    assert 97 in await arrive(empty, [97])
    assert await empty.owner.fetchval(REFUSED) == 0
    await empty.owner.execute(LATER)
    await arrive(empty, [97])
    assert await empty.owner.fetchval(REFUSED) == 1


async def test_restored_reader_has_its_rights(disaster: Disaster) -> None:
    await restoring.restore(disaster.empty, disaster.backup)
    await releasing.release(disaster.empty, reason="tried")
    async with disaster.empty.owner.acquire() as connection:
        after = await roles.problems(connection, disaster.empty.reader_role)
        assert not await roles.misses_views(connection, disaster.empty.reader_role)
    async with disaster.database.owner.acquire() as connection:
        assert after == await roles.problems(connection, disaster.empty.reader_role)


async def test_only_an_empty_database_is_filled(disaster: Disaster) -> None:
    with pytest.raises(Conflict, match="not empty"):
        await restoring.restore(disaster.database, disaster.backup)


async def test_damaged_dump_leaves_the_database_empty(disaster: Disaster) -> None:
    dump = disaster.backup.dump
    data = dump.read_bytes()
    dump.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(BadFile, match="changed or damaged"):
        await restoring.restore(disaster.empty, disaster.backup)
    said = disaster.backup.folder / manifest.MANIFEST
    told = json.loads(said.read_text()) | {"sha256": await manifest.digest(dump)}
    said.write_text(json.dumps(told))
    with pytest.raises(StopJob, match="could not be restored, and nothing of it was"):
        await restoring.restore(disaster.empty, manifest.at(disaster.backup.folder))
    assert await disaster.empty.owner.fetchval(restoring.STRANGERS) == 0


async def test_backup_appears_whole_and_private(disaster: Disaster, tmp_path: Path) -> None:
    backup = disaster.backup
    assert backup.folder.stat().st_mode & 0o777 == 0o700
    assert (backup.folder / DUMP).stat().st_mode & 0o777 == 0o600
    assert [one.folder for one in manifest.found(tmp_path, told=pytest.fail)] == [backup.folder]
    with pytest.raises(BadFile, match="is there already"):
        await creating.create(disaster.database, backup.folder / DUMP, release="1")
    assert not any(path.name.endswith(".part") for path in tmp_path.iterdir())  # noqa: ASYNC240


async def test_hold_back_takes_the_views_away(database: Database) -> None:
    await database.retrying(releasing.hold_back)
    assert await database.owner.fetch(VIEWS) == []
    await releasing.release(database, reason="tried")
    await database.retrying(hold.demand)
    assert await database.owner.fetch(VIEWS) != []


async def test_undone_attestation_is_undone_again(disaster: Disaster) -> None:
    """An attestation that the next backup holds is undone after that backup."""
    database, empty = disaster.database, disaster.empty
    wording = Wording("news", "1", "en", ("ads_audiences",), "I agree.")
    async with database.transaction() as connection:
        await documents.publish(connection, wording, by=ACT)
    wanted = Wanted(
        attester="somebody",
        source="crm",
        purpose="ads_audiences",
        document="news",
        given_at=NOON,
        evidence="paper",
    )
    await attesting.attest(database, wanted, progress=Unseen())
    again = disaster.backup.folder.with_name("second")
    backup = await creating.create(database, again, release="1")
    attestation = await database.owner.fetchval("SELECT id FROM consent_attestation")
    assert await undoing.undo(database, attestation, by="command", progress=Unseen()) == 12
    await journaled(database, disaster.journal)
    async with database.owner.acquire() as connection:
        before = await standing(connection)
    await restoring.restore(empty, backup)
    done = await replaying.replay(empty, disaster.journal, DEFAULTS)
    assert (done.undone, done.applied.counts) == ({attestation}, {"invalidated": 12})
    async with empty.owner.acquire() as connection:
        after = await standing(connection)
    assert (after["customers"], after["states"]) == (before["customers"], before["states"])
