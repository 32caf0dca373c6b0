"""People and documents for tests of what people are asked, and of what is attested of them."""

from datetime import UTC, datetime
from uuid import UUID

from hub import intake
from hub.audit import Act
from hub.consent import documents
from hub.consent.documents import Wording
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.intake import Incoming
from hub.records import AnyRecord, Customer, Identifier

PURPOSE = "email_marketing"
NAME, VERSION = "newsletter", "2025-09"
TEXT = "Я согласен получать рассылку <b>«Лес»</b>.\n"
GIVEN = datetime(2025, 9, 1, 12, tzinfo=UTC)


async def publish(database: Database, *, purpose: str = PURPOSE, name: str = NAME) -> None:
    """A document of one purpose, in Russian."""
    wording = Wording(name, VERSION, "ru", (purpose,), TEXT, controller="ООО «Лес»")
    by = Act("changed", "consent document", "command")
    async with database.transaction() as connection:
        await documents.publish(connection, wording, by=by)


def person(number: int, **said: object) -> Customer:
    mail = Identifier(type="email", value=f"person{number}@example.com")
    return Customer(external_id=str(number), identifiers=(mail,), **said)  # type: ignore[arg-type]


async def record(database: Database, *records: AnyRecord, source: str = "erp") -> None:
    batch = [Incoming(one, row) for row, one in enumerate(records, 1)]
    async with database.transaction() as connection:
        outcome = await intake.record(connection, batch, source=source, cause="api")
    assert not outcome.rejections


async def customer(connection: Connection, number: int, source: str = "erp") -> UUID:
    """The customer of a source's record."""
    return await connection.fetchval(
        "SELECT l.customer_id FROM identity_link l JOIN source_record r ON r.id = l.record_id"
        " JOIN source s ON s.id = r.source_id WHERE r.external_id = $1 AND r.type = 'customer'"
        " AND s.key = $2 AND l.unlinked_at IS NULL",
        str(number),
        source,
    )
