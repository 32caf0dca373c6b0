"""Rows of a pretended vendor, written quickly: for each model a text with gaps."""

from adapters.sandbox.model import Models
from adapters.sandbox.shop import SEPARATOR, Row

DAY = 86_400_000_000
"""Microseconds."""


class Form:
    """The rows of one model. `said` has the wire text of each field: `%s` is a gap, and gaps are
    filled in the order in which the model keeps its fields. What is not said is `empty`."""

    def __init__(self, models: Models, model: str, *, empty: str, **said: str) -> None:
        kept = models[model].kept
        if unknown := said.keys() - {*kept}:
            raise ValueError(f"{model} keeps no {', '.join(sorted(unknown))}")
        self.model = model
        self._text = SEPARATOR.join(said.get(name, empty) for name in kept)

    def row(self, number: int, at: int, *gaps: object, owner: int | None = None) -> Row:
        """A row that was made at this time (microseconds of UTC) and never changed."""
        return Row(number, at, None, owner, self._text % gaps)
