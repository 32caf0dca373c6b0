"""From numbered events to entries of the journal: who took back what, in ids and hashes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import msgspec

from hub import suppression
from hub.db.connection import Connection
from hub.db.copying import arrays
from hub.journal.entries import Erased, Invalidated, Line, Refused, Restricted, Unrestricted

TYPES = ("consent.recorded", "customer.restricted", "customer.unrestricted", "customer.erased")
REFUSALS: tuple[Literal["denied", "withdrawn", "objected"], ...] = (
    "denied",
    "withdrawn",
    "objected",
)
INVALIDATED = "invalidated"
MOST_RECORDS = 200
"""Records of one customer that an entry names."""

EVENTS = """
SELECT position, type, customer_id, record_id, data, created_at FROM event
 WHERE position > $1 AND position <= $2 AND type = ANY($3::text[]) AND customer_id IS NOT NULL
 ORDER BY position
"""
LEDGER = """
SELECT x.position, c.id, c.record_id, c.contact_point_id, c.channel, c.given_at,
       coalesce(s.key = 'hub', false) AS is_own
  FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[])
    AS x (position, statement_id, purpose, state)
  JOIN LATERAL (SELECT * FROM consent_entry e
                 WHERE e.statement_id = x.statement_id
                   AND (e.purpose, e.state) = (x.purpose, x.state)
                 ORDER BY e.id DESC LIMIT 1) c ON true
  LEFT JOIN source_record r ON r.id = c.record_id
  LEFT JOIN source s ON s.id = r.source_id
"""
RECORDS = f"""
SELECT x.id, r.id AS record_id, s.key AS source, r.type, r.external_id
  FROM unnest($1::uuid[]) AS x (id)
  JOIN LATERAL (SELECT l.record_id FROM identity_link l
                 WHERE l.customer_id = coalesce(
                       (SELECT a.customer_id FROM customer_alias a WHERE a.alias_id = x.id), x.id)
                   AND l.unlinked_at IS NULL
                 ORDER BY l.record_id LIMIT {MOST_RECORDS}) l ON true
  JOIN source_record r ON r.id = l.record_id
  JOIN source s ON s.id = r.source_id
 ORDER BY x.id, r.id
"""
HASHES = """
SELECT request_id, hash, kind, erased_at FROM suppression
 WHERE request_id = ANY($1::uuid[]) ORDER BY hash
"""
KEY = "SELECT sealed FROM sealed_key WHERE name = $1"


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and what its data says."""

    event: Any
    data: Mapping[str, Any]

    @property
    def is_erasure(self) -> bool:
        return self.event["type"] == "customer.erased"

    @property
    def is_refusal(self) -> bool:
        return self.event["type"] == "consent.recorded" and self.data.get("state") in REFUSALS

    @property
    def is_worth_it(self) -> bool:
        """Whether it takes something back."""
        is_consent = self.event["type"] == "consent.recorded"
        return self.is_refusal or not is_consent or self.data.get("state") == INVALIDATED


@dataclass(frozen=True, slots=True)
class Known:
    """What has to be looked up for entries: people's records, by id and as hashes; the ledger's
    entries by position; what erasures left, by request, and the sealed key of that."""

    records: Mapping[UUID, Sequence[tuple[UUID, bytes | None]]]
    ledger: Mapping[int, Any]
    erased: Mapping[UUID, Sequence[Any]]
    key: bytes | None


async def gather(connection: Connection, timeline: UUID, since: int, until: int) -> Sequence[Line]:
    """The entries of the events after `since` and up to `until`."""
    events: Sequence[Any] = await connection.fetch(EVENTS, since, until, list(TYPES))
    all_ = [Told(event, msgspec.json.decode(event["data"])) for event in events]
    told = [one for one in all_ if one.is_worth_it]
    if not told:
        return ()
    known = await _known(connection, told)
    return [line for one in told if (line := _line(timeline, one, known)) is not None]


def _line(timeline: UUID, told: Told, known: Known) -> Line | None:
    """An entry; None where the ledger no longer says it."""
    event, theirs = told.event, known.records.get(told.event["customer_id"], ())
    about: dict[str, Any] = {
        "timeline": timeline,
        "position": event["position"],
        "at": event["created_at"],
        "customer": event["customer_id"],
        "records": tuple(id_ for id_, _ in theirs),
        "keys": tuple(key for _, key in theirs if key is not None),
    }
    match event["type"]:
        case "customer.restricted":
            return Restricted(**about)
        case "customer.unrestricted":
            return Unrestricted(**about)
        case "customer.erased":
            request = UUID(told.data["request"])
            rows = known.erased.get(request, ())
            return Erased(
                **about,
                request=request,
                erased_at=rows[0]["erased_at"] if rows else event["created_at"],
                hashes=tuple((row["hash"], row["kind"]) for row in rows),
                key=known.key,
            )
        case _ if told.is_refusal:
            entry = known.ledger.get(event["position"])
            return None if entry is None else _refusal(about, told, entry)
        case _:
            return Invalidated(**about, statement=event["record_id"])


def _refusal(about: Mapping[str, Any], told: Told, entry: Any) -> Refused:
    return Refused(
        **about,
        entry=entry["id"],
        statement=told.event["record_id"],
        record=entry["record_id"],
        is_own=entry["is_own"],
        purpose=told.data["purpose"],
        state=told.data["state"],
        given_at=entry["given_at"],
        contact_point=entry["contact_point_id"],
        channel=entry["channel"],
    )


async def _known(connection: Connection, told: Sequence[Told]) -> Known:
    requests = [UUID(one.data["request"]) for one in told if one.is_erasure]
    erased: dict[UUID, list[Any]] = {}
    for row in await connection.fetch(HASHES, requests):
        erased.setdefault(row["request_id"], []).append(row)
    return Known(
        records=await _records(connection, {one.event["customer_id"] for one in told}),
        ledger=await _ledger(connection, [one for one in told if one.is_refusal]),
        erased=erased,
        key=await connection.fetchval(KEY, suppression.NAME) if requests else None,
    )


async def _records(
    connection: Connection, customers: set[UUID]
) -> Mapping[UUID, Sequence[tuple[UUID, bytes | None]]]:
    """The records of customers as they are now."""
    rows: Sequence[Any] = await connection.fetch(RECORDS, list(customers))
    key = await suppression.ensure_key(connection) if rows else b""
    found: dict[UUID, list[tuple[UUID, bytes | None]]] = {}
    for row in rows:
        is_person = row["type"] == "customer"
        words = (row["source"], row["type"], row["external_id"])
        hashed = suppression.of_record(key, *words) if is_person else None
        found.setdefault(row["id"], []).append((row["record_id"], hashed))
    return found


async def _ledger(connection: Connection, refusals: Sequence[Told]) -> Mapping[int, Any]:
    """The entries of the ledger that refusals came to, by position."""
    wanted = [
        (one.event["position"], one.event["record_id"], one.data["purpose"], one.data["state"])
        for one in refusals
    ]
    rows = await connection.fetch(LEDGER, *arrays(wanted)) if wanted else []
    return {row["position"]: row for row in rows}
