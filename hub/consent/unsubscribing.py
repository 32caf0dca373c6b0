"""One click on the link of a mail: that purpose never again to that mailbox."""

from dataclasses import dataclass
from typing import Literal

import asyncpg

from hub import audit, clock
from hub.audit import PERSON, Act
from hub.consent.links import Leaving, Links
from hub.db.connection import Connection
from hub.intake import Defaults, direct
from hub.intake.direct import Statement
from hub.records import Identifier

METHOD = "unsubscribe link"

TITLE = "SELECT title FROM purpose WHERE key = $1"
WHOSE = """
SELECT l.customer_id, v.type, v.value, (i.refused >> p.bit) & 1 = 1 AS is_refused
  FROM identity_link l
  JOIN customer c ON c.id = l.customer_id AND c.status = 'active'
  JOIN identifier_value v ON v.id = $2
  JOIN purpose p ON p.key = $3 AND p.retired_at IS NULL
  LEFT JOIN identifier i
    ON i.record_id = l.record_id AND i.type = v.type AND i.value = v.value
 WHERE l.record_id = $1 AND l.unlinked_at IS NULL
 ORDER BY is_refused DESC NULLS LAST LIMIT 1
"""
HOLDERS = """
SELECT i.customer_id, v.type, v.value, bool_or((i.refused >> p.bit) & 1 = 1) AS is_refused
  FROM identifier_value v
  JOIN identifier i ON i.type = v.type AND i.value = v.value
  JOIN customer c ON c.id = i.customer_id AND c.status = 'active'
  JOIN purpose p ON p.key = $2 AND p.retired_at IS NULL
 WHERE v.id = $1 GROUP BY i.customer_id, v.type, v.value ORDER BY i.customer_id
"""


@dataclass(frozen=True, slots=True)
class Left:
    """The purpose that was left, or could be."""

    title: str
    state: Literal["open", "done"]


async def offered(connection: Connection, links: Links, token: str) -> Left | None:
    """What a link is for; None if it is none of ours."""
    leaving = links.opened(token)
    return None if leaving is None else Left(await _title(connection, leaving), "open")


async def leave(
    connection: Connection, links: Links, token: str, *, defaults: Defaults
) -> Left | None:
    """Refuse the purpose for the contact point; again changes nothing. None as above.

    Where the record that was written to is nobody's any more, it is refused for all who hold the
    contact point. Of somebody who is erased nothing is left to refuse for, and of a purpose that is
    retired nobody is written to any more.
    """
    leaving = links.opened(token)
    if leaving is None:
        return None
    point, purpose = leaving.contact_point_id, leaving.purpose
    people = await connection.fetch(WHOSE, leaving.record_id, point, purpose)
    for row in people or await connection.fetch(HOLDERS, point, purpose):
        if not row["is_refused"]:
            await _refuse(connection, row, purpose, defaults=defaults)
    return Left(await _title(connection, leaving), "done")


async def _refuse(
    connection: Connection, row: asyncpg.Record, purpose: str, *, defaults: Defaults
) -> None:
    statement = Statement(
        purpose=purpose,
        state="withdrawn",
        given_at=clock.now(),
        contact_point=Identifier(type=row["type"], value=row["value"]),
        method=METHOD,
    )
    whose = row["customer_id"]
    await direct.declare(connection, whose, statement, by=PERSON, defaults=defaults)
    act = Act("changed", "unsubscribe", PERSON, purpose)
    await audit.draft(connection, audit.each(act, [whose]))


async def _title(connection: Connection, leaving: Leaving) -> str:
    return await connection.fetchval(TITLE, leaving.purpose) or ""
