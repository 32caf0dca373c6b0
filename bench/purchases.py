"""Invented orders: ten lines each on average, of a few stores and many products."""

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from bench.people import EPOCH
from hub.intake import Incoming
from hub.records import Order, OrderLine, Person

CUSTOMERS, PRODUCTS, STORES = 50_000, 20_000, 40
HEADER = "external_id,ordered_at,customer,store,line_product,line_quantity,line_total\n"


def order(number: int, chance: random.Random, *, lines: int) -> Order:
    return Order(
        external_id=f"o{number}",
        ordered_at=EPOCH + timedelta(seconds=number),
        customer=Person(external_id=f"c{chance.randrange(CUSTOMERS)}"),
        store=f"s{chance.randrange(STORES)}",
        currency="EUR",
        lines=tuple(_line(chance) for _ in range(lines)),
    )


def _line(chance: random.Random) -> OrderLine:
    return OrderLine(
        product=f"p{chance.randrange(PRODUCTS)}",
        quantity=Decimal(chance.randrange(1, 5)),
        total=Decimal(chance.randrange(100, 9_999)) / 100,
    )


def batch(number: int, count: int) -> list[Incoming]:
    """Orders that nobody recorded yet, five to fifteen lines each."""
    chance = random.Random(number)
    orders = range(number * count, (number + 1) * count)
    return [Incoming(order(n, chance, lines=chance.randrange(5, 16)), n) for n in orders]


def write(path: Path, orders: int) -> tuple[int, Decimal]:
    """A CSV file of orders of ten lines, written as it is made; return the lines and their sum."""
    total = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for lines, cents in _orders(orders):
            file.writelines(lines)
            total += cents
    return orders * 10, Decimal(total) / 100


def _orders(count: int) -> Iterator[tuple[list[str], int]]:
    chance = random.Random(count)
    for number in range(count):
        at = (EPOCH - timedelta(seconds=number)).isoformat()
        customer, store = chance.randrange(CUSTOMERS), chance.randrange(STORES)
        head = f"o{number},{at},c{customer},s{store}"
        cents = [chance.randrange(100, 9_999) for _ in range(10)]
        yield [f"{head},{_cells(chance)},{c // 100}.{c % 100:02}\n" for c in cents], sum(cents)


def _cells(chance: random.Random) -> str:
    return f"p{chance.randrange(PRODUCTS)},{chance.randrange(1, 5)}"
