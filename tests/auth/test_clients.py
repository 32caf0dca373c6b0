"""Clients are registered with scopes and purposes that exist, under a name of their own."""

from collections.abc import Sequence

import pytest

from auth import clients
from auth.clients import Client
from hub.db.connection import Connection
from hub.errors import BadInput, Conflict, NotFound

READS = ["customers:read"]
SERVICE = ["customer_service"]


async def test_client_is_what_was_given(connection: Connection) -> None:
    purposes = ["customer_service", "analytics", "customer_service"]
    made = await clients.create(connection, "касса-1", scopes=READS * 2, purposes=purposes)
    assert await clients.named(connection, "касса-1") == made
    assert await clients.listed(connection) == [made]
    assert (made.scopes, made.purposes) == (READS, ["customer_service", "analytics"])


async def test_taken_name_is_a_conflict(connection: Connection, client: Client) -> None:
    with pytest.raises(Conflict, match="storefront already"):
        await clients.create(connection, client.name, scopes=READS, purposes=SERVICE)
    assert len(await clients.listed(connection)) == 1


@pytest.mark.parametrize(
    ("scopes", "purposes", "sentence"),
    [
        (["customers:reed", "a"], SERVICE, r"no scope a, customers:reed: .*customers:read.*admin"),
        (READS, ["service"], r"no purpose service: .*customer_service"),
        ([], SERVICE, r"needs a scope: choose"),
        (READS, [], r"needs a purpose: choose"),
        (READS, ["data_subject_rights"], r"needs a scope privacy:manage"),
    ],
)
async def test_unknown_words_are_refused(
    connection: Connection, scopes: Sequence[str], purposes: Sequence[str], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        await clients.create(connection, "shop", scopes=scopes, purposes=purposes)
    assert await clients.listed(connection) == []


@pytest.mark.parametrize("name", ["", "-shop", "a b", "a" * 81, "shop\n", "\x00", "a;DROP"])
async def test_odd_names_are_refused(connection: Connection, name: str) -> None:
    with pytest.raises(BadInput, match="name"):
        await clients.create(connection, name, scopes=READS, purposes=SERVICE)


async def test_rights_purpose_goes_with_privacy_scope(connection: Connection) -> None:
    scopes, purposes = ["privacy:manage"], ["data_subject_rights"]
    made = await clients.create(connection, "officer", scopes=scopes, purposes=purposes)
    assert made.purposes == purposes


async def test_retired_purpose_is_unknown(connection: Connection) -> None:
    await connection.execute("UPDATE purpose SET retired_at = now() WHERE key = 'analytics'")
    with pytest.raises(BadInput, match="no purpose analytics"):
        await clients.create(connection, "shop", scopes=READS, purposes=["analytics"])


async def test_disabled_client_is_not_active(connection: Connection, client: Client) -> None:
    assert await clients.active(connection, client.id) == client
    await clients.disable(connection, client.name)
    first = await clients.named(connection, client.name)
    await clients.disable(connection, client.name)
    assert await clients.active(connection, client.id) is None
    assert (await clients.named(connection, client.name)).disabled_at == first.disabled_at


async def test_removed_name_is_free_again(connection: Connection, client: Client) -> None:
    await clients.remove(connection, client.name)
    made = await clients.create(connection, client.name, scopes=READS, purposes=SERVICE)
    assert made.id != client.id
    assert await clients.active(connection, client.id) is None


async def test_missing_client_is_not_found(connection: Connection) -> None:
    for work in (clients.named, clients.disable, clients.remove):
        with pytest.raises(NotFound, match="hub client list"):
            await work(connection, "nobody")
