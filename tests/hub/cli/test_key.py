"""`hub key` as one types it."""

import json
import subprocess
from collections.abc import Callable, Mapping

import pytest

from auth.tokens import Tokens
from hub.db.engine import Database

Run = Callable[..., "subprocess.CompletedProcess[str]"]
OPTIONS = ("--scope", "customers:read", "--purpose", "customer_service")


@pytest.fixture
def given(database: Database) -> Mapping[str, str]:
    """Settings that name a database and a key."""
    return {"database_url": database.addresses.owner, "secret_key": "a" * 43}


async def test_rotation_breaks_no_token(
    hub: Run, given: Mapping[str, str], database: Database
) -> None:
    hub("client", "create", "shop", *OPTIONS, **given)
    token = hub("client", "token", "shop", **given).stdout.strip()
    kid = hub("key", "rotate", **given).stdout.strip()
    assert (await Tokens(database).principal(token)).name == "shop"
    new, old = json.loads(hub("key", "list", "--json", **given).stdout)
    assert (new["id"], new["needed_until"]) == (kid, None)
    assert old["needed_until"] > old["created_at"]
    assert "signs" in hub("key", "list", **given).stdout


def test_no_key_is_one_sentence(hub: Run, given: Mapping[str, str]) -> None:
    assert "first token makes one" in hub("key", "list", **given).stdout


async def test_older_key_goes_when_nothing_needs_it(
    hub: Run, given: Mapping[str, str], database: Database
) -> None:
    secret = hub("client", "create", "shop", *OPTIONS, **given)
    assert secret.returncode == 0
    hub("client", "token", "shop", **given)
    both = {**given, "secret_key": f"{'b' * 42}A,{'a' * 43}"}
    checked = json.loads(hub("key", "reseal", "--check", "--json", **both).stdout)
    assert {need["table"] for need in checked["needs"]} == {"oauth_client", "signing_key"}
    done = hub("key", "reseal", **both)
    assert "Sealed anew: 1 values." in done.stdout
    assert "to come: shop" in done.stdout
    assert "have to stay" in done.stdout
    hub("client", "rotate", "shop", **both)
    told = json.loads(hub("key", "reseal", "--json", **both).stdout)
    assert [need["until"] is not None for need in told["needs"]] == [True]
    assert told["may_go_at"] is not None
    await database.owner.execute("UPDATE oauth_client SET old_secret_until = now()")
    assert "take them away" in hub("key", "reseal", **both).stdout
    alone = {**given, "secret_key": f"{'b' * 42}A"}
    assert hub("client", "token", "shop", **alone).returncode == 0
