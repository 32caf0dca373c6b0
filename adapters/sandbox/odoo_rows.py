"""The rows of the pretend Odoo: what its searches mean, and what its answers hold."""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from adapters.sandbox import domain, page
from adapters.sandbox.domain import Both, Either, Leaf, Neither, Tree
from adapters.sandbox.model import Field, Model, Refused, is_list
from adapters.sandbox.odoo_models import MODELS
from adapters.sandbox.odoo_values import FALSE, SECOND, empty, microseconds, moment, operand
from adapters.sandbox.page import Column, Draft, Plan
from adapters.sandbox.paths import Paths
from adapters.sandbox.shop import Book, Row

STAMPS = {"create_date": "created", "write_date": "changed"}
THROUGH: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "product.product": (
        "product_tmpl_id",
        {name: name for name in ("name", "list_price", "type", "sale_ok", "currency_id")}
        | {"lst_price": "list_price"},
    ),
    "res.partner": ("country_id", {"country_code": "code"}),
}
"""Fields that are read from what a many2one leads to."""


class Rows:
    """Searching and reading in one book."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.plan = lru_cache(256)(self._plan)
        self._paths = Paths(book, MODELS, STAMPS, self._value, nothing=False)

    def search(
        self, model: Model, clauses: Any, offset: int, limit: int | None, order: str, *, all_: bool
    ) -> list[Row]:
        tree = self._tree(model, clauses)
        if not all_ and "active" in model.kept and not _speaks_of(tree, "active"):
            tree = Both((tree, Leaf(("active",), "=", value=True)))
        where, facts, rest = domain.searched(tree)
        found = self.book.rows(model.name, where, facts, order=_order(model, order))
        if rest:
            found = filter(domain.test(Both(tuple(rest)), self._paths.of(model)), found)
        return [*islice(found, offset, None if limit is None else offset + limit)]

    def read(self, model: Model, rows: Sequence[Row], fields: Sequence[str], *, all_: bool) -> str:
        objects = self.plan(model.name, tuple(fields), all_).objects(rows)
        return f"[{','.join(objects)}]"

    # -- conditions ---------------------------------------------------------------------------

    def _tree(self, model: Model, clauses: Any) -> Tree:
        """Operators come before what they join; what nothing joins has to hold together."""
        if not is_list(clauses):
            raise Refused("Domain is not a list", "builtins.ValueError")
        words = deque(clauses)
        parts: list[Tree] = []
        while words:
            parts.append(self._taken(model, words))
        return Both(tuple(parts))

    def _taken(self, model: Model, words: deque[Any]) -> Tree:
        if not words:
            raise Refused("Domain ends too early", "builtins.ValueError")
        match words.popleft():
            case "&":
                return Both((self._taken(model, words), self._taken(model, words)))
            case "|":
                return Either((self._taken(model, words), self._taken(model, words)))
            case "!":
                return Neither(self._taken(model, words))
            case [str(path), str(word), value] if word in domain.OPERATORS:
                return self._leaf(model, tuple(path.split(".")), word, value)
            case _:
                raise Refused("Invalid leaf in domain", "builtins.ValueError")

    def _leaf(self, model: Model, path: tuple[str, ...], word: str, value: Any) -> Leaf:
        field = _at_end(model, path)
        if word in domain.LISTS:
            if not is_list(value):
                raise Refused("Invalid operand of in", "builtins.ValueError")
            known = [operand(field, one) for one in value]
            return Leaf(path, word, known, "" if False in known else _column(model, path))
        value = operand(field, value)
        if path[-1] in STAMPS and isinstance(value, str):
            word, value = _instant(word, microseconds(value))
        return Leaf(path, word, value, _column(model, path) if value is not False else "")

    def _value(self, model: Model, row: Row, name: str) -> Any:
        place = model.place(name)
        if place is not None:
            return json.loads(row.cells[place])
        (told,) = self.plan(model.name, (name,), True).objects([row])
        return json.loads(told)[name]

    # -- answers ------------------------------------------------------------------------------

    def _plan(self, name: str, fields: tuple[str, ...], all_: bool) -> Plan:
        model, draft = MODELS[name], Draft()
        draft.column("id", page.ids)
        for field in dict.fromkeys(fields):
            if field != "id":
                self._field(draft, model, _field(model, field), all_=all_)
        return draft.plan()

    def _field(self, draft: Draft, model: Model, field: Field, *, all_: bool) -> None:
        place = model.place(field.name)
        child = MODELS.get(field.relation)
        if place is not None and field.type == "many2one":
            draft.column(field.name, self._named(field, place))
        elif place is not None:
            draft.kept(field.name, place)
        elif field.name in STAMPS:
            draft.column(field.name, _stamp(STAMPS[field.name]))
        elif (through := self._through(model, field)) is not None:
            draft.column(field.name, through)
        elif field.type == "one2many" and child is not None and child.owner == field.back:
            shown = _visible(child, all_=all_)
            draft.column(field.name, page.children(self.book, child.name, None, shown=shown))
        else:
            draft.always(field.name, empty(field))

    def _through(self, model: Model, field: Field) -> Column | None:
        link, fields = THROUGH.get(model.name, ("", {}))
        if field.name not in fields:
            return None
        target, place = MODELS[model.fields[link].relation], model.kept.index(link)
        name = fields[field.name]

        def render(rows: Sequence[Row]) -> Sequence[str]:
            objects = self.plan(target.name, (name,), True).objects(rows)
            return [json.dumps(json.loads(one)[name], ensure_ascii=False) for one in objects]

        return page.target(self.book, target.name, place, render, empty(field))

    def _named(self, field: Field, place: int) -> Column:
        """A many2one is told with its name: [id, "Name"]."""
        target = MODELS.get(field.relation)
        if target is None:
            return lambda rows: [FALSE for _ in rows]
        cell = (target.place("name"), target.place("default_code"))

        def render(rows: Sequence[Row]) -> Sequence[str]:
            at = cell[0] if cell[0] is not None else cell[1]
            return [f"[{row.id},{row.cells[at or 0]}]" for row in rows]

        return page.target(self.book, target.name, place, render, FALSE)


def _field(model: Model, name: str) -> Field:
    if name not in model.fields:
        raise Refused(f"Invalid field '{name}' on model '{model.name}'", "builtins.ValueError")
    return model.fields[name]


def _at_end(model: Model, path: tuple[str, ...]) -> Field:
    field = _field(model, path[0])
    for name in path[1:]:
        if field.relation not in MODELS:
            raise Refused(f"Invalid field '{field.name}.{name}'", "builtins.ValueError")
        field = _field(MODELS[field.relation], name)
    return field


def _column(model: Model, path: tuple[str, ...]) -> str:
    columns: Mapping[str, str] = {"id": "id", model.owner: "owner", **STAMPS}
    return columns.get(".".join(path), "")


def _instant(word: str, at: int) -> tuple[str, int]:
    """Since 19 `>` means from the next whole second, and `<=` to this one's beginning."""
    return (">=", at + SECOND) if word == ">" else (word, at)


def _speaks_of(tree: Tree, name: str) -> bool:
    match tree:
        case Leaf(path):
            return path == (name,)
        case Both(parts) | Either(parts):
            return any(_speaks_of(part, name) for part in parts)
        case Neither(part):
            return _speaks_of(part, name)


def _order(model: Model, order: str) -> str:
    """The book sorts by id and by time, which is what readers of changes need."""
    words: list[str] = []
    for part in filter(None, (one.strip() for one in order.split(","))):
        name, _, way = part.partition(" ")
        if _field(model, name).name not in {"id", *STAMPS}:
            raise Refused(f"the sandbox does not sort by {name}", "builtins.ValueError")
        if way.strip().lower() not in {"", "asc", "desc"}:
            raise Refused("Invalid order", "odoo.exceptions.UserError")
        words.append(f"{STAMPS.get(name, 'id')} {way}")
    return ", ".join(words) or "id"


def _stamp(name: str) -> Column:
    def column(rows: Sequence[Row]) -> Sequence[str]:
        return [moment(getattr(row, name)) for row in rows]

    return column


def _visible(model: Model, *, all_: bool) -> Callable[[Row], bool]:
    place = model.place("active")
    if all_ or place is None:
        return page.everything
    return lambda row: row.cells[place] == "true"
