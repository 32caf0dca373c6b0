"""Objection (GDPR, article 21): a refusal in the ledger, of one purpose or of all that may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from uuid import UUID

from hub import clock
from hub.db.connection import Connection
from hub.errors import RejectedRecord
from hub.intake import Defaults, direct
from hub.intake.direct import Statement
from hub.privacy import requests
from hub.privacy.requests import Request

FINISH = """
UPDATE privacy_request SET state = 'done', started_at = now(), finished_at = now(), records = $2
 WHERE id = $1
"""
BASIS = "SELECT basis FROM purpose WHERE key = $1 AND retired_at IS NULL"
OPEN_TO_OBJECTION = ("legitimate_interest", "consent")
OBJECTIONABLE = """
SELECT key FROM purpose
 WHERE retired_at IS NULL
   AND (basis = 'legitimate_interest' OR basis = 'consent' AND 'contact' = ANY (may_return))
 ORDER BY bit
"""
"""What rests on the retailer's interest; and marketing, which is what contact points are given out
for by consent.
"""


@dataclass(frozen=True, slots=True)
class Objection:
    """A request that is answered already, and the purposes that are refused by it."""

    request: Request
    purposes: Sequence[str]


async def object_to(
    connection: Connection,
    customer: UUID,
    purpose: str | None,
    *,
    by: str,
    defaults: Defaults,
    zone: tzinfo,
    at: datetime | None = None,
) -> Objection:
    """Enter a customer's objection to one purpose, or to all that can be objected to.

    Raises NotFound, and RejectedRecord for a purpose that a contract or the law wants. In a
    transaction.
    """
    said_at = at or clock.now()
    purposes = await _objectionable(connection) if purpose is None else [purpose]
    if purpose is not None:
        await _demand(connection, purpose)
    made = await requests.ask(
        connection, "objection", customer, by=by, at=said_at, purpose=purpose, zone=zone
    )
    for key in purposes:
        statement = Statement(
            purpose=key,
            state="objected",
            given_at=said_at,
            method="privacy request",
            evidence=str(made.id),
        )
        await direct.declare(connection, made.customer_id, statement, by=by, defaults=defaults)
    await connection.execute(FINISH, made.id, len(purposes))
    return Objection(await requests.find(connection, made.id), purposes)


async def _objectionable(connection: Connection) -> Sequence[str]:
    return [row["key"] for row in await connection.fetch(OBJECTIONABLE)]


async def _demand(connection: Connection, purpose: str) -> None:
    basis: str | None = await connection.fetchval(BASIS, purpose)
    if basis is None:
        raise RejectedRecord(
            "There is no purpose of this name in use: `purposes` lists them.", field="purpose"
        )
    if basis not in OPEN_TO_OBJECTION:
        raise RejectedRecord(
            "Nobody can object to what a contract or the law asks for: restrict their data, or"
            " erase them.",
            field="purpose",
        )
