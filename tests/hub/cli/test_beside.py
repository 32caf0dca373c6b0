"""What runs beside the requests of a server begins anew, whatever ends it."""

import asyncio
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from hub.cli import serving


async def test_work_that_failed_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "AGAIN_SECONDS", 0.01)
    begun: list[int] = []

    async def work() -> NoReturn:
        begun.append(1)
        if len(begun) < 3:
            raise ZeroDivisionError
        await asyncio.Future()
        raise AssertionError

    with capture_logs() as lines:
        async with serving.beside([work]), asyncio.timeout(60):
            while len(begun) < 3:
                await asyncio.sleep(0.01)
    assert [(line["log_level"], line["kind"]) for line in lines] == [
        ("error", "ZeroDivisionError"),
        ("error", "ZeroDivisionError"),
    ]
