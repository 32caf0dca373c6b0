"""Tryton 8 over JSON-RPC (https://docs.tryton.org)."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

from adapters.erp._rpc import Clause, Dialect, person
from hub.adapter import Adapter, Answer, Ask, Call, Item, Login, Privacy, Setting, Values, When
from hub.identifiers import IdentifierType
from hub.reading import given, instant, number, own_id, part, parts, reference, split, text
from hub.records import Address, Customer, Identifier, Order, OrderLine, Product

KINDS: dict[str, IdentifierType] = {"email": "email", "phone": "phone", "mobile": "phone"}
NO_ORDERS = {"draft", "quotation", "cancelled"}  # what is cancelled was never carried out
TIME = "year month day hour minute second microsecond".split()
TYPES: Mapping[str, Callable[[Item], object]] = {
    "Decimal": lambda it: Decimal(it["decimal"]),
    "date": lambda it: date(*(it[name] for name in TIME[:3])),
    "datetime": lambda it: datetime(*(it[name] for name in TIME), tzinfo=UTC),
}


NESTED = (dict, list)  # most values are neither, and need no look


def plain(value: Any) -> Any:
    """With values in place of the objects that Tryton writes for them (`{"__class__": "date"`…);
    one that stands for no value stays, and is refused where it is read."""
    if isinstance(value, list):
        return [plain(one) if type(one) in NESTED else one for one in cast(list[Any], value)]
    if not isinstance(value, dict):
        return value
    item = cast(dict[str, Any], value)
    if "__class__" not in item:
        return opened(item)
    try:
        return TYPES[item["__class__"]](item)
    except (ArithmeticError, KeyError, TypeError, ValueError):
        return item


def opened(item: Item) -> Item:
    return {name: plain(value) if type(value) in NESTED else value for name, value in item.items()}


def rpc(values: Values, method: str, *params: object) -> Call:
    """Exactly these keys: with another one Tryton answers in another shape."""
    return Call(path=values["path"], body={"id": 1, "method": method, "params": params})


def call(values: Values, method: str, *params: object) -> Call:
    """The context comes last. Archived is not deleted, so both are asked for."""
    company = {"company": int(values["company"])} if values.get("company") else {}
    return rpc(values, method, *params, {"active_test": False, "language": "en", **company})


def search(model: str, domain: list[Clause], ask: Ask) -> Call:
    method, order = f"model.{model}.search_read", [["id", "ASC"]]
    return call(ask.values, method, domain, 0, ask.size, order, ask.fields)


def time(at: datetime) -> object:
    return {"__class__": "datetime", **{name: getattr(at.astimezone(UTC), name) for name in TIME}}


def login(values: Values, secrets: Values) -> Call:
    word = {"password": secrets["password"]}
    return rpc(values, "common.db.login", values["user"], word, "en")


def token(answer: Answer, values: Values) -> str | None:
    match answer.body:
        case {"result": [int(user), str(session), *_]}:
            return b64encode(f"{values['user']}:{user}:{session}".encode()).decode()
        case _:
            return None


def customer(item: Item, values: Values) -> Customer:
    item = opened(item)
    name, family = split(text(item, "name"))
    return Customer(
        external_id=own_id(item),
        observed_at=instant(item, "last_modified_at"),
        given_name=name,
        family_name=family,
        locale=text(part(item, "lang."), "code").replace("_", "-"),
        identifiers=tuple(_identifiers(item, values)),
        addresses=tuple(_addresses(item)),
    )


def _identifiers(item: Item, values: Values) -> Iterator[Identifier]:
    if survivor := reference(item, "replaced_by"):  # merged in Tryton: both are one person
        yield Identifier(type="external", value=f"{values['source']}:{survivor}", verified=True)
    for one in filter(_is_active, parts(item, "contact_mechanisms.")):
        kind, value = KINDS.get(text(one, "type")), text(one, "value")
        if kind and value:
            yield Identifier(type=kind, value=value)


def _addresses(item: Item) -> Iterator[Address]:
    for one in filter(_is_active, parts(item, "addresses.")):
        address = Address(
            street=", ".join(text(one, "street").splitlines()),
            city=text(one, "city"),
            region=text(part(one, "subdivision."), "name"),
            postcode=text(one, "postal_code"),
            country=text(part(one, "country."), "code"),
        )
        if address != Address():
            yield address


def _is_active(one: Item) -> bool:
    return one.get("active", True) != 0  # 1 and 0 on SQLite


def product(item: Item, _: Values) -> Product:
    item = opened(item)
    return Product(
        external_id=own_id(item),
        observed_at=instant(item, "last_modified_at"),
        name=text(item, "name"),
        sku=text(item, "code"),
        price=number(part(item, "template."), "list_price"),  # null on the product itself
    )


def order(item: Item, _: Values) -> Order | None:
    item = opened(item)
    if text(item, "state") in NO_ORDERS:
        return None
    return Order(
        external_id=own_id(item),
        observed_at=instant(item, "last_modified_at"),
        ordered_at=_ordered_at(item),
        customer=person(reference(item, "party")),
        number=text(item, "number"),
        status=text(item, "state"),
        currency=text(part(item, "currency."), "code"),
        total=number(item, "total_amount"),
        lines=tuple(_line(one) for one in parts(item, "lines.") if one.get("type") == "line"),
    )


def _ordered_at(item: Item) -> datetime:
    """A sale has a day and no time: the day's noon, unless it was written down that very day."""
    day, created = given(instant(item, "sale_date"), "sale_date"), instant(item, "create_date")
    return created if created and created.date() == day.date() else day.replace(hour=12)


def _line(one: Item) -> OrderLine:
    return OrderLine(
        external_id=own_id(one),
        product=reference(one, "product"),
        name=text(one, "description"),
        quantity=number(one, "quantity") or Decimal(0),
        unit_price=number(one, "unit_price"),
        total=number(one, "amount"),
    )


def inside(field: str, names: str) -> str:
    """A field with the ids of children, and what is asked of those children."""
    return " ".join((field, *(f"{field}.{name}" for name in names.split())))


TRYTON = Dialect(
    search=search,
    fields=lambda model, values: call(values, f"model.{model}.fields_get", None),
    time=time,
    changed="last_modified_at",
    result="result",
)
PRODUCTS = TRYTON.stream(
    "product.product",
    Product,
    product,
    "name code template.list_price",
    children=(TRYTON.child("product.template", "products"),),  # has the name and the price
)
CONTACTS = inside("contact_mechanisms", "type value active")
ADDRESSES = inside("addresses", "street city subdivision.name postal_code country.code active")
CUSTOMERS = TRYTON.stream(
    "party.party",
    Customer,
    customer,
    f"name lang.code replaced_by {CONTACTS} {ADDRESSES}",
    size=500,
    parts=("contact_mechanisms", "addresses"),
    children=tuple(TRYTON.child(f"party.{it}", "party") for it in ("contact_mechanism", "address")),
)
LINES = inside("lines", "type product description quantity unit_price amount")
ORDERS = TRYTON.stream(
    "sale.sale",
    Order,
    order,
    f"number party state sale_date create_date currency.code total_amount {LINES}",
    size=200,  # more are slower: it adds totals up in a cache of 2,000 rows
    parts=("lines",),
    children=(TRYTON.child("sale.line", "sale"),),
)
ADAPTER = Adapter(
    key="tryton",
    title="Tryton",
    family="erp",
    docs="https://docs.tryton.org",
    settings=(
        Setting(key="url", title="Address", pattern="https?://.+", help="https://erp.example.com"),
        Setting(key="path", title="Path", pattern="/.+/", help="/DATABASE/rpc/"),
        Setting(key="user", title="User", help="One who may read parties, products and sales"),
        Setting(key="password", title="Password", secret=True),
        Setting(key="company", title="Company", pattern=r"\d*", default="1", help="Its id"),
    ),
    base="{url}",
    auth=Login(ask=login, token=token, header=lambda it: ("Authorization", f"Session {it}")),
    check=lambda values: call(values, "model.res.user.get_preferences", True),
    faults=(
        When(
            then="retry",
            at=("error", 0),
            among=("ConcurrencyException", "database is locked"),
            say="Tryton is busy with the same rows: look whether something blocks its database.",
        ),
        When(
            then="reconnect",
            at=("error", 0),
            among=("LoginException",),
            say="Tryton wants more than a password: give the hub a user who needs no second step.",
        ),
        When(
            then="stop",
            at=("error",),
            say="Tryton refuses the call: look at the user's groups, the setting `company`, own"
            " mappings, and whether the modules party, product and sale are installed.",
        ),
        When(
            then="stop",
            status=frozenset({403, 404}),
            say="It has to be Tryton 8, and the setting `path` /DATABASE/rpc/.",
        ),
    ),
    streams=(PRODUCTS, CUSTOMERS, ORDERS),
    privacy=Privacy(
        holds=("identity", "contact", "trade"),
        by_hand="Tryton deletes no party that has sales: archive it there, then Party > Erase.",
    ),
    consents="Tryton's parties have no field for it. Bring consents with `hub consent import`, or"
    " have them attested: `hub consent attest`.",
    plain=plain,
)
