"""People who take things back after a backup, and what has to be the same when it is restored."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from hub import clock
from hub.config import Settings
from hub.db import roles
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.intake import Incoming, direct, record
from hub.intake.direct import Statement
from hub.journal.keeping import Keeper
from hub.privacy import erasing, restricting
from hub.records import Consent, Customer, Identifier, Person
from hub.relay import Relay
from tests.conftest import Store
from tests.events import running

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEFAULTS = direct.Defaults()
PURPOSES = ("email_marketing", "profiling", "partner_sharing")


def mail(number: int) -> Identifier:
    return Identifier(type="email", value=f"person{number}@example.com")


def granted(number: int, purpose: str) -> Consent:
    return Consent(
        external_id=f"{number}-{purpose}",
        customer=Person(external_id=f"c{number}"),
        purpose=purpose,
        state="granted",
        given_at=NOON,
        method="form",
    )


async def arrive(database: Database, numbers: Sequence[int]) -> dict[int, UUID]:
    """People of a CRM who agreed to everything; their customers by number."""
    people = [
        Customer(external_id=f"c{n}", given_name=f"Given{n}", identifiers=(mail(n),))
        for n in numbers
    ]
    consents = [granted(n, purpose) for n in numbers for purpose in PURPOSES]
    batch = [Incoming(said, row) for row, said in enumerate([*people, *consents], 1)]
    await database.retrying(lambda c: record(c, batch, source="crm", cause="sync"))
    rows = await database.owner.fetch(
        "SELECT r.external_id, l.customer_id FROM source_record r"
        "  JOIN identity_link l ON l.record_id = r.id AND l.unlinked_at IS NULL"
        "  JOIN source s ON s.id = r.source_id WHERE s.key = 'crm' AND r.type = 'customer'"
    )
    known = {int(row["external_id"][1:]): row["customer_id"] for row in rows}
    return {number: known[number] for number in numbers}


async def say(database: Database, customer: UUID, purpose: str, **said: Any) -> None:
    """Somebody tells the hub itself what they take back."""
    statement = Statement(
        **{"purpose": purpose, "state": "withdrawn", "given_at": clock.now(), **said}
    )
    await database.retrying(
        lambda c: direct.declare(c, customer, statement, by="person", defaults=DEFAULTS)
    )


async def report(database: Database, number: int, purpose: str) -> None:
    """The CRM says that somebody refuses now."""
    said = Consent(
        external_id=f"{number}-{purpose}",
        customer=Person(external_id=f"c{number}"),
        purpose=purpose,
        state="denied",
        given_at=NOON + timedelta(days=1),
    )
    await database.retrying(lambda c: record(c, [Incoming(said, 1)], source="crm", cause="sync"))


async def restrict(database: Database, customer: UUID) -> None:
    await database.retrying(lambda c: restricting.restrict(c, customer, by="command"))


async def lift(database: Database, customer: UUID) -> None:
    await database.retrying(lambda c: restricting.lift(c, customer, by="command"))


async def erase(database: Database, customer: UUID) -> UUID:
    """Erase somebody; returns the request."""
    request = clock.new_id()
    await erasing.erase(database, request, customer_id=customer, erased_at=clock.now())
    return request


async def journaled(database: Database, folder: Path) -> None:
    """Number all events, and write the journal up to the last."""
    async with running(Relay(database).run(), Keeper(database, folder).run()):
        while not await is_journaled(database):
            await asyncio.sleep(0.02)


async def is_journaled(database: Database) -> bool:
    return await database.owner.fetchval(
        "SELECT NOT EXISTS (SELECT FROM event WHERE position IS NULL)"
        "   AND (SELECT t.position FROM journal_timeline t JOIN release r ON r.timeline_id = t.id)"
        "       = (SELECT coalesce(max(position), 0) FROM event)"
    )


@contextlib.asynccontextmanager
async def emptied(store: Store, settings: Settings) -> AsyncGenerator[Database]:
    """A database of one's own with nothing in it, as for a restore."""
    name = f"hub_restored_{secrets.token_hex(4)}"
    await store.create(name)
    async with await Database.over(settings, store.addresses(name)) as database:
        for statement in roles.enclosure(await database.owner.fetchval("SELECT current_user")):
            await database.owner.execute(statement)
        yield database
    await store.drop(name)


async def standing(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All that says who agreed to what, and who may not come back."""
    asked = {
        "customers": "SELECT id, status, granted, narrowed, refused, granted_until,"
        " restricted_at IS NOT NULL, erased_at IS NOT NULL FROM customer ORDER BY id",
        "states": "SELECT customer_id, purpose, state, until FROM consent_state ORDER BY 1, 2",
        "contacts": "SELECT customer_id, type, value, granted, refused FROM identifier"
        " WHERE type <> 'external' ORDER BY 1, 2, 3",
        "suppressed": "SELECT hash, kind, request_id, erased_at FROM suppression ORDER BY 1",
        "entries": "SELECT record_id, purpose, state, given_at, contact_point_id, channel"
        " FROM consent_entry WHERE superseded_at IS NULL AND state <> 'granted' ORDER BY 1, 2, 4",
    }
    found = {name: await connection.fetch(sql) for name, sql in asked.items()}
    return {name: [tuple(row) for row in rows] for name, rows in found.items()}
