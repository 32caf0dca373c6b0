"""`hub user` and `hub role` as one types them."""

import json
import subprocess
from collections.abc import Callable, Mapping

import pytest
from pydantic import SecretStr

from auth import users
from auth.people import passwords, sessions
from auth.throttle import Throttle, account
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ANNA = "anna@example.com"
KEY = SecretStr("a" * 43)


@pytest.fixture
def given(database: Database) -> Mapping[str, str]:
    """Settings that name a database and a key."""
    return {"database_url": database.addresses.owner, "secret_key": KEY.get_secret_value()}


def test_first_administrator_has_a_password(hub: Run, given: Mapping[str, str]) -> None:
    assert "Nobody can log in yet" in hub("user", "list", **given).stdout
    done = hub("user", "invite", "admin", "--role", "administrator", "--password", **given)
    assert (done.returncode, len(done.stdout.strip())) == (0, 20)
    (listed,) = json.loads(hub("user", "list", "--json", **given).stdout)
    assert (listed["name"], listed["roles"]) == ("admin", ["administrator"])
    assert (listed["must_change"], "password" in listed) == (True, False)
    assert "first password" in hub("user", "list", **given).stdout


async def test_printed_password_is_the_one(
    hub: Run, given: Mapping[str, str], connection: Connection, database: Database
) -> None:
    hub("user", "invite", "admin", **given)
    throttle = Throttle(database, Keyring.of(Settings(secret_key=KEY)))
    await throttle.attempt(account("admin"))
    printed = hub("user", "password", "Admin", **given).stdout.strip()
    user, stored = await users.proving(connection, "admin")
    keeper = passwords.Passwords()
    assert await keeper.match(printed, stored)
    keeper.close()
    assert user is not None
    assert user.must_change
    assert await connection.fetchval("SELECT count(*) FROM throttle") == 0


def test_roles_are_given_and_taken(hub: Run, given: Mapping[str, str]) -> None:
    hub("user", "invite", ANNA, "--role", "reader,support", **given)
    done = hub("user", "role", ANNA, "--add", "ad_operations", "--remove", "reader", **given)
    assert done.stdout == "Roles: ad_operations, support.\n"
    done = hub("user", "role", ANNA, "--add", "queen", **given)
    assert (done.returncode, "hub role list" in done.stderr) == (1, True)


async def test_sessions_are_shown_and_ended(
    hub: Run, given: Mapping[str, str], connection: Connection
) -> None:
    hub("user", "invite", ANNA, **given)
    user = await users.named(connection, ANNA)
    for _ in range(2):
        await sessions.begin(connection, Keyring([b"k" * 32]), user.id)
    assert len(json.loads(hub("user", "sessions", ANNA, "--json", **given).stdout)) == 2
    assert "last seen at" in hub("user", "sessions", ANNA, **given).stdout
    assert hub("user", "end", ANNA, **given).returncode == 0
    assert hub("user", "sessions", ANNA, "--json", **given).stdout == "[]\n"


async def test_disabled_person_is_enabled_again(
    hub: Run, given: Mapping[str, str], connection: Connection
) -> None:
    hub("user", "invite", ANNA, **given)
    assert hub("user", "disable", ANNA.upper(), **given).returncode == 0
    assert (await users.named(connection, ANNA)).disabled_at is not None
    assert hub("user", "enable", ANNA, **given).returncode == 0
    assert (await users.named(connection, ANNA)).disabled_at is None


async def test_person_is_invited_by_subject(
    hub: Run, given: Mapping[str, str], connection: Connection
) -> None:
    assert "HUB_LOGIN_ISSUER" in hub("user", "invite", "x", "--subject", "42", **given).stderr
    issuer = {"login_issuer": "https://id.example.com", "login_client_id": "hub"}
    assert hub("user", "invite", "x", "--subject", "42", **given, **issuer).returncode == 0
    user = await users.named(connection, "x")
    assert (user.issuer, user.subject) == ("https://id.example.com", "42")


async def test_person_is_unlinked_and_removed(
    hub: Run, given: Mapping[str, str], connection: Connection
) -> None:
    await users.invite(connection, ANNA, issuer="https://id.example.com", subject="42")
    assert hub("user", "unlink", ANNA, **given).returncode == 0
    assert (await users.named(connection, ANNA)).subject is None
    assert hub("user", "remove", ANNA, **given).returncode == 0
    assert await users.listed(connection) == []


@pytest.mark.parametrize(
    "work",
    ["disable", "enable", "end", "password", "remove", "role", "sessions", "unlink"],
)
def test_missing_person_is_one_sentence(hub: Run, given: Mapping[str, str], work: str) -> None:
    done = hub("user", work, "nobody@example.com", **given)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "hub user list" in done.stderr
    assert "nobody@" not in done.stderr


def listed(hub: Run, given: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """The roles by key."""
    told = json.loads(hub("role", "list", "--json", **given).stdout)
    return {role["key"]: role for role in told}


def test_role_is_changed_in_parts(hub: Run, given: Mapping[str, str]) -> None:
    before = {
        role["key"]: role for role in json.loads(hub("role", "list", "--json", **given).stdout)
    }
    hub("role", "set", "support", "--claim", "Help, desk", "--claim", "staff", **given)
    done = hub("role", "set", "support", "--scope", "orders:read customers:read", **given)
    assert done.stdout == "support: 2 scopes, 1 purposes.\n"
    changed = {"scopes": ["orders:read", "customers:read"], "claims": ["Help, desk", "staff"]}
    assert listed(hub, given) == before | {"support": before["support"] | changed}
    hub("role", "set", "support", "--claim", "", **given)
    assert "Help" not in hub("role", "list", **given).stdout


def test_role_is_made(hub: Run, given: Mapping[str, str]) -> None:
    options = ("--title", "Buyer", "--scope", "orders:read", "--purpose", "analytics")
    assert hub("role", "set", "buyer", *options, **given).returncode == 0
    assert "buyer" in hub("role", "list", **given).stdout
    done = hub("role", "set", "buyer", "--scope", "orders:steal", **given)
    assert (done.returncode, "choose from" in done.stderr) == (1, True)
