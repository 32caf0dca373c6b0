"""Every setting is documented as it is."""

import pytest

from docs import settings as page
from hub.config import Settings


def test_page_is_up_to_date() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.render(text) == text, "docs/settings.md is out of date: make fix"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_is_on_the_page(name: str) -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert f"`HUB_{name.upper()}`" in text
    assert Settings.model_fields[name].description


def test_stale_table_is_replaced() -> None:
    stale = f"before\n{page.BEGIN}| `HUB_GONE` |\n{page.END}after\n"
    assert "HUB_GONE" not in page.render(stale)
    assert page.render(stale).startswith("before\n")
    assert page.render(stale).endswith("after\n")
