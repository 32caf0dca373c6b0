"""Odoo 19 and later over JSON-2
(https://www.odoo.com/documentation/19.0/developer/reference/external_api.html)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from adapters.erp._rpc import Clause, Dialect, person
from hub.adapter import Adapter, Ask, Call, Item, Key, Privacy, Setting, Values, When
from hub.identifiers import IdentifierType
from hub.reading import given, instant, number, own_id, parts, reference, split, text
from hub.records import Address, Customer, Identifier, Order, OrderLine, Product

CONTACTS: tuple[IdentifierType, ...] = ("email", "phone")
QUOTATIONS = {"draft", "sent"}
STATES = {"sale": "confirmed", "cancel": "cancelled"}


def plain(value: Any) -> Any:
    """`false` is what Odoo writes for nothing; of `[7, "EUR"]` the name is meant."""
    return None if value is False else _one({"": value}, "")[1] or value


def call(values: Values, model: str, method: str, **said: object) -> Call:
    """Archived is not deleted, so both are asked for."""
    body = {**said, "context": {"active_test": False, "lang": "en_US"}}
    database = values.get("database")
    headers = (("X-Odoo-Database", database),) if database else ()
    return Call(path=f"/json/2/{model}/{method}", body=body, headers=headers)


def search(model: str, domain: list[Clause], ask: Ask) -> Call:
    said = {"domain": domain, "fields": ask.fields, "limit": ask.size, "order": "id asc"}
    return call(ask.values, model, "search_read", **said)


def time(at: datetime) -> str:
    """Whole seconds: what was written later in the last one comes with the next run's overlap."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds")


def customer(item: Item, _: Values) -> Customer:
    name, family = split(text(item, "name"))
    return Customer(
        external_id=own_id(item),
        observed_at=instant(item, "write_date"),
        given_name=name,
        family_name=family,
        locale=text(item, "lang").replace("_", "-"),
        identifiers=tuple(
            Identifier(type=kind, value=text(item, kind)) for kind in CONTACTS if text(item, kind)
        ),
        addresses=tuple(_addresses(item)),
    )


def _addresses(item: Item) -> Iterator[Address]:
    address = Address(
        street=", ".join(filter(None, (text(item, "street"), text(item, "street2")))),
        city=text(item, "city"),
        postcode=text(item, "zip"),
        country=text(item, "country_code"),
    )
    if address != Address():
        yield address


def product(item: Item, _: Values) -> Product:
    return Product(
        external_id=own_id(item),
        observed_at=instant(item, "write_date"),
        name=text(item, "name"),
        sku=text(item, "default_code"),
        price=number(item, "list_price"),
        currency=_one(item, "currency_id")[1],
    )


def order(item: Item, _: Values) -> Order | None:
    state = text(item, "state")
    if state in QUOTATIONS:
        return None
    return Order(
        external_id=own_id(item),
        observed_at=instant(item, "write_date"),
        ordered_at=given(instant(item, "date_order"), "date_order"),
        customer=person(_one(item, "partner_id")[0]),
        number=text(item, "name"),
        status=STATES.get(state, state),
        currency=_one(item, "currency_id")[1],
        total=number(item, "amount_total"),
        lines=tuple(_line(one) for one in parts(item, "order_line")),
    )


def _line(one: Item) -> OrderLine:
    return OrderLine(
        external_id=own_id(one),
        product=_one(one, "product_id")[0],
        name=text(one, "name"),
        quantity=number(one, "product_uom_qty") or Decimal(0),
        unit_price=number(one, "price_unit"),
        total=number(one, "price_total"),
    )


def _one(item: Item, field: str) -> tuple[str | None, str]:
    """Id and name of the row that a reference names: `[7, "EUR"]`, or false."""
    match item.get(field):
        case [id, str(name)]:
            return reference({"": id}, ""), name.strip()
        case _:
            return None, ""


ODOO = Dialect(
    search=search,
    fields=lambda model, values: call(values, model, "fields_get", attributes=["type", "string"]),
    time=time,
    changed="write_date",
)
PRODUCTS = ODOO.stream(
    "product.product",
    Product,
    product,
    "name default_code list_price currency_id",
    children=(ODOO.child("product.template", "product_variant_ids"),),  # has the name and the price
)
CUSTOMERS = ODOO.stream(
    "res.partner",
    Customer,
    customer,
    "name email phone street street2 city zip country_code lang",
    # companies are no people; addresses for invoices and deliveries are partners of their own
    where=(["is_company", "=", False], ["type", "in", ["contact", False]]),
)
LINES = ODOO.child(
    "sale.order.line",
    "order_id",
    key="order_line",
    fields="product_id name product_uom_qty price_unit price_total",
    where=(["display_type", "=", False],),
)
ORDERS = ODOO.stream(
    "sale.order",
    Order,
    order,
    "name partner_id state date_order currency_id amount_total order_line",
    parts=("order_line",),
    children=(LINES,),
)
ADAPTER = Adapter(
    key="odoo",
    title="Odoo",
    family="erp",
    docs="https://www.odoo.com/documentation/19.0/developer/reference/external_api.html",
    settings=(
        Setting(key="url", title="Address", pattern="https?://.+", help="https://erp.example.com"),
        Setting(
            key="database", title="Database", default="", help="Needed where there are several"
        ),
        Setting(key="key", title="API key", secret=True, help="Preferences > Account security"),
    ),
    base="{url}",
    auth=Key(form="bearer {key}"),
    check=lambda values: call(values, "res.partner", "search_count", domain=[]),
    faults=(
        When(
            then="retry",
            at=("name",),
            among=("psycopg2.",),
            say="Its database is busy with the same rows: look whether something blocks it.",
        ),
        When(
            then="reconnect",
            status=frozenset({401}),
            say="The key is wrong, or older than three months: make a new one in Odoo under"
            " Preferences > Account security, and set it with `hub integration add`.",
        ),
        When(
            then="stop",
            status=frozenset({403}),
            say="The key's user may not read this: give them rights on contacts and sales.",
        ),
        When(
            then="stop",
            status=frozenset({404}),
            say="It has to be Odoo 19 with Sales installed; where there are several databases,"
            " set `database`.",
        ),
        When(
            then="stop",
            at=("name",),
            among=("builtins.", "odoo.exceptions."),
            say="It does not know what is asked for: look at its version and the own mappings.",
        ),
    ),
    streams=(PRODUCTS, CUSTOMERS, ORDERS),
    privacy=Privacy(
        holds=("identity", "contact", "trade"),
        by_hand="Odoo deletes no contact that orders name: empty it there, then archive it.",
    ),
    consents="Odoo keeps a blacklist of addresses, which not every user may read, and no"
    " consents. Export it and bring it with `hub consent import`, as withdrawn.",
    plain=plain,
)
