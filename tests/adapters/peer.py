"""The other side of each adapter of ours, and the real way there: line, vault and engine.

An adapter of this house without a peer fails a test that says so; the conformance suite runs on
every registered adapter that has one.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from auth.vault import Vault
from auth.vendors.connector import Connector
from hub import integrations, registry, sync
from hub.adapter import Adapter, AuthorizationCode, Stream, Values
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.intake import Defaults
from hub.net import Line, Target
from hub.pace import Pace
from hub.sync import Ended, Engine, Wanted, claim, mapping
from hub.sync.asking import Asking, settled
from hub.sync.claim import Integration
from hub.sync.reader import Raw
from tests.adapters import visiting
from tests.adapters.sandboxed import TOKEN, Sandbox

NAME = "erp"
HUB = "https://hub.example.com"
HERE = (ip_network("127.0.0.0/8"),)
PAUSES = (0.01, 0.01, 0.01)
Row = dict[str, Any]


def lately(skew: float = 0.0) -> int:
    """A time that the next run looks at for certain: a vendor's `Date` tells no parts of a second,
    so what changed in the last one is left for the run after. `skew`: how wrong its clock is."""
    return int((time.time() + skew - 5) * 1_000_000)


class Peer(Protocol):
    """A vendor that a test can change behind the adapter's back. Streams are named by key."""

    module: str
    vendor: str
    reads: str
    sandbox: Sandbox
    settings: Mapping[str, str]

    def put(self, stream: str, count: int = 1, *, at: int | None = None) -> list[str]:
        """New rows, of which the hub takes every one; all at one time."""
        ...

    def change(self, stream: str, id: str, *, at: int | None = None) -> None: ...
    def change_child(self, stream: str, id: str) -> bool:
        """Change what belongs to a row, and not the row; False where nothing belongs to it."""
        ...

    def delete(self, stream: str, id: str) -> None: ...


class Pretended:
    """What all peers in a sandbox have in common. `module` runs it; `reads` is in the names of the
    calls that read rows; `models` has each stream's, and `fields` one that may change."""

    module = "adapters.sandbox"
    vendor = ""
    reads = "search_read"
    models: Mapping[str, str]
    fields: Mapping[str, str]

    def __init__(self, sandbox: Sandbox, **settings: str) -> None:
        self.sandbox = sandbox
        self.settings: Mapping[str, str] = {"url": sandbox.url, **settings}

    def put(self, stream: str, count: int = 1, *, at: int | None = None) -> list[str]:
        rows = [self.row(stream, number) for number in range(count)]
        return [*map(str, self._put(self.models[stream], *rows, at=at or lately()))]

    def change(self, stream: str, id: str, *, at: int | None = None) -> None:
        row = {"id": int(id), self.fields[stream]: f"Changed {id}"}
        self._put(self.models[stream], row, at=at or lately())

    def delete(self, stream: str, id: str) -> None:
        self.sandbox.delete(self.vendor, self.models[stream], int(id))

    def row(self, stream: str, number: int) -> Row:
        """A new row as a user of the vendor would write it."""
        raise NotImplementedError

    def _put(self, model: str, *rows: Row, at: int | None = None) -> list[int]:
        return self.sandbox.put(self.vendor, model, *rows, at=at)


PEOPLE = ("Anna Ivanova", "Борис Петров", "Clara Smith", "Doris Ёлкина")


class Tryton(Pretended):
    """The pretended Tryton."""

    vendor = "tryton"
    models: Mapping[str, str] = {
        "products": "product.product",
        "customers": "party.party",
        "orders": "sale.sale",
    }
    fields: Mapping[str, str] = {
        "products": "suffix_code",
        "customers": "name",
        "orders": "number",
    }

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox, path="/hub/rpc/", user="admin", password=TOKEN)
        self._put("currency.currency", {"name": "Euro", "code": "EUR"})
        self._put("product.template", _tea())
        self._put("party.party", {"name": "First Customer"})

    def change_child(self, stream: str, id: str) -> bool:
        children = {
            "customers": ("party.contact_mechanism", "party", {"type": "phone"}),
            "orders": ("sale.line", "sale", _line(2)),
        }
        if stream not in children:
            return False
        model, owner, values = children[stream]
        changed = {"value": "+44 20 7946 0999"} if stream == "customers" else {}
        row = {owner: int(id), **values, **changed}
        self._put(model, row, at=lately())
        return True

    def row(self, stream: str, number: int) -> Row:
        match stream:
            case "products":
                return {"template": 1, "suffix_code": f"T{number}"}
            case "customers":
                mail = {"type": "email", "value": f"person{number}@example.com"}
                phone = {"type": "phone", "value": f"+44 20 7946 0{number % 900:03d}"}
                home = {"street": "1 Mill Lane", "city": "Kent", "postal_code": "CT1 1AA"}
                return {
                    "name": PEOPLE[number % len(PEOPLE)],
                    "contact_mechanisms": [["create", [mail, phone]]],
                    "addresses": [["create", [home]]],
                }
            case _:
                return {
                    "party": 1,
                    "state": "processing",
                    "number": f"S{number}",
                    "sale_date": {"__class__": "date", "year": 2026, "month": 3, "day": 1},
                    "lines": [["create", [_line(1), _line(2)]]],
                }


def _tea() -> Row:
    return {"name": "Tea", "list_price": {"__class__": "Decimal", "decimal": "3.50"}}


def _line(quantity: int) -> Row:
    price = {"__class__": "Decimal", "decimal": "3.50"}
    return {"description": "Tea", "quantity": quantity, "unit_price": price}


class Odoo(Pretended):
    """The pretended Odoo."""

    vendor = "odoo"
    models: Mapping[str, str] = {
        "products": "product.product",
        "customers": "res.partner",
        "orders": "sale.order",
    }
    fields: Mapping[str, str] = {
        "products": "default_code",
        "customers": "name",
        "orders": "name",
    }

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox, key=TOKEN)
        self._put("res.currency", {"name": "EUR"})
        self._put("product.template", {"name": "Tea", "list_price": 3.5})
        self._put("res.partner", {"name": "First Customer"})

    def change_child(self, stream: str, id: str) -> bool:
        if stream != "orders":
            return False
        row = {"order_id": int(id), **_odoo_line(9)}
        self._put("sale.order.line", row, at=lately())
        return True

    def row(self, stream: str, number: int) -> Row:
        match stream:
            case "products":
                return {"product_tmpl_id": 1, "default_code": f"T{number}"}
            case "customers":
                return {
                    "name": PEOPLE[number % len(PEOPLE)],
                    "email": f"person{number}@example.com",
                    "phone": f"+44 20 7946 0{number % 900:03d}",
                    "street": "1 Mill Lane",
                    "city": "Kent",
                }
            case _:
                return {
                    "partner_id": 1,
                    "state": "sale",
                    "date_order": "2026-03-01 10:00:00",
                    "order_line": [[0, 0, _odoo_line(1)], [0, 0, _odoo_line(2)]],
                }


def _odoo_line(quantity: int) -> Row:
    return {"name": "Tea", "product_uom_qty": quantity, "price_unit": 3.5}


class Shopfront(Pretended):
    """The shop of the example; it has customers, and nothing else."""

    module = "tests.adapters.shopfront"
    vendor = "shopfront"
    reads = "customers"
    models: Mapping[str, str] = {"customers": "customers"}
    fields: Mapping[str, str] = {"customers": "first"}

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox, key=TOKEN)

    def change_child(self, stream: str, id: str) -> bool:
        return False

    def row(self, stream: str, number: int) -> Row:
        first, last = PEOPLE[number % len(PEOPLE)].split()
        return {"first": first, "last": last, "email": f"person{number}@example.com"}


class LeaveShopfront(Shopfront):
    """The same shop, for the example that asks its owner for leave."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.settings = {"url": sandbox.url, "client_id": "shop-app", "client_secret": TOKEN}


PEERS: Mapping[str, type[Tryton | Odoo | Shopfront]] = {
    "tryton": Tryton,
    "odoo": Odoo,
    "shopfront": Shopfront,
    "shopfront_oauth": LeaveShopfront,
}


@dataclass(frozen=True)
class House:
    """A hub with one integration, connected to a peer over the real line."""

    database: Database
    engine: Engine
    adapter: Adapter
    peer: Peer

    async def sync(self, **wanted: Any) -> Ended:
        """Ask for a run and do it, as a person would."""
        async with self.database.transaction() as connection:
            run = await claim.begin(connection, NAME, Wanted(**wanted), by="command")
        return await sync.sync(self.engine, run, stopping=asyncio.Event())

    async def integration(self) -> integrations.Integration:
        async with self.database.transaction() as connection:
            return await integrations.named(connection, NAME)

    async def known(self, stream: Stream) -> dict[str, Row]:
        """What the hub holds of a stream, by id: what each record says."""
        kind = stream.kind.__name__.lower()
        async with self.database.transaction() as connection:
            rows = await connection.fetch(KNOWN, kind)
        return {row["external_id"]: msgspec.json.decode(row["payload"]) for row in rows}

    async def items(self, stream: Stream) -> Sequence[Raw]:
        """All items, as the adapter's functions meet them."""
        found: list[Raw] = []
        async with self.asking() as asking:
            reader = asking.reader(stream, mapping.NOTHING)
            part = await reader.window(None, since=None, until=None)
            while part.after is not None:
                found += part.rows
                part = await reader.window(part.after, since=None, until=None)
        return found

    @contextlib.asynccontextmanager
    async def asking(self) -> AsyncGenerator[Asking]:
        found = await self.integration()
        known = Integration(
            id=found.id,
            name=found.name,
            adapter=found.adapter,
            source_id=found.source_id,
            settings=found.settings,
            mapping=found.mapping,
        )
        values = settled(self.adapter, known)
        async with self.engine.opening(known, self.adapter, values) as asker:
            yield Asking(asker, self.adapter, values)

    def arrivals(self) -> list[Row]:
        return self.peer.sandbox.arrivals(self.peer.vendor)

    def trouble(self, *troubles: Row) -> None:
        """What the vendor does wrong from now on, where it reads rows if nothing else is said."""
        told = [{"method": self.peer.reads, **trouble} for trouble in troubles]
        self.peer.sandbox.trouble(self.peer.vendor, *told)

    def forget_arrivals(self) -> None:
        self.peer.sandbox.control(self.peer.vendor, "arrivals", method="DELETE")


KNOWN = """
SELECT external_id, payload FROM source_record
 WHERE type = $1 AND hash IS NOT NULL AND deleted_at IS NULL ORDER BY 1
"""


async def connected(
    database: Database, key: str, peer: Peer, *, seconds: float | None = None
) -> House:
    """The integration `erp` with this adapter, which may ask as fast as it likes. `seconds`:
    another deadline of a call."""
    declared = replace(registry.adapter(key), limits=())
    adapter = declared if seconds is None else replace(declared, seconds=seconds)
    keyring = Keyring([b"k" * 32])
    vault = Vault(database, keyring)
    async with database.transaction() as connection:
        added = await integrations.add(connection, NAME, adapter, peer.settings, every=None)
        await vault.seal(connection, added.id, added.secrets)
        known = await integrations.named(connection, NAME)
    if added.is_new and isinstance(adapter.auth, AuthorizationCode):
        await given_leave(connector(database, keyring, adapter), known)
    return House(database, engine(database, vault, adapter), adapter, peer)


def connector(database: Database, keyring: Keyring, adapter: Adapter) -> Connector:
    """Sends people to the peer, from a hub at an address where nothing has to listen."""
    return Connector(database, keyring, base_url=HUB, networks=HERE, adapters=lambda _: adapter)


async def given_leave(connector: Connector, known: integrations.Integration) -> None:
    """The owner of the peer gives the hub leave, in a browser."""
    back = await visiting.visit(await connector.page(known))
    await connector.connect(urlsplit(back).query)


def engine(database: Database, vault: Vault, adapter: Adapter) -> Engine:
    """Reads as the hub does, with shorter pauses between tries."""

    @contextlib.asynccontextmanager
    async def opening(
        integration: Integration, adapter: Adapter, values: Values
    ) -> AsyncGenerator[Line]:
        limits = integrations.limits(adapter, integration.settings)
        pace = Pace(database, integration.id, limits, deadline=adapter.seconds)
        target = Target(integration.id, adapter, values)
        line = Line(target, credentials=vault, pace=pace, networks=HERE, pauses=PAUSES)
        try:
            yield line
        finally:
            await line.close()

    return Engine(
        database=database, opening=opening, defaults=Defaults(), adapters=lambda _: adapter
    )
