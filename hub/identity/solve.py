"""Which records are one person: a pure function of records, decisions and rules.

Nothing here knows the order in which records arrived. People's decisions come first; then every
identifier value, strongest kind first and in a fixed order, joins the records that hold it, unless
something speaks against it. What speaks against it is kept as a `Refusal`, so that a person can be
told why two records are not one customer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import Literal
from uuid import UUID

from hub import names
from hub.identifiers import IDENTIFIER_TYPES, Contact
from hub.records import IdentifierType

VERSION = "1"
"""Version of the rules, kept with every link."""

Method = Literal["exact", "rule", "manual"]
Reason = Literal[
    "decision", "given_names", "birth_dates", "limit", "contested", "crowded", "blocked"
]
REASONS: Mapping[Reason, str] = {
    "decision": "a person decided that they are not one",
    "given_names": "their given names differ",
    "birth_dates": "their birth dates differ",
    "limit": "one person would hold too many identifiers of this kind",
    "contested": "people with different names or birth dates share it",
    "crowded": "too many records hold it",
    "blocked": "it is on the blocklist",
}


@dataclass(frozen=True, slots=True)
class Member:
    """One record, as far as identity needs it. Names are folded (`names.fold`), values
    distinct.

    `attaches`: the record is a mere contact point (a caller's number). It joins the one person
    who holds it, and never joins two people nor makes a new one. `about`: nor does a record that
    was made for that one, and goes where it goes.
    """

    id: UUID
    key: tuple[str, str, str]
    given_name: str = ""
    family_name: str = ""
    birth_date: date | None = None
    values: tuple[Contact, ...] = ()
    attaches: bool = False
    about: UUID | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: `left` and `right` are one (`merge`), or are not (anything else)."""

    kind: str
    left: frozenset[UUID]
    right: frozenset[UUID]
    by: str = ""


@dataclass(frozen=True, slots=True)
class Join:
    """Why a record is with another: the identifier, or nothing where a person decided it."""

    method: Method
    other: UUID
    type: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """Two records that were joined, and by what: None where a person decided it."""

    left: UUID
    right: UUID
    value: Contact | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why two records were not joined by a value they share, or (None) by none at all."""

    value: Contact | None
    left: UUID
    right: UUID
    reason: Reason


@dataclass(slots=True)
class Solution:
    """The partition: clusters in canonical order, their members likewise.

    `joins` says of each record that is not alone why it is where it is; `edges` are all steps,
    which form a tree over each cluster. `attached` leads from a contact record to the index of its
    cluster. `shared` are values that more than one cluster holds.
    """

    clusters: list[list[Member]]
    joins: dict[UUID, Join]
    edges: list[Edge]
    attached: dict[UUID, int]
    shared: set[Contact]
    refusals: list[Refusal]


@dataclass(slots=True, eq=False)
class _Cluster:
    """Records joined so far, with what could speak against joining more."""

    members: list[Member]
    given_names: set[str]
    birth_dates: set[date]
    values: dict[IdentifierType, set[str]]
    sides: set[tuple[int, bool]] = field(default_factory=set[tuple[int, bool]])
    is_reconciled: bool = False


def solve(
    members: Iterable[Member],
    decisions: Sequence[Decision] = (),
    barred: Mapping[Contact, Reason] | None = None,
) -> Solution:
    """Partition `members`; `barred` are values that join nobody, with the reason."""
    everyone = sorted(members, key=lambda member: member.key)
    solver = _Solver([m for m in everyone if not m.attaches], decisions, barred or {})
    solver.obey_decisions()
    solver.join_values()
    solver.refuse_decided()
    return solver.solution([m for m in everyone if m.attaches])


class _Solver:
    """The state of one solving: who is with whom at this point."""

    def __init__(
        self,
        people: Sequence[Member],
        decisions: Sequence[Decision],
        barred: Mapping[Contact, Reason],
    ) -> None:
        self.people = people
        self.decisions = decisions
        self.barred = barred
        self.joins: dict[UUID, Join] = {}
        self.edges: list[Edge] = []
        self.refusals: list[Refusal] = []
        self.cluster: dict[UUID, _Cluster] = {member.id: _single(member) for member in people}
        self.holders = _holders(people)
        self.contested: set[Contact] = set()

    def obey_decisions(self) -> None:
        """Mark who must stay apart, then join who must be together, whatever speaks against it."""
        apart = [decision for decision in self.decisions if decision.kind != "merge"]
        for number, decision in enumerate(apart):
            for side, records in ((False, decision.left), (True, decision.right)):
                for cluster in self._clusters(records):
                    cluster.sides.add((number, side))
        for decision in self.decisions:
            if decision.kind == "merge":
                self._obey_merge(decision)

    def _obey_merge(self, decision: Decision) -> None:
        named = decision.left | decision.right
        tops: list[Member] = []
        for member in self.people:
            if member.id in named and not any(
                self._is_merged(top, member, decision) for top in tops
            ):
                tops.append(member)

    def _is_merged(self, left: Member, right: Member, decision: Decision) -> bool:
        """Whether the two are together after a person said so; a later split may forbid it."""
        if self.cluster[left.id] is not self.cluster[right.id]:
            if self._is_kept_apart(left, right):
                return False
            self._unite(left, right, "manual", None, by=decision.by)
            self.cluster[left.id].is_reconciled = True
        return True

    def _clusters(self, records: Iterable[UUID]) -> list[_Cluster]:
        found = {id(c): c for r in records if (c := self.cluster.get(r)) is not None}
        return list(found.values())

    def join_values(self) -> None:
        """Let every value that at least two records hold join them, in canonical order."""
        several = {value: them for value, them in self.holders.items() if len(them) > 1}
        ordered = sorted(several, key=lambda v: (IDENTIFIER_TYPES[v[0]].priority, v))
        self.contested = {value for value in ordered if self._is_contested(value)}
        for value in ordered:
            if value in self.barred:
                self._refuse_all(value, self.barred[value])
            elif value in self.contested:
                self._join_who_agree(value)
            else:
                self._join_all(value)

    def _is_contested(self, value: Contact) -> bool:
        """Whether people who can not be one hold the value: then it tells nothing by itself."""
        if value in self.barred or not IDENTIFIER_TYPES[value[0]].guarded:
            return False
        clusters = self._clusters(member.id for member in self.holders[value])
        return any(_objection(a, b) for a, b in combinations(clusters, 2))

    def _join_all(self, value: Contact) -> None:
        tops: list[Member] = []
        for member in self.holders[value]:
            if not any(self._joined(top, member, value, "exact") for top in tops):
                tops.append(member)

    def _join_who_agree(self, value: Contact) -> None:
        """A contested value (a family's phone) still joins records that agree on who they are."""
        for left, right in combinations(self.holders[value], 2):
            if _agree(left, right):
                self._joined(left, right, value, "rule")
            else:
                self._refuse(value, left, right, "contested")

    def _joined(
        self, left: Member, right: Member, value: Contact, method: Literal["exact", "rule"]
    ) -> bool:
        """Whether the two are together after trying to join them by this value."""
        if self.cluster[left.id] is self.cluster[right.id]:
            return True
        reason = self._obstacle(left, right, value)
        if reason:
            self._refuse(value, left, right, reason)
            return False
        self._unite(left, right, method, value)
        return True

    def _obstacle(self, left: Member, right: Member, value: Contact) -> Reason | None:
        if self._is_kept_apart(left, right):
            return "decision"
        a, b = self.cluster[left.id], self.cluster[right.id]
        if IDENTIFIER_TYPES[value[0]].guarded and (reason := _objection(a, b)):
            return reason
        return "limit" if _over_limit(a, b) else None

    def _is_kept_apart(self, left: Member, right: Member) -> bool:
        theirs = self.cluster[right.id].sides
        return any((number, not side) in theirs for number, side in self.cluster[left.id].sides)

    def _unite(
        self, left: Member, right: Member, method: Method, value: Contact | None, *, by: str = ""
    ) -> None:
        a, b = self.cluster[left.id], self.cluster[right.id]
        if len(a.members) < len(b.members):
            a, b = b, a
        a.members += b.members
        a.given_names |= b.given_names
        a.birth_dates |= b.birth_dates
        a.sides |= b.sides
        a.is_reconciled |= b.is_reconciled
        for kind, values in b.values.items():
            a.values.setdefault(kind, set()).update(values)
        for member in b.members:
            self.cluster[member.id] = a
        kind = value.type if value else ""
        self.joins.setdefault(right.id, Join(method, left.id, kind, by))
        self.joins.setdefault(left.id, Join(method, right.id, kind, by))
        self.edges.append(Edge(left.id, right.id, value))

    def _refuse(self, value: Contact, left: Member, right: Member, reason: Reason) -> None:
        self.refusals.append(Refusal(value, left.id, right.id, reason))

    def _refuse_all(self, value: Contact, reason: Reason) -> None:
        first, *rest = self.holders[value]
        for other in rest:
            self._refuse(value, first, other, reason)

    def refuse_decided(self) -> None:
        """Note between whom nothing but a person's decision stands."""
        for decision in self.decisions:
            if decision.kind != "merge":
                here = [
                    sorted(side & self.cluster.keys()) for side in (decision.left, decision.right)
                ]
                if all(here):
                    self.refusals.append(Refusal(None, here[0][0], here[1][0], "decision"))

    def solution(self, contacts: Sequence[Member]) -> Solution:
        """What was found, in canonical order."""
        unique = {id(cluster): cluster for cluster in self.cluster.values()}
        clusters = [sorted(c.members, key=lambda m: m.key) for c in unique.values()]
        clusters.sort(key=lambda cluster: cluster[0].key)
        place = {m.id: number for number, cluster in enumerate(clusters) for m in cluster}
        owners = {v: {place[m.id] for m in them} for v, them in self.holders.items()}
        return Solution(
            clusters=clusters,
            joins=self.joins,
            edges=self.edges,
            attached=self._attached(contacts, owners, place),
            shared={value for value, owning in owners.items() if len(owning) > 1},
            refusals=self.refusals,
        )

    def _attached(
        self,
        contacts: Sequence[Member],
        owners: Mapping[Contact, set[int]],
        place: Mapping[UUID, int],
    ) -> dict[UUID, int]:
        found = {
            contact.id: place[contact.about]
            for contact in contacts
            if contact.about is not None and contact.about in place
        }
        for contact in contacts:
            usable = [v for v in contact.values if v not in self.barred and v not in self.contested]
            owning = {owner for value in usable for owner in owners.get(value, ())}
            if len(owning) == 1:
                found[contact.id] = owning.pop()
        return found


def _single(member: Member) -> _Cluster:
    values: dict[IdentifierType, set[str]] = {}
    for kind, value in member.values:
        values.setdefault(kind, set()).add(value)
    return _Cluster(
        members=[member],
        given_names={member.given_name} if member.given_name else set(),
        birth_dates={member.birth_date} if member.birth_date else set(),
        values=values,
    )


def _holders(people: Sequence[Member]) -> dict[Contact, list[Member]]:
    holders: dict[Contact, list[Member]] = {}
    for member in people:
        for value in member.values:
            holders.setdefault(value, []).append(member)
    return holders


def _objection(a: _Cluster, b: _Cluster) -> Reason | None:
    """Why two clusters can not be one person, as far as names and birth dates tell.

    Where a person already joined records that differ, agreeing with any of them is enough.
    """
    lenient = a.is_reconciled or b.is_reconciled
    dates = [left != right for left in a.birth_dates for right in b.birth_dates]
    if dates and (all(dates) if lenient else any(dates)):
        return "birth_dates"
    given = [names.clash(left, right) for left in a.given_names for right in b.given_names]
    if given and (all(given) if lenient else any(given)):
        return "given_names"
    return None


def _over_limit(a: _Cluster, b: _Cluster) -> bool:
    return any(
        len(a.values[kind] | b.values[kind]) > IDENTIFIER_TYPES[kind].limit
        for kind in a.values.keys() & b.values.keys()
    )


def _agree(left: Member, right: Member) -> bool:
    if not names.same(left.given_name, right.given_name):
        return False
    if left.birth_date and right.birth_date:
        return left.birth_date == right.birth_date
    return bool(left.family_name) and left.family_name == right.family_name
