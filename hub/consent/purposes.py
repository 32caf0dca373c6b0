"""Purposes, and what changes when somebody adds one, changes it or retires it.

A change is one transaction of the owner: the row, the purpose's views, and the word to every
process. Customers are not rewritten: their bits say what was said, the views what the basis makes
of it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from hub import audit
from hub.db import views
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import BadInput, Conflict, NotFound
from hub.models.base import CATEGORIES

Basis = Literal["consent", "contract", "legitimate_interest", "legal_obligation"]
BASES: tuple[Basis, ...] = get_args(Basis)
RETURNED = tuple(category for category in CATEGORIES if category != "open")
"""What a purpose may return; what is open says nothing about a person."""
CONTACT_TYPES = ("email", "phone", "loyalty_card", "external")
CHANNELS = {"email": ("email",), "phone": ("phone", "call", "sms")}
"""What a purpose of these contact points works through, unless it says otherwise."""
KEY = re.compile(r"[a-z][a-z0-9_]{0,40}")
BITS = 63
LONGEST_TITLE = 200
MOST_MONTHS = 1200
KEPT = "data_subject_rights"
"""What the law wants is not retired: nobody could be answered any more."""

COLUMNS = (
    *("key", "title", "basis", "may_return", "contact_types", "channels", "valid_months"),
    "retired_at",
)
LISTED = f"""
SELECT {", ".join(COLUMNS)} FROM purpose
 WHERE $1 OR retired_at IS NULL ORDER BY bit
"""
FOUND = f"SELECT {', '.join(COLUMNS)} FROM purpose WHERE key = $1 FOR UPDATE"
CREATE = """
INSERT INTO purpose (key, title, basis, may_return, contact_types, channels, valid_months, bit)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
NEXT_BIT = "SELECT coalesce(max(bit), -1) + 1 FROM purpose"
LOCK = "LOCK TABLE purpose IN SHARE ROW EXCLUSIVE MODE"
UPDATE = """
UPDATE purpose SET title = $2, basis = $3, may_return = $4, contact_types = $5, valid_months = $6
 WHERE key = $1
"""
RETIRE = "UPDATE purpose SET retired_at = now() WHERE key = $1"


@dataclass(frozen=True, slots=True)
class Purpose:
    """What data may be used for. `contact_types`: None where any contact point may be returned;
    `valid_months`: None where a grant holds until it is taken back.
    """

    key: str
    title: str
    basis: str
    may_return: tuple[str, ...]
    contact_types: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    valid_months: int | None = None
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different; what is not named stays.

    `is_endless`: grants hold until they are taken back, whatever `valid_months` was.
    `with_any_contact`: any contact point may be returned, whatever `contact_types` were.
    """

    title: str | None = None
    basis: str | None = None
    may_return: tuple[str, ...] | None = None
    contact_types: tuple[str, ...] | None = None
    with_any_contact: bool = False
    valid_months: int | None = None
    is_endless: bool = False

    def of(self, before: Purpose) -> Purpose:
        """The purpose as it is then."""
        types = self.contact_types or before.contact_types
        months = before.valid_months if self.valid_months is None else self.valid_months
        return replace(
            before,
            title=before.title if self.title is None else self.title,
            basis=self.basis or before.basis,
            may_return=before.may_return if self.may_return is None else self.may_return,
            contact_types=None if self.with_any_contact else types,
            valid_months=None if self.is_endless else months,
        )


async def listed(connection: Connection, *, with_retired: bool = False) -> list[Purpose]:
    """The purposes, in the order they were made."""
    return [_purpose(row) for row in await connection.fetch(LISTED, with_retired)]


async def create(database: Database, purpose: Purpose, *, by: audit.Act) -> Purpose:
    """Add a purpose, which nobody refused and nobody granted yet.

    Raises BadInput, and Conflict where the key was used before or no bit is left.
    """
    made = _with_channels(purpose)
    _demand_sound(made)

    async def work(connection: Connection) -> Purpose:
        await connection.execute(LOCK)
        if await connection.fetchrow(FOUND, made.key) is not None:
            raise Conflict(f"There is, or was, a purpose {made.key}: choose another key.")
        bit: int = await connection.fetchval(NEXT_BIT)
        if bit >= BITS:
            raise Conflict(f"There are {BITS} purposes, retired ones included: no more fit.")
        told = (made.key, made.title, made.basis, made.may_return, made.contact_types)
        await connection.execute(CREATE, *told, made.channels, made.valid_months, bit)
        return await _noted(connection, by, made)

    return await views.changing(database, work, only=made.key)


async def update(database: Database, key: str, change: Change, *, by: audit.Act) -> Purpose:
    """Change a purpose in use; raises NotFound, BadInput, and Conflict for what the law wants.

    How long a grant holds is settled when it is entered: a new validity is for those to come.
    """

    async def work(connection: Connection) -> Purpose:
        found = await _found(connection, key)
        made = change.of(found)
        _demand_sound(made)
        _demand_kept(found, made)
        told = (made.title, made.basis, made.may_return, made.contact_types, made.valid_months)
        await connection.execute(UPDATE, key, *told)
        return await _noted(connection, by, made)

    return await views.changing(database, work, only=key)


async def retire(database: Database, key: str, *, by: audit.Act) -> Purpose:
    """Let nobody use a purpose any more; what was said of it stays in the ledger.

    Raises NotFound, and Conflict for what the law wants.
    """
    if key == KEPT:
        raise Conflict(f"{KEPT} stays: without it nobody can be told what is held of them.")

    async def work(connection: Connection) -> Purpose:
        found = await _found(connection, key)
        await connection.execute(RETIRE, key)
        return await _noted(connection, by, found)

    return await views.changing(database, work, only=key)


async def _found(connection: Connection, key: str) -> Purpose:
    row = await connection.fetchrow(FOUND, key)
    if row is None or row["retired_at"] is not None:
        raise NotFound(f"There is no purpose {key!r} in use: `hub consent purpose list` has them.")
    return _purpose(row)


async def _noted(connection: Connection, by: audit.Act, purpose: Purpose) -> Purpose:
    """Leave in the audit how the purpose is now."""
    detail = (
        f"purpose={purpose.key} basis={purpose.basis} returns={','.join(purpose.may_return)}"
        f" months={purpose.valid_months}"
    )
    await audit.draft(connection, [audit.Entry(by, detail=detail)])
    return purpose


def _purpose(row: Any) -> Purpose:
    return Purpose(
        key=row["key"],
        title=row["title"],
        basis=row["basis"],
        may_return=tuple(row["may_return"]),
        contact_types=_words(row["contact_types"]),
        channels=_words(row["channels"]),
        valid_months=row["valid_months"],
        retired_at=row["retired_at"],
    )


def _words(found: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if found is None else tuple(found)


def _with_channels(purpose: Purpose) -> Purpose:
    """What is not said of channels follows from the contact points."""
    if purpose.channels is not None or purpose.contact_types is None:
        return purpose
    channels = [word for kind in purpose.contact_types for word in CHANNELS.get(kind, (kind,))]
    return replace(purpose, channels=tuple(channels))


def _demand_sound(purpose: Purpose) -> None:
    """Raise BadInput for what can not be a purpose."""
    if KEY.fullmatch(purpose.key) is None:
        raise BadInput("A purpose's key has up to 41 of a-z, 0-9 and _, and begins with a letter.")
    if not purpose.title.strip() or len(purpose.title) > LONGEST_TITLE:
        raise BadInput(f"A purpose has a title of up to {LONGEST_TITLE} characters.")
    _demand_known("basis", [purpose.basis], BASES)
    _demand_known("category", purpose.may_return, RETURNED)
    _demand_known("contact type", purpose.contact_types or (), CONTACT_TYPES)
    if purpose.contact_types and "contact" not in purpose.may_return:
        raise BadInput("Contact types are for a purpose that may return `contact`: add it.")
    if purpose.valid_months is not None and not 1 <= purpose.valid_months <= MOST_MONTHS:
        raise BadInput(f"A grant holds for 1 to {MOST_MONTHS} months, or until it is taken back.")


def _demand_kept(before: Purpose, after: Purpose) -> None:
    """Raise Conflict for what would keep people from being told what is held of them."""
    is_less = not set(before.may_return) <= set(after.may_return) or after.contact_types is not None
    if before.key == KEPT and (after.basis != before.basis or is_less):
        raise Conflict(f"{KEPT} stays as it is: the law wants that everything can be told.")


def _demand_known(what: str, words: Sequence[str], known: Sequence[str]) -> None:
    for word in words:
        if word not in known:
            raise BadInput(f"There is no {what} {word[:40]!r}; there are {', '.join(known)}.")
