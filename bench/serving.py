"""A server under measurement: a process on a core of its own, with what it costs."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from bench import processes, wrk
from bench.installation import COMMAND
from bench.wrk import Asked, Load

SERVERS_CORE, OTHERS_CORE = (0, 1) if (os.cpu_count() or 1) > 1 else (None, None)
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Cost:
    """A load, and the CPU seconds of the server's process and of PostgreSQL that it took."""

    load: Load
    hub: float
    server: float

    @property
    def rate(self) -> float:
        return self.load.rate


class Served:
    """One server over a data folder: `with Served("hub", data_dir) as served`.

    `unnoted` is the hub, which does not audit what is read.
    """

    def __init__(
        self, kind: str, data_dir: Path, *, core: int | None = None, workers: int = 1
    ) -> None:
        self.kind = kind
        self.port = _free_port()
        self._core = core
        self._workers = workers
        self._data_dir = data_dir

    def __enter__(self) -> Self:
        with processes.on_core(self._core):
            self._process = subprocess.Popen(
                self._command(),
                env=self._environment(),
                stdout=subprocess.DEVNULL,
            )
        self._wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def ask(self, asked: Asked, headers: Mapping[str, str]) -> Any:
        """The answer, decoded, without what is said about it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(asked.method, asked.path, asked.body, dict(headers))
            answer = connection.getresponse()
            told = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200 or "errors" in told:
            raise RuntimeError(f"{self.kind} answered {answer.status}: {told}")
        return told["data"]

    def load(self, script: Path, seconds: int, *, connections: int = wrk.CONNECTIONS) -> Cost:
        """Keep it busy, and see what that takes."""
        hub, server = self.spent()
        load = wrk.run(
            f"http://127.0.0.1:{self.port}",
            script,
            seconds=seconds,
            core=OTHERS_CORE,
            connections=connections,
        )
        if load.failed:
            raise RuntimeError(f"{self.kind} failed {load.failed} of {load.requests} requests")
        hub_after, server_after = self.spent()
        return Cost(load, hub_after - hub, server_after - server)

    def spent(self) -> tuple[float, float]:
        """CPU seconds so far, of the processes and of PostgreSQL."""
        running = psutil.Process(self._process.pid)
        own = sum(processes.seconds(p.pid) for p in [running, *running.children(recursive=True)])
        return own, processes.server_seconds(self._data_dir)

    def _environment(self) -> Mapping[str, str]:
        noting = {"HUB_AUDIT_READS": str(self.kind != "unnoted").lower()}
        return {**os.environ, "HUB_DATA_DIR": str(self._data_dir), **noting}

    def _command(self) -> list[str]:
        port = ["--port", str(self.port)]
        if self.kind in ("hub", "unnoted"):
            return [str(COMMAND), "serve", *port, "--workers", str(self._workers)]
        return [
            sys.executable,
            "-m",
            "bench.routes",
            self.kind,
            "--data-dir",
            str(self._data_dir),
            *port,
        ]

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while True:
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"The server {self.kind} did not come up.")
            with socket.socket() as probe:
                # The port is taken long before anybody answers, so that does not say enough.
                if probe.connect_ex(("127.0.0.1", self.port)) == 0 and self._answers():
                    return
            time.sleep(0.1)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            return False
        else:
            return True
        finally:
            connection.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
