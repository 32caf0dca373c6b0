"""Clients are registered with scopes and purposes that exist, under a name of their own."""

from collections.abc import Sequence

import pytest

from auth import clients
from auth.clients import EXCHANGE, Client, Terms
from hub.db.connection import Connection
from hub.errors import BadInput, Conflict, NotFound

BACK = "https://app.example.com/callback"
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


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        (Terms(auth_method="none", redirect_uris=["http://a.example/"]), "redirect URI"),
        (Terms(auth_method="none"), "go together"),
        (Terms(redirect_uris=[BACK], grant_types=["client_credentials"]), "go together"),
        (Terms(auth_method="none", grant_types=["client_credentials"]), "public client"),
        (Terms(grant_types=["password"]), "no grant type password"),
        (Terms(grant_types=[EXCHANGE]), "customers:exchange"),
        (Terms(auth_method="private_key_jwt"), "public keys"),
    ],
)
async def test_terms_that_make_no_sense_are_refused(
    connection: Connection, terms: Terms, sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        await clients.create(connection, "shop", scopes=READS, purposes=SERVICE, terms=terms)


@pytest.mark.parametrize(
    ("terms", "scopes", "grants"),
    [
        (Terms(), READS, ["client_credentials"]),
        (Terms(), ["customers:exchange"], ["client_credentials", EXCHANGE]),
        (
            Terms(redirect_uris=[BACK]),
            READS,
            ["client_credentials", "authorization_code", "refresh_token"],
        ),
        (
            Terms(auth_method="none", redirect_uris=[BACK]),
            ["customers:exchange"],
            ["authorization_code", "refresh_token"],
        ),
    ],
)
async def test_grants_fit_the_client(
    connection: Connection, terms: Terms, scopes: Sequence[str], grants: Sequence[str]
) -> None:
    made = await clients.create(connection, "shop", scopes=scopes, purposes=SERVICE, terms=terms)
    assert made.grant_types == grants


async def test_client_without_a_secret_gets_one(connection: Connection, client: Client) -> None:
    await connection.execute("UPDATE oauth_client SET grant_types = '{}'")
    await clients.rotate(connection, client.name, b"hash")
    assert (await clients.named(connection, client.name)).grant_types == ["client_credentials"]
    with pytest.raises(NotFound):
        await clients.rotate(connection, "nobody", b"hash")


async def test_name_is_no_id(connection: Connection) -> None:
    name = "01a20382-d9d9-74d0-aaa1-3ad8fc4a8b25"
    with pytest.raises(BadInput, match="like an id"):
        await clients.create(connection, name, scopes=READS, purposes=SERVICE)


async def test_enabled_client_is_active_again(connection: Connection, client: Client) -> None:
    await clients.disable(connection, client.name)
    await clients.enable(connection, client.name)
    assert await clients.active(connection, client.id) == client
    await connection.execute("UPDATE oauth_client SET expires_at = now()")
    assert await clients.active(connection, client.id) is None
