"""A line to a vendor on this machine, with a key that nobody else may see."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from hub.db.engine import Database
from hub.net import Line, Signed, Target, Way
from hub.pace import Pace
from tests.vendor import HERE, Vendor, adapter, connected, vendor

SIGNATURE = "Bearer k-very-secret"
Lines = Callable[..., Line]


class Badge:
    """Credentials that are good, or get good by being renewed."""

    def __init__(self) -> None:
        self.renewals = 0

    async def headers(self, target: Target, way: Way) -> Signed:
        return Signed((("Authorization", SIGNATURE),), version=self.renewals)

    async def renew(self, target: Target, way: Way, *, stale: int) -> Signed:
        self.renewals += 1
        return await self.headers(target, way)


@pytest.fixture
async def there() -> AsyncGenerator[Vendor]:
    """A vendor that answers what it is told to."""
    async with vendor() as found:
        yield found


@pytest.fixture
async def elsewhere() -> AsyncGenerator[Vendor]:
    """A server that has no business with our credentials."""
    async with vendor() as found:
        yield found


@pytest.fixture
def badge() -> Badge:
    return Badge()


@pytest.fixture
async def lines(database: Database, there: Vendor, badge: Badge) -> AsyncGenerator[Lines]:
    """Makes lines to the vendor, with short pauses; closed at the end."""
    integration, made = await connected(database), list[Line]()

    def make(url: str = there.url, *, limits: Any = (), **options: Any) -> Line:
        known = {"networks": HERE, "pauses": (0.01, 0.01, 0.01)}
        line = {
            key: options.pop(key) for key in ("pauses", "resolve", "networks") if key in options
        }
        declared = adapter(**options)
        made.append(
            Line(
                Target(integration, declared, {"url": url, "source": "erp"}),
                credentials=badge,
                pace=Pace(database, integration, limits, deadline=declared.seconds),
                **{**known, **line},
            )
        )
        return made[-1]

    yield make
    for line in made:
        await line.close()
