"""`hub client` as one types it."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

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


async def test_secret_is_printed_once(
    hub: Run, given: Mapping[str, str], database: Database
) -> None:
    done = hub("client", "create", "shop", *OPTIONS, "--json", **given)
    told = json.loads(done.stdout)
    assert len(told["client_secret"]) >= 43
    row = await database.owner.fetchrow("SELECT * FROM oauth_client")
    assert row is not None
    assert str(row["id"]) == told["client_id"]
    assert told["client_secret"].encode() not in row["secret_hash"]
    assert told["client_secret"] not in hub("client", "list", "--json", **given).stdout


async def test_rotated_secret_overlaps(
    hub: Run, given: Mapping[str, str], database: Database
) -> None:
    hub("client", "create", "shop", *OPTIONS, **given)
    before = await database.owner.fetchrow("SELECT * FROM oauth_client")
    done = hub("client", "rotate", "shop", "--overlap", "1", **given)
    after = await database.owner.fetchrow("SELECT * FROM oauth_client")
    assert before is not None
    assert after is not None
    assert len(done.stdout.strip()) >= 43
    assert after["old_secret_hash"] == before["secret_hash"] != after["secret_hash"]
    assert "counts for 1 hours" in done.stderr


def test_public_client_has_no_secret(hub: Run, given: Mapping[str, str]) -> None:
    uri = "https://app.example.com/callback"
    options = (*OPTIONS, "--public", "--redirect-uri", uri, "--expires", "2100-01-31")
    done = hub("client", "create", "app", *options, "--title", "The app", "--own", **given)
    assert (done.returncode, "secret" in done.stdout) == (0, False)
    (listed,) = json.loads(hub("client", "list", "--json", **given).stdout)
    assert (listed["auth_method"], listed["redirect_uris"]) == ("none", [uri])
    assert (listed["title"], listed["is_own"]) == ("The app", True)
    assert listed["expires_at"] == "2100-02-01T00:00:00Z"
    done = hub("client", "rotate", "app", **given)
    assert (done.returncode, "without a secret" in done.stderr) == (1, True)


def test_keys_of_a_client_are_registered(
    hub: Run, given: Mapping[str, str], tmp_path: Path
) -> None:
    key, file = ECKey.generate_key("P-256"), tmp_path / "keys.json"
    file.write_text(json.dumps(key.as_dict(private=False)))
    done = hub("client", "create", "erp", *OPTIONS, "--jwks", str(file), **given)
    assert (done.returncode, "secret" in done.stdout) == (0, False)
    file.write_text(json.dumps(key.as_dict(private=True)))
    done = hub("client", "create", "crm", *OPTIONS, "--jwks", str(file), **given)
    assert (done.returncode, "private halves" in done.stderr) == (1, True)


def test_client_is_disabled_and_enabled(hub: Run, given: Mapping[str, str]) -> None:
    hub("client", "create", "shop", *OPTIONS, **given)
    hub("client", "disable", "shop", **given)
    assert "disabled" in hub("client", "list", **given).stdout
    assert hub("client", "token", "shop", **given).returncode == 1
    hub("client", "enable", "shop", **given)
    assert "customers:read, orders:read" in hub("client", "show", "shop", **given).stdout
    assert hub("client", "token", "shop", **given).returncode == 0
