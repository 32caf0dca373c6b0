"""`hub client` as one types it."""

import json
import subprocess
from collections.abc import Callable, Mapping

import pytest

from auth.tokens import Tokens
from hub.db.engine import Database

Run = Callable[..., "subprocess.CompletedProcess[str]"]
KEY = "a" * 43
OPTIONS = ("--scope", "customers:read, orders:read", "--purpose", "customer_service")


@pytest.fixture
def given(database: Database) -> Mapping[str, str]:
    """Settings that name a database and a key."""
    return {"database_url": database.addresses.owner, "secret_key": KEY}


async def test_token_is_all_that_is_printed(
    hub: Run, given: Mapping[str, str], database: Database
) -> None:
    assert hub("client", "create", "shop", *OPTIONS, **given).returncode == 0
    done = hub("client", "token", "shop", "--minutes", "60", **given)
    principal = await Tokens(database).principal(done.stdout.removesuffix("\n"))
    assert (principal.name, principal.purposes) == ("shop", ("customer_service",))
    assert principal.scopes == {"customers:read", "orders:read"}


def test_client_is_listed_until_removed(hub: Run, given: Mapping[str, str]) -> None:
    assert "no clients yet" in hub("client", "list", **given).stdout
    hub("client", "create", "shop", *OPTIONS, **given)
    (listed,) = json.loads(hub("client", "list", "--json", **given).stdout)
    assert (listed["name"], listed["disabled_at"]) == ("shop", None)
    assert "customers:read" in hub("client", "list", **given).stdout
    assert hub("client", "remove", "shop", **given).returncode == 0
    assert hub("client", "list", "--json", **given).stdout == "[]\n"


def test_unknown_scope_is_refused_with_the_known(hub: Run, given: Mapping[str, str]) -> None:
    options = ("--scope", "everything:read", "--purpose", "analytics")
    done = hub("client", "create", "shop", *options, **given)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("hub: There is no scope everything:read: choose from customers:")


@pytest.mark.parametrize("work", ["token", "remove"])
def test_missing_client_is_one_sentence(hub: Run, given: Mapping[str, str], work: str) -> None:
    done = hub("client", work, "nobody", **given)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "hub client list" in done.stderr


def test_token_needs_a_key_on_a_server(hub: Run, given: Mapping[str, str]) -> None:
    hub("client", "create", "shop", *OPTIONS, **given)
    done = hub("client", "token", "shop", database_url=given["database_url"])
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "HUB_SECRET_KEY" in done.stderr


def test_life_has_an_end(hub: Run, given: Mapping[str, str]) -> None:
    done = hub("client", "token", "shop", "--minutes", "61", **given)
    assert (done.returncode, "1<=x<=60" in done.stderr) == (2, True)
