"""The books of the demo's pretended vendors, in one folder. People are invented, the same ones
each time; what they bought is not.
"""

import json
import shutil
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from adapters.sandbox import cast
from adapters.sandbox.shop import Book
from hub.cli.demo import elsewhere, supermarket
from hub.cli.demo.retail import Retail, Size

CONTENTS = "contents.json"
CONSENTS = "consents.csv"


@dataclass(frozen=True, slots=True)
class Contents:
    """What the books hold. `twice`: how many people are in the supermarket's under two spellings;
    `known`: how many are in Odoo's; `consents`: rows of the file beside them."""

    size: Size
    people: int
    twice: int
    known: int
    products: int
    baskets: int
    lines: int
    consents: int
    last: str

    def __str__(self) -> str:
        return (
            f"{self.people:,} people, {self.products:,} products, {self.baskets:,} baskets with"
            f" {self.lines:,} lines, the last on {self.last}"
        )


def read(folder: Path) -> Contents | None:
    """What the books in a folder hold; None where there are none."""
    path = folder / CONTENTS
    return Contents(**json.loads(path.read_text())) if path.exists() else None


def write(folder: Path, retail: Retail, size: Size) -> Contents:
    """Write all books; the folder is there when they are complete, or not at all."""
    new = folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    contents = _write(new, retail, size)
    (new / CONTENTS).write_text(json.dumps(asdict(contents)))
    new.rename(folder)
    return contents


def _write(folder: Path, retail: Retail, size: Size) -> Contents:
    people = [cast.person(number) for number in retail.people]
    known = elsewhere.known(people)
    with closing(Book(folder / "tryton.sqlite")) as book:
        sold = supermarket.write(book, people, retail)
    with closing(Book(folder / "odoo.sqlite")) as book:
        elsewhere.write(book, known, retail.first_at)
    consents = elsewhere.write_consents(folder / CONSENTS, people, retail.first_at)
    return Contents(
        size=size,
        people=len(people),
        twice=sold.twice,
        known=len(known),
        products=sold.products,
        baskets=sold.baskets,
        lines=retail.lines,
        consents=consents,
        last=retail.last.isoformat(),
    )
