"""What stands at the end of a dotted path (`party.lang.code`), for conditions without an index."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.sandbox import domain
from adapters.sandbox.model import Field, Model, is_list
from adapters.sandbox.shop import Book, Row


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of one vendor: its models, what of a row is no field (`stamps`), how it tells the
    `value` of a field, and its word for `nothing`.
    """

    book: Book
    models: Mapping[str, Model]
    stamps: Mapping[str, str]
    value: Callable[[Model, Row, str], Any]
    nothing: object

    def of(self, model: Model) -> domain.Values:
        """What finds the values at a path of this model's rows: several, behind a list."""

        def values(row: Row, path: tuple[str, ...]) -> Iterator[object]:
            first, *further = path
            if first in self.stamps:
                yield getattr(row, self.stamps[first])
            else:
                yield from self._further(
                    model.fields[first], self.value(model, row, first), further
                )

        return values

    def _further(self, field: Field, value: Any, path: Sequence[str]) -> Iterator[object]:
        found: list[Any] = value if is_list(value) else [value]
        if not path:
            yield from found
            return
        target = self.models[field.relation]
        ids = [one for one in found if one is not self.nothing]
        for row in self.book.named(target.name, ids):
            yield from self.of(target)(row, tuple(path))
