"""A vendor is one small module."""

import sys
from pathlib import Path

from hub import registry

MOST_LINES = 220
"""Blank ones not counted. Tryton has 210 and Odoo 180, of which 82 and 89 declare the dialect, the
streams and `ADAPTER`: a field, or a sentence for people, to a line. They get shorter only by calls
that are packed and sentences that are shared, and are harder to read then."""


def test_vendor_modules_are_short(key: str) -> None:
    module = registry.adapter(key).check.__module__
    path = Path(sys.modules[module].__file__ or "")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES, f"{path.name} has {len(lines)} lines"
