"""The same views and nothing left behind, behind a pooler in transaction mode."""

import asyncio
import contextlib
import json
import pwd
import random
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from hub.config import Settings
from hub.db import roles
from hub.db.addresses import Addresses
from hub.db.engine import Database
from schema.request import Request
from schema.scalars import global_id
from tests.conftest import Store
from tests.proofs.matrix import NOTHING, PURPOSES
from tests.proofs.pooler import PGBOUNCER, pooled
from tests.proofs.states import STATES, seen, token
from tests.shop import Shop, caller, customer_id, opened

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed: see .ci/peers"),
]
PEOPLE = "{ customers(first: 200) { nodes { id } } }"
RECORDED = """mutation { recordCustomers(input: {source: "shop", customers: [{externalId: "9"}]})
 { results { customer { id } } } }"""


@pytest.fixture
async def behind(everybody: Shop, settings: Settings, store: Store) -> AsyncGenerator[Shop]:
    """The shop with people in every state, read and written through the pooler."""
    found = everybody.database.addresses
    await let_in(store.admin)
    chosen = settings.model_copy(update={"database_statement_cache": False})
    with (
        tempfile.TemporaryDirectory() as first,
        tempfile.TemporaryDirectory() as second,
        pooled(found.reader or "", Path(first)) as reader,
        pooled(found.owner, Path(second)) as owner,
    ):
        through = Addresses(
            owner=_through(found.owner, owner),
            direct=_through(found.owner, owner),
            reader=_through(found.reader or "", reader),
        )
        async with asyncio.timeout(60):
            await asyncio.gather(answering(through.owner), answering(through.reader or ""))
        async with await Database.over(chosen, through) as database:
            yield await opened(database, chosen)


async def let_in(admin: str) -> None:
    """Let the user whom the pooler runs as be the hub's roles, on the embedded server of a test."""
    if "host=" in admin:
        connection = await asyncpg.connect(admin)
        _map_user(Path(await connection.fetchval("SHOW ident_file")))
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()


def _map_user(file: Path) -> None:
    name = pwd.getpwuid(file.stat().st_uid).pw_name
    lines = "".join(f'hub "{name}" {role}\n' for role in (roles.OWNER, roles.READER))
    if lines not in (before := file.read_text()):
        file.write_text(before + lines)


async def answering(url: str) -> None:
    """Wait for the server to know who may come in."""
    while True:
        with contextlib.suppress(asyncpg.PostgresError):
            return await (await asyncpg.connect(url, statement_cache_size=0)).close()
        await asyncio.sleep(0.1)


def _through(url: str, address: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}@{address}", query="").geturl()


async def people(shop: Shop, purpose: str) -> set[str]:
    answer = await shop.ask(PEOPLE, purpose=purpose)
    return {node["id"] for node in json.loads(answer.body)["data"]["customers"]["nodes"]}


async def test_many_purposes_share_two_connections(behind: Shop) -> None:
    """Each request sees whom its purpose sees, whoever had the connection before; writes, which
    step into the reader's role on theirs, leave nothing on it either."""
    ids = {s: global_id("Customer", await customer_id(behind.database.owner, s)) for s in STATES}
    chance = random.Random(6)

    async def ask(purpose: str) -> None:
        found = await people(behind, purpose)
        assert found & {*ids.values()} == {ids[state] for state in seen(purpose, NOTHING)}, purpose

    async def write() -> None:
        answer = await behind.engine.answer(Request(query=RECORDED), caller("customer_service"))
        assert b"errors" not in answer.body

    work = [ask(purpose) for purpose in PURPOSES for _ in range(20)]
    work += [write() for _ in range(20)]
    chance.shuffle(work)
    await asyncio.gather(*work)
    assert await behind.database.owner.fetchval("SELECT current_user = session_user")


async def test_a_withdrawal_is_obeyed_by_the_next_answer(behind: Shop) -> None:
    who = await customer_id(behind.database.owner, "granted")
    assert global_id("Customer", who) in await people(behind, "email_marketing")
    await behind.database.owner.execute("UPDATE customer SET refused = 8 WHERE id = $1", who)
    for _ in range(10):
        assert global_id("Customer", who) not in await people(behind, "email_marketing")


async def test_the_reader_is_the_reader(behind: Shop) -> None:
    for _ in range(10):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await behind.database.reader.fetch("SELECT * FROM public.customer")
    rows = await behind.database.reader.fetch("SELECT c::text FROM for_ads_audiences.customer c")
    assert {s for s in STATES if token(s) in str(rows)} == seen("ads_audiences", NOTHING)
