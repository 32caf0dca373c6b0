"""The other systems that hold a person: each a step of the request, for who erases there."""

import re
from collections.abc import Sequence
from uuid import UUID

from hub import registry
from hub.db.connection import Connection

HOLDING = """
WITH theirs AS (
    SELECT source_id, type, external_id FROM source_record
     WHERE id = ANY($1::uuid[]) OR about_id = ANY($1::uuid[])
    UNION
    SELECT r.source_id, r.type, r.external_id
      FROM interaction_participant p JOIN source_record r ON r.id = p.interaction_id
     WHERE p.record_id = ANY($1::uuid[])
)
SELECT i.name, i.adapter,
       coalesce(array_agg(t.external_id ORDER BY t.external_id)
                FILTER (WHERE t.type = 'customer'), '{}') AS ids
  FROM theirs t JOIN integration i ON i.source_id = t.source_id
 GROUP BY i.id ORDER BY i.name
"""
NOTE = """
INSERT INTO privacy_step (request_id, holder, state, message) VALUES ($1, $2, $3, $4)
ON CONFLICT (request_id, holder) DO NOTHING
"""
HUB = "hub"
NUMBER = re.compile(r"[0-9]{1,8}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Ids that tell nobody's name or telephone number."""
UNKNOWN = "Its adapter is not installed, so the hub does not know how: erase the person there."


async def note(connection: Connection, request: UUID, records: Sequence[UUID]) -> None:
    """Write a step for the hub, and one for every connected system that their records are from."""
    await connection.execute(NOTE, request, HUB, "pending", "")
    for row in await connection.fetch(HOLDING, list(records)):
        message = " ".join([_by_hand(row["adapter"]), *_there(row["ids"])])
        await connection.execute(NOTE, request, row["name"], "by_hand", message)


def _by_hand(adapter: str) -> str:
    known = registry.adapters().get(adapter)
    return UNKNOWN if known is None else known.privacy.by_hand


def _there(ids: Sequence[str]) -> Sequence[str]:
    """Which records it is about there, as far as an id may be kept until it is done."""
    plain = [id_ for id_ in ids if NUMBER.fullmatch(id_)]
    return [f"Its ids there: {', '.join(plain)}."] if plain else []
