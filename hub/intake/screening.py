"""What was erased is refused at the door, unless the person themself came back.

A batch in which nobody was erased costs one statement, and none while nobody ever was.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from hub import clock, suppression
from hub.db.connection import Connection
from hub.identifiers import Contact, normalise
from hub.intake import checks
from hub.intake.batch import Incoming, Outcome
from hub.intake.context import Context
from hub.records import (
    AnyRecord,
    Consent,
    Customer,
    Detail,
    Identifier,
    Interaction,
    Order,
    Participant,
    Person,
)
from hub.suppression import OF_PEOPLE, Act, Hash, Standing

OTHERS = """
SELECT r.external_id FROM source_record r
  JOIN identity_link l ON l.record_id = r.id AND l.unlinked_at IS NULL
  JOIN customer c ON c.id = l.customer_id AND c.status = 'active'
 WHERE r.source_id = $1 AND r.type = 'customer' AND r.external_id = ANY($2::text[])
   AND r.hash IS NOT NULL
"""


@dataclass(slots=True)
class Screened:
    """What of a batch may come in. `refused` rows may not; of `curtailed` ones a part was left out,
    so what the source sent is not to be kept as it came.
    """

    batch: Sequence[Incoming]
    refused: dict[int, str] = field(default_factory=dict[int, str])
    curtailed: set[int] = field(default_factory=set[int])

    def tell(self, outcome: Outcome) -> None:
        """Add to an outcome what was refused."""
        outcome.suppressed = set(self.refused)
        outcome.curtailed = self.curtailed
        for type_ in self.refused.values():
            outcome.tally(type_, "suppressed")


@dataclass(frozen=True, slots=True)
class _Marks:
    """The hashes that a record can be known by: its own, those of whom it names, and of whom it is
    about."""

    own: Hash
    named: Sequence[Hash] = ()
    person: Sequence[Hash] = ()

    @property
    def all(self) -> Iterator[Hash]:
        yield self.own
        yield from self.named
        yield from self.person


async def screened(connection: Connection, batch: Sequence[Incoming], context: Context) -> Screened:
    """Leave out what is about people who were erased; whoever acted since then comes again."""
    if context.suppression_key is None:
        return Screened(batch)
    reading = _Reading(context, context.suppression_key)
    marks = [reading.marks(item.record) for item in batch]
    wanted = {hash_ for known in marks for hash_ in known.all}
    found = await suppression.standing(connection, wanted)
    if not found:
        return Screened(batch)
    others = await _others(connection, batch, marks, found, context)
    theirs = _theirs(batch, marks, found, others)
    found = await _lifted(connection, batch, marks, {**found, **theirs}, context.by)
    done = _sift(batch, marks, found, reading)
    await _remember(connection, {hash_: theirs[hash_] for hash_ in theirs.keys() & found.keys()})
    hits = Counter(
        _hit(marks[n], found) for n, item in enumerate(batch) if item.row in done.refused
    )
    await suppression.count(connection, {hash_: n for hash_, n in hits.items() if hash_})
    return done


async def _others(
    connection: Connection,
    batch: Sequence[Incoming],
    marks: Sequence[_Marks],
    found: Mapping[Hash, Standing],
    context: Context,
) -> Collection[str]:
    """Of customers who state what was an erased person's alone, the ids of those whom the hub has
    already: somebody else, who has the number now.
    """
    ids = [
        item.record.external_id.strip()
        for item, known in zip(batch, marks, strict=True)
        if isinstance(item.record, Customer) and not found.keys().isdisjoint(known.all)
    ]
    rows = await connection.fetch(OTHERS, context.source_id, ids) if ids else []
    return {row["external_id"] for row in rows}


def _theirs(
    batch: Sequence[Incoming],
    marks: Sequence[_Marks],
    found: Mapping[Hash, Standing],
    others: Collection[str],
) -> Mapping[Hash, Standing]:
    """The keys of customers who are known by an identifier alone: what is about these is about who
    was erased, and an act of theirs is told by these.
    """
    theirs: dict[Hash, Standing] = {}
    for item, known in zip(batch, marks, strict=True):
        if not isinstance(item.record, Customer) or item.record.external_id.strip() in {
            "",
            *others,
        }:
            continue
        hits = [found[hash_] for hash_ in known.named if hash_ in found]
        if hits and known.own not in found:
            last = max(hits, key=lambda one: one.erased_at)
            theirs[known.own] = Standing("customer", last.request_id, last.erased_at)
    return theirs


async def _remember(connection: Connection, theirs: Mapping[Hash, Standing]) -> None:
    """Keep these away from now on, also where what is about them comes in another batch."""
    for hash_, one in sorted(theirs.items()):
        await suppression.enter(connection, one.request_id, one.erased_at, [(hash_, one.kind)])


def _hit(marks: _Marks, found: Collection[Hash]) -> Hash | None:
    return next((hash_ for hash_ in marks.all if hash_ in found), None)


def _sift(
    batch: Sequence[Incoming],
    marks: Sequence[_Marks],
    found: Mapping[Hash, Standing],
    reading: "_Reading",
) -> Screened:
    done = Screened([])
    kept: list[Incoming] = []
    for item, known in zip(batch, marks, strict=True):
        record = _rest(item.record, known, found, reading)
        if record is None:
            done.refused[item.row] = type(item.record).__name__.lower()
            continue
        if record is not item.record:
            done.curtailed.add(item.row)
        kept.append(Incoming(record, item.row))
    done.batch = kept
    return done


def _rest(
    record: AnyRecord, marks: _Marks, found: Mapping[Hash, Standing], reading: "_Reading"
) -> AnyRecord | None:
    """What may be recorded: all of it, nothing, of an interaction who else took part, or of
    somebody else what was not an erased person's alone.
    """
    if marks.own in found:
        return None
    if isinstance(record, Customer):  # somebody else: `_theirs` has the keys of all who are not
        return _let_go(record, found, reading)
    if not isinstance(record, Interaction):
        return record if found.keys().isdisjoint([*marks.named, *marks.person]) else None
    others = [p for p in record.participants if found.keys().isdisjoint(reading.person(p.person))]
    if len(others) == len(record.participants):
        return record
    return _without(record, others) if others else None


def _let_go(customer: Customer, found: Mapping[Hash, Standing], reading: "_Reading") -> Customer:
    """A customer without the identifiers that are suppressed."""
    left = [i for i in customer.identifiers if found.keys().isdisjoint(reading.values([i]))]
    if len(left) == len(customer.identifiers):
        return customer
    return msgspec.structs.replace(customer, identifiers=tuple(left))


def _without(interaction: Interaction, others: Sequence[Participant]) -> Interaction:
    """An interaction without somebody, and without what was said, which was theirs as well."""
    return msgspec.structs.replace(interaction, participants=tuple(others), subject="", text="")


async def _lifted(
    connection: Connection,
    batch: Sequence[Incoming],
    marks: Sequence[_Marks],
    found: Mapping[Hash, Standing],
    by: str,
) -> Mapping[Hash, Standing]:
    """What still stands after the acts of people who were erased."""
    acts: dict[UUID, Act] = {}
    for item, known in zip(batch, marks, strict=True):
        if known.own not in found and checks.problem(item.record) is None:
            acts |= _acts(item.record, known, found)
    for request, act in sorted(acts.items()):
        await suppression.lift(connection, request, act, by=by)
    return {
        hash_: one
        for hash_, one in found.items()
        if one.request_id not in acts or one.kind not in OF_PEOPLE
    }


def _acts(record: AnyRecord, marks: _Marks, found: Mapping[Hash, Standing]) -> Mapping[UUID, Act]:
    """The erasures after which the person did this themself: agreed to something, or bought.

    A time that is still to come tells nothing of when they acted.
    """
    match record:
        case Order(ordered_at=at):
            word: Act = "order"
        case Consent(state="granted", given_at=at):
            word = "consent"
        case _:
            return {}
    if at > clock.now() + checks.SLACK:
        return {}
    named = [found[hash_] for hash_ in (*marks.person, *marks.named) if hash_ in found]
    return {one.request_id: word for one in named if at > one.erased_at}


class _Reading:
    """How the records of one source are hashed."""

    def __init__(self, context: Context, key: bytes) -> None:
        self._context = context
        self._key = key

    def marks(self, record: AnyRecord) -> _Marks:
        own = self._record(type(record).__name__.lower(), record.external_id)
        match record:
            case Customer(identifiers=identifiers):
                return _Marks(own, [*self._self(record.external_id), *self.values(identifiers)])
            case Detail(customer=customer, identifiers=identifiers):
                return _Marks(own, self.values(identifiers), self._customer(customer))
            case Order(customer=Person() as person):
                return _Marks(own, (), self.person(person))
            case Consent(customer=person, contact_point=contact):
                named = self.values([contact] if contact else [])
                return _Marks(own, named, self.person(person))
            case Interaction(participants=participants):
                return _Marks(own, [h for p in participants for h in self.person(p.person)])
            case _:
                return _Marks(own)

    def person(self, person: Person) -> Sequence[Hash]:
        """The hashes that somebody can be known by whom a record names."""
        if person.external_id and person.external_id.strip():
            return self._customer(person.external_id)
        return self.values([person.identifier] if person.identifier else [])

    def _customer(self, external_id: str) -> Sequence[Hash]:
        return [self._record("customer", external_id), *self._self(external_id)]

    def _self(self, external_id: str) -> Sequence[Hash]:
        """The identifier that every customer's record is by itself."""
        value = f"{self._context.source}:{external_id.strip()}"
        return self.values([Identifier(type="external", value=value)])

    def _record(self, type_: str, external_id: str) -> Hash:
        return suppression.of_record(self._key, self._context.source, type_, external_id.strip())

    def values(self, identifiers: Sequence[Identifier]) -> Sequence[Hash]:
        """The hashes of identifiers that are usable."""
        region = self._context.defaults.phone_region
        canonical = (normalise(i.type, i.value, region=region) for i in identifiers)
        return [
            suppression.of_identifier(self._key, value)
            for value in canonical
            if isinstance(value, Contact)
        ]
