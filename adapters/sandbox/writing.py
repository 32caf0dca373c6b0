"""Writing into a book: values checked against the models, children by commands, ids given."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from adapters.sandbox.model import Field, Model, Models, Refused
from adapters.sandbox.shop import SEPARATOR, Change, Row

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """What happens to the children that are written through their owner."""

    do: Literal["create", "write", "delete"]
    ids: tuple[int, ...] = ()
    values: tuple[Values, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """What a vendor adds to plain writing. `complete` fills in what the vendor works out by itself;
    `settle` is called with the owners whose rows were changed."""

    models: Models
    encoded: Callable[[Field, Any], str]
    commands: Callable[[Any], Iterable[Command]]
    defaults: Mapping[str, Values]
    complete: Callable[[Model, int, list[str]], None]
    settle: Callable[[Change, Model, set[int]], None]

    def create(
        self, change: Change, model: Model, values: Values, number: int | None = None
    ) -> int:
        said = {**self.defaults.get(model.name, {}), **values}
        cells = [self.encoded(model.fields[name], said.get(name)) for name in model.kept]
        number = change.add(model.name, self._owner(model, cells), "", number)
        self._put(change, model, Row(number, change.at, None, None, ""), cells, is_new=True)
        self._children(change, model, number, values)
        return number

    def write(self, change: Change, model: Model, row: Row, values: Values) -> None:
        cells = row.cells
        for name, value in values.items():
            if (place := model.place(name)) is not None:
                cells[place] = self.encoded(model.fields[name], value)
        self._put(change, model, row, cells)
        self._children(change, model, row.id, values)

    def remove(self, change: Change, model: Model, numbers: Iterable[int]) -> None:
        """Rows go, and with them what belongs to them."""
        known = [row for number in numbers if (row := change.row(model.name, number))]
        for child in self.models.values():
            if child.owner and child.belongs and child.fields[child.owner].relation == model.name:
                for row in known:
                    self.remove(change, child, [one.id for one in change.owned(child.name, row.id)])
        change.remove(model.name, (row.id for row in known))
        self.settle(change, model, {row.owner for row in known if row.owner})

    def put(
        self, change: Change, model: Model, rows: Iterable[Values], gone: Iterable[int]
    ) -> list[int]:
        """Rows written or, if they have no id yet or an unknown one, created; others removed."""
        self.remove(change, model, gone)
        return [self._written(change, model, values) for values in rows]

    def _written(self, change: Change, model: Model, values: Values) -> int:
        said = {name: value for name, value in values.items() if name != "id"}
        number: int | None = values.get("id")
        row = change.row(model.name, number) if number else None
        if row is None:
            return self.create(change, model, said, number)
        self.write(change, model, row, said)
        return row.id

    def disturb(
        self, change: Change, model: Model, rows: Sequence[Row], field: str, *, is_gone: bool
    ) -> None:
        """Some rows go, or are written differently than before."""
        if is_gone:
            self.remove(change, model, [row.id for row in rows])
        for row in () if is_gone else rows:
            self.write(change, model, row, {field: f"{field} of {row.id} at {change.at}"})

    def _put(
        self, change: Change, model: Model, row: Row, cells: list[str], *, is_new: bool = False
    ) -> None:
        self.complete(model, row.id, cells)
        owner = self._owner(model, cells)
        change.write(model.name, row, SEPARATOR.join(cells), owner, quietly=is_new)
        self.settle(change, model, {one for one in (owner, row.owner) if one})

    def _owner(self, model: Model, cells: list[str]) -> int | None:
        cell = cells[model.kept.index(model.owner)] if model.owner else ""
        return int(cell) if cell.isdigit() else None

    def _children(self, change: Change, model: Model, owner: int, values: Values) -> None:
        """What is written through the owner; everything else that was said has to be known."""
        for name, value in values.items():
            field = model.fields.get(name)
            if field is None:
                raise Refused(f"'{name}'")
            child = self.models.get(field.relation)
            if field.type == "one2many" and child is not None and child.owner == field.back:
                for command in self.commands(value):
                    self._command(change, child, owner, command)
            elif name not in model.kept and value:
                raise Refused(f"the sandbox does not keep {model.name}.{name}")

    def _command(self, change: Change, child: Model, owner: int, command: Command) -> None:
        for values in command.values if command.do == "create" else ():
            self.create(change, child, {**values, child.owner: owner})
        for number in command.ids if command.do == "write" else ():
            if row := change.row(child.name, number):
                self.write(change, child, row, command.values[0])
        if command.do == "delete":
            self.remove(change, child, command.ids)
