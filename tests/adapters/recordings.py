"""What vendors answered, by name: `tests/recordings/<family>/<vendor>.json`."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "recordings"


def recorded(name: str) -> dict[str, Any]:
    """The bodies, decoded as the engine decodes them; `name` is `family/vendor`."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"), parse_float=Decimal)
