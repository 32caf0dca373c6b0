"""The embedded server's data folder: made complete or not at all, and checked before each start."""

import contextlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.db import roles
from hub.db.embedded import binaries
from hub.db.embedded.account import Account
from hub.errors import BadSettings, DiskFull, HubError

MARKER = "made-by-the-hub"
"""A file that says the folder is ours: a cluster without it is never started or changed."""
ROOM = 200 << 20
"""Bytes that a new data folder needs."""
NO_ROOM = "No space left on device"
SEVERE = ("FATAL:", "PANIC:", "error:")
PASSING = (
    "the database system is ",
    "terminating ",
    "postmaster exit",
    "pre-existing shared memory block",
)
"""What a server tells those who come too early, or says when it is killed; the last is said while
processes of a killed server, started without our lock, have not ended yet."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data folder, the programs for it and the system user both belong to."""

    folder: Path
    programs: Path
    account: Account

    def prepare(self) -> None:
        """Make the folder if it is not there; refuse one that is not ours or not of our version."""
        if self.folder.exists():
            self._check()
        else:
            self._make()

    def write(self, files: Mapping[str, str]) -> None:
        """Put configuration files into the folder, each at once and never through a link."""
        for name, text in files.items():
            path = self.folder / name
            partial = path.with_suffix(".partial")
            partial.unlink(missing_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w") as file:
                os.fchown(descriptor, self.account.uid, self.account.gid)
                file.write(text)
            partial.replace(path)

    def start(self, lock: int) -> None:
        """Start the server, away from our terminal; it and all its processes inherit the lock."""
        log = self.folder / "start.log"
        log.unlink(missing_ok=True)
        command = [self.programs / "pg_ctl", "start", "-s", "-W", "-D", self.folder, "-l", log]
        done = self.account.run(command, keep=[lock])
        if done.returncode > 0:  # one that was itself killed says nothing: try again
            raise _failure(done.stderr, self.folder)

    def stop(self) -> None:
        """Ask the server to end its sessions and shut down, without waiting; may be repeated."""
        command = [self.programs / "pg_ctl", "stop", "-s", "-W", "-m", "fast", "-D", self.folder]
        self.account.run(command)

    def logs(self) -> Mapping[Path, int]:
        """The server's logs and their sizes now, to read later what came after."""
        return {path: path.stat().st_size for path in (self.folder / "log").glob("*.log")}

    def said_since(self, sizes: Mapping[Path, int]) -> str:
        """What the server wrote since its logs had these sizes; `start.log` begins with a start."""
        texts = [path.read_bytes()[sizes.get(path, 0) :] for path in self.logs()]
        with contextlib.suppress(FileNotFoundError):
            texts.append((self.folder / "start.log").read_bytes())
        return b"\n".join(texts).decode(errors="replace")

    def _check(self) -> None:
        version = self.folder / "PG_VERSION"
        if not (self.folder / MARKER).exists() or not version.exists():
            raise BadSettings(
                f"{self.folder} was not made by the hub, which leaves it alone: move it away, or"
                " set HUB_DATA_DIR to another folder."
            )
        found = version.read_text().strip()
        if found != str(binaries.MAJOR):
            raise BadSettings(
                f"{self.folder} was made by PostgreSQL {found}, and this release brings"
                f" {binaries.MAJOR}: see docs/operations.md on moving to another version."
            )

    def _make(self) -> None:
        """Build the folder under another name, so that its own name means that it is complete."""
        new = Cluster(self.folder.with_suffix(".new"), self.programs, self.account)
        _demand_room(self.folder.parent)
        shutil.rmtree(new.folder, ignore_errors=True)
        new.folder.mkdir(mode=0o700)
        os.chown(new.folder, self.account.uid, self.account.gid)
        new._initdb()
        new._furnish()
        new._run("initdb", "--sync-only")
        new.folder.rename(self.folder)
        _sync(self.folder.parent)

    def _initdb(self) -> None:
        """Unsynced, for everything is synced at the end.

        Order and case are PostgreSQL's own, the same on every machine; what counts as a letter in
        a text comes from the system, and not every system knows C.UTF-8.
        """
        options = [
            "--username=" + roles.SUPERUSER,
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--auth=peer",
            "--no-sync",
            "--no-instructions",
        ]
        try:
            self._run("initdb", *options, "--lc-ctype=C.UTF-8")
        except BadSettings as error:
            if "invalid locale" not in str(error):
                raise
            self._run("initdb", *options)

    def _furnish(self) -> None:
        """Create roles and database while no one can connect: a single-user server, no socket."""
        database, owner, reader = roles.DATABASE, roles.OWNER, roles.READER
        self._single("postgres", roles.creation(owner, reader, version=binaries.MAJOR))
        self._single("template1", [roles.no_large_objects()])
        self._single("postgres", [f"CREATE DATABASE {database} OWNER {owner}"])
        self._single("postgres", roles.restriction(database, reader))
        self._single(database, roles.enclosure(owner))
        self.write({MARKER: "The hub made this folder and may start a server on it.\n"})

    def _single(self, database: str, statements: Iterable[str]) -> None:
        script = "".join(f"{statement}\n" for statement in statements)
        options = ["--single", "-F", "-c", "exit_on_error=true"]
        self._run("postgres", *options, database, stdin=script)

    def _run(self, program: str, *options: str, stdin: str = "") -> None:
        mode, rest = (options[:1], options[1:]) if program == "postgres" else ((), options)
        command = [self.programs / program, *mode, "-D", self.folder, *rest]
        done = self.account.run(command, stdin=stdin)
        if done.returncode:
            raise _failure(done.stderr, self.folder)


def trouble(output: str, folder: Path) -> HubError | None:
    """What it means that a program of PostgreSQL ended over a data folder, having said this."""
    if NO_ROOM in output:
        return DiskFull(f"The disk that holds {folder} is full: make room, then start again.")
    reasons = [line.strip() for line in output.splitlines() if _is_reason(line)]
    return BadSettings(f"{folder} can not be used: {reasons[-1]}") if reasons else None


def _is_reason(line: str) -> bool:
    """Whether a line says why the program ended, and not what it told its clients meanwhile."""
    return any(word in line for word in SEVERE) and not any(word in line for word in PASSING)


def _failure(output: str, folder: Path) -> HubError:
    """What a program that failed had to say, be it only its last line."""
    last = (output.strip().splitlines() or ["it ended without a word"])[-1]
    return trouble(output, folder) or BadSettings(f"{folder} can not be used: {last}")


def _demand_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < ROOM:
        raise DiskFull(
            f"The disk that holds {folder} has {free >> 20} MB left and a new database needs"
            f" {ROOM >> 20} MB: make room, or set HUB_DATA_DIR to another disk."
        )


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
