"""What is known elsewhere of the same people: contacts in Odoo, and a file of what they allowed."""

import csv
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from adapters.sandbox import cast
from adapters.sandbox.odoo_models import MODELS
from adapters.sandbox.odoo_values import FALSE, text
from adapters.sandbox.shop import Book, Row
from hub.cli.demo.forms import DAY, Form
from hub.cli.demo.retail import SEED

KNOWN = 0.2
"""How many of all people Odoo knows as well, under another spelling."""
LOCALES = {"en": "en_GB", "ru": "ru_RU"}
ASKED = (("email_marketing", (6, 2, 1)), ("sms_marketing", (2, 3, 1)), ("profiling", (3, 2, 0)))
"""For which purposes people were asked; of ten, how many granted, denied and withdrew."""
ANSWERS = ("granted", "denied", "withdrawn", "")
COLUMNS = ("email", "purpose", "state", "given_at", "method", "document", "version")
_form = partial(Form, MODELS, empty=FALSE)
COUNTRY = _form("res.country", code="%s", name="%s")
PARTNER = _form(
    "res.partner",
    name="%s",
    type='"contact"',
    email="%s",
    phone="%s",
    street="%s",
    city="%s",
    zip="%s",
    country_id="1",
    lang="%s",
    category_id="[]",
    active="true",
    customer_rank="0",
)


def known(people: Sequence[cast.Person]) -> Sequence[cast.Person]:
    """Those of the people whom Odoo knows, as it spells them."""
    return [cast.respelt(it) for it in people if _chance("odoo", it).random() < KNOWN]


def write(book: Book, partners: Sequence[cast.Person], start: int) -> None:
    """Fill an empty book."""
    with book.change() as change:
        change.load(COUNTRY.model, [COUNTRY.row(1, start, text("GB"), text("United Kingdom"))])
        rows = (_partner(number, it, start) for number, it in enumerate(partners, 1))
        change.load(PARTNER.model, rows)


def _partner(number: int, it: cast.Person, start: int) -> Row:
    words = (it.name, it.mail, it.phone, it.street, it.city, it.postcode, LOCALES[it.language])
    texts = (text(word) if word else FALSE for word in words)
    return PARTNER.row(number, start - (200 + number) * DAY, *texts)


def write_consents(path: Path, people: Sequence[cast.Person], start: int) -> int:
    """A file for `hub import`; return its rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        rows = [row for person in people for row in _consents(person, start)]
        writer.writerows(rows)
    return len(rows)


def _consents(person: cast.Person, start: int) -> Iterator[tuple[str, ...]]:
    chance = _chance("consent", person)
    at = datetime.fromtimestamp(start // 1_000_000, UTC) - timedelta(days=chance.randrange(300))
    for purpose, weights in ASKED:
        (answer,) = chance.choices(ANSWERS, (*weights, 10 - sum(weights)))
        if answer:
            how = ("form", "newsletter terms", "2026-01")
            yield person.mail, purpose, answer, at.isoformat(), *how


def _chance(what: str, person: cast.Person) -> random.Random:
    return random.Random(f"{SEED}/{what}/{person.number}")  # noqa: S311  # the same each time
