"""A real trytond on loopback with SQLite: a database prepared once, then copied and started."""

import base64
import fcntl
import gzip
import http.client
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DATABASE = "hub"
USER = "admin"
PASSWORD = "only-for-tests-on-loopback"  # noqa: S105  # of a server that lives for a minute
START_SECONDS = 120.0
ZIPPED = b"\x1f\x8b"
CONFIGURATION = """[database]
uri = sqlite://
path = {folder}
[web]
listen = 127.0.0.1:{port}
root = {folder}/nothing
"""


class RpcFault(Exception):
    """An answer that was not a result: the status, and the error or the page."""

    def __init__(self, status: int, error: Any) -> None:
        super().__init__(f"{status} {error!r}"[:600])
        self.status = status
        self.error = error


@dataclass(frozen=True)
class Told:
    """An answer as it came; names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(gzip.decompress(self.body) if self.body[:2] == ZIPPED else self.body)


@dataclass
class Client:
    """Somebody who speaks JSON-RPC with a Tryton, real or pretended."""

    url: str
    password: str
    user: str = USER
    database: str = DATABASE
    context: dict[str, Any] = field(default_factory=dict[str, Any])
    session: str = ""

    @property
    def path(self) -> str:
        return f"/{self.database}/rpc/"

    def model(self, model: str, method: str, *params: Any, **context: Any) -> Any:
        return self.call(f"model.{model}.{method}", *params, {**self.context, **context})

    def call(self, method: str, *params: Any) -> Any:
        told = self.ask(self.path, {"id": 1, "method": method, "params": [*params]})
        if told.status != 200:
            raise RpcFault(told.status, told.body.decode())
        if "error" in told.json:
            raise RpcFault(200, told.json["error"])
        return told.json["result"]

    def login(self) -> None:
        """A session: HTTP Basic works too, but pays the password's hash (0.1 s) at every call."""
        user, token, _ = self.call("common.db.login", self.user, {"password": self.password}, "en")
        word = f"{self.user}:{user}:{token}".encode()
        self.session = "Session " + base64.b64encode(word).decode()

    def ask(
        self,
        path: str,
        body: Any,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "POST",
    ) -> Told:
        """Anything at all. Without gzip every longer answer says that it is zipped and is not."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        heads = {"Content-Type": "application/json", "Accept-Encoding": "gzip"}
        if self.session:
            heads["Authorization"] = self.session
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=120)
        with closing(connection):
            connection.request(method, path, data, {**heads, **(headers or {})})
            answer = connection.getresponse()
            heads = {name.lower(): value for name, value in answer.headers.items()}
            return Told(answer.status, heads, answer.read())


@dataclass
class Server:
    """A running trytond and its folder."""

    client: Client
    process: "subprocess.Popen[bytes]"
    folder: Path

    def restart(self) -> None:
        """Again on the same port and file, as after a crash; an old session lives on."""
        stop(self.process)
        self.process = _started(self.folder, self.client.url)
        _wait(self.client, self.process, self.folder)


def prepared() -> Path:
    """A database with the modules in it and no records. Making it takes half a minute, so the first
    who wants it makes it and the file stays in the environment, under the versions' name."""
    name = f"trytond-{version('trytond')}-sale-{version('trytond-sale')}"
    folder = Path(sys.prefix) / name
    folder.mkdir(exist_ok=True)
    ready = folder / f"{DATABASE}.sqlite"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            _prepare(folder / "making").replace(ready)
    return ready


def _prepare(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)  # of one that was killed over it
    folder.mkdir()
    database = folder / f"{DATABASE}.sqlite"
    database.write_bytes(b"")
    (folder / "password").write_text(PASSWORD)
    words = ["-c", _configured(folder, 1), "-d", DATABASE, "-u", "sale"]
    words += ["--activate-dependencies", "--email", "admin@example.com"]
    environment = _environment() | {"TRYTONPASSFILE": str(folder / "password")}
    subprocess.run(
        _command("trytond-admin", words), check=True, env=environment, capture_output=True
    )
    with sqlite3.connect(database) as written:
        written.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    written.close()
    return database


def _environment() -> dict[str, str]:
    """trytond takes any setting from TRYTOND_…"""
    return {key: value for key, value in os.environ.items() if not key.startswith("TRYTON")}


def _configured(folder: Path, port: int) -> str:
    path = folder / "trytond.conf"
    path.write_text(CONFIGURATION.format(folder=folder, port=port))
    return str(path)


def _command(name: str, words: Sequence[str]) -> list[str]:
    return [sys.executable, str(Path(sys.executable).parent / name), *words]


def copied(source: Path, target: Path) -> None:
    """SQLite's own copy: trytond writes ahead, and a plain copy of the file may miss the log."""
    read, write = sqlite3.connect(source), sqlite3.connect(target)
    with write:
        read.backup(write)
    read.close()
    write.close()


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A trytond of its own on a copy of the prepared database; ended at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    copied(prepared(), folder / f"{DATABASE}.sqlite")
    url = f"http://127.0.0.1:{free_port()}"
    client = Client(url, PASSWORD)
    server = Server(client, _started(folder, url), folder)
    try:
        _wait(client, server.process, folder)
        yield server
    finally:
        stop(server.process)


def _started(folder: Path, url: str) -> "subprocess.Popen[bytes]":
    configuration = _configured(folder, int(url.rsplit(":", 1)[1]))
    # -d loads the modules before it listens: the first answer is as fast as the others
    command = _command("trytond", ["-c", configuration, "-d", DATABASE])
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=_environment())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(client: Client, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    limit = time.monotonic() + START_SECONDS
    while True:
        try:
            client.login()
            return
        except OSError:  # nobody listens yet
            if process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError((folder / "log").read_text()[-2000:]) from None
            time.sleep(0.05)


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()  # not SIGINT: a parent in the background passes on that it is ignored
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
