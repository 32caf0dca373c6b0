"""What an integration sent and the hub could not take: where it is, and why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.db.connection import Connection
from hub.errors import BadInput
from hub.integrations.known import Integration


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """An item that was not taken, or (`is_recorded`) without the value in `field`."""

    stream: str
    external_id: str
    field: str
    reason: str
    is_recorded: bool
    rejected_at: datetime


@dataclass(frozen=True, slots=True)
class Rejections:
    """Some of those that wait to be mended, the latest first, and how many there are in all.

    `after` is the place where the next begin; None: there are no more.
    """

    total: int
    rejected: Sequence[Rejection]
    after: str | None


OPEN = """
  FROM rejected_record
 WHERE source_id = $1 AND resolved_at IS NULL AND stream IS NOT NULL
   AND ($2::text[] = '{}' OR stream = ANY($2::text[]))
"""
TOTAL = f"SELECT count(*) {OPEN}"
ROWS = f"""
SELECT stream, external_id, field, reason, recorded AS is_recorded, created_at AS rejected_at, id
  {OPEN}
   AND (created_at, id) < (coalesce($3::timestamptz, 'infinity'), coalesce($4::bigint, 0))
 ORDER BY created_at DESC, id DESC LIMIT $5
"""
PLACE = re.compile(r"(\S{1,40}\+00:00)/([0-9]{1,18})")
"""The time and the number of the last item of a page."""


async def rejected(
    connection: Connection,
    known: Integration,
    *,
    streams: Sequence[str] = (),
    first: int,
    after: str | None = None,
) -> Rejections:
    """The items of these streams, or of all, that were rejected and are not resolved.

    What is rejected meanwhile moves to the front, and nothing else moves. Raises BadInput for an
    `after` that was not given here.
    """
    which = (known.source_id, list(streams))
    total = await connection.fetchval(TOTAL, *which)
    rows = await connection.fetch(ROWS, *which, *_place(after), first + 1)
    found = [dict(row) for row in rows[:first]]
    ids = [row.pop("id") for row in found]
    more = f"{found[-1]['rejected_at'].isoformat()}/{ids[-1]}" if len(rows) > first else None
    return Rejections(total, [Rejection(**row) for row in found], more)


def _place(after: str | None) -> tuple[datetime, int] | tuple[None, None]:
    """The time and the id of the item after which to go on."""
    if after is None:
        return None, None
    found = PLACE.fullmatch(after)
    try:
        if found is not None:
            return datetime.fromisoformat(found[1]), int(found[2])
    except ValueError:
        pass  # it looks like a time, and is none
    raise BadInput("The place to go on after is one that the page before told.")
