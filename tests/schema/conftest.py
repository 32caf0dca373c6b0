"""The doors of GraphQL before a small real engine."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from hub.config import Settings
from hub.web.figures import Figures
from hub.web.site import Site
from tests.schema.toy import ToyEngine, ToyTokens
from tests.serving import doors, served
from tests.shop import filled as filled
from tests.shop import shop as shop

BEARER = {"authorization": "Bearer good"}


@pytest.fixture
def toy() -> ToyEngine:
    return ToyEngine()


@pytest.fixture
def figures() -> Figures:
    return Figures()


@pytest.fixture
def toy_tokens() -> ToyTokens:
    return ToyTokens()


@pytest.fixture
def toy_site(settings: Settings, toy: ToyEngine, toy_tokens: ToyTokens, figures: Figures) -> Site:
    return doors(settings, toy, toy_tokens, figures)


@pytest.fixture
async def client(toy_site: Site) -> AsyncGenerator[httpx.AsyncClient]:
    """A client with a token, before the doors in this process."""
    transport = httpx.ASGITransport(toy_site)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers=BEARER
    ) as client:
        yield client


@pytest.fixture
async def address(toy_site: Site, settings: Settings) -> AsyncGenerator[str]:
    """The doors on a real port."""
    async with served(toy_site, settings) as address:
        yield address
