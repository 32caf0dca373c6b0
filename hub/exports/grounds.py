"""On what people go into a file: each is asked about once more, just before, and what is found is
what is entered of them.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from hub.consent.decision import Decision, Question, may
from hub.db.connection import Connection
from hub.db.copying import arrays
from hub.db.rules import PROFILING
from hub.disclosure import Sent
from hub.exports.query import Query, Row
from hub.identifiers import Contact
from hub.records import IdentifierType


@dataclass(frozen=True, slots=True)
class Leave:
    """What may go: the rows, what is to be entered of them; and why other people may not."""

    rows: Sequence[Row]
    sent: Sequence[Sent]
    denied: Counter[str] = field(default_factory=Counter[str])


class Point(NamedTuple):
    """A contact point in a row."""

    customer: UUID
    contact: Contact


async def leave(
    connection: Connection, made: Query, rows: Sequence[Row], *, recipient: str
) -> Leave:
    """Ask for these people, as the owner. Under consent each of their contact points is asked for
    and entered on its own.
    """
    people = await _people(connection, made, [row[0] for row in rows], recipient)
    denied = Counter[str](one.reason for one in people.values() if not one.is_allowed)
    allowed = [row for row in rows if people[row[0]].is_allowed]
    if made.use.basis != "consent" or not _places(made):
        sent = [Sent(row[0], people[row[0]].entry_id) for row in allowed]
        return Leave(allowed, sent, denied)
    points = await _points(connection, made, allowed, recipient)
    entered = defaultdict[UUID, list[Sent]](list)
    for one in points.values():
        entered[one.customer_id].append(one)
    sent = [
        one
        for row in allowed
        for one in entered.get(row[0]) or [Sent(row[0], people[row[0]].entry_id)]
    ]
    return Leave([_without(made, row, points) for row in allowed], sent, denied)


async def _people(
    connection: Connection, made: Query, customers: Sequence[UUID], recipient: str
) -> Mapping[UUID, Decision]:
    """The decision about each; where they were chosen by profiling, about that first."""
    asked = [Question(one, made.use.key, destination=recipient) for one in customers]
    found = dict(zip(customers, await may(connection, asked), strict=True))
    if made.is_profiled:
        profiling = await may(connection, [Question(one, PROFILING) for one in customers])
        for customer, decision in zip(customers, profiling, strict=True):
            if not decision.is_allowed:
                found[customer] = decision
    return found


IDS = """
SELECT v.type, v.value, v.id FROM unnest($1::text[], $2::text[]) AS t (type, value)
  JOIN identifier_value v ON v.type = t.type AND v.value = t.value
"""


async def _points(
    connection: Connection, made: Query, rows: Sequence[Row], recipient: str
) -> Mapping[Point, Sent]:
    """The contact points in these rows that may still be sent, by reference."""
    points = [
        Point(row[0], Contact(type, value))
        for row in rows
        for place, type in _places(made)
        for value in row[place]
    ]
    if not points:
        return {}
    asked = [Question(one.customer, made.use.key, one.contact, recipient) for one in points]
    decisions = await may(connection, asked)
    ids = {
        Contact(row["type"], row["value"]): row["id"]
        for row in await connection.fetch(IDS, *arrays([one.contact for one in points]))
    }
    return {
        point: Sent(point.customer, decision.entry_id, ids[point.contact])
        for point, decision in zip(points, decisions, strict=True)
        if decision.is_allowed
    }


def _places(made: Query) -> Sequence[tuple[int, IdentifierType]]:
    """Where in a row contact points are, and of which type."""
    places = enumerate(made.fields.values(), 1)
    return [(place, one.contact) for place, one in places if one.contact is not None]


def _without(made: Query, row: Row, points: Mapping[Point, Sent]) -> Row:
    """A row without the contact points that may not be sent."""
    cells = list(row)
    for place, type in _places(made):
        cells[place] = [
            value for value in row[place] if Point(row[0], Contact(type, value)) in points
        ]
    return tuple(cells)
