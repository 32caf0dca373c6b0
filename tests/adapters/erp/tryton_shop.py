"""Fills a trytond through its API: what a sale needs first, then parties, products and sales."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.adapters.erp.tryton_server import Client

Row = dict[str, Any]
STREETS = ("Elm Street", "Harbour Road", "Mill Lane", "Garden Street")
TEAS = ("Green tea", "Black tea", "Oolong", "Rooibos", "Mint tea")
BY_HAND = {"invoice_method": "manual", "shipment_method": "manual"}  # no accounts, no stock
PAGE = 50  # SQLite's parser overflows at a hundred templates in one call


def decimal(text: str) -> Row:
    return {"__class__": "Decimal", "decimal": text}


def day(year: int, month: int, number: int) -> Row:
    return {"__class__": "date", "year": year, "month": month, "day": number}


@dataclass(frozen=True)
class Filled:
    """The ids of what was created."""

    parties: list[int]
    products: list[int]
    sales: list[int]


def fill(server: Client, *, parties: int = 8, products: int = 6, sales: int = 12) -> Filled:
    chance = random.Random(7)
    open_company(server)
    people = create_parties(server, parties)
    goods = create_products(server, products, chance)
    orders = create_sales(server, people, goods, sales, chance)
    return Filled(people, goods, orders)


def open_company(server: Client) -> None:
    """The least a sale needs: a currency with a rate, a company, and its user working in it."""
    rate = {"date": day(2000, 1, 1), "rate": decimal("1")}
    euro = {"name": "Euro", "code": "EUR", "symbol": "€", "rates": [["create", [rate]]]}
    (currency,) = server.model("currency.currency", "create", [euro])
    (party,) = server.model("party.party", "create", [{"name": "The shop"}])
    (company,) = server.model("company.company", "create", [{"party": party, "currency": currency}])
    (user,) = server.model("res.user", "search", [["login", "=", server.user]], 0, 1, None)
    values = {"companies": [["add", [company]]], "company": company}
    server.model("res.user", "write", [user], values)
    server.context.update(company=company, language="en")


def create_parties(server: Client, count: int) -> list[int]:
    kent = {"name": "Kent", "code": "GB-KEN", "type": "county"}
    britain = {"name": "United Kingdom", "code": "GB", "code3": "GBR"}
    (country,) = server.model(
        "country.country", "create", [{**britain, "subdivisions": [["create", [kent]]]}]
    )
    return in_pages(server, "party.party", [party(number, country) for number in range(count)])


def party(number: int, country: int) -> Row:
    ways = [
        {"type": "email", "value": f"customer{number}@example.com"},
        {"type": "phone", "value": f"+44 20 7946 {number % 1000:04d}"},
        {"type": "mobile", "value": f"+46 70 174 06 {5 + number % 95:02d}"},
        {"type": "website", "value": f"https://customer{number}.example.com"},
    ]
    address = {
        "street": f"{number + 1} {STREETS[number % len(STREETS)]}",
        "postal_code": f"CT1 {number % 10}AA",
        "city": "Canterbury",
        "country": country,
    }
    return {
        "name": f"Customer {number}",
        "contact_mechanisms": [["create", ways]],
        "addresses": [["create", [address]]],
    }


def create_products(server: Client, count: int, chance: random.Random) -> list[int]:
    (unit,) = server.model("product.uom", "search", [["symbol", "=", "u"]], 0, 1, None)
    rows = [product(number, unit, chance) for number in range(count)]
    templates = in_pages(server, "product.template", rows)
    domain = [["template", "in", templates]]
    return sorted(server.model("product.product", "search", domain, 0, None, None))


def product(number: int, unit: int, chance: random.Random) -> Row:
    return {
        "name": f"{TEAS[number % len(TEAS)]} {number}",
        "type": "goods",
        "salable": True,
        "default_uom": unit,
        "sale_uom": unit,
        "list_price": decimal(f"{chance.randint(100, 9999) / 100:.2f}"),
        "products": [["create", [{"suffix_code": f"T{number:05d}"}]]],
    }


def create_sales(
    server: Client, people: list[int], goods: list[int], count: int, chance: random.Random
) -> list[int]:
    """A fourth each stays a draft, a quotation, is processed, is cancelled."""
    homes = server.model(
        "party.address", "search_read", [["party", "in", people]], 0, None, None, ["party"]
    )
    address = {row["party"]: row["id"] for row in homes}
    told = server.model("product.product", "read", goods, ["list_price_used", "default_uom"])
    prices = {row["id"]: row for row in told}
    rows = [sale(number, chance.choice(people), address, prices, chance) for number in range(count)]
    made = in_pages(server, "sale.sale", rows)
    press(server, "quote", made[1::4] + made[2::4])
    press(server, "confirm", made[2::4])
    press(server, "cancel", made[3::4])
    return made


def sale(
    number: int,
    customer: int,
    address: dict[int, int],
    prices: dict[int, Row],
    chance: random.Random,
) -> Row:
    wanted = chance.sample(sorted(prices), k=min(len(prices), chance.randint(1, 5)))
    return BY_HAND | {
        "party": customer,
        "reference": f"WEB-{number:06d}",
        "sale_date": day(2026, 1 + number % 10, 1 + number % 28),
        "invoice_address": address[customer],
        "shipment_address": address[customer],
        "lines": [["create", [line(one, prices[one], chance.randint(1, 4)) for one in wanted]]],
    }


def line(product: int, priced: Row, quantity: int) -> Row:
    return {
        "product": product,
        "quantity": quantity,
        "unit": priced["default_uom"],
        "unit_price": priced["list_price_used"],
    }


def press(server: Client, button: str, ids: list[int]) -> None:
    for page in pages(ids, PAGE):
        server.model("sale.sale", button, page)


def in_pages(server: Client, model: str, rows: list[Row]) -> list[int]:
    made = (server.model(model, "create", page) for page in pages(rows, PAGE))
    return list(itertools.chain.from_iterable(made))


def pages(rows: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
