"""Connected systems for tests: two integrations, runs of all kinds, and what was rejected."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub.adapter import (
    Adapter,
    Call,
    Key,
    Never,
    Privacy,
    Reconcile,
    Setting,
    Stream,
)
from hub.clock import new_id
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.integrations import add
from hub.records import Customer, Order

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _nowhere(*_: Any) -> Call:
    return Call(path="/")


def stream(key: str, kind: Any, **more: Any) -> Stream:
    """A stream that nobody asks."""
    said: dict[str, Any] = {
        "title": key.title(),
        "ask": _nowhere,
        "map": lambda *_: None,
        "fields": ("id", "name"),
        "cursor": None,
        "deletions": Reconcile(),
    }
    return Stream(key=key, kind=kind, **{**said, **more})


ERP = Adapter(
    key="erp",
    title="Plain ERP",
    family="erp",
    docs="https://erp.example.com/docs",
    settings=(
        Setting(
            key="url",
            title="Address",
            help="such as https://erp.example.com",
            pattern="https?://.+",
        ),
        Setting(key="user", title="User", default="hub"),
        Setting(key="password", title="Password", secret=True),
    ),
    base="{url}",
    auth=Key(form="{password}"),
    check=_nowhere,
    streams=(stream("customers", Customer), stream("orders", Order, deletions=Never("They stay."))),
    privacy=Privacy(holds=("identity",), by_hand="Delete them there."),
)
GIVEN = {"url": "https://erp.example.com", "password": "secret"}

RUN = """
INSERT INTO sync_run (id, integration_id, mode, streams, state, stream, counts, requested_by,
                      created_at, started_at, finished_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'schedule', clock_timestamp(), $8, $9)
"""
STATE = """
INSERT INTO stream_state (integration_id, stream, since, place, read_at)
VALUES ($1, 'orders', NULL, '{"after": "17"}', NULL), ($1, 'customers', $2, NULL, $2)
"""
REJECTED = """
INSERT INTO rejected_record
       (source_id, sync_run_id, stream, external_id, field, reason, resolved_at)
VALUES ($1, $2, 'customers', '7', 'name', 'is no text', NULL),
       ($1, $2, 'orders', '9', '', 'has no id', now()),
       ($1, NULL, NULL, NULL, 'email', 'of a file', NULL)
"""


async def connect(connection: Connection, name: str = "office") -> UUID:
    return (await add(connection, name, ERP, GIVEN)).id


async def run(connection: Connection, integration: UUID, state: str, **said: Any) -> UUID:
    """A run in a state."""
    words = {"mode": "full", "streams": [], "stream": "", "counts": b"{}", **said}
    ended = None if state in ("queued", "running") else NOON
    id_ = new_id()
    columns = (words["mode"], words["streams"], state, words["stream"], words["counts"])
    await connection.execute(RUN, id_, integration, *columns, NOON, ended)
    return id_


async def connect_all(database: Database) -> None:
    """`office` with a bit of everything, `works` with nothing."""
    async with database.transaction() as connection:
        office = await connect(connection)
        await connect(connection, "works")
        counts = b'{"orders": {"read": 3, "created": 2, "rejected": 1}}'
        first = await run(connection, office, "done", streams=["orders"], counts=counts)
        await run(connection, office, "running", mode="incremental", stream="orders")
        await connection.execute(STATE, office, NOON)
        query = "SELECT source_id FROM integration WHERE id = $1"
        source = await connection.fetchval(query, office)
        await connection.execute(REJECTED, source, first)
