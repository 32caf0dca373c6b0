"""`python -m adapters.sandbox`: every pretend vendor of this house."""

from pathlib import Path

from adapters.sandbox import process
from adapters.sandbox.control import Control
from adapters.sandbox.odoo import Odoo
from adapters.sandbox.serving import Door, Sandbox
from adapters.sandbox.shop import Book
from adapters.sandbox.tryton import Tryton


def sandbox(folder: Path, token: str) -> Sandbox:
    """Each vendor with a book of its own in the folder. Tryton has every path that is nobody's."""
    tryton = Tryton(Book(folder / "tryton.sqlite"), password=token)
    odoo = Odoo(Book(folder / "odoo.sqlite"), key=token)
    doors = {"tryton": Door(tryton), "odoo": Door(odoo)}
    return Sandbox(doors, Control(doors, token), {"json": "odoo", "web": "odoo"})


if __name__ == "__main__":
    process.run("adapters.sandbox", sandbox)
