"""The client of the page GraphiQL is there where the page is shown, with what people could have."""

from collections.abc import Sequence

import pytest

from auth import clients, graphiql
from auth.clients import GRAPHIQL, Client
from auth.scopes import SCOPES
from hub.config import Settings
from hub.db.connection import Connection
from hub.errors import BadInput


async def settled(connection: Connection, **settings: object) -> Sequence[Client]:
    """The clients after a start with these settings."""
    await graphiql.settle(connection, Settings.model_validate(settings))
    return await clients.listed(connection)


async def test_page_has_a_client_of_its_own(connection: Connection) -> None:
    (page,) = await settled(connection)
    assert (page.name, page.auth_method, page.is_own) == (GRAPHIQL, "none", True)
    assert page.redirect_uris == ["http://127.0.0.1:8000/graphiql/"]
    assert page.grant_types == ["authorization_code", "refresh_token"]
    assert set(SCOPES) - set(page.scopes) == {"privacy:self", "customers:exchange"}
    assert page.purposes[0] == "customer_service"
    assert len(page.purposes) == 10


async def test_page_that_is_off_has_none(connection: Connection) -> None:
    await settled(connection)
    assert await settled(connection, graphiql=False) == []
    assert await settled(connection, host="0.0.0.0") == []  # noqa: S104 - nothing listens here


async def test_client_follows_the_page(connection: Connection) -> None:
    (before,) = await settled(connection)
    await connection.execute("UPDATE purpose SET retired_at = now() WHERE key = 'analytics'")
    (after,) = await settled(connection, base_url="https://hub.example.com/deep")
    assert after.id == before.id
    assert after.redirect_uris == ["https://hub.example.com/deep/graphiql/"]
    assert "analytics" not in after.purposes


async def test_disabled_client_stays_so(connection: Connection) -> None:
    await settled(connection)
    await clients.disable(connection, GRAPHIQL)
    (page,) = await settled(connection)
    assert page.disabled_at is not None


async def test_name_of_the_page_is_taken(connection: Connection) -> None:
    with pytest.raises(BadInput, match="own page"):
        await clients.create(
            connection, GRAPHIQL, scopes=["customers:read"], purposes=["analytics"]
        )


@pytest.mark.parametrize("wanted", [True, False])
async def test_client_of_somebody_else_is_left_alone(connection: Connection, wanted: bool) -> None:
    given = ("shop", ["customers:read"], ["analytics"])
    await clients.create(connection, given[0], scopes=given[1], purposes=given[2])
    await connection.execute("UPDATE oauth_client SET name = $1", GRAPHIQL)
    (theirs,) = await settled(connection, graphiql=wanted)
    assert (theirs.is_own, theirs.scopes) == (False, given[1])
