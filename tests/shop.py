"""A small shop with a bit of everything that can be asked for, and what asks in it."""

import asyncio
import json
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from os import getpid
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

import pytest

from auth.principal import Principal
from auth.scopes import SCOPES
from hub.config import Settings
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.feed import Feed
from hub.identity import decisions
from hub.intake import Incoming, record
from hub.records import (
    Address,
    AnyRecord,
    Consent,
    Customer,
    Identifier,
    Interaction,
    Order,
    OrderLine,
    Participant,
    Person,
    Product,
    Store,
)
from hub.relay import Relay
from schema.build import build
from schema.engine import Engine
from schema.request import Answer, Caller, Request
from schema.trusted import Trusted
from tests.conftest import Store as Server
from tests.events import running

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOME = Identifier(type="phone", value="+7 900 123-45-00")
"""A telephone that two people share."""

DEFINITIONS = """
INSERT INTO attribute_definition (key, type, category, title) VALUES
    ('level', 'text', 'profile', 'Level'), ('points', 'number', 'profile', 'Points'),
    ('regular', 'boolean', 'behaviour', ''), ('passport', 'text', 'identity', 'Passport')
"""

PEOPLE = [
    Customer(
        external_id="anna",
        observed_at=NOON,
        given_name="Anna",
        family_name="Ivanova",
        middle_name="Petrovna",
        birth_date=date(1980, 5, 17),
        gender="female",
        locale="ru-RU",
        city="Kazan",
        identifiers=(
            Identifier(type="email", value="anna@example.com", verified=True),
            Identifier(type="phone", value="+7 900 123-45-67"),
            Identifier(type="loyalty_card", value="7001"),
            Identifier(type="external", value="till:44"),
        ),
        addresses=(
            Address(kind="home", street="Main 1", city="Kazan", postcode="420000", country="RU"),
            Address(kind="work", text='Leeds, "Dock" 5\\7', region="York", country="GB"),
        ),
        tags=("vip", "tea"),
        attributes={"level": "gold", "points": 12.5, "regular": True, "passport": "4510 1"},
    ),
    Customer(
        external_id="boris",
        given_name="Boris",
        family_name="Petrov",
        birth_date=date(1991, 11, 3),
        gender="male",
        city="Leeds",
        identifiers=(Identifier(type="email", value="boris@example.org"), HOME),
        tags=("tea",),
        attributes={"level": "silver", "points": 3},
    ),
    Customer(
        external_id="klara",
        given_name="Клара",
        family_name="Ёлкина",
        birth_date=date(1955, 1, 1),
        gender="other",
        city="Kazan",
        identifiers=(HOME,),
        attributes={"regular": False},
    ),
    Customer(external_id="nobody"),
    Customer(
        external_id="old",
        given_name="Anja",
        identifiers=(Identifier(type="email", value="anja@example.com"),),
    ),
]
SHELF = [
    Product(
        external_id="tea",
        name="Green tea",
        sku="T-1",
        brand="Leaf",
        category="drinks",
        price=Decimal("3.50"),
        currency="EUR",
    ),
    Product(external_id="cup", name="Cup", sku="C-1", brand="Kiln", category="ware"),
    Store(external_id="web", name="Web shop"),
    Store(external_id="s1", name="First", city="Kazan", address="Main 2"),
]
TRADE = [
    Order(
        external_id="o1",
        number="A-1",
        status="paid",
        channel="web",
        ordered_at=NOON,
        customer=Person(external_id="anna"),
        store="web",
        currency="EUR",
        lines=(
            OrderLine(product="tea", name="Green tea", quantity=Decimal(2), total=Decimal("6.60")),
            OrderLine(
                product="cup",
                name='Cup "Ё"',
                unit_price=Decimal("4.00"),
                discount=Decimal("0.40"),
                quantity=Decimal("1.5"),
            ),
            OrderLine(name="Wrapping", total=Decimal("0.00")),
        ),
    ),
    Order(
        external_id="o2",
        number="A-2",
        status="new",
        channel="store",
        ordered_at=NOON + 3 * DAY + timedelta(microseconds=1),
        customer=Person(identifier=Identifier(type="email", value="ANNA@example.com")),
        store="s1",
        currency="RUB",
        lines=(OrderLine(product="cup", unit_price=Decimal("1e2")),),
    ),
    Order(external_id="o3", ordered_at=NOON + DAY, customer=Person(external_id="boris")),
    Order(external_id="o4", ordered_at=NOON, customer=Person(external_id="old")),
    Order(external_id="o5", ordered_at=NOON + DAY, number="nobody's", total=Decimal(9)),
]
TALKS = [
    Interaction(
        external_id="i1",
        kind="call",
        direction="in",
        started_at=NOON,
        ended_at=NOON + timedelta(minutes=3),
        subject="Tea",
        text="About\nthe tea",
        participants=(
            Participant(person=Person(external_id="anna"), role="caller"),
            Participant(person=Person(external_id="boris"), role="callee"),
            Participant(
                person=Person(identifier=Identifier(type="phone", value="+7 900 123-45-99")),
                role="listener",
            ),
        ),
    ),
    Interaction(
        external_id="i2",
        kind="email",
        started_at=NOON + DAY,
        participants=(Participant(person=Person(external_id="klara"), role="sender"),),
    ),
    Interaction(
        external_id="i3",
        kind="visit",
        direction="out",
        started_at=NOON + DAY,
        participants=(Participant(person=Person(external_id="boris")),),
    ),
]


def _consent(n: int, who: str, purpose: str, state: Any, **more: Any) -> Consent:
    return Consent(
        external_id=f"c{n}",
        customer=Person(external_id=who),
        purpose=purpose,
        state=state,
        given_at=NOON + n * DAY,
        **more,
    )


SAID = [
    _consent(1, "anna", "email_marketing", "granted", method="form", document="terms", version="2"),
    _consent(2, "anna", "profiling", "granted", valid_until=NOON + 3650 * DAY, channel="web"),
    _consent(3, "boris", "email_marketing", "granted"),
    _consent(4, "boris", "email_marketing", "withdrawn", evidence="letter 5"),
    _consent(5, "old", "email_marketing", "granted", valid_until=NOON + 30 * DAY),
    _consent(6, "klara", "analytics", "objected"),
    _consent(7, "old", "sms_marketing", "denied"),
    _consent(
        8,
        "anna",
        "phone_marketing",
        "granted",
        contact_point=Identifier(type="phone", value="+7 900 123-45-67"),
    ),
]
ELSEWHERE = [
    Customer(
        external_id="77",
        given_name="Anna",
        family_name="Ivanova",
        identifiers=(Identifier(type="email", value="Anna@Example.com"),),
        tags=("tea",),
    ),
    Order(external_id="e1", ordered_at=NOON + 9 * DAY, customer=Person(external_id="77")),
]
NAMES = ("", "Anna", "anna", "Борис", "Ёлка", "елка", "O'Neil", "Zoe")


def crowd(size: int) -> list[AnyRecord]:
    """Many people who are much alike, each with as many orders as the number ends in."""
    return [record for n in range(size) for record in _one_of_many(n)]


def _one_of_many(n: int) -> Iterable[AnyRecord]:
    yield Customer(
        external_id=f"m{n}",
        given_name=NAMES[n % len(NAMES)],
        city=("", "Kazan", "Leeds")[n % 3],
        gender=(None, "female", "male", "other")[n % 4],  # type: ignore[arg-type]  # words of the list
        birth_date=None if n % 5 == 0 else date(1950 + n % 7, 1 + n % 2, 1),
        tags=("even",) if n % 2 == 0 else (),
        attributes={"points": n % 6} if n % 3 else {},
    )
    for m in range(n % 4):
        yield Order(
            external_id=f"m{n}-{m}",
            number=str(n),
            status=("", "new", "paid")[(n + m) % 3],
            channel=("web", "store")[m % 2],
            ordered_at=NOON + (n % 5) * DAY,
            customer=Person(external_id=f"m{n}"),
            total=Decimal(n % 7),
        )


async def fill(database: Database) -> None:
    """Record the shop, merge two of its people, and number what happened."""
    async with database.transaction() as connection:
        await connection.execute(DEFINITIONS)
        await _record(connection, [*PEOPLE, *SHELF, *TRADE, *TALKS, *SAID], "crm")
        await _record(connection, ELSEWHERE, "erp")
        await _record(connection, crowd(40), "till")
        anna, old = await customer_id(connection, "anna"), await customer_id(connection, "old")
        await decisions.merge(connection, anna, old, by="test", limit=50)
    async with running(Relay(database).run()):
        while await database.owner.fetchval("SELECT count(*) FROM event WHERE position IS NULL"):
            await asyncio.sleep(0.01)


async def _record(connection: Connection, said: Iterable[AnyRecord], source: str) -> None:
    batch = [Incoming(one, row) for row, one in enumerate(said, 1)]
    outcome = await record(connection, batch, source=source, cause="backfill")
    assert not outcome.rejections


async def said(database: Database, records: Iterable[AnyRecord], source: str = "crm") -> None:
    """Somebody says more."""
    async with database.transaction() as connection:
        await _record(connection, list(records), source)


OF_RECORD = """
SELECT l.customer_id FROM identity_link l JOIN source_record r ON r.id = l.record_id
 WHERE r.type = 'customer' AND r.external_id = $1 AND l.unlinked_at IS NULL
"""


async def customer_id(connection: Any, external_id: str) -> UUID:
    """The customer that a source's record belongs to now."""
    return await connection.fetchval(OF_RECORD, external_id)


@dataclass(frozen=True)
class Shop:
    """An open database, its engine, and who asks: by default with all scopes and for anything."""

    database: Database
    engine: Engine

    def caller(
        self, purpose: str = "data_subject_rights", *, without: Iterable[str] = ()
    ) -> Caller:
        return caller(purpose, without=without)

    async def ask(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        purpose: str = "data_subject_rights",
        without: Iterable[str] = (),
    ) -> Answer:
        given = dict(variables) if variables is not None else None
        return await self.engine.answer(
            Request(query=query, variables=given), caller(purpose, without=without)
        )

    async def data(self, query: str, variables: Mapping[str, Any] | None = None, **how: Any) -> Any:
        """The data of an answer without errors."""
        told = json.loads((await self.ask(query, variables, **how)).body)
        assert "errors" not in told, told["errors"]
        return told["data"]

    async def code(self, query: str, variables: Mapping[str, Any] | None = None, **how: Any) -> str:
        """The code of an answer that is one error, and nothing but that."""
        told = json.loads((await self.ask(query, variables, **how)).body)
        assert list(told) == ["errors"], told
        found: str = told["errors"][0]["extensions"]["code"]
        return found

    async def id(self, external_id: str) -> UUID:
        return await customer_id(self.database.owner, external_id)


def caller(purpose: str = "data_subject_rights", *, without: Iterable[str] = ()) -> Caller:
    """A client with all scopes but some, for one purpose."""
    scopes = frozenset(SCOPES) - set(without)
    ends = datetime.now(UTC) + DAY
    return Caller(Principal(uuid4(), "test", scopes, (purpose,), ends), purpose)


async def opened(database: Database, settings: Settings) -> Shop:
    engine = Engine(build(), database, settings, feed=Feed(database), trusted=Trusted("off", {}))
    await engine.prepare()
    return Shop(database, engine)


@pytest.fixture(scope="session")
def filled(store: Server, settings: Settings, template: str) -> Generator[str]:
    """A database with the shop in it that no test writes to."""
    name = f"hub_shop_{getpid()}_{token_hex(2)}"
    asyncio.run(_filled(store, settings, name, template))
    yield name
    asyncio.run(store.drop(name))


async def _filled(store: Server, settings: Settings, name: str, template: str) -> None:
    await store.create(name, template)
    async with await Database.over(settings, store.addresses(name)) as database:
        await fill(database)


@pytest.fixture
async def shop(store: Server, settings: Settings, filled: str) -> AsyncGenerator[Shop]:
    """The shop in a database of one's own."""
    name = f"hub_test_{getpid()}_{token_hex(4)}"
    await store.create(name, filled)
    async with await Database.over(settings, store.addresses(name)) as database:
        yield await opened(database, settings)
    await store.drop(name)
