"""What a batch has to know of the database: its source, the blocklist, attributes, purposes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import msgspec

from hub import suppression
from hub.config import Settings
from hub.db.connection import Connection
from hub.errors import Refused
from hub.identifiers import Blocklist
from hub.outbox import Cause
from hub.records import IdentifierType

KNOWN = """
SELECT (SELECT id FROM source WHERE key = $1) AS source_id,
       (SELECT rank FROM source WHERE key = $1) AS rank,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(type, pattern)), '[]')
          FROM blocked_identifier) AS blocked,
       (SELECT coalesce(jsonb_object_agg(key, type), '{}') FROM attribute_definition)
         AS attributes,
       (SELECT coalesce(jsonb_object_agg(key, jsonb_build_array(valid_months, channels)), '{}')
          FROM purpose WHERE retired_at IS NULL) AS purposes,
       EXISTS (SELECT FROM consent_entry WHERE customer_id IS NULL AND state <> 'granted')
         AS has_nobodys,
       begin_intake() AS suppression_key,
       (SELECT sealed FROM sealed_key WHERE name = 'suppression'
           AND EXISTS (SELECT FROM awaited_refusal)) AS awaited_key,
       set_config('enable_seqscan', 'off', true),
       set_config('plan_cache_mode', 'force_generic_plan', true)
"""
"""Every statement of a batch goes by an index. Before a first ANALYZE the planner does not know
that, and reads whole tables for each record (measured: 1.1 s instead of 0.02 s for a thousand);
so sequential scans are ruled out until the transaction ends, here, without a trip of its own.
Plans do not depend on the arrays' contents, so one is made and kept (measured: half the server's
CPU for a single record).
"""

NEW_RANK = 100
"""The place of a source nobody has ordered yet, as the column's default has it."""

SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

OWN = "hub"
"""The source of what people tell the hub itself."""

NEW_SOURCE = """
INSERT INTO source (key, kind) VALUES ($1, $2)
ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Run:
    """Which import or sync a batch belongs to.

    `in_order`: it reads its source from beginning to end, one batch after the other, so what comes
    later replaces what was there, whatever time it bears: a record of which only a part went bears
    its old one.
    """

    id: UUID
    in_order: bool = False


@dataclass(frozen=True, slots=True)
class Defaults:
    """What fills in for what a source leaves out; and the most holders a joining value has."""

    phone_region: str = "RU"
    currency: str = "RUB"
    max_holders: int = 50

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the settings say."""
        return cls(settings.phone_region, settings.currency, settings.identity_max_holders)


class Terms(msgspec.Struct, frozen=True, array_like=True):
    """What a purpose asks of a grant. `valid_months`: for how many months one holds, if not for
    good. `channels`: those it works through, in lower case, if not any: one for another grants
    nothing.
    """

    valid_months: int | None
    channels: list[str] | None


@dataclass(frozen=True, slots=True)
class Context:
    """One batch's surroundings. `purposes`: those that are in use, by key.

    `has_nobodys`: something was refused by an address alone that no one person holds. `by`: who
    enters it into the hub. `suppression_key`: what those who were erased are known by
    (`hub.suppression`); None while nobody is. `awaited_key`: the same for those who are awaited
    (`hub.intake.awaited`).
    """

    source: str
    source_id: int
    rank: int
    cause: Cause
    run_id: UUID | None
    in_order: bool
    defaults: Defaults
    blocklist: Blocklist
    attributes: Mapping[str, str]
    purposes: Mapping[str, Terms]
    has_nobodys: bool
    by: str
    suppression_key: bytes | None
    awaited_key: bytes | None


def is_source(name: str) -> bool:
    """Whether a source can have this name."""
    return SOURCE.fullmatch(name) is not None


async def own_source(connection: Connection) -> int:
    """The id of the source of what people tell the hub itself, which is made if it is new."""
    known: int | None = await connection.fetchval("SELECT id FROM source WHERE key = $1", OWN)
    return known or await connection.fetchval(NEW_SOURCE, OWN, "hub")


async def context(
    connection: Connection,
    source: str,
    cause: Cause,
    run: Run | None,
    defaults: Defaults,
    by: str = "",
) -> Context:
    """Read what the batch needs, making the source if it is new, which speaks for itself.

    Raises Refused for a name that no source can have.
    """
    if not is_source(source):
        raise Refused("A source's name has 1 to 64 of a-z, 0-9, _ and -, such as erp or shop-2.")
    row = await connection.fetchrow(KNOWN, source)
    assert row is not None  # noqa: S101  # a SELECT without FROM has one row
    sealed: bytes | None = row["suppression_key"]
    awaited: bytes | None = row["awaited_key"]
    blocked = msgspec.json.decode(row["blocked"], type=list[tuple[IdentifierType, str]])
    return Context(
        source=source,
        source_id=row["source_id"]
        or await connection.fetchval(NEW_SOURCE, source, _kind(source, cause)),
        rank=NEW_RANK if row["rank"] is None else row["rank"],
        cause=cause,
        run_id=run.id if run else None,
        in_order=run is not None and run.in_order,
        defaults=defaults,
        blocklist=Blocklist(blocked),
        attributes=msgspec.json.decode(row["attributes"], type=dict[str, str]),
        purposes=msgspec.json.decode(row["purposes"], type=dict[str, Terms]),
        has_nobodys=row["has_nobodys"],
        by=by or f"source:{source}",
        suppression_key=None if sealed is None else suppression.opened(connection, sealed),
        awaited_key=None if awaited is None else suppression.opened(connection, awaited),
    )


def _kind(source: str, cause: Cause) -> str:
    """What a source is that first comes for this cause."""
    if source == OWN:
        return "hub"
    return "api" if cause == "api" else "file"
