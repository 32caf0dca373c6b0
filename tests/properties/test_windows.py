"""No cursor loses a record, whatever changes while it is read and wherever the process dies.

A source changes between the calls of a sync; processes die at drawn steps: before a transaction,
in it just before its commit, after it, and while the source is asked. After one run that is left
alone the hub is the source, row by row. The source's times have no overlap to hide behind.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from hub import sync
from hub.adapter import Answer, Call
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.sync import Wanted, claim
from hub.sync.claim import Claimed, Mode
from tests.hub.sync.peer import Shop, adapter, connect, engine, known
from tests.properties.test_identity import concurrent, empty

T = TypeVar("T")
Operation = tuple[str, int, int]
Held = dict[str, tuple[str, list[str]]]
"""Customers by id: name and telephone numbers."""

IDS = st.integers(1, 4)
operations = st.tuples(
    st.sampled_from(("put", "put", "delete", "call", "hang up", "order", "line", "no line")),
    IDS,
    st.integers(0, 9),
)
PAGES = st.integers(1, 4)
EXPIRE = "UPDATE sync_run SET leased_until = now() - interval '1 s' WHERE state = 'running'"


class Death(BaseException):
    """The process is no more: nothing of it does anything after this."""


def happen(shop: Shop, operation: Operation) -> None:
    """What a user of the source does."""
    what, id_, version = operation
    match what:
        case "put":
            shop.put("customers", id_, name=f"Customer {version}")
        case "delete":
            shop.delete("customers", id_)
        case "order":
            shop.put("orders", id_, customer=version + 1)
        case "call" if id_ in shop.rows["customers"]:
            shop.put(
                "phones", id_ * 10 + version, customer=id_, value=f"+44207946{id_:02}{version:02}"
            )
        case "line" if id_ in shop.rows["orders"]:
            shop.put("lines", id_ * 10 + version, order=id_, name=f"thing {version}")
        case "hang up":
            shop.rows["phones"].pop(id_ * 10 + version, None)
        case "no line":
            shop.rows["lines"].pop(id_ * 10 + version, None)
        case _:
            pass


@dataclass
class Fate:
    """Counts steps, and knows at which the process dies."""

    deaths: list[int]

    def step(self) -> None:
        if self.deaths:
            self.deaths[0] -= 1
            if self.deaths[0] < 0:
                self.deaths.pop(0)
                raise Death


class Mortal:
    """A database whose process may die before a transaction, in it, and after it."""

    def __init__(self, database: Database, fate: Fate) -> None:
        self._database = database
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def retrying(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async def mortal(connection: Connection) -> T:
            done = await work(connection)
            self._fate.step()
            return done

        self._fate.step()
        done = await self._database.retrying(mortal)
        self._fate.step()
        return done


class Changing:
    """A source that changes between the calls."""

    waits_until = None

    def __init__(self, shop: Shop, fate: Fate, coming: list[Operation]) -> None:
        self._shop = shop
        self._fate = fate
        self._coming = coming

    async def ask(self, call: Call) -> Answer:
        answer = await self._shop.ask(call)
        self._fate.step()
        if self._coming:
            happen(self._shop, self._coming.pop(0))
        return answer


async def taken(database: Database, mode: Mode) -> Claimed:
    """The run that was left, else a new one."""
    await database.owner.execute(EXPIRE)
    async with database.transaction() as connection:
        integration = await connection.fetchval("SELECT id FROM integration")
        await claim.request(connection, "shop", Wanted(mode=mode))
        found = await claim.claim(connection, integration)
    assert found is not None
    return found


async def live(database: Database, shop: Any, mode: Mode, size: int, fate: Fate) -> bool:
    """One life of a process; whether it came to its end."""
    made = engine(Mortal(database, fate), shop, adapter(size))  # type: ignore[arg-type]
    run = await taken(database, mode)
    try:
        ended = await sync.sync(made, run, stopping=asyncio.Event())
    except Death:
        return False
    assert ended.state == "done", ended
    return True


def expected(shop: Shop) -> Held:
    """What a naive copy of the source holds."""
    phones = shop.rows["phones"].values()
    return {
        str(id_): (row["name"], sorted(p["value"] for p in phones if p["customer"] == id_))
        for id_, row in shop.rows["customers"].items()
    }


def behind(found: Held, wanted: Held) -> Held:
    """What changes alone should have brought, and did not: whatever was not a deletion."""
    return {
        id_: (name, values)
        for id_, (name, values) in wanted.items()
        if id_ not in found or found[id_][0] != name or not set(values) <= {*found[id_][1]}
    }


def expected_orders(shop: Shop) -> dict[str, list[str]]:
    lines = [row for _, row in sorted(shop.rows["lines"].items())]
    return {
        str(id_): [row["name"] for row in lines if row["order"] == id_]
        for id_ in shop.rows["orders"]
    }


async def held(database: Database) -> Held:
    return {
        id_: (said["given_name"], sorted(i["value"] for i in said.get("identifiers", ())))
        for id_, said in (await known(database)).items()
    }


async def held_orders(database: Database) -> dict[str, list[str]]:
    found = await known(database, "order")
    return {id_: [line["name"] for line in said.get("lines", ())] for id_, said in found.items()}


async def lives(
    database: Database,
    *,
    before: Sequence[Operation],
    during: Sequence[Operation],
    deaths: Sequence[int],
    modes: Sequence[Mode],
    size: int,
) -> None:
    async with database.transaction() as connection:
        await connection.execute("TRUNCATE integration CASCADE")
        await empty(connection)
    await connect(database)
    shop, fate = Shop(), Fate(list(deaths))
    for operation in before:
        happen(shop, operation)
    changing = Changing(shop, fate, list(during))
    for mode in modes:
        while not await live(database, changing, mode, size, fate):
            pass
    quiet = Fate([])
    assert await live(database, shop, "incremental", size, quiet)
    assert behind(await held(database), expected(shop)) == {}
    assert await live(database, shop, "reconcile", size, quiet)
    assert await held(database) == expected(shop)
    assert await held_orders(database) == expected_orders(shop)


MODES: st.SearchStrategy[Mode] = st.sampled_from(
    ("incremental", "incremental", "reconcile", "full")
)


@concurrent
@given(
    before=st.lists(operations, min_size=4, max_size=12),
    during=st.lists(operations, min_size=6, max_size=20),
    deaths=st.lists(st.integers(0, 12), min_size=2, max_size=6),
    modes=st.lists(MODES, max_size=1).map(lambda modes: ["incremental", *modes]),
    size=PAGES,
)
async def test_no_cursor_loses_a_record(
    database: Database,
    before: list[Operation],
    during: list[Operation],
    deaths: list[int],
    modes: list[Mode],
    size: int,
) -> None:
    await lives(database, before=before, during=during, deaths=deaths, modes=modes, size=size)
