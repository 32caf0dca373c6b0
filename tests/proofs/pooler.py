"""A real pooler in front of the tests' database, which lends a server connection for one
transaction at a time; nothing that is left on one can be relied upon."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
CONFIGURATION = """
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {servers}
max_client_conn = 200
server_reset_query =
server_login_retry = 0.1
ignore_startup_parameters = extra_float_digits, plan_cache_mode
logfile = {folder}/log
"""
SERVERS = 2
"""Connections to the server for each role: everybody else waits, and gets whichever is free."""


@contextlib.contextmanager
def pooled(url: str, folder: Path) -> Generator[str]:
    """A pooler before the server of an address; gives what to put for host and port."""
    assert PGBOUNCER is not None
    parts, port = urlsplit(url), _free_port()
    host = parse_qs(parts.query).get("host", [parts.hostname])[0]
    password = f" password={parts.password}" if parts.password else ""
    given = f"host={host} port={parts.port or 5432}{password}"
    names = {"server": given, "port": port, "folder": folder, "servers": SERVERS}
    (folder / "users").write_text(f'"{parts.username}" "{parts.password or ""}"\n')
    (folder / "ini").write_text(CONFIGURATION.format(**names))
    user, group = _somebody(host)
    for path in (folder, *folder.iterdir()):
        os.chown(path, user, group)
    command = [PGBOUNCER, "-q", str(folder / "ini")]
    with subprocess.Popen(command, user=user, group=group) as process:
        try:
            _wait(port)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


def _somebody(host: str | None) -> tuple[int, int]:
    """Who may reach the server; for root, which no pooler wants to be, who runs it."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    found = os.stat(host) if host is not None and host.startswith("/") else None
    nobody = pwd.getpwnam("nobody")
    return (found.st_uid, found.st_gid) if found else (nobody.pw_uid, nobody.pw_gid)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise TimeoutError("The pooler does not answer.")
