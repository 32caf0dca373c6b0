"""A page of a stream becomes records: mapped outside, then written in one transaction.

The transaction holds the run's fence, the records, the items as they came, what was rejected, and
the place behind it all. Killed before its commit, the page is read again; after it, never.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from hub import intake
from hub.adapter import Stream, Values
from hub.db.connection import Connection
from hub.db.copying import arrays
from hub.intake import Defaults, Incoming, Outcome, Rejection, Run, removal
from hub.outbox import Cause
from hub.sync.mapping import Mapped, Own, Rejected, Skipped, mapped
from hub.sync.reader import Raw
from hub.sync.run import Claimed

BATCH = 500
"""Items in one transaction: more bring no speed, and hold locks longer."""

_encoder = msgspec.json.Encoder(decimal_format="number")

Fates = dict[str, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One item: as it came, and what it is in the hub's words."""

    raw: Raw
    made: Mapped | Skipped | Rejected

    @classmethod
    def of(cls, raw: Raw, stream: Stream, values: Values, own: Own) -> "Entry":
        """The item, mapped, or rejected as the vendor did."""
        if raw.refused is not None:
            return cls(raw, Rejected("", raw.refused))
        return cls(raw, mapped(stream, raw.item, values, own))

    @property
    def is_taken(self) -> bool:
        return isinstance(self.made, Mapped)


@dataclass(frozen=True, slots=True)
class Page:
    """Items that are written together, and the ids of those that are no longer there.

    `absent` did not come when they were asked for, which is no reason yet to take them away.
    """

    entries: Sequence[Entry] = ()
    gone: Sequence[str] = ()
    absent: Sequence[str] = ()

    @property
    def is_mostly_rejected(self) -> bool:
        """Whether the mapping, rather than some item, seems to be wrong."""
        rejected = sum(isinstance(entry.made, Rejected) for entry in self.entries)
        return len(self.entries) >= 20 and rejected * 2 > len(self.entries)


def together(pages: Sequence[Page]) -> Page:
    """Several pages as one, in which each id stands once: what was read last counts."""
    if len(pages) == 1:
        return pages[0]
    latest = {entry.raw.id: entry for page in pages for entry in page.entries}
    return Page([*latest.values()], [id_ for page in pages for id_ in page.gone])


def cut(whole: Page) -> Iterator[Page]:
    """The page in pieces that are written one after the other; at least one."""
    for start in range(0, max(1, len(whole.entries)), BATCH):
        some = whole.entries[start : start + BATCH]
        yield Page(some) if start else Page(some, whole.gone, whole.absent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where pages of a stream go. `is_fresh`: they come from the vendor, and not from ourselves."""

    run: Claimed
    stream: Stream
    cause: Cause
    defaults: Defaults
    is_fresh: bool = True

    @property
    def source_id(self) -> int:
        return self.run.integration.source_id


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of items, by their ids: their records, and those that tell of the erased."""

    records: dict[str, UUID]
    suppressed: set[str]
    curtailed: set[str]

    @classmethod
    def of(cls, taken: Sequence[Entry], outcome: Outcome, row: int) -> "_Fate":
        """`row`: how many items were read before these."""

        def ids(rows: set[int]) -> set[str]:
            return {taken[number - row - 1].raw.id for number in rows}

        return cls(
            {taken[fate.row - row - 1].raw.id: fate.id for fate in outcome.rows},
            ids(outcome.suppressed),
            ids(outcome.curtailed),
        )

    def is_kept(self, id_: str) -> bool:
        """Whether the item is kept as it came."""
        return id_ in self.records and id_ not in self.curtailed


async def write(connection: Connection, target: Target, page: Page, *, row: int) -> Fates:
    """Write a page in the caller's transaction; return how many items met which fate.

    `row`: how many items the run has read before. The same page again changes nothing.
    """
    taken = [entry for entry in page.entries if entry.is_taken]
    outcome = await _record(connection, target, taken, row)
    rejected = _rejected(page, taken, outcome, row)
    known = await _known(connection, target, page)
    await _keep(connection, target, page, _Fate.of(taken, outcome, row))
    await _reject(connection, target, rejected)
    resolved = [entry.raw.id for entry in page.entries if entry.raw.id not in rejected]
    await _resolve(connection, target, [*resolved, *page.gone, *page.absent])
    deleted = await _remove(connection, target, page, known)
    return _fates(page, outcome, deleted)


async def _record(
    connection: Connection, target: Target, taken: Sequence[Entry], row: int
) -> Outcome:
    batch = [
        Incoming(entry.made.record, row + number)
        for number, entry in enumerate(taken, 1)
        if isinstance(entry.made, Mapped)
    ]
    if not batch:
        return Outcome()
    return await intake.record(
        connection,
        batch,
        source=target.run.integration.name,
        cause=target.cause,
        run=Run(target.run.id, in_order=True),
        defaults=target.defaults,
    )


def _rejected(
    page: Page, taken: Sequence[Entry], outcome: Outcome, row: int
) -> dict[str, Rejection]:
    """What is wrong with which item; of several things the one that kept it out."""
    found = {
        entry.raw.id: Rejection(0, entry.made.field, entry.made.reason)
        for entry in page.entries
        if isinstance(entry.made, Rejected)
    }
    for rejection in sorted(outcome.rejections, key=lambda rejection: not rejection.recorded):
        found[taken[rejection.row - row - 1].raw.id] = rejection
    return found


KNOWN = """
SELECT i.external_id, r.type, r.external_id AS record
  FROM source_item i JOIN source_record r ON r.id = i.record_id
 WHERE i.source_id = $1 AND i.stream = $2 AND i.external_id = ANY($3) AND r.deleted_at IS NULL
"""
ITEMS = """
INSERT INTO source_item AS s (source_id, stream, external_id, record_id, item, mark, read_at)
SELECT $1, $2, n.*, now()
  FROM unnest($3::text[], $4::uuid[], $5::bytea[], $6::bytea[]) AS n
ON CONFLICT (source_id, stream, external_id) DO UPDATE
   SET record_id = coalesce(excluded.record_id, s.record_id),
       item = CASE WHEN excluded.item IS NULL OR excluded.item = s.item THEN s.item
                   ELSE excluded.item END,
       mark = excluded.mark, read_at = CASE WHEN $7 THEN excluded.read_at ELSE s.read_at END
"""
"""What can not be taken leaves the last version that could. An item that stays the same is not
written anew: large ones lie in a table of their own. What is only mapped again ($7) was not seen
at the vendor: a pass that looks for deletions, and began before, may still miss it."""

SEEN = """
UPDATE source_item SET read_at = now()
 WHERE source_id = $1 AND stream = $2 AND external_id = ANY($3)
"""
"""Of what is refused there may be an item without its content: a call that others were on too."""


async def _known(connection: Connection, target: Target, page: Page) -> dict[str, tuple[str, str]]:
    """The records of items that are gone, or are nothing for the hub any more."""
    skipped = [entry.raw.id for entry in page.entries if isinstance(entry.made, Skipped)]
    ids = [*skipped, *page.gone]
    if not ids:
        return {}
    rows = await connection.fetch(KNOWN, target.source_id, target.stream.key, ids)
    return {row["external_id"]: (row["type"], row["record"]) for row in rows}


async def _keep(connection: Connection, target: Target, page: Page, fates: _Fate) -> None:
    """Keep the items as they came, in the order of their keys; none without a record, none that
    tells of somebody who was erased, and of what is only about them not even its id.
    """
    rows: list[tuple[Any, ...]] = [
        (
            entry.raw.id,
            fates.records.get(entry.raw.id),
            _encoder.encode(entry.raw.item) if fates.is_kept(entry.raw.id) else None,
            entry.raw.mark,
        )
        for entry in sorted(page.entries, key=lambda entry: entry.raw.id)
        if entry.raw.id not in fates.suppressed
    ]
    words = (target.source_id, target.stream.key)
    if rows:
        await connection.execute(ITEMS, *words, *arrays(rows), target.is_fresh)
    if fates.suppressed and target.is_fresh:
        await connection.execute(SEEN, *words, list(fates.suppressed))


REJECT = """
INSERT INTO rejected_record AS r
       (source_id, sync_run_id, stream, external_id, field, reason, recorded)
SELECT $1, $2, $3, n.* FROM unnest($4::text[], $5::text[], $6::text[], $7::boolean[]) AS n
ON CONFLICT (source_id, stream, external_id) WHERE stream IS NOT NULL DO UPDATE
   SET sync_run_id = excluded.sync_run_id, field = excluded.field, reason = excluded.reason,
       recorded = excluded.recorded, created_at = now(), resolved_at = NULL
"""
RESOLVE = """
UPDATE rejected_record SET resolved_at = now()
 WHERE source_id = $1 AND stream = $2 AND external_id = ANY($3) AND resolved_at IS NULL
"""


async def _reject(connection: Connection, target: Target, rejected: dict[str, Rejection]) -> None:
    rows = [(id_, r.field, r.reason, r.recorded) for id_, r in sorted(rejected.items())]
    if rows:
        words = (target.source_id, target.run.id, target.stream.key)
        await connection.execute(REJECT, *words, *arrays(rows))


async def _resolve(connection: Connection, target: Target, ids: Sequence[str]) -> None:
    if ids:
        await connection.execute(RESOLVE, target.source_id, target.stream.key, ids)


FORGET = "DELETE FROM source_item WHERE source_id = $1 AND stream = $2 AND external_id = ANY($3)"
UNTIE = """
UPDATE source_item SET record_id = NULL, item = NULL
 WHERE source_id = $1 AND stream = $2 AND external_id = ANY($3)
"""


async def _remove(
    connection: Connection, target: Target, page: Page, known: dict[str, tuple[str, str]]
) -> int:
    """Take away the records of items that are gone, or are nothing for the hub any more."""
    if known:
        await removal.remove(
            connection,
            target.run.integration.name,
            sorted(set(known.values())),
            cause=target.cause,
            run=Run(target.run.id, in_order=True),
            defaults=target.defaults,
        )
    gone = set(page.gone)
    for statement, ids in ((FORGET, page.gone), (UNTIE, [i for i in known if i not in gone])):
        if ids:
            await connection.execute(statement, target.source_id, target.stream.key, ids)
    return len(known)


def _fates(page: Page, outcome: Outcome, deleted: int) -> Fates:
    words = ("created", "changed", "unchanged", "stale", "rejected", "suppressed")
    fates = {word: outcome.total(word) for word in words}
    fates["rejected"] += sum(isinstance(entry.made, Rejected) for entry in page.entries)
    fates["skipped"] = sum(isinstance(entry.made, Skipped) for entry in page.entries)
    fates["deleted"] = deleted
    fates["read"] = len(page.entries)
    return {word: count for word, count in fates.items() if count}
