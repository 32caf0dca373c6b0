"""The system user that the embedded server runs as: the hub's own, or another one under root."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.errors import BadSettings

CANDIDATES = ("customer-hub", "postgres", "nobody")
"""Whom root lets the server run as, unless HUB_DATABASE_USER says otherwise."""
ENVIRONMENT: Mapping[str, str] = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
"""Nothing of ours reaches the server: a stray PGDATA or locale would change what it does."""


@dataclass(frozen=True, slots=True)
class Account:
    """A system user; `switches` says that only root can start programs as it."""

    name: str
    uid: int
    gid: int
    switches: bool

    def run(
        self, command: Sequence[str | Path], *, stdin: str = "", keep: Sequence[int] = ()
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program as this user, away from our terminal, handing down the `keep` files."""
        try:
            return subprocess.run(  # noqa: S603 - our own programs, no shell
                command,
                input=stdin,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                cwd="/",
                env=ENVIRONMENT,
                pass_fds=keep,
                start_new_session=True,
                user=self.uid if self.switches else None,
                group=self.gid if self.switches else None,
                extra_groups=[] if self.switches else None,
            )
        except PermissionError as error:
            raise BadSettings(
                f"Programs can not be started as the system user {self.name}: {error.strerror}."
                " Start the hub as an ordinary user, or set HUB_DATABASE_USER."
            ) from error

    def reaches(self, path: Path) -> bool:
        """Whether this user may enter a folder, or run a program."""
        return self.run(["/bin/sh", "-c", 'test -x "$0"', path]).returncode == 0


def present() -> Account:
    """The user that this process runs as."""
    return _of_uid(os.geteuid(), switches=False)


def choose(folder: Path, wanted: str | None) -> Account:
    """Who runs the server: ourselves, but under root an unprivileged user.

    A data folder that exists already decides: its owner does.
    """
    if os.geteuid() != 0:
        return present()
    if folder.exists():
        return _of_uid(folder.stat().st_uid, switches=True)
    return _named(wanted)


def _of_uid(uid: int, *, switches: bool) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError as error:
        raise BadSettings(
            f"The system user {uid} has no name (no line in /etc/passwd), and PostgreSQL does not"
            " start without one. Give it a name, or set HUB_DATABASE_URL to a server."
        ) from error
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switches)


def _named(wanted: str | None) -> Account:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    names = [wanted] if wanted else CANDIDATES
    found = next((known[name] for name in names if name in known), None)
    if found is None or found.pw_uid == 0:
        raise BadSettings(
            f"Root needs an unprivileged system user to run the database: {' or '.join(names)}"
            " can not be that. Create one and set HUB_DATABASE_USER to its name."
        )
    return Account(found.pw_name, found.pw_uid, found.pw_gid, switches=True)
