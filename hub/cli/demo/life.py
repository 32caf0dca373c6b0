"""A demo from its first to its last moment: vendors, database, records, interface; then the end."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hub import clock
from hub.app import App, opened
from hub.cli import run, tell
from hub.cli.demo import access, books, front, seeding, telling
from hub.cli.demo.books import Contents
from hub.cli.demo.crew import Crew
from hub.cli.demo.place import Place
from hub.cli.demo.retail import Retail, Size
from hub.cli.demo.telling import Teller
from hub.config import Settings
from hub.errors import BadSettings, Conflict
from hub.web import server

PORT = 8000
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ending:
    """How a demo is told to end: by a signal, which cancels its task. Later ones add nothing."""

    def __init__(self) -> None:
        self.was_ready = False
        self._told: int | None = None

    def listen(self) -> None:
        """Hear signals for the running task."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def hear(number: int) -> None:
            if self._told is None and task is not None:
                self._told = number
                tell("The demo ends.")
                task.cancel()

        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                loop.add_signal_handler(number, hear, number)

    @property
    def code(self) -> int:
        """The exit code: one that was ready has done what it was started for."""
        return 0 if self._told is None or self.was_ready else 128 + self._told


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo is made with."""

    settings: Settings
    place: Place
    contents: Contents
    tell: Teller
    ending: Ending


def start(
    settings: Settings, place: Place, size: Size | None, *, port: int | None, is_shown: bool
) -> None:
    """Make everything ready and, if it is to be shown, show it until the end."""
    teller, listener = Teller(), _listener(settings, port) if is_shown else None
    demo = Demo(settings, place, _contents(place, size, teller), teller, Ending())
    try:
        run(_show(demo, listener) if listener else _seed(demo))
    except asyncio.CancelledError:
        if demo.ending.code:
            raise SystemExit(demo.ending.code) from None
    tell(f"What it made is in {place.data_dir}; the next start goes on with it.")


def _contents(place: Place, size: Size | None, teller: Teller) -> Contents:
    """What the vendors have: as an earlier demo left it, or written now."""
    found = books.read(place.books)
    if found is None:
        chosen = size or "default"
        teller("The vendors' books are written: a supermarket's sales, and its invented people")
        found = books.write(place.books, Retail(chosen, _yesterday()), chosen)
    elif size not in (None, found.size):
        raise Conflict(
            f"In {place.data_dir} is a demo of another size ({found.size}): remove the folder, or"
            " set HUB_DATA_DIR to another one."
        )
    teller(str(found))
    return found


def _yesterday() -> date:
    return clock.now().date() - timedelta(days=1)


def _listener(settings: Settings, port: int | None) -> socket.socket:
    """The port that was asked for; else the usual one, or any where that is taken."""
    if port is None and "port" in settings.model_fields_set:
        port = settings.port
    if port is not None:
        return server.bound(settings.model_copy(update={"port": port}))
    try:
        return server.bound(settings.model_copy(update={"port": PORT}))
    except BadSettings:
        return server.bound(settings.model_copy(update={"port": 0}))


async def _seed(demo: Demo) -> None:
    demo.ending.listen()
    async with _seeded(demo, demo.settings):
        pass


async def _show(demo: Demo, listener: socket.socket) -> None:
    demo.ending.listen()
    settings = demo.settings.model_copy(update={"base_url": server.address(listener)})
    async with contextlib.AsyncExitStack() as stack:
        app, crew = await stack.enter_async_context(_seeded(demo, settings))
        await stack.enter_async_context(crew.worker())
        running = await stack.enter_async_context(front.serving(settings, listener))
        given = await access.given(app, demo.place)
        await stack.enter_async_context(access.renewed(given, demo.place))
        facts = await given.facts()
        telling.show(demo.place, facts)
        demo.ending.was_ready = True
        stack.enter_context(demo.place.told(facts))  # last: whoever waits for it finds all there
        await asyncio.shield(running)


@contextlib.asynccontextmanager
async def _seeded(demo: Demo, settings: Settings) -> AsyncGenerator[tuple[App, Crew]]:
    """The demo's hub with all its records, and the vendors that they came from."""
    place = demo.place
    crew = Crew(settings, place.folder)
    async with (
        crew.sandbox(place.books, place.password) as address,
        opened(settings, progress=demo.tell) as app,
    ):
        await seeding.connect(app, await address(), place.password.read_text())
        await _together(
            seeding.read_all(app, demo.contents, demo.tell),
            seeding.bring_in_consents(crew, place, demo.tell),
        )
        yield app, crew


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """Do these beside each other; the first error ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
