"""Documents of consent: published once, shown to people, never changed."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub import audit, clock
from hub.db.connection import Connection
from hub.errors import BadInput, Conflict, NotFound

NAME = re.compile(r"[\w][\w .:/-]{0,99}")
VERSION = re.compile(r"[\w][\w .:/-]{0,39}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
LONGEST_TEXT = 1 << 20

COLUMNS = (
    *("id", "name", "version", "language", "purposes", "text", "hash", "controller"),
    *("jurisdiction", "storage", "retention", "recipients", "withdrawal", "published_at"),
    "retired_at",
)
_NAMES = ", ".join(COLUMNS)
LISTED = f"""
SELECT {_NAMES} FROM consent_document
 WHERE $1 OR retired_at IS NULL ORDER BY name, published_at, language
"""
FOUND = f"""
SELECT {_NAMES} FROM consent_document
 WHERE name = $1 AND ($2 = '' OR version = $2) AND ($3 = '' OR language = $3)
 ORDER BY retired_at IS NULL DESC, published_at DESC, language LIMIT 1
"""
SAME = f"""
SELECT {_NAMES} FROM consent_document WHERE name = $1 AND version = $2 AND language = $3
"""
PUBLISH = f"""
INSERT INTO consent_document ({_NAMES.removesuffix(", retired_at")})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT DO NOTHING
"""
IN_USE = "SELECT key FROM purpose WHERE key = ANY($1::text[]) AND retired_at IS NULL"
RETIRE = """
UPDATE consent_document SET retired_at = now()
 WHERE name = $1 AND ($2 = '' OR version = $2) AND ($3 = '' OR language = $3)
   AND retired_at IS NULL
RETURNING version, language
"""


@dataclass(frozen=True, slots=True)
class Wording:
    """What is published: the text to the letter, and what a consent record says of its notice."""

    name: str
    version: str
    language: str
    purposes: tuple[str, ...]
    text: str
    controller: str = ""
    jurisdiction: str = ""
    storage: str = ""
    retention: str = ""
    recipients: tuple[str, ...] = ()
    withdrawal: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A wording that was published."""

    id: UUID
    wording: Wording
    hash: bytes
    published_at: datetime
    retired_at: datetime | None


async def publish(
    connection: Connection, wording: Wording, *, is_shared: bool = False, by: audit.Act
) -> Document:
    """Publish a wording; the same again changes nothing.

    `is_shared`: whether it may cover several purposes (HUB_CONSENT_SHARED_DOCUMENTS). Raises
    BadInput, and Conflict where the version says something else already.
    """
    _demand_sound(wording, is_shared=is_shared)
    await _demand_purposes(connection, wording)
    digest = hashlib.sha256(wording.text.encode()).digest()
    told = (wording.name, wording.version, wording.language, wording.purposes, wording.text, digest)
    notice = (wording.controller, wording.jurisdiction, wording.storage, wording.retention)
    rest = (wording.recipients, wording.withdrawal, clock.now())
    made = await connection.execute(PUBLISH, clock.new_id(), *told, *notice, *rest)
    row = await connection.fetchrow(SAME, wording.name, wording.version, wording.language)
    document = _document(row)
    if document.wording != wording:
        raise Conflict(
            "This version is published in this language, with another text or for another purpose:"
            " a document is never changed, so give it a new version."
        )
    if made.endswith(" 1"):
        detail = f"document={document.id} sha256={digest.hex()}"
        await audit.draft(connection, [audit.Entry(by, detail=detail)])
    return document


async def listed(connection: Connection, *, with_retired: bool = False) -> list[Document]:
    """The documents by name, the oldest versions first."""
    return [_document(row) for row in await connection.fetch(LISTED, with_retired)]


async def find(
    connection: Connection, name: str, version: str = "", language: str = ""
) -> Document:
    """A document; the newest one in use where version or language are not said. Raises NotFound."""
    row = await connection.fetchrow(FOUND, name, version, language)
    if row is None:
        raise NotFound("There is no such document: `hub consent document list` has them.")
    return _document(row)


async def retire(
    connection: Connection, name: str, version: str = "", language: str = "", *, by: audit.Act
) -> Sequence[tuple[str, str]]:
    """Let nobody agree to a document any more; return the versions and languages it was.

    What was agreed to stands. Raises NotFound where none is in use.
    """
    rows = await connection.fetch(RETIRE, name, version, language)
    if not rows:
        raise NotFound("No such document is in use: `hub consent document list` has them.")
    await audit.draft(connection, [audit.Entry(by, detail=f"documents={len(rows)}")])
    return [(row["version"], row["language"]) for row in rows]


def _document(row: Any) -> Document:
    wording = Wording(
        name=row["name"],
        version=row["version"],
        language=row["language"],
        purposes=tuple(row["purposes"]),
        text=row["text"],
        controller=row["controller"],
        jurisdiction=row["jurisdiction"],
        storage=row["storage"],
        retention=row["retention"],
        recipients=tuple(row["recipients"]),
        withdrawal=row["withdrawal"],
    )
    return Document(row["id"], wording, row["hash"], row["published_at"], row["retired_at"])


def _demand_sound(wording: Wording, *, is_shared: bool) -> None:
    if not NAME.fullmatch(wording.name) or not VERSION.fullmatch(wording.version):
        raise BadInput("A document has a short name and a version, such as newsletter 2026-03.")
    if not LANGUAGE.fullmatch(wording.language):
        raise BadInput("A language is a tag such as ru, en or pt-br (BCP 47, small letters).")
    if not wording.text.strip() or len(wording.text) > LONGEST_TEXT or "\0" in wording.text:
        raise BadInput("A document has a text, of up to a million characters, without NUL.")
    if not wording.purposes:
        raise BadInput("Say which purpose the document is for.")
    if len(set(wording.purposes)) > 1 and not is_shared:
        raise BadInput(
            "A document covers one purpose: people agree to each one by itself. Publish one for"
            " each, or set HUB_CONSENT_SHARED_DOCUMENTS where your law lets them share one."
        )


async def _demand_purposes(connection: Connection, wording: Wording) -> None:
    rows = await connection.fetch(IN_USE, list(wording.purposes))
    if len(rows) < len(set(wording.purposes)):
        raise BadInput("A document is for purposes in use: `hub consent purpose list` has them.")
