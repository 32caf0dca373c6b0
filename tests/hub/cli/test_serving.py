"""`hub serve` as a person starts and ends it."""

import asyncio
import os
import re
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

COMMAND = [sys.executable, "-m", "hub", "serve", "--port", "0"]
CLIENT = [sys.executable, "-m", "hub", "client"]
ADDRESS = re.compile(r"The hub serves at (http://127\.0\.0\.1:\d+);")


@asynccontextmanager
async def serving(data_dir: Path, *options: str) -> AsyncGenerator[tuple[Process, str]]:
    """The command at work, and its address."""
    env = os.environ | {"HUB_DATA_DIR": str(data_dir)}
    process = await asyncio.create_subprocess_exec(*COMMAND, *options, env=env, stderr=PIPE)
    assert process.stderr is not None
    try:
        said = await asyncio.wait_for(process.stderr.readline(), 60)
        found = ADDRESS.match(said.decode())
        assert found, said
        yield process, found[1]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def token(data_dir: Path) -> str:
    env = os.environ | {"HUB_DATA_DIR": str(data_dir)}
    given = ["create", "shop", "--scope", "customers:read", "--purpose", "customer_service"]
    for words in (given, ["token", "shop"]):
        process = await asyncio.create_subprocess_exec(*CLIENT, *words, env=env, stdout=PIPE)
        out, _ = await process.communicate()
    return out.decode().strip()


async def ready(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz", timeout=90)  # a new database is made meanwhile
    assert answer.json() == {"state": "ready"}


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "code"), [("1", 128 + signal.SIGTERM), ("2", 0)])
async def test_hub_serves_until_told(data_dir: Path, workers: str, code: int) -> None:
    async with (
        serving(data_dir, "--workers", workers) as (process, address),
        httpx.AsyncClient(base_url=address) as client,
    ):
        await ready(client)
        client.headers["authorization"] = f"Bearer {await token(data_dir)}"
        answer = await client.post("/graphql", json={"query": "{ __typename }"})
        assert answer.json()["data"] == {"__typename": "Query"}
        events, hang = (
            {"accept": "text/event-stream"},
            "subscription { customerChanged { __typename } }",
        )
        async with client.stream("POST", "/graphql", json={"query": hang}, headers=events):
            began = time.monotonic()
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 30) == code
    assert time.monotonic() - began < 8


async def test_taken_port_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = await asyncio.create_subprocess_exec(
            *COMMAND[:-1], port, env=os.environ | {"HUB_DATA_DIR": str(tmp_path)}, stderr=PIPE
        )
        _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().startswith(f"hub: The hub can not listen on port {port} of 127.0.0.1:")


async def test_failed_start_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with serving(tmp_path / "file") as (process, _):
        assert process.stderr is not None
        said = (await asyncio.wait_for(process.stderr.read(), 60)).decode()
        assert await process.wait() == 3
    assert "file can not be used" in said
    assert "Traceback" not in said
