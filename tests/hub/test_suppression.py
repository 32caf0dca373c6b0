"""The key of the suppressions, and what they are made of."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import SecretStr

from hub import suppression
from hub.clock import new_id
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.identifiers import Contact

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = b"k" * 32
REQUEST = """
INSERT INTO privacy_request (id, kind, customer_id, requested_by, received_at, due_at)
VALUES ($1, 'erasure', $1, 'command', now(), now())
"""


async def test_key_is_made_once(connection: Connection) -> None:
    first = await suppression.ensure_key(connection)
    assert first == await suppression.ensure_key(connection)
    (row,) = await connection.fetch("SELECT name, sealed FROM sealed_key")
    assert row["name"] == "suppression"
    assert first not in row["sealed"]


async def test_key_outlives_the_secret_key(database: Database, settings: Settings) -> None:
    async with database.transaction() as connection:
        key = await suppression.ensure_key(connection)
    old = (settings.data_dir / "secret.key").read_text().strip()
    both = f"{secrets.token_urlsafe(32)},{old}"
    changed = settings.model_copy(update={"secret_key": SecretStr(both)})
    async with (
        await Database.over(changed, database.addresses) as again,
        again.transaction() as connection,
    ):
        assert await suppression.ensure_key(connection) == key
        resealed = Keyring.of(changed).seal(key, place=suppression.PLACE)
        assert suppression.opened(connection, resealed.data) == key


def test_words_do_not_run_together() -> None:
    made = {
        suppression.of_record(KEY, "crm", "customer", "1"),
        suppression.of_record(KEY, "crm", "customer1", ""),
        suppression.of_record(KEY, "crmcustomer", "", "1"),
        suppression.of_identifier(KEY, Contact("email", "crm")),
        suppression.of_record(b"l" * 32, "crm", "customer", "1"),
    }
    assert len(made) == 5


async def test_later_erasure_suppresses_again(connection: Connection) -> None:
    await suppression.ensure_key(connection)
    first, second = await _request(connection), await _request(connection)
    await suppression.enter(connection, first, NOON, [(b"h", "email")])
    await suppression.lift(connection, first, "order", by="command")
    assert await suppression.standing(connection, [b"h"]) == {}
    await suppression.enter(connection, first, NOON, [(b"h", "email")])
    assert await suppression.standing(connection, [b"h"]) == {}, "the same again"
    later = NOON + timedelta(days=1)
    await suppression.enter(connection, second, later, [(b"h", "email")])
    found = await suppression.standing(connection, [b"h"])
    assert found == {b"h": suppression.Standing("email", second, later)}


async def _request(connection: Connection) -> UUID:
    id_ = new_id()
    await connection.execute(REQUEST, id_)
    return id_


async def test_lift_is_in_the_audit_once(connection: Connection) -> None:
    request = await _request(connection)
    await suppression.enter(connection, request, NOON, [(b"h", "phone"), (b"i", "order")])
    await suppression.lift(connection, request, "consent", by="client:shop")
    await suppression.lift(connection, request, "order", by="client:shop")
    (draft,) = await connection.fetch("SELECT action, actor, detail FROM audit_draft")
    assert tuple(draft) == ("lift suppression", "client:shop", f"request {request}: consent")
    assert list(await suppression.standing(connection, [b"h", b"i"])) == [b"i"]
