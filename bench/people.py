"""Invented people by number, the same for the same number: for benches and proofs.

Six in ten have a telephone, one in ten shares that of the person before (a family), and one in
three has a loyalty card. Mailboxes and numbers are of ranges that belong to nobody.
"""

import csv
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hub.intake import Incoming
from hub.records import Customer, Identifier, IdentifierType

GIVEN = (
    *"Anna Boris Vera Gleb Daria Egor Zoya Ivan Kira Lev Maria Nikita Olga Pavel Rita".split(),
    *"Semyon Taisia Ulyana Fyodor Emma Karl Julia Oscar Nora Hugo".split(),
)
FAMILY = (
    *"Ivanova Petrov Smith Orlova Sokolov Novak Meyer Rossi Dubois Larsen Kowal Brandt".split(),
    *"Volkova Fedorov Lindberg Moreau Keller Vogel Popescu Horvat".split(),
)
CITIES = ("Kazan", "Leeds", "Turin", "Omsk", "Lyon", "Graz", "Perm")
LINES = (
    *(f"+61{area}{block}" for area in (2, 3, 7, 8) for block in (5550, 7010)),
    *(f"+33{block}" for block in (19900, 26191, 35301, 46571, 53649)),
)
"""Ranges of ten thousand numbers that Australia and France keep for films and books."""
EPOCH = datetime(2023, 1, 1, tzinfo=UTC)
COLUMNS = (
    *("external_id", "observed_at", "given_name", "family_name", "birth_date", "city"),
    *("email", "phone", "loyalty_card"),
)


@dataclass(frozen=True, slots=True)
class Invented:
    """Somebody who does not exist."""

    given_name: str
    family_name: str
    birth_date: date
    city: str
    email: str
    phone: str
    loyalty_card: str


def person(number: int) -> Invented:
    """The person of this number, up to 260,000 with telephones of their own."""
    family = number - 1 if number % 10 == 9 else number
    has_phone = number % 10 < 4 or number % 10 >= 8
    return Invented(
        given_name=GIVEN[number % 25],
        family_name=FAMILY[(family // 25) % 20],
        birth_date=date(1940, 1, 1) + timedelta(days=(number * 7919) % 25_000),
        city=CITIES[number % 7],
        email=f"person{number}@example.com",
        phone=_phone(family) if has_phone else "",
        loyalty_card=f"CARD{number:08}" if number % 3 == 0 else "",
    )


def _phone(number: int) -> str:
    """Five numbers for ten people; beyond the ranges they begin again."""
    nth = (number // 10) * 5 + min(number % 10, 4)
    return f"{LINES[(nth // 10_000) % len(LINES)]}{nth % 10_000:04}"


def whole(number: int, external_id: str) -> Customer:
    """All there is to know about a person."""
    return _customer(person(number), external_id, ("email", "phone", "loyalty_card"), number)


def partial(number: int, external_id: str, chance: random.Random) -> Customer:
    """What another system knows: one contact point in common, at times no birth date."""
    them = person(number)
    known: list[IdentifierType] = ["email"]
    if them.phone and chance.random() < 0.4:
        known = ["phone"]
    return _customer(them, external_id, known, chance.randrange(100_000))


def known_by_mail(number: int, external_id: str, chance: random.Random) -> Customer:
    """What a system knows that has nothing but the e-mail address in common."""
    return _customer(person(number), external_id, ["email"], chance.randrange(100_000))


def _customer(
    them: Invented, external_id: str, kinds: Iterable[IdentifierType], minutes: int
) -> Customer:
    values: list[tuple[IdentifierType, str]] = [(kind, getattr(them, kind)) for kind in kinds]
    return Customer(
        external_id=external_id,
        observed_at=EPOCH + timedelta(minutes=minutes),
        given_name=them.given_name,
        family_name=them.family_name,
        birth_date=them.birth_date,
        city=them.city,
        identifiers=tuple(Identifier(type=kind, value=value) for kind, value in values if value),
    )


def base(first: int, count: int) -> list[Incoming]:
    """A batch of people nobody knows yet."""
    return [Incoming(whole(n, f"c{n}"), n + 1) for n in range(first, first + count)]


def mixed(number: int, count: int, *, known: int, chance: random.Random) -> list[Incoming]:
    """Batch `number` of another system: three in ten are among the first `known` people."""
    records: list[Customer] = []
    for place in range(number * count, (number + 1) * count):
        if chance.random() < 0.3:
            records.append(partial(chance.randrange(known), f"s{place}", chance))
        else:
            records.append(whole(known + place, f"s{place}"))
    return [Incoming(record, row) for row, record in enumerate(records, 1)]


def write(path: Path, customers: Iterable[Customer]) -> None:
    """A CSV file that `hub import` needs no mapping for, if its name begins with `customers.`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_cells(customer) for customer in customers)


def _cells(customer: Customer) -> Iterator[str]:
    values = {identifier.type: identifier.value for identifier in customer.identifiers}
    yield customer.external_id
    yield customer.observed_at.isoformat() if customer.observed_at else ""
    yield from (customer.given_name, customer.family_name)
    yield customer.birth_date.isoformat() if customer.birth_date else ""
    yield customer.city
    yield from (values.get(kind, "") for kind in ("email", "phone", "loyalty_card"))
