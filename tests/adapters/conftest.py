"""Pretend vendors: one process of each sandbox for the whole run, empty for each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.adapters import sandboxed
from tests.adapters.sandboxed import Sandbox

Emptied = Callable[[str], Sandbox]


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emptied]:
    """Sandboxes by the module that they are, started when they are first wanted."""
    with ExitStack() as stack:

        @cache
        def running(module: str) -> Sandbox:
            folder = tmp_path_factory.mktemp(module)
            return stack.enter_context(sandboxed.running(folder, module))

        yield running


@pytest.fixture
def emptied(processes: Emptied) -> Emptied:
    """The same, as if it had just been made."""

    def found(module: str) -> Sandbox:
        sandbox = processes(module)
        sandbox.empty()
        return sandbox

    return found


@pytest.fixture
def sandbox(emptied: Emptied) -> Sandbox:
    return emptied("adapters.sandbox")
