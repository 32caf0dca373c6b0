"""Consent on a base of people: decisions, batch by batch, and what attesting costs."""

import random
import statistics
import time
from uuid import UUID

from bench import attesting
from bench.figures import Figure
from hub.consent.decision import Question, may
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.identifiers import Contact
from hub.ledger import state

ROUNDS = 5
BATCH = 1_000
CHUNK = 5_000
SEED = 20_260_401
PURPOSES = ("email_marketing", "sms_marketing", "ads_audiences", "analytics", "profiling")
ENTRIES = """
INSERT INTO consent_entry (id, statement_id, record_id, customer_id, purpose, state, channel,
                           method, document, version, evidence, given_at, contact_point_id)
SELECT gen_random_uuid(), gen_random_uuid(), c.founder_id, c.id, p.purpose,
       CASE WHEN n % 10 = 0 THEN 'withdrawn' ELSE 'granted' END, '', 'bench', '', '', '',
       now() - interval '1 day',
       CASE WHEN n % 5 = 0 AND p.purpose = 'email_marketing' THEN
            (SELECT v.id FROM identifier i JOIN identifier_value v USING (type, value)
              WHERE i.customer_id = c.id AND i.type = 'email' ORDER BY v.id LIMIT 1) END
  FROM (SELECT row_number() OVER (ORDER BY id) AS n, id, founder_id FROM customer
         WHERE id = ANY($1::uuid[])) c
  JOIN (VALUES (0, 'email_marketing'), (1, 'ads_audiences'), (2, 'profiling')) p (m, purpose)
    ON (c.n + p.m) % 4 <> 0
"""
"""Three of four people spoke of each purpose, one in ten against it, some for one address."""
POINTS = """
SELECT DISTINCT ON (c.id) c.id, i.value FROM customer c
  LEFT JOIN identifier i ON i.customer_id = c.id AND i.type = 'email'
 WHERE c.status = 'active' ORDER BY c.id, i.value
"""


async def measure(database: Database, *, size: int, is_quick: bool) -> list[Figure]:
    people = await _spoken(database)
    figures = [await _decided(database, people, batches=20 if is_quick else 100)]
    return figures + await attesting.measure(database, size=size, is_quick=is_quick)


async def _spoken(database: Database) -> list[tuple[UUID, str | None]]:
    """Let people say something of some purposes; return them with an address each."""
    people = [(row["id"], row["value"]) for row in await database.owner.fetch(POINTS)]
    for start in range(0, len(people), CHUNK):
        ids = [id_ for id_, _ in people[start : start + CHUNK]]

        async def work(connection: Connection, ids: list[UUID] = ids) -> None:
            await connection.execute(ENTRIES, ids)
            await state.rebuild(connection, ids)

        await database.retrying(work)
    await database.owner.execute("ANALYZE customer, consent_entry, consent_state, identifier")
    return people


async def _decided(
    database: Database, people: list[tuple[UUID, str | None]], *, batches: int
) -> Figure:
    """Questions of all kinds, each batch one statement, one after the other."""
    chance = random.Random(SEED)
    rates = [await _round(database, people, chance, batches) for _ in range(ROUNDS + 1)]
    return Figure(
        name=f"decisions (may), batches of {BATCH:,}",
        value=statistics.median(rates[1:]),
        unit="decisions/s",
        reach="≥ 20,000",
        rounds=rates[1:],
    )


async def _round(
    database: Database,
    people: list[tuple[UUID, str | None]],
    chance: random.Random,
    batches: int,
) -> float:
    asked = [[_question(people, chance) for _ in range(BATCH)] for _ in range(batches)]
    begun = time.monotonic()
    async with database.transaction() as connection:
        for questions in asked:
            await may(connection, questions)
    return batches * BATCH / (time.monotonic() - begun)


def _question(people: list[tuple[UUID, str | None]], chance: random.Random) -> Question:
    customer, address = chance.choice(people)
    purpose = chance.choice(PURPOSES)
    is_narrow = purpose == "email_marketing" and address is not None
    point = Contact("email", address) if is_narrow and address else None
    return Question(customer, purpose, point)
