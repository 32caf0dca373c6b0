"""What was rejected, asked for once more: mended at the vendor, or by a better mapping."""

from hub.sync.page import Page
from hub.sync.passing import Pass

UNRESOLVED = """
SELECT external_id FROM rejected_record
 WHERE source_id = $1 AND stream = $2 AND resolved_at IS NULL AND external_id COLLATE "C" > $3
 ORDER BY external_id COLLATE "C" LIMIT $4
"""


async def retry(reading: Pass) -> None:
    """Read the stream's rejected items again. What does not come is resolved; whether it was
    deleted is for a reconciling run to say, which takes care not to believe that of many.
    """
    after = ""
    while ids := await _unresolved(reading, after):
        rows = await reading.patiently(lambda ids=ids: reading.reader.chosen(ids))
        there = {raw.id for raw in rows}
        absent = [id_ for id_ in ids if id_ not in there]
        entries = (await reading.page(rows)).entries
        await reading.save(Page(entries, absent=absent), None, None)
        after = ids[-1]


async def _unresolved(reading: Pass, after: str) -> list[str]:
    words = (reading.target.source_id, reading.key, after, reading.reader.size)
    async with reading.database.transaction() as connection:
        return [row["external_id"] for row in await connection.fetch(UNRESOLVED, *words)]
