"""The embedded server: from nothing, through every kind of death, shared and refused."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from hub.config import Settings
from hub.db.connection import Connection
from hub.db.embedded import EmbeddedServer, binaries, locks, sockets
from hub.db.engine import Database
from hub.errors import BadSettings, Conflict, DataFolderInUse, DiskFull

Process = subprocess.Popen[str]
Hub = Callable[[Path], Process]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users")


async def test_first_query_comes_quickly(empty_dir: Path) -> None:
    tries = [await _first_query(empty_dir / f"hub-{n}") for n in range(3)]
    assert min(tries) < 5, "others use the machine too, but hardly three times in a row"


async def test_interrupted_start_leaves_no_server(data_dir: Path) -> None:
    opening = asyncio.create_task(Database.open(Settings(data_dir=data_dir)))
    while not (data_dir / "postgres" / "postmaster.pid").exists():
        await asyncio.sleep(0.001)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert not EmbeddedServer(data_dir).stop()


async def _first_query(folder: Path) -> float:
    """The seconds from nothing to the first answer."""
    began = time.monotonic()
    async with await Database.open(Settings(data_dir=folder)) as database:
        assert await database.reader.fetchval("SELECT 1") == 1
        return time.monotonic() - began


async def test_killed_server_comes_back(own_settings: Settings, kill: Callable[[], None]) -> None:
    async with await Database.open(own_settings) as database:
        await database.retrying(_count)
        kill()
        await database.retrying(_count)
        assert await database.retrying(_count) == 3


async def test_killed_backend_is_retried(own_settings: Settings) -> None:
    async with await Database.open(own_settings) as database:
        killed: list[int] = []

        async def work(connection: Connection) -> int:
            killed.append(connection.get_server_pid())
            if len(killed) == 1:
                os.kill(killed[0], 9)
            return await connection.fetchval("SELECT 1")

        assert await database.retrying(work) == 1
        assert len(killed) == 2


def test_server_killed_while_starting_comes_up(
    data_dir: Path, server: EmbeddedServer, kill: Callable[[], None]
) -> None:
    killer = Thread(target=_kill_early, args=(data_dir / "postgres/postmaster.pid", kill))
    killer.start()
    server.ensure()
    killer.join()
    server.ensure()


def _kill_early(written: Path, kill: Callable[[], None]) -> None:
    while not written.exists() or not written.read_text():
        time.sleep(0.001)
    kill()


def test_unusable_data_are_explained(data_dir: Path, server: EmbeddedServer) -> None:
    (data_dir / "postgres/global/pg_control").write_bytes(b"nonsense")
    with pytest.raises(BadSettings, match=r"postgres can not be used: .*PANIC|FATAL"):
        server.ensure()


async def _count(connection: Connection) -> int:
    await connection.execute("CREATE TABLE IF NOT EXISTS tick (at timestamptz)")
    await connection.execute("INSERT INTO tick VALUES (now())")
    return await connection.fetchval("SELECT count(*) FROM tick")


def _said(process: Process) -> str:
    """The next line of another process."""
    assert process.stdout
    return process.stdout.readline().strip()


def _socket_dir(server: EmbeddedServer) -> Path:
    """Where the server, made to run, has its socket."""
    address = urlsplit(server.ensure().owner)
    return Path(parse_qs(address.query)["host"][0])


def test_two_starters_share_one_server(empty_dir: Path, hub: Hub) -> None:
    first, second = hub(empty_dir), hub(empty_dir)
    assert _said(first) == _said(second) == "up"


def test_last_hub_stops_server(data_dir: Path, hub: Hub) -> None:
    first, second = hub(data_dir), hub(data_dir)
    assert _said(first) == _said(second) == "up"
    first.communicate()
    assert (data_dir / "postgres/postmaster.pid").exists()
    second.communicate()
    assert not (data_dir / "postgres/postmaster.pid").exists()


def test_killed_hub_leaves_no_claim(data_dir: Path, hub: Hub) -> None:
    victim, other = hub(data_dir), hub(data_dir)
    assert _said(victim) == _said(other) == "up"
    victim.kill()
    victim.wait()
    other.communicate()
    assert not (data_dir / "postgres/postmaster.pid").exists()


def test_stop_waits_for_users(data_dir: Path, hub: Hub) -> None:
    assert _said(hub(data_dir)) == "up"
    with pytest.raises(Conflict, match="--force"):
        EmbeddedServer(data_dir).stop()


def test_forced_stop_stops(data_dir: Path, hub: Hub) -> None:
    assert _said(hub(data_dir)) == "up"
    assert EmbeddedServer(data_dir).stop(force=True)
    assert not EmbeddedServer(data_dir).stop(force=True)


def test_server_has_its_own_session(server: EmbeddedServer, postmaster: Callable[[], int]) -> None:
    server.ensure()
    assert os.getsid(postmaster()) != os.getsid(0)


def test_leftover_number_of_a_stranger_is_no_server(data_dir: Path, server: EmbeddedServer) -> None:
    leftover = f"{os.getpid()}\n{data_dir}/postgres\n1\n5432\n/tmp\n\n 1 1\nready\n"
    (data_dir / "postgres/postmaster.pid").write_text(leftover)
    server.ensure()


def test_lost_socket_is_made_again(server: EmbeddedServer) -> None:
    socket_dir = _socket_dir(server)
    shutil.rmtree(socket_dir)
    assert _socket_dir(server) == socket_dir
    assert (socket_dir / ".s.PGSQL.5432").exists()


def test_short_path_for_deep_folder(data_dir: Path) -> None:
    deep = data_dir / ("a" * 100)
    deep.mkdir()
    (data_dir / "postgres").rename(deep / "postgres")
    server = EmbeddedServer(deep)
    assert len(str(_socket_dir(server) / ".s.PGSQL.5432")) <= 100
    server.release()


def test_foreign_server_is_not_touched(data_dir: Path, server: EmbeddedServer) -> None:
    server.ensure()
    server.release()
    cluster = server._cluster()  # pyright: ignore[reportPrivateUsage]
    sockets.prepare(data_dir, cluster.account)
    lock = locks.opened(data_dir / "foreign.lock")
    locks.take(lock, locks.EXCLUSIVE)
    cluster.start(lock)
    os.close(lock)
    _await_ready(data_dir / "postgres/postmaster.pid")
    with pytest.raises(DataFolderInUse, match="stop it, or set HUB_DATA_DIR"):
        server.ensure()
    cluster.stop()
    _await_end(data_dir / "foreign.lock")


def _await_ready(pid_file: Path) -> None:
    """Wait until a server that was started says in its file that it answers."""
    end = time.monotonic() + 60
    while not (pid_file.exists() and "ready" in pid_file.read_text()):
        assert time.monotonic() < end, "the server does not get ready"
        time.sleep(0.01)


def _await_end(held: Path) -> None:
    """Wait until no process of a server is left that has inherited a lock."""
    lock = locks.opened(held)
    end = time.monotonic() + 60
    while not locks.take(lock, locks.EXCLUSIVE):
        assert time.monotonic() < end, "a process of the server lives on"
        time.sleep(0.01)
    os.close(lock)


def test_foreign_files_are_left_alone(empty_dir: Path) -> None:
    (empty_dir / "postgres").mkdir()
    (empty_dir / "postgres/letter.txt").write_text("mine")
    if os.geteuid() == 0:
        shutil.chown(empty_dir / "postgres", "nobody")
    with pytest.raises(BadSettings, match="not made by the hub"):
        EmbeddedServer(empty_dir).ensure()
    assert (empty_dir / "postgres/letter.txt").read_text() == "mine"


def test_other_version_is_named(data_dir: Path) -> None:
    (data_dir / "postgres/PG_VERSION").write_text("17\n")
    with pytest.raises(BadSettings, match="made by PostgreSQL 17"):
        EmbeddedServer(data_dir).ensure()


def test_unusable_folder_is_named(empty_dir: Path) -> None:
    (empty_dir / "file").touch()
    with pytest.raises(BadSettings, match=r"file/hub can not be used .* set HUB_DATA_DIR"):
        EmbeddedServer(empty_dir / "file/hub").ensure()


def test_unwritable_folder_is_named(disk: Callable[..., Path]) -> None:
    folder = disk("ro,mode=500")
    with pytest.raises(BadSettings, match=f"{folder} can not be used .*: make it writable"):
        EmbeddedServer(folder).ensure()


ENSURE = """
import sys
from pathlib import Path
from hub.db.embedded import EmbeddedServer
from hub.errors import HubError
try:
    EmbeddedServer(Path(sys.argv[1])).ensure()
except HubError as error:
    print(error)
"""


@as_root
def test_closed_folder_is_explained(empty_dir: Path) -> None:
    private = empty_dir / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(BadSettings, match=r"can not enter .*private/hub"):
        EmbeddedServer(private / "hub").ensure()


@as_root
def test_parents_keep_their_modes(data_dir: Path) -> None:
    (data_dir / "hub").mkdir(mode=0o711)
    (data_dir / "postgres").rename(data_dir / "hub/postgres")
    server = EmbeddedServer(data_dir / "hub")
    server.ensure()
    server.release()
    assert data_dir.stat().st_mode & 0o777 == 0o711


@as_root
def test_private_programs_are_copied(data_dir: Path) -> None:
    private = data_dir / "private"
    private.mkdir(mode=0o700)
    wheel = binaries.found().parents[1]
    shutil.copytree(wheel, private / wheel.name, ignore=shutil.ignore_patterns("pginstall"))
    shutil.copytree(wheel.with_suffix(".libs"), (private / wheel.name).with_suffix(".libs"))
    command = [sys.executable, "-c", ENSURE, str(data_dir)]
    done = subprocess.run(command, env={"PYTHONPATH": f"{private}:."}, capture_output=True)
    assert (done.stdout, done.stderr) == (b"", b"")
    assert "/postgresql-" in Path("/proc", _pid(data_dir), "exe").readlink().as_posix()


def _pid(data_dir: Path) -> str:
    return (data_dir / "postgres/postmaster.pid").read_text().split()[0]


@as_root
def test_other_users_are_refused(data_dir: Path, server: EmbeddedServer) -> None:
    address = server.ensure().owner
    assert "Permission denied" in _psql(address, "nobody")
    assert "Peer authentication failed" in _psql(address, (data_dir / "postgres").owner())


def _psql(address: str, user: str) -> str:
    command = [binaries.found() / "psql", address, "-c", "SELECT 1"]
    return subprocess.run(command, user=user, capture_output=True, text=True).stderr


@as_root
def test_socket_folder_of_another_is_refused(server: EmbeddedServer) -> None:
    socket_dir = _socket_dir(server)
    server.release()
    socket_dir.mkdir(mode=0o700)
    shutil.chown(socket_dir, "nobody")
    with pytest.raises(BadSettings, match="find out who made it"):
        server.ensure()
    socket_dir.rmdir()


def test_full_disk_is_named(disk: Callable[..., Path]) -> None:
    with pytest.raises(DiskFull, match=r"30 MB left .* make room"):
        EmbeddedServer(disk("size=30m")).ensure()


def test_disk_filled_later_is_named(data_dir: Path, disk: Callable[..., Path]) -> None:
    small = disk("size=60m")
    subprocess.run(["cp", "-a", data_dir / "postgres", small], check=True)
    subprocess.run(["dd", "if=/dev/zero", f"of={small}/big", "bs=1M"], capture_output=True)
    with pytest.raises(DiskFull, match="is full: make room"):
        EmbeddedServer(small).ensure()


async def test_errors_stay_out_of_the_log(own_settings: Settings) -> None:
    async with await Database.open(own_settings) as database:
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            await database.owner.execute("SELECT 'alice@example.com'::int")
    folder = own_settings.data_dir / "postgres"
    logs = [path.read_text() for path in (*folder.glob("log/*"), folder / "start.log")]
    assert "shut down" in "".join(logs)
    assert "alice" not in "".join(logs)


async def test_commits_are_durable(own_settings: Settings) -> None:
    async with await Database.open(own_settings) as database:
        names = ["fsync", "synchronous_commit", "full_page_writes", "data_checksums"]
        shown = [await database.owner.fetchval("SELECT current_setting($1)", n) for n in names]
    assert shown == ["on"] * 4
