"""Products, stores and orders on their way into the tables."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from hub.db.connection import Connection
from hub.db.copying import arrays, insert
from hub.intake.batch import Batch, Statement, Status
from hub.intake.context import Context
from hub.outbox import Event
from hub.records import Order, OrderLine, Product, Store

PRODUCTS = """
INSERT INTO product (id, source_id, external_id, name, sku, brand, category, price, currency)
SELECT n.id, $1, n.external_id, n.name, n.sku, n.brand, n.category, n.price, n.currency
  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
              $8::numeric[], $9::text[])
    AS n (id, external_id, name, sku, brand, category, price, currency)
ON CONFLICT (id) DO UPDATE
   SET name = excluded.name, sku = excluded.sku, brand = excluded.brand,
       category = excluded.category, price = excluded.price, currency = excluded.currency
"""

STORES = """
INSERT INTO store (id, source_id, external_id, name, city, address)
SELECT n.id, $1, n.external_id, n.name, n.city, n.address
  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS n (id, external_id, name, city, address)
ON CONFLICT (id) DO UPDATE
   SET name = excluded.name, city = excluded.city, address = excluded.address
"""

CHANGED = """
WITH gone AS (DELETE FROM order_line WHERE order_id = ANY($1::uuid[]))
UPDATE "order" o
   SET (record_id, customer_id, store_id, number, status, channel, ordered_at, currency, total)
     = (n.record_id, n.customer_id, n.store_id, n.number, n.status, n.channel, n.ordered_at,
        n.currency, n.total)
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[],
              $8::timestamptz[], $9::text[], $10::numeric[])
    AS n (id, record_id, customer_id, store_id, number, status, channel, ordered_at, currency,
          total)
 WHERE o.id = n.id
RETURNING o.id
"""

ORDER = (
    *("id", "record_id", "customer_id", "store_id", "number", "status", "channel"),
    *("ordered_at", "currency", "total", "source_id", "external_id"),
)
LINE = (
    *("order_id", "position", "customer_id", "product_id", "name", "quantity", "unit_price"),
    *("discount", "total"),
)


def ask_things(batch: Batch) -> None:
    """Ask for the products and stores that orders name, as stubs unless they came themselves."""
    for statement in [*batch.superseded, *batch.of_type("order")]:
        order = statement.record
        if isinstance(order, Order):
            if order.store:
                batch.ask(("store", order.store.strip()))
            for line in order.lines:
                if line.product:
                    batch.ask(("product", line.product.strip()))


async def record_things(connection: Connection, batch: Batch, context: Context) -> None:
    """Write products and stores; one that is only named is a bare id until it comes."""
    products = [_product(s, context) for s in batch.of_type("product") if s.is_written]
    if products:
        await connection.execute(PRODUCTS, context.source_id, *arrays(products))
    stores = [_store(s) for s in batch.of_type("store") if s.is_written]
    if stores:
        await connection.execute(STORES, context.source_id, *arrays(stores))


def _product(statement: Statement, context: Context) -> tuple[Any, ...]:
    p = statement.record if isinstance(statement.record, Product) else Product(external_id="")
    currency = p.currency or (context.defaults.currency if p.price is not None else "")
    return (statement.id, statement.key[1], p.name, p.sku, p.brand, p.category, p.price, currency)


def _store(statement: Statement) -> tuple[Any, ...]:
    s = statement.record if isinstance(statement.record, Store) else Store(external_id="")
    return (statement.id, statement.key[1], s.name, s.city, s.address)


async def record_orders(
    connection: Connection,
    batch: Batch,
    context: Context,
    customers: Mapping[UUID, UUID | None],
) -> list[Event]:
    """Write orders with their lines; `customers` leads from a person's record to the customer."""
    written = [s for s in batch.of_type("order") if s.is_written]
    rows = {s.id: _order(batch, s, context, customers) for s in written}
    changed = [rows[s.id] for s in written if s.status is Status.CHANGED]
    there: set[UUID] = set()
    if changed:
        there = {row["id"] for row in await connection.fetch(CHANGED, *arrays(changed))}
    # One that was deleted at the source, and is there again, has no row either.
    new = [(*rows[s.id], context.source_id, s.key[1]) for s in written if s.id not in there]
    await insert(connection, "order", ORDER, new)
    lines = [row for s in written for row in _lines(batch, s, _whose(s, customers))]
    await insert(connection, "order_line", LINE, lines)
    return [Event("order.recorded", _whose(s, customers), s.id) for s in written]


def _whose(order: Statement, customers: Mapping[UUID, UUID | None]) -> UUID | None:
    return customers.get(order.about_id) if order.about_id else None


def _order(
    batch: Batch,
    statement: Statement,
    context: Context,
    customers: Mapping[UUID, UUID | None],
) -> tuple[Any, ...]:
    order = statement.record
    assert isinstance(order, Order)  # noqa: S101  # its key says so
    return (
        statement.id,
        statement.about_id,
        _whose(statement, customers),
        batch.statements[("store", order.store.strip())].id if order.store else None,
        order.number or statement.key[1],
        order.status,
        order.channel,
        order.ordered_at,
        order.currency or context.defaults.currency,
        sum(map(_paid, order.lines), Decimal(0)) if order.total is None else order.total,
    )


def _lines(batch: Batch, statement: Statement, customer: UUID | None) -> Sequence[tuple[Any, ...]]:
    order = statement.record
    assert isinstance(order, Order)  # noqa: S101  # its key says so
    statements = batch.statements
    return [
        (
            statement.id,
            position,
            customer,
            statements[("product", line.product.strip())].id if line.product else None,
            line.name,
            line.quantity,
            line.unit_price,
            line.discount,
            _paid(line),
        )
        for position, line in enumerate(order.lines, 1)
    ]


def _paid(line: OrderLine) -> Decimal:
    """What a line cost: as stated, else price by quantity less the discount."""
    if line.total is not None:
        return line.total
    return (line.unit_price or Decimal(0)) * line.quantity - (line.discount or Decimal(0))
