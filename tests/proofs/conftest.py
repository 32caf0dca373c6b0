"""What the slow proofs share: an installation of the hub, used through its command line."""

from collections.abc import Callable, Generator
from contextlib import ExitStack

import pytest

from bench import store
from bench.installation import Installation
from tests.proofs.states import everybody as everybody
from tests.shop import filled as filled
from tests.shop import shop as shop

Install = Callable[..., Installation]
Tell = Callable[[str], None]


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Shows what a proof measured, also when it succeeds."""

    def show(text: str) -> None:
        with capsys.disabled():
            print(f"\n  {text}", end="", flush=True)  # noqa: T201 - it is for whoever waits

    return show


@pytest.fixture
def install() -> Generator[Install]:
    """Makes installations, migrated and empty; settings as for the environment."""
    with ExitStack() as stack:

        def make(**settings: str) -> Installation:
            made = Installation(stack.enter_context(store.folder()), **settings)
            made.run("migrate")
            return made

        yield make
