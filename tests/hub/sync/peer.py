"""A pretend vendor in memory, its adapter, and what the tests of syncing need besides."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hub import clock, sync
from hub.adapter import (
    Adapter,
    Answer,
    Ask,
    Call,
    Child,
    Cursor,
    Item,
    Key,
    Privacy,
    Reconcile,
    Setting,
    Stream,
    Values,
)
from hub.clock import new_id
from hub.db.engine import Database
from hub.errors import RejectedRecord
from hub.intake import Defaults
from hub.paging import ById
from hub.records import Customer, Identifier, Order, OrderLine, Person
from hub.sync import Ended, Engine, Wanted, claim

NOW = timedelta(0)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Hook = Callable[[Call], Awaitable[None]]


@dataclass
class Shop:
    """Rows by model and id. What is put gets a time that grows; children leave their owner's."""

    rows: dict[str, dict[int, dict[str, Any]]] = field(
        default_factory=lambda: {"customers": {}, "phones": {}, "orders": {}, "lines": {}}
    )
    calls: list[Call] = field(default_factory=list[Call])
    hooks: list[Hook] = field(default_factory=list[Hook])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    last: datetime = field(default_factory=clock.now)
    waits_until: datetime | None = None

    def put(self, model: str, id_: int, **fields: Any) -> None:
        known = self.rows[model].get(id_, {})
        self.last = max(clock.now(), self.last + timedelta(microseconds=1))
        self.rows[model][id_] = {**known, **fields, "id": id_, "changed": self.last}

    def delete(self, model: str, id_: int) -> None:
        self.rows[model].pop(id_, None)
        for child, owner in (("phones", "customer"), ("lines", "order")):
            if owner == model[:-1]:
                left = {n: r for n, r in self.rows[child].items() if r[owner] != id_}
                self.rows[child] = left

    async def ask(self, call: Call) -> Answer:
        self.calls.append(call)
        for hook in self.hooks:
            await hook(call)
        return Answer(status=200, headers=self.headers, body={"data": self.found(call)})

    def asked(self, path: str) -> list[dict[str, Any]]:
        """The bodies of the calls to a path."""
        return [call.body for call in self.calls if call.path == path]  # type: ignore[misc]

    def found(self, call: Call) -> list[dict[str, Any]]:
        said, model = call.body, call.path.strip("/")
        assert isinstance(said, dict)
        rows = [row for _, row in sorted(self.rows.get(model, {}).items()) if _fits(row, said)]
        return [self._shown(model, row) for row in rows[: said["size"]]]

    def _shown(self, model: str, row: dict[str, Any]) -> dict[str, Any]:
        shown = {**row, "changed": row["changed"].isoformat()}
        if model == "customers":
            phones = [p for p in self.rows["phones"].values() if p["customer"] == row["id"]]
            shown["phones"] = [phone["id"] for phone in phones]
            shown["phones."] = [phone["value"] for phone in phones]
        if model == "orders":
            lines = self.rows["lines"].values()
            shown["lines"] = [line["id"] for line in lines if line["order"] == row["id"]]
        return shown


def _fits(row: dict[str, Any], said: dict[str, Any]) -> bool:
    return (
        (said["after"] is None or row["id"] > int(said["after"]))
        and (said["since"] is None or row["changed"] >= said["since"])
        and (said["until"] is None or row["changed"] <= said["until"])
        and (not said["ids"] or str(row["id"]) in said["ids"])
        and (not said["owners"] or str(row.get("order")) in said["owners"])
    )


def _asks(path: str) -> Callable[[Ask], Call]:
    names = ("fields", "size", "after", "since", "until", "ids", "owners")

    def ask(wanted: Ask) -> Call:
        return Call(path=path, body={name: getattr(wanted, name) for name in names})

    return ask


def _owner(name: str) -> Callable[[Item], tuple[str, ...]]:
    return lambda item: (str(item[name]),)


def customer(item: Item, _: Values) -> Customer | None:
    """Nameless ones are nothing for the hub; a number for a name is wrong."""
    if item.get("name") is None:
        return None
    if not isinstance(item["name"], str):
        raise RejectedRecord("is no text", field="name")
    return Customer(
        external_id=str(item["id"]),
        observed_at=datetime.fromisoformat(item["changed"]),
        given_name=item["name"],
        identifiers=tuple(Identifier(type="phone", value=v) for v in item["phones."]),
    )


def order(item: Item, _: Values) -> Order:
    lines = tuple(
        OrderLine(name=line["name"], external_id=str(line["id"])) for line in item["lines"]
    )
    person = Person(external_id=str(item["customer"]))
    return Order(external_id=str(item["id"]), ordered_at=NOON, customer=person, lines=lines)


def adapter(size: int = 100, overlap: timedelta = NOW) -> Adapter:
    """A vendor whose customers have phones inside, and whose orders have lines apart."""
    common: dict[str, Any] = {
        "fields": ("name", "changed"),
        "items": ("data",),
        "pages": ById(size),
        "cursor": Cursor(field="changed", overlap=overlap),
        "deletions": Reconcile(),
    }
    phones = Child(key="phones", owners=_owner("customer"), ask=_asks("/phones"), fields=())
    lines = Child(key="lines", owners=_owner("order"), ask=_asks("/lines"), fields=(), apart=True)
    return Adapter(
        key="peer",
        title="Peer",
        family="erp",
        docs="https://peer.example.com",
        settings=(Setting(key="url", title="Address"), Setting(key="path", title="P", default="/")),
        base="{url}",
        auth=Key(form="none"),
        check=lambda values: _asks("/check")(Ask(values=values, fields=(), size=1)),
        streams=(
            Stream(
                key="customers",
                title="Customers",
                kind=Customer,
                ask=_asks("/customers"),
                map=customer,
                parts=("phones",),
                children=(phones,),
                **common,
            ),
            Stream(
                key="orders",
                title="Orders",
                kind=Order,
                ask=_asks("/orders"),
                map=order,
                parts=("lines",),
                children=(lines,),
                **common,
            ),
        ),
        privacy=Privacy(holds=("identity",), by_hand="Nobody is there: it is pretended."),
    )


SOURCE = "INSERT INTO source (key, kind) VALUES ($1, 'integration') RETURNING id"
CONNECT = """
INSERT INTO integration (id, name, adapter, source_id, every_seconds, next_sync_at, settings)
VALUES ($1, $2, 'peer', $3, $4, now(), '{"url": "https://peer.example.com"}')
"""


async def connect(database: Database, name: str = "shop", *, every: int | None = 900) -> None:
    """An integration with the pretend vendor, due now."""
    async with database.transaction() as connection:
        source = await connection.fetchval(SOURCE, name)
        await connection.execute(CONNECT, new_id(), name, source, every)


def engine(database: Database, shop: Any, made: Adapter | None = None) -> Engine:
    """An engine that asks this shop, whatever the integration."""
    chosen = made or adapter()

    @contextlib.asynccontextmanager
    async def opening(*_: object) -> AsyncGenerator[Any]:
        yield shop

    return Engine(
        database=database, opening=opening, defaults=Defaults(), adapters=lambda _: chosen
    )


async def read(made: Engine, name: str = "shop", **wanted: Any) -> Ended:
    """Ask for a run and do it, as a person would."""
    async with made.database.transaction() as connection:
        run = await claim.begin(connection, name, Wanted(**wanted), by="command")
    return await sync.sync(made, run, stopping=asyncio.Event())


KNOWN = """
SELECT external_id, payload FROM source_record
 WHERE type = $1 AND hash IS NOT NULL AND deleted_at IS NULL ORDER BY 1
"""


async def known(database: Database, kind: str = "customer") -> dict[str, dict[str, Any]]:
    """What the hub holds, by id: what each record says."""
    async with database.transaction() as connection:
        rows = await connection.fetch(KNOWN, kind)
    return {row["external_id"]: msgspec.json.decode(row["payload"]) for row in rows}


async def names(database: Database) -> dict[str, str]:
    """The customers' names by id."""
    return {id_: said["given_name"] for id_, said in (await known(database)).items()}
