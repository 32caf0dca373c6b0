"""Intake through the interface: four callers post mutations of 500 records to two processes."""

import http.client
import itertools
import json
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from bench import people, purchases
from bench.crew import Spent
from bench.figures import Figure
from bench.installation import Installation
from bench.serving import Served
from hub.db.engine import Database
from hub.records import Customer, Order

CALLERS = 4
WORKERS = 2
RECORDS = 500
LINES = 3
ROUNDS = 5
SEED = 20_260_103
PURPOSE = "customer_service"
FIRST = 200
"""The number of the first call: people whom no other kind of bench has brought in."""
DOCUMENT = """mutation Record($input: Record%sInput!) {
  record%s(input: $input) {
    results { externalId outcome errors { code } }
    counts { created updated unchanged stale rejected }
  }
}"""

Bodies = Sequence[bytes]
Make = Callable[[int, random.Random, int], Sequence[Mapping[str, Any]]]
"""The records of call `number`, the base having so many people."""


def orders(number: int, chance: random.Random, known: int) -> Sequence[Mapping[str, Any]]:
    """Orders that nobody recorded yet, of people of the base."""
    first = 10_000_000 + number * RECORDS
    made = [purchases.order(first + n, chance, lines=LINES) for n in range(RECORDS)]
    return [_order(order, chance.randrange(known)) for order in made]


def _order(order: Order, buyer: int) -> Mapping[str, Any]:
    return {
        "externalId": order.external_id,
        "orderedAt": order.ordered_at,
        "customer": {"externalId": f"c{buyer}"},
        "store": order.store,
        "currency": order.currency,
        "lines": [
            {"product": line.product, "quantity": line.quantity, "total": line.total}
            for line in order.lines
        ],
    }


def customers(number: int, chance: random.Random, known: int) -> Sequence[Mapping[str, Any]]:
    """People of another source, three in ten of them known."""
    records = [item.record for item in people.mixed(number, RECORDS, known=known, chance=chance)]
    return [_customer(record) for record in records if isinstance(record, Customer)]


def _customer(customer: Customer) -> Mapping[str, Any]:
    return {
        "externalId": f"g{customer.external_id}",
        "observedAt": customer.observed_at,
        "givenName": customer.given_name,
        "familyName": customer.family_name,
        "birthDate": customer.birth_date,
        "city": customer.city,
        "identifiers": [{"type": i.type.upper(), "value": i.value} for i in customer.identifiers],
    }


KINDS: Mapping[str, tuple[str, Make, str, str]] = {
    "Orders": ("base", orders, "orders, three lines each", "≥ 3,000"),
    "Customers": ("graphql", customers, "customers, 30 % known people", ""),
}
"""By the word of the mutation: the source, what makes the records, and what to say of it."""


async def measure(database: Database, *, size: int, is_quick: bool) -> list[Figure]:
    calls = 2 if is_quick else 6
    data_dir = database.settings.data_dir
    headers = Installation(data_dir).headers(PURPOSE)
    with Served("hub", data_dir, workers=WORKERS) as served:
        return [_measured(served, headers, word, size, calls) for word in KINDS]


def _measured(
    served: Served, headers: Mapping[str, str], word: str, size: int, calls: int
) -> Figure:
    chance, numbers = random.Random(SEED), itertools.count(FIRST)
    rounds: list[Spent] = []
    for _ in range(ROUNDS + 1):
        shares = [
            [_body(word, next(numbers), chance, size) for _ in range(calls)] for _ in range(CALLERS)
        ]
        rounds.append(_round(served, headers, shares))
    return _figure(word, rounds[1:], calls * CALLERS * RECORDS)  # the first makes the products


def _body(word: str, number: int, chance: random.Random, size: int) -> bytes:
    source, make, _, _ = KINDS[word]
    given = {"source": source, word.lower(): make(number, chance, size)}
    return msgspec.json.encode({"query": DOCUMENT % (word, word), "variables": {"input": given}})


def _round(served: Served, headers: Mapping[str, str], shares: Sequence[Bodies]) -> Spent:
    hub, server = served.spent()
    begun = time.monotonic()
    with ThreadPoolExecutor(len(shares)) as callers:
        answers = list(callers.map(lambda bodies: _posted(served.port, headers, bodies), shares))
    seconds = time.monotonic() - begun
    hub_after, server_after = served.spent()
    for answer in itertools.chain.from_iterable(answers):
        _demand_recorded(answer)
    return Spent(seconds, hub_after - hub, server_after - server)


def _posted(port: int, headers: Mapping[str, str], bodies: Bodies) -> list[bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    answers: list[bytes] = []
    try:
        for body in bodies:
            connection.request("POST", "/graphql", body, dict(headers))
            answers.append(connection.getresponse().read())
    finally:
        connection.close()
    return answers


def _demand_recorded(answer: bytes) -> None:
    told = json.loads(answer)
    if "errors" in told:
        raise RuntimeError(f"A mutation failed: {told['errors'][0]['message']}")
    (payload,) = told["data"].values()
    if payload["counts"]["rejected"] or sum(payload["counts"].values()) != RECORDS:
        codes = {error["code"] for row in payload["results"] for error in row["errors"]}
        raise RuntimeError(f"Not all was recorded: {payload['counts']}, {codes}.")


def _figure(word: str, rounds: Sequence[Spent], count: int) -> Figure:
    _, _, title, reach = KINDS[word]
    rates = [count / spent.seconds for spent in rounds]
    total = Spent.total(rounds)
    return Figure(
        name=f"record{word}, 500 in a call: {title}",
        value=statistics.median(rates),
        unit="records/s",
        reach=reach,
        hub_cpu=total.hub / count / len(rounds) * 1000,
        server_cpu=total.server / count / len(rounds) * 1000,
        rounds=rates,
    )
