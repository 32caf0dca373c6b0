"""Embedded servers that a test may start, kill and spoil."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from hub.config import Settings
from hub.db.embedded import EmbeddedServer

Hub = Callable[[Path], "subprocess.Popen[str]"]

HUB = """
import sys
from pathlib import Path
from hub.db.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
server.ensure()
print("up", flush=True)
sys.stdin.read()
server.release()
print("down", flush=True)
"""


@pytest.fixture
def disk() -> Generator[Callable[[str], Path]]:
    """Mounts a disk of its own, with the mount options given; only root on Linux can."""
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="hub-disk-", dir="/tmp"))
        command = ["mount", "-t", "tmpfs", "-o", f"mode=711,{options}", "tmpfs", folder]
        if subprocess.run(command, capture_output=True).returncode:
            folder.rmdir()
            pytest.skip("disks can not be mounted here")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        if (folder / "postgres").exists():
            EmbeddedServer(folder).stop(force=True)
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


@pytest.fixture
def server(data_dir: Path) -> Generator[EmbeddedServer]:
    """A hub's hold on its server, which is not running yet."""
    server = EmbeddedServer(data_dir)
    yield server
    server.release()


@pytest.fixture
def own_settings(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, database_retry_seconds=30)


@pytest.fixture
def hub() -> Generator[Hub]:
    """Starts a hub: another process that holds the embedded server until its input ends."""
    started: list[subprocess.Popen[str]] = []

    def start(data_dir: Path) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", HUB, str(data_dir)]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def postmaster(data_dir: Path) -> Callable[[], int]:
    """Tells the process number of the running server."""
    return lambda: int((data_dir / "postgres/postmaster.pid").read_text().split()[0])


@pytest.fixture
def kill(postmaster: Callable[[], int]) -> Callable[[], None]:
    """Ends the server as a power cut would."""
    return lambda: os.kill(postmaster(), signal.SIGKILL)
