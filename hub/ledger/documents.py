"""The documents that entries of the ledger name: what people were shown, to the letter."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.db.connection import Connection
from hub.records import Consent

KNOWN = """
SELECT id, name, version, language, purposes, hash, retired_at FROM consent_document
 WHERE name = ANY($1::text[]) ORDER BY name, published_at, id
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A document as far as an entry needs it."""

    id: UUID
    name: str
    version: str
    language: str
    purposes: frozenset[str]
    hash: bytes
    retired_at: datetime | None

    def is_meant(self, entry: Consent) -> bool:
        """Whether an entry may mean this one; what it leaves out, it says nothing of."""
        is_version = entry.version in {"", self.version}
        return is_version and entry.language.lower() in {"", self.language}


Shelf = Mapping[str, Sequence[Shown]]
"""Documents by name."""


async def known(connection: Connection, names: Collection[str]) -> Shelf:
    """The documents of these names, in all versions and languages."""
    shelf: dict[str, list[Shown]] = {}
    for row in await connection.fetch(KNOWN, list(names)) if names else ():
        shown = Shown(
            id=row["id"],
            name=row["name"],
            version=row["version"],
            language=row["language"],
            purposes=frozenset(row["purposes"]),
            hash=row["hash"],
            retired_at=row["retired_at"],
        )
        shelf.setdefault(shown.name, []).append(shown)
    return shelf


def meant(entry: Consent, shelf: Shelf) -> Shown | None:
    """The one document that an entry names; None where that can not be said."""
    found = [shown for shown in shelf.get(entry.document, ()) if shown.is_meant(entry)]
    return found[0] if len(found) == 1 else None


def objection(entry: Consent, shelf: Shelf) -> tuple[str, str] | None:
    """What speaks against a grant under the document that it names: the field, and why.

    A refusal is never refused. Nor is a name of which nothing was ever published: those are words
    of a source's own.
    """
    if entry.state != "granted" or entry.document not in shelf:
        return None
    shown = meant(entry, shelf)
    if shown is None:
        return _unclear(entry, shelf[entry.document])
    if entry.purpose not in shown.purposes:
        covered = ", ".join(sorted(shown.purposes))
        return "document", f"the document does not cover this purpose, but {covered}"
    if shown.retired_at is not None and entry.given_at >= shown.retired_at:
        return "document", "the document was retired before this was given"
    return None


def _unclear(entry: Consent, published: Sequence[Shown]) -> tuple[str, str]:
    of_version = [shown for shown in published if entry.version in {"", shown.version}]
    if not of_version:
        versions = ", ".join(sorted({shown.version for shown in published}))
        return "version", f"the document has no such version; there are {versions}"
    if entry.version or len({shown.version for shown in published}) == 1:
        languages = ", ".join(sorted({shown.language for shown in of_version}))
        return "language", f"say in which language it was shown; there are {languages}"
    return "version", "say which version of the document was shown"
