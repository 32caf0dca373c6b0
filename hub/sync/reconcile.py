"""What is no longer at the vendor: its ids are listed, and whoever is suspect is asked for by id.

A listing deletes nothing. What is missing in it, new, or has other children is asked for once more:
what comes is recorded, and what does not is removed. So a page that was repeated, cut or shrunk can
delay, and never delete. A pass that reads everything needs no listing: what it has not seen is
suspect.
"""

from typing import Any

from hub.db.connection import Connection
from hub.db.copying import arrays
from hub.errors import ManyDeletions
from hub.sync import bookmark as bookmarks
from hub.sync import lease
from hub.sync.bookmark import Bookmark
from hub.sync.page import Page
from hub.sync.passing import Pass
from hub.sync.reader import Part

FEW = 50
MANY = 0.2
"""So many missing items, and such a part of all, are not deleted before a person said so."""
ALL = 5
"""Nor all there are, when they are more than this: a vendor that took rights away shows nothing."""

LIST = """
INSERT INTO sync_listing (run_id, stream, external_id, mark)
SELECT $1, $2, n.* FROM unnest($3::text[], $4::bytea[]) AS n
ON CONFLICT (run_id, stream, external_id) DO UPDATE SET mark = excluded.mark
"""
UNSEEN = """
SELECT i.external_id FROM source_item i
 WHERE i.source_id = $1 AND i.stream = $2 AND i.read_at < $3
"""
MISSING = f"""
{UNSEEN}
   AND NOT EXISTS (SELECT FROM sync_listing l
                    WHERE l.run_id = $4 AND l.stream = $2 AND l.external_id = i.external_id)
"""
OTHERS = """
SELECT l.external_id FROM sync_listing l
  LEFT JOIN source_item i
    ON i.source_id = $1 AND i.stream = $2 AND i.external_id = l.external_id
 WHERE l.run_id = $4 AND l.stream = $2
   AND CASE WHEN i.external_id IS NULL THEN $5 ELSE i.mark IS DISTINCT FROM l.mark END
"""
"""Items with other parts, and new ones ($5: not where only those since some date are wanted)."""
KNOWN = "SELECT count(*) FROM source_item WHERE source_id = $1 AND stream = $2"


async def listing(reading: Pass, place: Bookmark) -> None:
    """Write down the ids and marks of everything the vendor has, from the place on."""
    if place.after is None:
        await reading.step(place, lambda c: bookmarks.unlist(c, reading.run, reading.key))
    while True:
        after = place.after
        part = await reading.patiently(lambda after=after: reading.reader.listing(after))
        if part.after is None:
            return
        place = place.beyond(part.after)
        await reading.step(place, _Listed(reading, place, part))


class _Listed:
    """A page of a listing, to be written."""

    def __init__(self, reading: Pass, place: Bookmark, part: Part) -> None:
        self._key = (place.run, reading.key)
        self._rows = [(raw.id, raw.mark) for raw in part.rows]

    async def __call__(self, connection: Connection) -> None:
        await connection.execute(LIST, *self._key, *arrays(self._rows))


async def confirm(reading: Pass, place: Bookmark) -> None:
    """Ask for everything suspect by id, from the place on.

    Raises ManyDeletions when so much is missing that a mistake is more likely.
    """
    if place.after is None and not reading.run.wanted.allow_deletions:
        await _guard(reading, place)
    while ids := await _suspects(reading, place):
        rows = await reading.patiently(lambda ids=ids: reading.reader.chosen(ids))
        there = {raw.id for raw in rows}
        entries = (await reading.page(rows)).entries
        before, place = place, place.beyond(ids[-1])
        await reading.save(Page(entries, [id_ for id_ in ids if id_ not in there]), place, before)


async def _suspects(reading: Pass, place: Bookmark) -> list[str]:
    """The next suspects, as many as a page holds."""
    select, arguments = _missing(reading, place)
    if place.since is not None:
        select = f"{select} UNION {OTHERS}"
        arguments = [*arguments, place.start is None]
    following, number = len(arguments) + 1, len(arguments) + 2
    query = f"""
    SELECT external_id FROM ({select}) AS suspects
     WHERE external_id COLLATE "C" > ${following} ORDER BY external_id COLLATE "C" LIMIT ${number}
    """
    size = reading.reader.size
    async with reading.database.transaction() as connection:
        rows = await connection.fetch(query, *arguments, place.after or "", size)
    return [row["external_id"] for row in rows]


def _missing(reading: Pass, place: Bookmark) -> tuple[str, list[Any]]:
    """The items that the pass has not seen, and where there is a listing, that has not either."""
    arguments: list[Any] = [reading.target.source_id, reading.key, place.began_at]
    if place.since is None:
        return UNSEEN, arguments
    return MISSING, [*arguments, place.run]


async def _guard(reading: Pass, place: Bookmark) -> None:
    select, arguments = _missing(reading, place)
    async with reading.database.transaction() as connection:
        await lease.hold(connection, reading.run)
        missing = await connection.fetchval(f"SELECT count(*) FROM ({select}) AS m", *arguments)
        known = await connection.fetchval(KNOWN, *arguments[:2])
        is_all = missing == known and known > ALL
        if missing <= max(FEW, MANY * known) and not is_all:
            return
        await bookmarks.forget(connection, reading.run, reading.key)
    name = reading.run.integration.name
    raise ManyDeletions(
        f"{missing:,} of {known:,} {reading.key} are not in {name} any more. If that is right:"
        f" `hub sync {name} --reconcile --allow-deletions`."
    )
