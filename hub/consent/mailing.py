"""A worker's part of double opt-in: it sends what was asked, and closes what nobody answered."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import structlog

from hub import audit
from hub.audit import Act
from hub.config import Settings
from hub.consent import wording
from hub.consent.confirming import JOB, wake
from hub.consent.links import Leaving, Links, links
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import HubError, RejectedRecord, Retry
from hub.jobs import Duties
from hub.net.letter import Letter
from hub.net.mail import Mailer

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

AT_ONCE = 100
"""Requests that one round wakes workers for."""

CLAIM = """
WITH taken AS (
    UPDATE consent_request
       SET attempts = attempts + 1,
           due_at = now() + least(power(2, attempts) * interval '5 minutes', interval '6 hours')
     WHERE id = $1 AND state = 'asked' AND due_at <= now() AND expires_at > now()
    RETURNING *
)
SELECT t.id, t.record_id, t.purpose, t.contact_point_id, t.expires_at, c.id AS customer_id,
       v.value, p.title, d.language, d.controller
  FROM taken t
  JOIN purpose p ON p.key = t.purpose AND p.retired_at IS NULL
  JOIN consent_document d ON d.id = t.document_id AND d.retired_at IS NULL
  JOIN identifier_value v ON v.id = t.contact_point_id
  JOIN identity_link l ON l.record_id = t.record_id AND l.unlinked_at IS NULL
  JOIN customer c ON c.id = l.customer_id AND c.status = 'active' AND c.restricted_at IS NULL
"""
"""Whoever claims a request has at least five minutes for it, which is more than a mail may take
(`hub.net.mail.Waits.whole`). Whom it is about, and whether their answer would count, is asked for
once more.
"""
SENT = """
UPDATE consent_request SET state = 'sent', sent_at = now() WHERE id = $1 AND state = 'asked'
"""
FAILED = "UPDATE consent_request SET state = 'failed' WHERE id = $1 AND state = 'asked'"
EXPIRE = """
UPDATE consent_request SET state = 'expired'
 WHERE state IN ('asked', 'sent') AND expires_at <= now()
"""
DUE = f"""
SELECT id FROM consent_request
 WHERE state = 'asked' AND due_at <= now() AND expires_at > now() ORDER BY due_at LIMIT {AT_ONCE}
"""


@dataclass(frozen=True, slots=True)
class Postman:
    """Sends the mails of requests. Without a mail server it only closes what is over."""

    database: Database
    settings: Settings
    keyring: Keyring
    mailer: Mailer | None

    @classmethod
    def of(cls, database: Database, keyring: Keyring) -> "Postman":
        """As the settings say. Raises BadSettings."""
        settings = database.settings
        return cls(database, settings, keyring, Mailer.of(settings))

    async def work(self, payload: bytes, _: asyncio.Event) -> None:
        """Send the mail of one request, unless somebody else does."""
        if self.mailer is None:
            return
        request = UUID(bytes=payload)
        claimed = await self.database.retrying(lambda c: self._claimed(c, request))
        if claimed is not None:
            await self._send(self.mailer, *claimed)

    async def look(self) -> None:
        """Wake workers for what was left lying, and close what is over."""

        async def work(connection: Connection) -> None:
            await connection.execute(EXPIRE)
            due = await connection.fetch(DUE) if self.mailer is not None else ()
            for row in due:
                await wake(connection, row["id"])

        await self.database.retrying(work)

    async def _claimed(
        self, connection: Connection, request: UUID
    ) -> tuple[asyncpg.Record, Links] | None:
        row = await connection.fetchrow(CLAIM, request)
        return None if row is None else (row, await links(connection, self.keyring))

    async def _send(self, mailer: Mailer, row: asyncpg.Record, made: Links) -> None:
        try:
            await mailer.send(self._letter(row, made))
        except RejectedRecord as error:
            log.warning("a confirmation is not deliverable", request=row["id"], cause=str(error))
            await self.database.retrying(lambda c: c.execute(FAILED, row["id"]))
        except Retry as error:
            log.info("a confirmation is sent later", request=row["id"], cause=str(error))
        except HubError as error:
            log.error("a confirmation can not be sent", request=row["id"], cause=str(error))
        else:
            await self.database.retrying(lambda c: _keep(c, row))

    def _letter(self, row: asyncpg.Record, made: Links) -> Letter:
        base, language = self.settings.base_url, row["language"]
        leaving = Leaving(row["record_id"], row["purpose"], row["contact_point_id"])
        text = wording.text(
            language,
            title=row["title"],
            controller=row["controller"],
            link=f"{base}/consent/{made.asking(row['id'])}",
            until=row["expires_at"],
            zone=self.settings.timezone,
        )
        return Letter(
            key=str(row["id"]),
            to=row["value"],
            subject=wording.subject(language, title=row["title"]),
            text=text,
            language=wording.spoken(language),
            unsubscribe=f"{base}/unsubscribe/{made.leaving(leaving)}",
        )


def duties(database: Database, keyring: Keyring) -> Duties:
    """What a worker does of this. Raises BadSettings."""
    postman = Postman.of(database, keyring)
    return Duties({JOB: postman.work}, [postman.look])


async def _keep(connection: Connection, row: asyncpg.Record) -> None:
    """Note that a mail is out."""
    await connection.execute(SENT, row["id"])
    act = Act("sent", JOB, "worker", row["purpose"])
    await audit.draft(connection, audit.each(act, [row["customer_id"]], str(row["id"])))
