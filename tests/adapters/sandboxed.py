"""The sandbox as a process of its own, as everybody but its own tests meets it."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
TOKEN = "only-for-tests-in-the-sandbox"  # noqa: S105  # of a process that lives for a test


@dataclass
class Sandbox:
    """A running sandbox; `url` is where its vendors and its control are."""

    module: str
    folder: Path
    url: str = ""
    vendors: Sequence[str] = ()
    process: "subprocess.Popen[str] | None" = None

    def control(self, vendor: str, what: str, said: Any = None, *, method: str = "GET") -> Any:
        """A word with the sandbox itself."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        with closing(connection):
            body = None if said is None else json.dumps(said)
            heads = {"Authorization": f"Bearer {TOKEN}"}
            connection.request(method, f"/sandbox/{vendor}/{what}", body, heads)
            answer = connection.getresponse()
            told = answer.read()
        assert answer.status == 200, told
        return json.loads(told)

    def trouble(self, vendor: str, *troubles: dict[str, Any]) -> None:
        self.control(vendor, "trouble", [*troubles], method="PUT")

    def arrivals(self, vendor: str) -> list[dict[str, Any]]:
        return self.control(vendor, "arrivals")

    def put(
        self, vendor: str, model: str, *rows: dict[str, Any], at: int | None = None
    ) -> list[int]:
        said = {"model": model, "put": [*rows], "at": at}
        return self.control(vendor, "rows", said, method="POST")["ids"]

    def delete(self, vendor: str, model: str, *ids: int) -> None:
        self.control(vendor, "rows", {"model": model, "delete": [*ids]}, method="POST")

    def rows(self, vendor: str, model: str) -> list[dict[str, Any]]:
        return self.control(vendor, f"rows?model={model}")

    def empty(self) -> None:
        """As if it had just been made."""
        for vendor in self.vendors:
            self.control(vendor, "rows", method="DELETE")

    def start(self, port: int = 0) -> None:
        words = ["--folder", self.folder, "--port", str(port), "--token-file", self._token()]
        process = subprocess.Popen(
            [sys.executable, "-m", self.module, *words], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert process.stdout is not None
        with process.stdout:
            told = json.loads(process.stdout.readline())
        self.process, self.url, self.vendors = process, told["url"], told["vendors"]

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def restart(self) -> None:
        """Again on the same port and books, as after a crash."""
        self.start(int(self.url.rpartition(":")[2]))

    def end(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def _token(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "token"
        path.write_text(TOKEN)
        return path


@contextmanager
def running(folder: Path, module: str = "adapters.sandbox") -> Iterator[Sandbox]:
    sandbox = Sandbox(module, folder)
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.end()
