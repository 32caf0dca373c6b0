"""From a vendor's record to an answer: the demo, as a person starts, asks and ends it."""

import signal
from pathlib import Path
from typing import Any

from hub.cli.demo.queries import CARD, QUERIES
from tests import retail
from tests.retail import Demo

ORDERS = """{ orders(first: 200) { nodes { customer { id } total { amount currency }
    lines { name quantity unitPrice { amount } total { amount } } } } }"""
LINES = [
    {
        "name": "Bread: Italian/French, 20 oz",
        "quantity": "2.0",
        "unitPrice": {"amount": "1.5500"},
        "total": {"amount": "3.10"},
    },
    {
        "name": "Correction: Bread: Italian/French, 20 oz",
        "quantity": "0",
        "unitPrice": None,
        "total": {"amount": "0.77"},
    },
]


def everything(demo: Demo) -> Any:
    """What came in, in a few words."""
    return demo.ask("{ customers { totalCount } orders { totalCount } integrations { state } }")


def test_sales_become_answers(tmp_path: Path, empty_dir: Path) -> None:
    packages = retail.install(tmp_path)
    with retail.demo(packages, empty_dir) as demo:
        assert all(demo.ask(query) for query in QUERIES.values())
        customer = demo.ask(CARD)["customer"]
        family, before = demo.family(), everything(demo)
        orders = demo.ask(ORDERS)["orders"]["nodes"]
        assert demo.end(signal.SIGINT) == 0
    assert {it["source"]["key"] for it in customer["sourceRecords"]} >= {"tryton", "odoo"}
    assert len(orders) == 200
    assert all(it["customer"] and it["total"]["amount"] == "3.87" for it in orders)
    assert LINES in [it["lines"] for it in orders]
    assert not [it for it in (*family, *demo.users()) if retail.lives(it)]
    with retail.demo(packages, empty_dir) as again:
        assert everything(again) == before
        assert again.end(signal.SIGTERM) == 0
    assert not again.file.exists()
