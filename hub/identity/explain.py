"""Why two records are one customer, or why not: the solver's own account, told to a person."""

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from hub.db.connection import Connection
from hub.errors import NotFound
from hub.identifiers import Contact, mask
from hub.identity import component
from hub.identity.component import Component
from hub.identity.decisions import current
from hub.identity.solve import REASONS, Edge, Refusal, Solution, solve

BY_KEY = """
SELECT r.id FROM source_record r JOIN source s ON s.id = r.source_id
 WHERE s.key = $1 AND r.type = 'customer' AND r.external_id = $2
"""

LINKED = "SELECT customer_id FROM identity_link WHERE record_id = $1 AND unlinked_at IS NULL"

OF_CUSTOMER = """
SELECT l.record_id FROM identity_link l WHERE l.customer_id = $1 AND l.unlinked_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that joins two records, or does not; `how`: a kind of identifier, or "decision"."""

    left: str
    right: str
    how: str
    value: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """`steps` lead from one to the other where they are one; else `obstacles` are between them."""

    verdict: Literal["one", "apart", "unrelated"]
    steps: Sequence[Step]
    obstacles: Sequence[Step]


async def find(connection: Connection, reference: str) -> list[UUID]:
    """The records that a customer's id, or `source:external_id`, stands for. Raises NotFound."""
    id_ = _uuid(reference)
    if id_ is None:
        return [await record_of(connection, reference)]
    customer = await current(connection, id_)
    return [row["record_id"] for row in await connection.fetch(OF_CUSTOMER, customer)]


async def record_of(connection: Connection, reference: str) -> UUID:
    """The record that `source:external_id` names. Raises NotFound."""
    source, _, external_id = reference.partition(":")
    found: UUID | None = await connection.fetchval(BY_KEY, source, external_id)
    if found is None:
        raise NotFound("There is no such record: give a customer's id, or source:external_id.")
    return found


async def customer_of(connection: Connection, reference: str) -> UUID:
    """The customer that an id, or one of its records as `source:external_id`, stands for today."""
    id_ = _uuid(reference)
    if id_ is not None:
        return await current(connection, id_)
    record = await record_of(connection, reference)
    found: UUID | None = await connection.fetchval(LINKED, record)
    if found is None:
        raise NotFound("This record belongs to no customer.")
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def explain(
    connection: Connection, left: str, right: str, *, limit: int, show_values: bool = False
) -> Explanation:
    """Solve the two anew, without writing, and tell what joined them or kept them apart.

    Values are masked unless `show_values`.
    """
    a, b = await find(connection, left), await find(connection, right)
    found = await component.read(connection, {*a, *b}, limit=limit)
    solution = solve((r.member for r in found.records), found.decisions, found.barred)
    teller = _Teller(found, show_values=show_values)
    if (path := _path(solution, set(a), set(b))) is not None:
        return Explanation("one", [teller.edge(edge) for edge in path], [])
    obstacles = [teller.refusal(refusal) for refusal in _between(solution, set(a), set(b))]
    return Explanation("apart" if obstacles else "unrelated", [], obstacles)


class _Teller:
    """Puts ids and values into words."""

    def __init__(self, found: Component, *, show_values: bool) -> None:
        self.names = {r.member.id: f"{r.member.key[0]}:{r.member.key[2]}" for r in found.records}
        self.show_values = show_values

    def edge(self, edge: Edge) -> Step:
        how = edge.value.type if edge.value else "decision"
        return Step(self.names[edge.left], self.names[edge.right], how, self._value(edge.value))

    def refusal(self, refusal: Refusal) -> Step:
        return Step(
            self.names[refusal.left],
            self.names[refusal.right],
            refusal.value.type if refusal.value else "decision",
            self._value(refusal.value),
            REASONS[refusal.reason],
        )

    def _value(self, value: Contact | None) -> str:
        if value is None:
            return ""
        return value.value if self.show_values else mask(value)


def _path(solution: Solution, left: Collection[UUID], right: Collection[UUID]) -> list[Edge] | None:
    """The steps that lead from one set of records to the other; None where nothing does."""
    near: dict[UUID, list[Edge]] = {}
    for edge in solution.edges:
        near.setdefault(edge.left, []).append(edge)
        near.setdefault(edge.right, []).append(edge)
    paths: dict[UUID, list[Edge]] = {record: [] for record in left}
    waiting = deque(left)
    while waiting:
        record = waiting.popleft()
        if record in right:
            return paths[record]
        for edge in near.get(record, ()):
            other = edge.right if edge.left == record else edge.left
            if other not in paths:
                paths[other] = [*paths[record], edge]
                waiting.append(other)
    return None


def _between(
    solution: Solution, left: Collection[UUID], right: Collection[UUID]
) -> Iterable[Refusal]:
    """Refusals between the two clusters: what they share, and why it was not enough."""
    a, b = _cluster(solution, left), _cluster(solution, right)
    for refusal in solution.refusals:
        if (refusal.left in a and refusal.right in b) or (refusal.left in b and refusal.right in a):
            yield refusal


def _cluster(solution: Solution, records: Collection[UUID]) -> set[UUID]:
    together: set[UUID] = set(records)
    for cluster in solution.clusters:
        ids = {member.id for member in cluster}
        if ids & together:
            together |= ids
    return together
