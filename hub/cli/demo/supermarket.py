"""The supermarket's Tryton: who buys there, what it sells, and every basket it sold."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from itertools import chain, islice, starmap

from adapters.sandbox import cast
from adapters.sandbox.shop import Book, Row
from adapters.sandbox.tryton_models import MODELS
from adapters.sandbox.tryton_values import NULL, day, decimal, text
from hub.cli.demo.forms import DAY, Form
from hub.cli.demo.retail import Basket, Product, Retail

LANGUAGES = {"en": 1, "ru": 2}
TWICE, FIRST = 20, 9
"""One of so many people is there twice, under two spellings, and every other basket of theirs is
the second one's; the first of them."""
CORRECTION = "Correction: "
EXACT = Decimal("0.0001")
Numbered = tuple[int, Basket]

_form = partial(Form, MODELS, empty=NULL)
CURRENCY = _form("currency.currency", name="%s", code="%s", symbol="%s", active="1")
LANGUAGE = _form("ir.lang", name="%s", code="%s", active="1")
COUNTRY = _form("country.country", name="%s", code="%s", active="1")
UNIT = _form("product.uom", name="%s", symbol="%s", active="1")
PARTY = _form("party.party", name="%s", code="%s", active="1", lang="%s")
CONTACT = _form(
    "party.contact_mechanism", party="%s", type="%s", value="%s", value_compact="%s", active="1"
)
ADDRESS = _form(
    "party.address", party="%s", street="%s", city="%s", postal_code="%s", country="1", active="1"
)
TEMPLATE = _form(
    "product.template",
    name="%s",
    code="%s",
    type='"goods"',
    list_price="%s",
    default_uom="1",
    salable="1",
    active="1",
)
PRODUCT = _form("product.product", template="%s", code="%s", suffix_code="%s", active="1")
SALE = _form(
    "sale.sale",
    number='"%s"',
    party="%s",
    state='"done"',
    sale_date="%s",
    currency="1",
    company="1",
    untaxed_amount="%s",
    tax_amount=decimal(Decimal("0.00")),
    total_amount="%s",
)
LINE = _form(
    "sale.line",
    sale="%s",
    type='"line"',
    product="%s",
    description="%s",
    quantity="%s.0",
    unit="1",
    unit_price="%s",
    amount="%s",
)


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody as the till knows them: under which id, since when, and how they are spelt."""

    id: int
    since: int
    person: cast.Person


@dataclass(frozen=True, slots=True)
class Sold:
    """How much is in the book; `twice`: people who are in it under two spellings."""

    twice: int
    products: int
    baskets: int


def write(book: Book, people: Sequence[cast.Person], retail: Retail) -> Sold:
    """Fill an empty book."""
    products = [*retail.products()]
    parties = _parties(people, retail.first_at)
    till, baskets = _Till(parties, products), 0
    with book.change() as change:
        for form, rows in _standing(parties, products, retail.first_at):
            change.load(form.model, rows)
        for some in _in_parts(enumerate(retail.baskets(), 1)):
            change.load(SALE.model, starmap(till.sale, some))
            change.load(LINE.model, chain.from_iterable(starmap(till.lines, some)))
            baskets += len(some)
    return Sold(len(parties) - len(people), len(products), baskets)


def _parties(people: Sequence[cast.Person], start: int) -> list[Party]:
    """Everybody once, and then some again, who came earlier and under another spelling."""
    once = [Party(n, start - n % 300 * DAY, one) for n, one in enumerate(people, 1)]
    again = [one for one in people if one.number % TWICE == FIRST]
    other = [
        Party(n, start - (300 + n % 300) * DAY, cast.respelt(one))
        for n, one in enumerate(again, len(people) + 1)
    ]
    return [*once, *other]


def _standing(
    parties: Sequence[Party], products: Sequence[Product], start: int
) -> Iterator[tuple[Form, Iterable[Row]]]:
    """What is there before anything is sold."""
    yield CURRENCY, [CURRENCY.row(1, start, text("US dollar"), text("USD"), text("$"))]
    yield UNIT, [UNIT.row(1, start, text("Unit"), text("u"))]
    yield COUNTRY, [COUNTRY.row(1, start, text("United Kingdom"), text("GB"))]
    yield LANGUAGE, [LANGUAGE.row(n, start, text(it), text(it)) for it, n in LANGUAGES.items()]
    yield PARTY, map(_party, parties)
    yield CONTACT, chain.from_iterable(map(_contacts, parties))
    yield ADDRESS, map(_address, parties)
    yield TEMPLATE, (_template(n, it, start) for n, it in enumerate(products, 1))
    yield PRODUCT, (_product(n, it, start) for n, it in enumerate(products, 1))


def _party(it: Party) -> Row:
    words = (text(it.person.name), text(f"C{it.id}"), LANGUAGES[it.person.language])
    return PARTY.row(it.id, it.since, *words)


def _contacts(it: Party) -> Iterator[Row]:
    known = (("email", it.person.mail), ("phone", it.person.phone))
    for place, (kind, value) in enumerate(known):
        if value:
            words = (it.id, text(kind), text(value), text(value))
            yield CONTACT.row(2 * it.id - 1 + place, it.since, *words, owner=it.id)


def _address(it: Party) -> Row:
    person = it.person
    words = (text(person.street), text(person.city), text(person.postcode))
    return ADDRESS.row(it.id, it.since, it.id, *words, owner=it.id)


def _template(number: int, it: Product, at: int) -> Row:
    return TEMPLATE.row(number, at, text(it.name), text(str(it.number)), _price(it.cents))


def _product(number: int, it: Product, at: int) -> Row:
    code = text(str(it.number))
    return PRODUCT.row(number, at, number, code, code, owner=number)


class _Till:
    """Baskets as sales with their lines; lines are numbered as they come."""

    def __init__(self, parties: Sequence[Party], products: Sequence[Product]) -> None:
        self._parties: dict[int, list[int]] = {}
        for party in parties:
            self._parties.setdefault(party.person.number, []).append(party.id)
        self._products = {it.number: (n, text(it.name)) for n, it in enumerate(products, 1)}
        self._corrections = {it.number: text(CORRECTION + it.name) for it in products}
        self._lines = 0

    def sale(self, number: int, basket: Basket) -> Row:
        known_as = self._parties[basket.person]
        party = known_as[number % len(known_as)]
        total = _price(sum(cents for _, _, cents in basket.lines))
        words = (basket.number, party, _day(basket.at // DAY), total, total)
        return SALE.row(number, basket.at, *words, owner=party)

    def lines(self, number: int, basket: Basket) -> Iterator[Row]:
        for code, quantity, cents in basket.lines:
            self._lines += 1
            product, name = self._products[code]
            if not quantity:
                name = self._corrections[code]
            words = (number, product, name, quantity, _each(cents, quantity), _price(cents))
            yield LINE.row(self._lines, basket.at, *words, owner=number)


def _in_parts(baskets: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    going = iter(baskets)
    while some := [*islice(going, 2000)]:
        yield some


@lru_cache(65_536)
def _price(cents: int) -> str:
    return decimal(Decimal(cents).scaleb(-2))


@lru_cache(65_536)
def _each(cents: int, quantity: int) -> str:
    """What one costs, as exact as Tryton keeps it."""
    return decimal((Decimal(cents).scaleb(-2) / quantity).quantize(EXACT)) if quantity else NULL


@lru_cache
def _day(number: int) -> str:
    return day(date(1970, 1, 1) + timedelta(days=number))
