"""Roles are data: what they give is what was set last, of words that exist."""

from dataclasses import replace

import pytest

from auth import roles, users
from auth.roles import Role
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadInput, NotFound
from tests.auth.people.colleagues import colleague

BUYER = Role("buyer", "Buyer", ["products:read", "orders:read"], ["analytics"], ["buyers"])


async def test_deployment_begins_with_six(connection: Connection) -> None:
    keys = [role.key for role in await roles.listed(connection)]
    assert keys == [
        "ad_operations",
        "administrator",
        "data_protection_officer",
        "integration_operator",
        "reader",
        "support",
    ]


async def test_shipped_roles_are_sound(connection: Connection) -> None:
    for role in await roles.listed(connection):
        assert await roles.save(connection, role) == role


async def test_role_is_made_and_changed(connection: Connection) -> None:
    assert await roles.named(connection, "buyer") is None
    assert await roles.save(connection, BUYER) == BUYER
    changed = replace(BUYER, scopes=["stores:read"], claims=[])
    await roles.save(connection, changed)
    assert await roles.named(connection, "buyer") == changed


async def test_claim_values_give_roles(connection: Connection) -> None:
    await roles.save(connection, BUYER)
    await roles.save(connection, replace(BUYER, key="seller", claims=["sellers", "staff"]))
    assert await roles.claimed(connection, ["staff", "buyers", "strangers"]) == ["buyer", "seller"]
    assert await roles.claimed(connection, []) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"key": "Buyer"}, "begins with a letter"),
        ({"key": "buyer\n"}, "begins with a letter"),
        ({"scopes": ["orders:steal"]}, "no scope orders:steal: choose from"),
        ({"purposes": ["fun"]}, "no purpose fun: choose from"),
        ({"purposes": ["data_subject_rights"]}, "needs the scope privacy:manage"),
    ],
)
async def test_unsound_role_is_refused(
    connection: Connection, wrong: dict[str, object], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        await roles.save(connection, replace(BUYER, **wrong))


async def test_person_has_all_their_roles_give(database: Database, connection: Connection) -> None:
    anna = await colleague(database, roles=["reader", "integration_operator"])
    await roles.save(connection, replace(BUYER, scopes=["audit:read"]))
    await connection.execute("""UPDATE "user" SET claimed_roles = '{buyer}'""")
    found = await users.rights(connection, anna.id)
    assert {"customers:read", "integrations:manage", "audit:read"} <= set(found.scopes)
    assert set(found.purposes) == {"customer_service", "analytics"}
    assert len(found.scopes) == len(set(found.scopes))


async def test_given_role_can_be_taken(database: Database, connection: Connection) -> None:
    anna = await colleague(database)
    assert (await users.give(connection, anna.name, ["reader", "support"])).roles == [
        "reader",
        "support",
    ]
    assert (await users.take(connection, anna.name, ["reader", "support"])).roles == []
    assert (await users.rights(connection, anna.id)).are_none


async def test_unknown_role_is_not_given(database: Database, connection: Connection) -> None:
    anna = await colleague(database)
    with pytest.raises(NotFound, match="no role queen: `hub role list`"):
        await users.give(connection, anna.name, ["reader", "queen"])
    assert (await users.of_id(connection, anna.id)).roles == ["support"]
