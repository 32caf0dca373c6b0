"""`hub migrate`, `hub doctor`, `hub stop` as one types them."""

import json
import secrets
import subprocess
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path

import pytest

from hub.db import revision
from hub.db.embedded import EmbeddedServer
from hub.db.engine import Database
from tests.adapters.installed import installed
from tests.conftest import Store
from tests.hub.cli import forked

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
async def urls(store: Store) -> AsyncGenerator[Mapping[str, str]]:
    """Settings that name a database on a server, with nothing in it yet."""
    name = f"hub_test_{secrets.token_hex(4)}"
    await store.create(name)
    found = store.addresses(name)
    yield {"database_url": found.owner, "database_reader_url": found.reader or ""}
    await store.drop(name)


def test_migrate_twice_is_harmless(hub: Run, urls: Mapping[str, str]) -> None:
    assert hub("migrate", **urls).stdout == f"The database is at revision {revision.HEAD}.\n"
    again = hub("migrate", **urls)
    assert again.stdout.endswith(f"revision {revision.HEAD}, before {revision.HEAD}.\n")


async def test_newer_schema_is_refused(hub: Run, database: Database) -> None:
    await database.owner.execute("UPDATE alembic_version SET version_num = 'later'")
    done = hub("migrate", database_url=database.addresses.owner)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("hub: The database is at revision later, which a newer release")


def test_doctor_fails_before_migrating(hub: Run, urls: Mapping[str, str]) -> None:
    done = hub("doctor", **urls)
    assert done.returncode == 1
    assert "FAIL  schema" in done.stdout
    assert "hub migrate\n" in done.stdout


def test_doctor_speaks_json(hub: Run, database: Database) -> None:
    found = database.addresses
    done = hub("doctor", "--json", database_url=found.owner, database_reader_url=found.reader)
    assert done.returncode == 0
    assert {finding["state"] for finding in json.loads(done.stdout)} == {"ok"}


def test_doctor_names_adapters_that_do_not_load(database: Database, tmp_path: Path) -> None:
    found = database.addresses
    variables = {"HUB_DATABASE_URL": found.owner, "HUB_DATABASE_READER_URL": found.reader or ""}
    assert "All that are installed load: odoo, tryton." in forked.run(["doctor"], variables).stdout
    with installed(tmp_path, {"theirs": "broken:ADAPTER"}):
        done = forked.run(["doctor", "--json"], variables)
    (finding,) = [one for one in json.loads(done.stdout) if one["subject"] == "adapters"]
    assert (done.returncode, finding["state"]) == (0, "warn")
    assert finding["message"].startswith("theirs can not be used: broken:ADAPTER does not load")


def test_embedded_store_passes(hub: Run, data_dir: Path) -> None:
    assert hub("migrate", data_dir=data_dir).returncode == 0
    done = hub("doctor", data_dir=data_dir)
    assert (done.returncode, "FAIL" in done.stdout, "warn" in done.stdout) == (0, False, False)
    assert not (data_dir / "postgres/postmaster.pid").exists()


def test_stop_without_server_says_so(hub: Run, data_dir: Path) -> None:
    assert hub("stop", data_dir=data_dir).stdout == "It was not running.\n"


def test_stop_is_refused_while_in_use(hub: Run, data_dir: Path) -> None:
    server = EmbeddedServer(data_dir)
    server.ensure()
    refused = hub("stop", data_dir=data_dir)
    assert (refused.returncode, "--force" in refused.stderr) == (1, True)
    assert hub("stop", "--force", data_dir=data_dir).stdout == "Stopped.\n"
    server.release()
