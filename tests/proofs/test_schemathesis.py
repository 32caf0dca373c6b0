"""What schemathesis makes of the schema is answered or refused, but never a fault of the server."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from auth import clients, tokens
from auth.scopes import SCOPES
from auth.tokens import Tokens
from hub.config import Settings
from hub.crypto import Keyring
from hub.web.figures import Figures
from schema import sdl
from tests.proofs.conftest import Tell
from tests.serving import doors
from tests.shop import Shop

CASES = 1_000
FAULTS = ("INTERNAL_SERVER_ERROR", "DATABASE_UNREACHABLE", "TIMEOUT")
PURPOSE = "data_subject_rights"

schemathesis.graphql.scalar("DateTime", st.datetimes().map(lambda at: nodes.String(f"{at}Z")))
schemathesis.graphql.scalar("Date", st.dates().map(nodes.String))
schemathesis.graphql.scalar("Decimal", st.decimals(-(10**9), 10**9).map(nodes.String))
schemathesis.graphql.scalar("JSON", st.one_of(st.integers().map(nodes.Int), st.just(nodes.Null)))

cases = schemathesis.graphql.from_file(sdl.text()).as_strategy()
thousand = effort(
    max_examples=CASES,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


async def token(shop: Shop, settings: Settings) -> str:
    """Of a client with all scopes."""
    async with shop.database.transaction() as connection:
        client = await clients.create(connection, "fuzz", scopes=list(SCOPES), purposes=[PURPOSE])
        return await tokens.issue(
            connection, Keyring([b"k" * 32]), client, base_url=settings.base_url
        )


@pytest.mark.slow
async def test_server_never_fails(shop: Shop, settings: Settings, tell: Tell) -> None:
    site = doors(settings, shop.engine, Tokens(shop.database), Figures())
    counts: dict[str, int] = {}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(site),
        base_url="http://localhost",
        headers={"authorization": f"Bearer {await token(shop, settings)}"},
    ) as client:
        for query in drawn():
            answer = await client.post("/graphql", json={"query": query})
            end = _end(answer)
            counts[end] = counts.get(end, 0) + 1
            assert answer.status_code < 500, answer.text
            assert end not in FAULTS, query
    tell(f"{sum(counts.values())} cases: {counts}")
    assert sum(counts.values()) >= CASES
    assert "UNAUTHENTICATED" not in counts


def drawn() -> list[str]:
    """Documents for every query and mutation, as schemathesis comes upon them."""
    found: list[str] = []

    @thousand
    @given(case=cases)
    def draw(case: Any) -> None:
        found.append(case.body)

    draw()
    return found


def _end(answer: httpx.Response) -> str:
    errors = answer.json().get("errors")
    return errors[0]["extensions"]["code"] if errors else "answered"
