"""The embedded PostgreSQL: started when needed, shared by the hubs of a data folder, stopped by
the last of them.

Two locks in the data folder carry this, and the kernel frees them however a process dies.
`server.lock` is held by whoever starts the server, then by the server and each of its processes,
which inherit it: while it is taken something of the server lives; once it is free nothing does,
whatever a leftover `postmaster.pid` says. `users.lock` is shared by all hubs; the one that can
have it alone is the last.
"""

import contextlib
import errno
import os
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hub.db import roles
from hub.db.addresses import Addresses
from hub.db.embedded import account, binaries, configuration, locks, sockets
from hub.db.embedded.cluster import Cluster, trouble
from hub.errors import (
    BadSettings,
    Conflict,
    DatabaseUnreachable,
    DataFolderInUse,
    DiskFull,
    HubError,
)

Progress = Callable[[str], None]

PATIENCE = 900.0
"""Seconds to wait for a server that lives but does not answer: recovery after a crash is long."""
STARTS = 10
"""How often a server that ends without a word is started before we give up."""


def silent(_message: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What a server wrote about itself into its data folder."""

    socket_dir: Path
    status: str


class EmbeddedServer:
    """One hub's hold on the server of a data folder."""

    def __init__(
        self, data_dir: Path, *, user: str | None = None, progress: Progress = silent
    ) -> None:
        self._data_dir = data_dir.resolve()
        self._folder = self._data_dir / "postgres"
        self._user = user
        self._progress = progress
        self._users: int | None = None

    def ensure(self) -> Addresses:
        """Make the server answer and say where; quick when it does already.

        A server that died is started again, and waited for while it recovers.
        """
        with self._explained(), contextlib.ExitStack() as failed:
            if self._users is None:
                failed.callback(self._leave)
            self._join()
            self._wake()
            failed.pop_all()
        return Addresses(
            owner=self.address(roles.OWNER),
            direct=self.address(roles.OWNER),
            reader=self.address(roles.READER),
        )

    def address(self, role: str, database: str = roles.DATABASE) -> str:
        """Where one of the roles finds a database of the running server."""
        postmaster = self._postmaster()
        if postmaster is None:
            raise DatabaseUnreachable("The embedded database does not run.")
        host = quote(str(postmaster.socket_dir), safe="")
        return f"postgresql://{role}@/{quote(database, safe='')}?host={host}&port=5432"

    def release(self) -> None:
        """Let go of the server; the last hub to do so stops it."""
        if self._users is None:
            return
        with self._explained():
            if locks.take(self._users, locks.EXCLUSIVE):
                self._halt()
                self._tidy()
        self._leave()

    def stop(self, *, force: bool = False) -> bool:
        """Stop the server though nobody held it; False if none ran. Hubs in use keep it alive.

        With `force` it stops under them, and those that still work start it again.
        """
        if not self._data_dir.exists():
            return False
        with self._explained(), self._lock("users.lock") as users:
            is_last = locks.take(users, locks.EXCLUSIVE)
            if not is_last and not force:
                raise Conflict(
                    "Other processes of the hub still use the database: end them first, or stop"
                    " it under them with --force."
                )
            has_run = self._halt()
            if is_last:
                self._tidy()
            return has_run

    def _join(self) -> None:
        if self._users is None:
            _make(self._data_dir)
            self._users = locks.opened(self._data_dir / "users.lock")
        wait = Wait(self._progress, "The database is being stopped by another process")
        while not locks.take(self._users, locks.SHARED):
            wait.pause()

    def _leave(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None

    def _wake(self) -> None:
        """Start the server unless something of it lives, and wait until it answers."""
        wait = Wait(
            self._progress, "Waiting for the database, which starts or recovers after a crash"
        )
        starts: list[Mapping[Path, int]] = []
        while True:
            with self._lock("server.lock") as lock:
                if locks.take(lock, locks.EXCLUSIVE):
                    self._judge(starts)
                    starts.append(self._start(lock))
            if self._answers():
                return
            wait.pause()

    def _start(self, lock: int) -> Mapping[Path, int]:
        """Start the server and return how long its logs were before."""
        cluster = self._cluster()
        if not self._folder.exists():
            self._progress(f"A new database is made in {self._data_dir}.")
        cluster.prepare()
        self._clear_leftover()
        socket_dir = sockets.prepare(self._data_dir, cluster.account)
        cluster.write(configuration.files(socket_dir, {account.present().name, "root"}))
        logs = cluster.logs()
        cluster.start(lock)
        return logs

    def _judge(self, starts: Sequence[Mapping[Path, int]]) -> None:
        """Raise what the server we started said when it ended; one that was killed said nothing."""
        if starts and (error := trouble(self._cluster().said_since(starts[-1]), self._folder)):
            raise error
        if len(starts) >= STARTS:
            raise DatabaseUnreachable(
                f"The database ends as soon as it starts, {STARTS} times by now: something kills"
                f" it. Its log is in {self._folder}/log."
            )

    def _clear_leftover(self) -> None:
        """Remove the `postmaster.pid` of a dead server, for its number may be another's by now."""
        number = self._number()
        if _runs_in(number, self._folder):
            raise DataFolderInUse(
                f"Another PostgreSQL server (process {number}) uses {self._folder}: stop it, or"
                " set HUB_DATA_DIR to another folder."
            )
        (self._folder / "postmaster.pid").unlink(missing_ok=True)

    def _answers(self) -> bool:
        postmaster = self._postmaster()
        if postmaster is None or not self._has_socket(postmaster):
            return False
        options = ["-q", "-t", "5", "-U", roles.SUPERUSER, "-d", "postgres"]
        command = [binaries.found() / "pg_isready", *options, "-h", postmaster.socket_dir]
        done = subprocess.run(command, env=account.ENVIRONMENT, check=False)  # noqa: S603
        return done.returncode == 0

    def _has_socket(self, postmaster: Postmaster) -> bool:
        """Whether the server's door is there; one that lost it (a cleared /tmp) is stopped."""
        if (postmaster.socket_dir / sockets.FILE).exists():
            sockets.verify(postmaster.socket_dir, account.choose(self._folder, self._user))
            return True
        if postmaster.status == "ready":
            self._bid_stop()
        return False

    def _halt(self) -> bool:
        if not self._runs():
            return False
        wait = Wait(self._progress, "The database writes everything down and stops")
        while self._runs():
            self._bid_stop()
            wait.pause()
        return True

    def _tidy(self) -> None:
        """Leave nothing outside the data folder; for the last hub, whom no starter overtakes."""
        sockets.remove(self._data_dir, account.choose(self._folder, self._user))

    def _bid_stop(self) -> None:
        """Tell the server to stop, if the number it left is its own and not a stranger's."""
        if _runs_in(self._number(), self._folder):
            self._cluster().stop()

    def _runs(self) -> bool:
        with self._lock("server.lock") as lock:
            return not locks.take(lock, locks.EXCLUSIVE)

    def _cluster(self) -> Cluster:
        user = account.choose(self._folder, self._user)
        if not user.reaches(self._data_dir):
            raise BadSettings(
                f"The system user {user.name}, who runs the database, can not enter"
                f" {self._data_dir}: allow it (chmod o+x on this folder or one above it), or set"
                " HUB_DATA_DIR to another folder."
            )
        return Cluster(self._folder, binaries.reachable(user, self._data_dir), user)

    def _postmaster(self) -> Postmaster | None:
        """Where the server's door is; None while it has not said so."""
        lines = self._notes().splitlines()
        return Postmaster(Path(lines[4]), lines[7].strip()) if len(lines) >= 8 else None

    def _number(self) -> str:
        """The process that the server says it is; empty if it says nothing."""
        return self._notes().partition("\n")[0].strip()

    def _notes(self) -> str:
        """What the server wrote down about itself, as far as it came."""
        try:
            return (self._folder / "postmaster.pid").read_text()
        except FileNotFoundError:
            return ""

    @contextlib.contextmanager
    def _lock(self, name: str) -> Generator[int]:
        """A lock file, opened; closing it gives up our share of the lock, not an heir's."""
        descriptor = locks.opened(self._data_dir / name)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _explained(self) -> Generator[None]:
        """Turn what the system says about the data folder into what to do about it."""
        try:
            yield
        except OSError as error:
            raise _explanation(error, self._data_dir) from error


class Wait:
    """Ever longer pauses with a word to whoever waits, and an end."""

    def __init__(self, progress: Progress, message: str) -> None:
        self._progress = progress
        self._message = message
        self._began = time.monotonic()
        self._told = 0

    def pause(self) -> None:
        """Sleep a little. Raises DatabaseUnreachable when patience is at its end."""
        waited = time.monotonic() - self._began
        if waited > PATIENCE:
            raise DatabaseUnreachable(f"{self._message}, and that took over {PATIENCE:.0f} s.")
        if int(waited) > self._told:
            self._told = int(waited)
            self._progress(f"{self._message} ({self._told} s).")
        time.sleep(min(0.5, 0.02 + waited / 10))


def _make(data_dir: Path) -> None:
    """Create the data folder; under root others may pass through it to what is theirs."""
    if not data_dir.exists():
        data_dir.mkdir(parents=True)
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)


def _runs_in(pid: str, folder: Path) -> bool:
    """Whether a process is a server at work in this folder, and not a stranger of that number."""
    if not pid.isdigit():
        return False
    if not Path("/proc/self").exists():
        command = ["/bin/ps", "-o", "comm=", "-p", pid]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        return "postgres" in done.stdout
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(folder)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True


def _explanation(error: OSError, data_dir: Path) -> HubError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull(f"The disk that holds {data_dir} is full: make room, then start again.")
    user = account.present().name
    return BadSettings(
        f"The data folder {data_dir} can not be used by the system user {user}"
        f" ({error.strerror}): make it writable for that user, or set HUB_DATA_DIR to another"
        " folder."
    )
