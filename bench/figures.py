"""What was measured, as rows of a table on the terminal and as a file."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from hub import clock

RESULTS = Path(__file__).parent / "results"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `ratio` is against `ceiling`, measured in the same interleaved run.

    `hub_cpu` and `server_cpu` are milliseconds per record (or whatever is counted) of the hub's
    processes and of PostgreSQL. `reach` is what `value` or `ratio` should be.
    """

    name: str
    value: float
    unit: str
    ceiling: float | None = None
    ratio: float | None = None
    reach: str = ""
    hub_cpu: float | None = None
    server_cpu: float | None = None
    rounds: Sequence[float] = ()


def show(figures: Sequence[Figure]) -> None:
    table = Table(*("what", "value", "unit", "ceiling", "ratio", "reach", "hub ms", "server ms"))
    for column in table.columns[1:]:
        column.justify = "right"
    for f in figures:
        numbers = (_number(f.ceiling), _number(f.ratio), f.reach)
        table.add_row(
            f.name, _number(f.value), f.unit, *numbers, _number(f.hub_cpu), _number(f.server_cpu)
        )
    Console(width=140).print(table)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def save(figures: Sequence[Figure], *, begun_at: datetime, is_quick: bool) -> Path:
    """Write the figures to `bench/results/`; return the file."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{begun_at:%Y%m%d-%H%M%S}.json"
    content: dict[str, Any] = {
        "begun_at": begun_at.isoformat(),
        "ended_at": clock.now().isoformat(),
        "quick": is_quick,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg(),
        "figures": msgspec.to_builtins(figures),
    }
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path
