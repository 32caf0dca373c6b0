"""PostgreSQL's own programs for a backup: which ones fit a server, and how they find it.

A password never stands on a command line, where every user of the machine could read it. What the
programs complain of is told by code and name of a table only, for it may quote data.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from subprocess import run
from urllib.parse import parse_qs, unquote, urlsplit

from hub.db.embedded import binaries
from hub.errors import BadSettings

NEEDED = ("pg_dump", "pg_restore", "psql")
PACKAGED = Path("/usr/lib/postgresql")
"""Where Debian keeps those of each version."""
VERSION = re.compile(rb"\(PostgreSQL\) (\d+)")
PARAMETERS = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "passfile": "PGPASSFILE",
}
COMPLAINT = re.compile(r'(?:ERROR:\s+[0-9A-Z]{5}|error: [a-z ,]{3,60}|relation "[\w.]+")')


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder of programs, and the version of PostgreSQL that they are of."""

    folder: Path
    major: int

    def __getitem__(self, name: str) -> Path:
        return self.folder / name


def for_server(major: int, *, at_least: int = 0) -> Programs:
    """Those of the server's own version, else the newest that can talk to it and are `at_least` of
    that version. Raises BadSettings where there are none."""
    known = [programs for programs in _known() if programs.major >= max(major, at_least)]
    if not known:
        raise BadSettings(
            f"A backup of PostgreSQL {major} needs its programs ({', '.join(NEEDED)}) of version"
            f" {max(major, at_least)} or later: install postgresql-client-{max(major, at_least)}."
        )
    return min(known, key=lambda programs: programs.major)


def _known() -> Iterator[Programs]:
    for folder in _folders():
        if all((folder / name).exists() for name in NEEDED):
            said = run([folder / "pg_dump", "--version"], capture_output=True, check=False)  # noqa: S603
            if (found := VERSION.search(said.stdout)) is not None:
                yield Programs(folder, int(found[1]))


def _folders() -> Iterator[Path]:
    with contextlib.suppress(BadSettings):  # a hub with a server of its own does without
        yield binaries.found()
    yield from sorted(PACKAGED.glob("*/bin"))
    if (path := which("pg_dump")) is not None:
        yield Path(path).resolve().parent


def environment(url: str) -> Mapping[str, str]:
    """What tells a program where the database is, and who comes."""
    parts = urlsplit(url)
    pairs = [place.rpartition(":") for place in parts.netloc.rpartition("@")[2].split(",") if place]
    hosts = [host or port for host, _, port in pairs]
    ports = [port if host else "5432" for host, _, port in pairs]
    said = {
        "host": ",".join(host.strip("[]") for host in hosts),
        "port": ",".join(ports),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "dbname": unquote(parts.path.removeprefix("/")),
        **{name: values[-1] for name, values in parse_qs(parts.query).items()},
    }
    found = {
        PARAMETERS[name]: value for name, value in said.items() if name in PARAMETERS and value
    }
    usual = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(Path.home())}
    return {**usual, "PGCONNECT_TIMEOUT": "30", **found}


def complaint(said: bytes) -> str:
    """What a program that failed complained of, as far as it can be repeated."""
    found = dict.fromkeys(COMPLAINT.findall(said.decode(errors="replace")))
    return ", ".join(found) or "it ended without a word"
