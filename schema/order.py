"""What people bought."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from hub import models
from schema.connection import Money, Most, Node
from schema.plan.mapping import Many, One, back_to, column, entity, field, global_id, listed, money
from schema.product import Product, Store
from schema.source import Source, SourceRecord, of_source, told_by

LINES = Many('{n}."order_id" = {t}."id" AND {n}."customer_id" = {o}', '{n}."position"', most=500)
PARENTS = '{p}."currency"'


@entity(models.OrderLine, "One line of an order.")
class OrderLine:
    position: int = column(models.OrderLine.position, "Its place in the order, from 1.")
    name: str = column(models.OrderLine.name, "What was bought, as the order says.")
    quantity: Decimal = column(models.OrderLine.quantity, "How much of it.")
    unit_price: Money | None = money(
        models.OrderLine.unit_price, "The price of one.", currency=PARENTS
    )
    discount: Money | None = money(
        models.OrderLine.discount, "What was taken off the line.", currency=PARENTS
    )
    total: Money = money(models.OrderLine.total, "What was paid for the line.", currency=PARENTS)
    product: Product | None = field(
        One('{n}."id" = {t}."product_id"', ("product_id",)), "The product, if the order names it."
    )


@entity(models.Order, "An order.", people='uuid_send({t}."customer_id")')
class Order(Node):
    id: strawberry.ID = global_id("Its id in the hub.")
    external_id: str = column(models.Order.external_id, "Its id at its source.")
    number: str = column(models.Order.number, "The number that people know it by.")
    status: str = column(models.Order.status, "Where it stands, in its source's words.")
    channel: str = column(models.Order.channel, "Where it was placed, in its source's words.")
    ordered_at: datetime = column(models.Order.ordered_at, "When it was placed.")
    total: Money = money(models.Order.total, "What was paid.", currency='{t}."currency"')
    store: Store | None = field(
        One('{n}."id" = {t}."store_id"', ("store_id",)), "The store, if the order names it."
    )
    customer: Any = field(
        One('{n}."id" = {t}."customer_id"'),
        "Who placed it; null when nobody is known, or may be known for this purpose.",
        graphql_type=back_to("Customer", "schema.customer"),
    )
    source: Source = of_source()
    source_record: SourceRecord | None = told_by()

    @listed(LINES, "Its lines, by position.")
    def lines(self, first: Most = UNSET) -> list[OrderLine]: ...
