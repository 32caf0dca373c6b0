"""Whatever is done to the chains behind the hub's back is found and called by its name."""

from pathlib import Path

import pytest

from hub import clock
from hub.audit import Act, Auditor, Entry, checkpoints
from hub.audit.keys import Public
from hub.audit.verify import Report, verify
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadFile

ACT = Act("read", "customer", "client:shop", "customer_service")
COUNT = 20
AT = "UPDATE audit_entry SET number = {} WHERE number = {}"


@pytest.fixture
async def chain(auditor: Auditor, connection: Connection, keyring: Keyring, kept: Path) -> None:
    """Twenty entries, signed, and five that are not yet."""
    await auditor.sent([Entry(ACT, clock.new_id().bytes, str(n)) for n in range(COUNT)])
    await signed(connection, keyring, kept)
    await auditor.sent([Entry(ACT, clock.new_id().bytes) for _ in range(5)])


async def signed(connection: Connection, keyring: Keyring, kept: Path) -> None:
    async with connection.transaction():
        assert await checkpoints.sign(connection, keyring, at_once=True)
    async with connection.transaction():
        await checkpoints.append(connection, kept)


async def faults(connection: Connection, public: Public, kept: Path) -> list[tuple[str, int, int]]:
    report = await verify(connection, public, kept)
    return [(fault.what, fault.first, fault.last) for fault in report.faults]


@pytest.mark.usefixtures("chain")
async def test_untouched_chain_holds(connection: Connection, public: Public, kept: Path) -> None:
    assert await verify(connection, public, kept) == Report(
        entries=25, chains=1, checkpoints=1, unsigned=5
    )


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "'client:other'"),
        ("people", "'\\x00112233445566778899aabbccddeeff'"),
        ("at", "at - interval '1 second'"),
        ("purpose", "''"),
        ("user_id", "chain_id"),
        ("document", "''"),
        ("hash", "sha256(hash)"),
    ],
)
async def test_changed_entry_is_named(
    connection: Connection, public: Public, kept: Path, column: str, value: str
) -> None:
    await connection.execute(f"UPDATE audit_entry SET {column} = {value} WHERE number = 7")
    assert await faults(connection, public, kept) == [("changed", 7, 7)]


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize(
    ("first", "last", "named"),
    [
        (7, 9, [("removed", 7, 9)]),
        (1, 4, [("removed", 1, 4)]),
        (15, 25, [("removed", 15, 20)]),
        (1, 25, [("removed", 1, 20)]),
    ],
)
async def test_removed_entries_are_named(
    connection: Connection,
    public: Public,
    kept: Path,
    first: int,
    last: int,
    named: list[tuple[str, int, int]],
) -> None:
    await connection.execute("DELETE FROM audit_entry WHERE number BETWEEN $1 AND $2", first, last)
    assert await faults(connection, public, kept) == named


@pytest.mark.usefixtures("chain")
async def test_closed_gap_is_named(connection: Connection, public: Public, kept: Path) -> None:
    await connection.execute("DELETE FROM audit_entry WHERE number BETWEEN 7 AND 9")
    for number in range(10, 26):
        await connection.execute(AT.format(number - 3, number))
    assert await faults(connection, public, kept) == [("removed", 7, 9)]


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize(("one", "other"), [(5, 12), (8, 9)])
async def test_reordered_entries_are_named(
    connection: Connection, public: Public, kept: Path, one: int, other: int
) -> None:
    for number, before in ((-1, one), (one, other), (other, -1)):
        await connection.execute(AT.format(number, before))
    found = await faults(connection, public, kept)
    assert found == [("reordered", one, one), ("reordered", other, other)]


@pytest.mark.usefixtures("chain")
async def test_chain_written_anew_is_named(
    auditor: Auditor, connection: Connection, public: Public, kept: Path, database: Database
) -> None:
    chain = await connection.fetchval("SELECT id FROM audit_chain")
    async with Auditor(database) as forger:
        await forger.sent([Entry(ACT, bytes(16))] * 25)
    await connection.execute("DELETE FROM audit_entry WHERE chain_id = $1", chain)
    assert await faults(connection, public, kept) == [("removed", 1, COUNT)]


async def rewrite(connection: Connection, since: int) -> None:
    """Somebody knows how chains are made, and makes this one anew from an entry on."""
    from hub.audit.chain import hashed
    from hub.audit.entries import canonical, moment, said

    rows = await connection.fetch("SELECT * FROM audit_entry ORDER BY number")
    link = rows[since - 2]["hash"]
    for row in rows[since - 1 :]:
        people = bytes(16) if row["number"] == since else row["people"]
        place = (row["chain_id"].bytes, row["number"], moment(row["at"]))
        link = hashed(link, canonical(*place, said(ACT), people, row["detail"].encode()))
        await connection.execute(
            "UPDATE audit_entry SET people = $2, hash = $3 WHERE number = $1",
            row["number"],
            people,
            link,
        )


@pytest.mark.usefixtures("chain")
async def test_rewritten_hashes_are_named(
    connection: Connection, public: Public, kept: Path
) -> None:
    await rewrite(connection, 3)
    assert await faults(connection, public, kept) == [("changed", 1, COUNT)]


@pytest.mark.usefixtures("chain")
async def test_rewriting_is_named_behind_another_change(
    connection: Connection, public: Public, keyring: Keyring, kept: Path
) -> None:
    await signed(connection, keyring, kept)
    await connection.execute("UPDATE audit_entry SET purpose = '' WHERE number = 5")
    await rewrite(connection, 22)
    found = await faults(connection, public, kept)
    assert found == [("changed", 5, 5), ("changed", 21, 25)]


@pytest.mark.usefixtures("chain")
async def test_foreign_signature_is_named(connection: Connection, kept: Path) -> None:
    assert await faults(connection, Public(bytes(32)), kept) == [("changed", 1, 1)]


@pytest.mark.usefixtures("chain")
async def test_changed_checkpoint_is_named(
    connection: Connection, public: Public, kept: Path
) -> None:
    kept.unlink()  # noqa: ASYNC240 - a test may wait
    await connection.execute("UPDATE audit_checkpoint SET heads = '{}'")
    assert await faults(connection, public, kept) == [("changed", 1, 1)]


@pytest.mark.usefixtures("chain")
async def test_file_knows_removed_checkpoints(
    auditor: Auditor, connection: Connection, public: Public, keyring: Keyring, kept: Path
) -> None:
    """Who removes the newest entries has to remove what signed them; the file still has it."""
    await signed(connection, keyring, kept)
    await connection.execute("DELETE FROM audit_checkpoint WHERE number = 2")
    await connection.execute("DELETE FROM audit_entry WHERE number > 20")
    found = await faults(connection, public, kept)
    assert found == [("removed", 2, 2), ("removed", 21, 25)]


@pytest.mark.usefixtures("chain")
async def test_removed_checkpoint_in_between_is_named(
    auditor: Auditor, connection: Connection, public: Public, keyring: Keyring, kept: Path
) -> None:
    for _ in range(2):
        await auditor.read(Entry(ACT))
        await signed(connection, keyring, kept)
    kept.unlink()  # noqa: ASYNC240 - a test may wait
    await connection.execute("DELETE FROM audit_checkpoint WHERE number = 2")
    assert await faults(connection, public, kept) == [("removed", 2, 2)]


@pytest.mark.usefixtures("chain")
async def test_file_that_stays_behind_is_named(
    connection: Connection, public: Public, keyring: Keyring, kept: Path
) -> None:
    async with connection.transaction():
        assert await checkpoints.sign(connection, keyring, at_once=True)
    assert (await verify(connection, public, kept)).faults == []  # it was signed just now
    await connection.execute(
        "UPDATE audit_checkpoint SET at = at - interval '6 minutes' WHERE number = 2"
    )
    behind, _unsigned = (await verify(connection, public, kept)).faults
    assert str(behind) == f"the file of checkpoints: {kept} ends at 1 of 2: it lacks 1"


@pytest.mark.usefixtures("chain")
async def test_file_that_can_not_be_read_is_named(
    connection: Connection, public: Public, kept: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadFile, match=tmp_path.name):
        await verify(connection, public, tmp_path)
