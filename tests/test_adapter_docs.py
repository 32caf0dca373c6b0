"""The pages on adapters say what the adapters declare, and every adapter of ours has one."""

from pathlib import Path

import pytest

from docs.adapters import pages
from hub.registry import adapters

NAMES = {page.stem for page in pages.PAGES}


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.stem)
def test_page_is_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert pages.render(text) == text, f"{page.name} is out of date: python docs/adapters/pages.py"


@pytest.mark.parametrize("key", adapters())
def test_adapter_has_page(key: str) -> None:
    assert key in NAMES


def test_stale_part_is_replaced() -> None:
    stale = "before\n<!-- generated: settings odoo -->\n| `gone` |\n<!-- end -->\nafter\n"
    fresh = pages.render(stale)
    assert "gone" not in fresh
    assert "| `key` | API key, sealed | Preferences > Account security | has to be set |" in fresh
    assert fresh.startswith("before\n")
    assert fresh.endswith("after\n")
