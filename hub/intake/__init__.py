"""The one way in: a batch of neutral records, from a file, a sync page or an API call, is recorded.

Source records first, then what they say of people, then who those people are, then everything that
hangs on a person, then the events; all in the caller's transaction, each step over the whole batch.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from hub import outbox, sums
from hub.db.connection import Connection
from hub.identifiers import Contact
from hub.identity.component import CONTACT
from hub.identity.links import customers_of
from hub.intake import awaited
from hub.intake.batch import (
    Batch,
    Fate,
    Incoming,
    Key,
    Outcome,
    Rejection,
    Statement,
    Status,
    count,
    gather,
)
from hub.intake.behaviour import record_interactions
from hub.intake.consents import Spoken, off_channel, record_consents
from hub.intake.context import OWN, Context, Defaults, Run, context, is_source
from hub.intake.facts import usable
from hub.intake.people import People, record_people
from hub.intake.screening import screened
from hub.intake.store import Origin, store
from hub.intake.trade import ask_things, record_orders, record_things
from hub.ledger import documents, restriction, state
from hub.outbox import Cause, Event
from hub.records import Consent, Detail, Identifier, Interaction, Order, Person

__all__ = [
    "OWN",
    "Defaults",
    "Fate",
    "Incoming",
    "Outcome",
    "Rejection",
    "Run",
    "is_source",
    "record",
]

DEFAULTS = Defaults()

FORMER = """
SELECT record_id FROM "order" WHERE id = ANY($1::uuid[]) AND record_id IS NOT NULL
UNION
SELECT record_id FROM interaction_participant WHERE interaction_id = ANY($1::uuid[])
UNION
SELECT record_id FROM consent_entry WHERE statement_id = ANY($1::uuid[])
"""


async def record(
    connection: Connection,
    batch: Sequence[Incoming],
    *,
    source: str,
    cause: Cause,
    run: Run | None = None,
    defaults: Defaults = DEFAULTS,
    by: str = "",
) -> Outcome:
    """Record a batch from one source inside the caller's transaction.

    `by`: who enters it (`client:NAME`, `command`, `person`), if not the source by itself.
    The same batch again changes nothing. A record that can not be taken is in the outcome's
    rejections, one about somebody who was erased is suppressed; neither stops the others. Deadlocks
    between workers end in an error that a new attempt cures: run it through `Database.retrying`.
    """
    surroundings = await context(connection, source, cause, run, defaults, by)
    passed = await screened(connection, batch, surroundings)
    gathered = gather(passed.batch, in_order=surroundings.in_order)
    passed.tell(gathered.outcome)
    work = _Work(connection, surroundings, gathered)
    await work.write()
    count(gathered)
    return gathered.outcome


class _Work:
    """One batch on its way in."""

    def __init__(self, connection: Connection, context: Context, batch: Batch) -> None:
        self.connection = connection
        self.context = context
        self.batch = batch
        self.about: dict[Key, Key] = {}
        self.participants: dict[Key, list[tuple[Key, str]]] = {}
        self.narrowed: dict[Key, Contact] = {}
        self.shelf: documents.Shelf = {}

    async def write(self) -> None:
        await self._find_documents()
        self._ask_people()
        ask_things(self.batch)
        await self._store("customer", CONTACT, "product", "store")
        self._settle_about()
        await self._store("detail", "order", "interaction", "consent")
        wanted = set(self.narrowed.values())
        people = await record_people(self.connection, self.batch, self.context, wanted)
        await record_things(self.connection, self.batch, self.context)
        customers = await self._customers(people)
        events = await self._record_facts(people, customers)
        await self._finish(people, events)

    async def _store(self, *types: str) -> None:
        statements = self.batch.of_type(*types)
        context = self.context
        origin = Origin(context.source_id, context.run_id, context.in_order)
        await store(self.connection, self.batch, statements, origin)

    async def _find_documents(self) -> None:
        """Read what is known of the documents that consents were given under."""
        entries = (s.record for s in self.batch.of_type("consent"))
        names = {e.document for e in entries if isinstance(e, Consent) and e.document}
        self.shelf = await documents.known(self.connection, names)

    def _ask_people(self) -> None:
        """Find the person each fact is about; a fact about nobody usable is rejected."""
        self._ask_superseded()
        for statement in self.batch.of_type("detail", "order", "interaction", "consent"):
            if not self._ask(statement):
                del self.batch.statements[statement.key]
                self.batch.outcome.tally(statement.key[0], "rejected")

    def _ask_superseded(self) -> None:
        """Let those exist whom an older version names, as if it had come in a batch before."""
        rejections, placeholders = (
            len(self.batch.outcome.rejections),
            self.batch.outcome.placeholders,
        )
        for statement in self.batch.superseded:
            self._ask(statement)
        for found in (self.about, self.participants, self.narrowed):
            found.clear()
        del self.batch.outcome.rejections[rejections:]
        self.batch.outcome.placeholders = placeholders

    def _ask(self, statement: Statement) -> bool:
        match statement.record:
            case Detail(customer=customer):
                self._about(statement, ("customer", customer.strip()))
            case Order(customer=Person() as person):
                key = self._person(statement, person, "customer")
                if key is not None:
                    self._about(statement, key)
            case Interaction(participants=participants):
                asked = [
                    (self._person(statement, p.person, f"participants[{n}]"), p.role)
                    for n, p in enumerate(participants)
                ]
                self.participants[statement.key] = [(k, role) for k, role in asked if k is not None]
            case Consent() as entry:
                return self._ask_consent(statement, entry)
            case _:
                pass
        return True

    def _ask_consent(self, statement: Statement, entry: Consent) -> bool:
        if entry.purpose not in self.context.purposes:
            known = ", ".join(sorted(self.context.purposes))
            self.batch.reject(statement.row, "purpose", f"no such purpose; there are {known}")
            return False
        objection = documents.objection(entry, self.shelf)
        if objection is not None:
            self.batch.reject(statement.row, *objection)
            return False
        contact = None
        if entry.contact_point is not None:
            contact = self._contact(statement, entry.contact_point, "contact_point")
            if contact is None:
                return False
        key = self._person(statement, entry.customer, "customer", is_needed=True)
        if key is None:
            return False
        if contact is not None:
            self.narrowed[statement.key] = contact
        self._about(statement, key)
        reason = off_channel(entry, self.context)
        if reason is not None:
            self.batch.reject(statement.row, "channel", reason, recorded=True)
        return True

    def _about(self, statement: Statement, key: Key) -> None:
        self.about[statement.key] = key
        self.batch.ask(key)

    def _person(
        self, statement: Statement, person: Person, field: str, *, is_needed: bool = False
    ) -> Key | None:
        """The key of a person's record: by the source's id, else by contact point."""
        if person.external_id and person.external_id.strip():
            key = ("customer", person.external_id.strip())
        elif person.identifier is not None:
            contact = self._contact(statement, person.identifier, field, is_needed=is_needed)
            if contact is None:
                return None
            key = (CONTACT, f"{contact.type}:{contact.value}")
        else:
            if is_needed:
                self.batch.reject(statement.row, field, "names nobody: give an id or a contact")
            return None
        self.batch.ask(key)
        return key

    def _contact(
        self, statement: Statement, identifier: Identifier, field: str, *, is_needed: bool = True
    ) -> Contact | None:
        return usable(
            self.batch, self.context, statement.row, field, identifier, is_needed=is_needed
        )

    def _settle_about(self) -> None:
        for key, person in self.about.items():
            self.batch.statements[key].about_id = self.batch.statements[person].id

    async def _customers(self, people: People) -> dict[UUID, UUID | None]:
        """The customers of everybody whom written facts are about, locked in id order."""
        statements = self.batch.statements
        written = {key for key, statement in statements.items() if statement.is_written}
        former = await self._former()
        keys = {person for key, person in self.about.items() if key in written}
        for key in written & self.participants.keys():
            keys |= {person for person, _ in self.participants[key]}
        solved = people.resolution.customer_of
        ids = {statements[key].id for key in keys} | former
        others = await customers_of(self.connection, ids - solved.keys())
        customers = {**others, **{record: solved[record] for record in ids & solved.keys()}}
        left = {customers[record] for record in former}
        people.resolution.changed |= {customer for customer in left if customer is not None}
        return customers

    async def _former(self) -> set[UUID]:
        """The records that changed orders, interactions and consents have been about so far."""
        statements = self.batch.of_type("order", "interaction", "consent")
        changed = [s.id for s in statements if s.status is Status.CHANGED]
        if not changed:
            return set()
        return {row["record_id"] for row in await self.connection.fetch(FORMER, changed)}

    async def _record_facts(
        self, people: People, customers: dict[UUID, UUID | None]
    ) -> list[Event]:
        statements = self.batch.statements
        participants = {
            statements[key].id: [(statements[person].id, role) for person, role in asked]
            for key, asked in self.participants.items()
        }
        narrowed = {statements[key].id: contact for key, contact in self.narrowed.items()}
        orders = await record_orders(self.connection, self.batch, self.context, customers)
        interactions = await record_interactions(
            self.connection, self.batch, self.context, customers, participants
        )
        consents, touched = await record_consents(
            self.connection,
            self.batch,
            self.context,
            customers,
            Spoken(people.contact_points, narrowed, self.shelf),
        )
        late, whose = await awaited.enter(
            self.connection, self.batch, self.context, people.resolution.customer_of
        )
        said = touched | whose | people.resolution.regrouped
        said |= await state.spoken(self.connection, people.gained - said)
        said |= await self._sharing(people, customers)
        await state.rebuild(self.connection, said)
        await restriction.rebuild(self.connection, people.resolution.regrouped)
        buyers = {c for c in customers.values() if c is not None} if orders else set[UUID]()
        await sums.rebuild_trade(self.connection, buyers | people.resolution.regrouped)
        await sums.rebuild_profile(self.connection, people.profiled | people.resolution.regrouped)
        return [*orders, *interactions, *consents, *late]

    async def _sharing(self, people: People, customers: Mapping[UUID, UUID | None]) -> set[UUID]:
        """Who holds an address by which something was said, and that several people hold."""
        consents = (s.about_id for s in self.batch.of_type("consent") if s.is_written)
        records = {about for about in consents if about and customers.get(about) is None}
        solved = people.resolution
        is_shared = self.context.has_nobodys or None in solved.moved.values()
        newcomers = solved.created | people.gained if is_shared else ()
        return await state.sharing(self.connection, records, newcomers)

    async def _finish(self, people: People, events: Sequence[Event]) -> None:
        """Write the events: first who the people are, then what hangs on them."""
        resolution = people.resolution
        for statement in self.batch.of_type("customer", "detail"):
            if statement.is_written:
                customer = resolution.customer_of.get(statement.about_id or statement.id)
                if customer is not None:
                    resolution.changed.add(customer)
        await outbox.write(
            self.connection,
            [*resolution.events(), *events],
            cause=self.context.cause,
            run_id=self.context.run_id,
        )
