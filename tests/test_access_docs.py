"""The page on who may ask: its lines are run, in order, on a real hub with the shop in it."""

import asyncio
import json
import os
import re
import shutil
import sys
import tomllib
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auth import roles
from hub.config import Settings
from hub.db.connection import Connection
from tests.peers.hub import Hub, begun
from tests.shop import Shop
from tests.shop import filled as filled
from tests.shop import shop as shop

TEXT = (Path(__file__).parents[1] / "docs" / "access.md").read_text(encoding="utf-8")
HERE = "http://127.0.0.1:8000"
FENCE = re.compile(r"```sh\n(?P<lines>.+?)```(?:\n\n```json\n(?P<answer>.+?)```)?", re.DOTALL)
BLOCKS = [(found["lines"], found["answer"]) for found in FENCE.finditer(TEXT)]
END = "\x1e"
"""What the script says after each block."""
ANYTHING = "…"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's lines need curl")
async def test_lines_of_the_page_work(shop: Shop, settings: Settings) -> None:
    async with begun(shop.database, settings) as hub:
        said = await run("".join(f"{lines}\nprintf '{END}'\n" for lines, _ in BLOCKS), hub)
    assert len(said) == len(BLOCKS)
    for words, (lines, answer) in zip(said, BLOCKS, strict=True):
        if answer is not None:
            found = json.loads(words)
            found.pop("extensions", None)
            assert found == like(found, json.loads(answer)), lines


async def run(script: str, hub: Hub) -> list[str]:
    """What each block printed; a line that fails ends it."""
    words = ["bash", "-euo", "pipefail", "-c", script.replace(HERE, hub.url)]
    process = await asyncio.create_subprocess_exec(
        *words, env=environment(hub.settings), stdout=PIPE, stderr=PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 900)
    assert process.returncode == 0, f"{out.decode()[-500:]}\n{err.decode()[-2000:]}"
    return out.decode().split(END)[:-1]


def environment(settings: Settings) -> Mapping[str, str]:
    """A shell of whoever operates this hub."""
    secrets = ("database_url", "database_reader_url", "secret_key")
    ours = {name: getattr(settings, name).get_secret_value() for name in secrets}
    ours |= {"base_url": settings.base_url, "data_dir": str(settings.data_dir)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return (
        os.environ | {f"HUB_{name.upper()}": value for name, value in ours.items()} | {"PATH": path}
    )


def like(found: Any, told: Any) -> Any:
    """What the page tells, with what was found where it leaves that open."""
    if told == ANYTHING:
        return found
    if isinstance(told, dict) and isinstance(found, dict):
        return {key: like(found.get(key), value) for key, value in told.items()}
    return told


def test_settings_of_the_page_are_settings() -> None:
    (told,) = re.findall(r"```toml\n(.+?)```", TEXT, re.DOTALL)
    assert Settings.model_validate(tomllib.loads(told)).login_role_claim == "groups"


async def test_roles_of_the_page_are_those(connection: Connection) -> None:
    table = TEXT.partition("<!-- roles -->")[2].partition("<!-- end -->")[0]
    told = re.findall(r"^\| `(\w+)`", table, re.MULTILINE)
    assert sorted(told) == [role.key for role in await roles.listed(connection)]
