"""The rows of the pretend Tryton: what its searches mean, and what its answers hold."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from adapters.sandbox import domain, page
from adapters.sandbox.domain import Both, Either, Leaf, Tree
from adapters.sandbox.model import Field, Model, Refused, is_list
from adapters.sandbox.page import Column, Draft, Plan
from adapters.sandbox.paths import Paths
from adapters.sandbox.shop import Book, Row
from adapters.sandbox.tryton_models import MODELS
from adapters.sandbox.tryton_values import NULL, decoded, moment, operand, plain

STAMPS = {"create_date": "created", "write_date": "written", "last_modified_at": "changed"}
DELEGATED = {
    "name": "name",
    "list_price_used": "list_price",
    "type": "type",
    "default_uom": "default_uom",
}
"""What a product.product reads from its template."""
CONTACTS = frozenset({"email", "phone", "mobile", "fax", "website"})
ORDER = {"party.party": [["name", "ASC"]]}
"""The order of those who name none; the others' is by id."""
LISTS = frozenset({"one2many", "many2many"})
Clauses = Sequence[Any]


class Rows:
    """Searching and reading in one book."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.plan = lru_cache(256)(self._plan)
        self._paths = Paths(book, MODELS, STAMPS, self._value, nothing=None)

    def search(
        self,
        model: Model,
        clauses: Clauses,
        offset: int,
        limit: int | None,
        order: Any,
        *,
        all_: bool,
    ) -> list[Row]:
        tree = self._shown(model, self._tree(model, clauses), all_=all_)
        where, facts, rest = domain.searched(tree)
        wanted = self._order(model, order or ORDER.get(model.name, [["id", "ASC"]]))
        by_book = _by_book(wanted)
        found = self.book.rows(model.name, where, facts, order=by_book or "id")
        if rest:
            found = filter(domain.test(Both(tuple(rest)), self._paths.of(model)), found)
        if not by_book:
            found = self._sorted(model, found, wanted)
        return [*islice(found, offset, None if limit is None or limit < 0 else offset + limit)]

    def read(self, model: Model, rows: Sequence[Row], fields: Sequence[str], *, all_: bool) -> str:
        objects = self.plan(model.name, tuple(fields), all_).objects(rows)
        return f"[{','.join(objects)}]"

    # -- conditions ---------------------------------------------------------------------------

    def _tree(self, model: Model, clauses: Any) -> Tree:
        if not is_list(clauses):
            raise Refused("maximum recursion depth exceeded in __instancecheck__")
        parts = [*clauses]
        kind = Either if parts[:1] == ["OR"] else Both
        if parts[:1] in (["OR"], ["AND"]):
            del parts[0]
        return kind(tuple(self._part(model, part) for part in parts))

    def _part(self, model: Model, part: Any) -> Tree:
        if (
            not is_list(part)
            or not part
            or not isinstance(part[0], str)
            or part[0] in {"OR", "AND"}
        ):
            return self._tree(model, part)
        if len(part) != 3 or part[1] not in domain.OPERATORS:
            raise Refused("maximum recursion depth exceeded in __instancecheck__")
        return self._leaf(model, tuple(part[0].split(".")), part[1], part[2])

    def _leaf(self, model: Model, path: tuple[str, ...], word: str, value: Any) -> Leaf:
        field = _at_end(model, path)
        if word in domain.LISTS:
            if not is_list(value):
                raise Refused(f"'{type(value).__name__}' object is not iterable")
            value = [operand(field, one) for one in value]
        else:
            value = operand(field, value)
        return Leaf(path, word, value, _column(model, path, value))

    def _shown(self, model: Model, tree: Tree, *, all_: bool) -> Tree:
        """Archived rows are left out, unless they are asked for in the context or the domain."""
        if all_ or "active" not in model.kept or _speaks_of(tree, "active"):
            return tree
        return Both((tree, Leaf(("active",), "=", 1)))

    def _order(self, model: Model, order: Any) -> list[tuple[str, bool]]:
        for name, _ in order:
            _field(model, name)
        return [(name, _is_downwards(word)) for name, word in order]

    def _value(self, model: Model, row: Row, name: str) -> Any:
        place = model.place(name)
        if place is not None:
            return decoded(row.cells[place])
        (told,) = self.plan(model.name, (name,), True).objects([row])
        return plain(json.loads(told))[name]

    def _sorted(
        self, model: Model, found: Iterable[Row], order: list[tuple[str, bool]]
    ) -> list[Row]:
        values, rows = self._paths.of(model), [*found]
        for name, is_downwards in reversed(order):
            rows.sort(key=lambda row, name=name: _key(*values(row, (name,))), reverse=is_downwards)
        return rows

    # -- answers ------------------------------------------------------------------------------

    def _plan(self, name: str, fields: tuple[str, ...], all_: bool) -> Plan:
        model, draft = MODELS[name], Draft()
        deeper: dict[str, list[str]] = {}
        draft.column("id", page.ids)
        for field in dict.fromkeys(fields):
            first, _, more = field.partition(".")
            _field(model, first)
            if more:
                deeper.setdefault(first, []).append(more)
            elif first != "id":
                self._plain(draft, model, model.fields[first], all_=all_)
        for first, more in deeper.items():
            self._nested(draft, model, model.fields[first], tuple(more), all_=all_)
        return draft.plan()

    def _plain(self, draft: Draft, model: Model, field: Field, *, all_: bool) -> None:
        place = model.place(field.name)
        if place is not None:
            draft.kept(field.name, place)
        elif field.name in STAMPS:
            draft.column(field.name, _stamp(STAMPS[field.name]))
        elif column := self._computed(model, field, all_=all_):
            draft.column(field.name, column)
        else:
            draft.always(field.name, "[]" if field.type in LISTS else NULL)

    def _computed(self, model: Model, field: Field, *, all_: bool) -> Column | None:
        if model.name == "product.product" and field.name in DELEGATED:
            cell = MODELS["product.template"].kept.index(DELEGATED[field.name])
            template = model.kept.index("template")
            return page.target(
                self.book, "product.template", template, lambda rows: _cells(rows, cell), NULL
            )
        if model.name == "party.party" and field.name in CONTACTS:
            return self._contact(field.name)
        if child := _child(field):
            return page.children(self.book, child.name, None, shown=_visible(child, all_=all_))
        return None

    def _contact(self, kind: str) -> Column:
        """The first active contact point of a kind."""
        model = MODELS["party.contact_mechanism"]
        kinds, value, active = (model.kept.index(name) for name in ("type", "value", "active"))

        def column(rows: Sequence[Row]) -> Sequence[str]:
            first = {row.id: '""' for row in reversed(rows)}
            for one in reversed(self.book.named(model.name, first, by="owner")):
                if one.cells[kinds] == f'"{kind}"' and one.cells[active] == "1":
                    first[one.owner or 0] = one.cells[value]
            return [first[row.id] for row in rows]

        return column

    def _nested(
        self, draft: Draft, model: Model, field: Field, more: tuple[str, ...], *, all_: bool
    ) -> None:
        if not field.relation:
            raise Refused(f"'{field.type.capitalize()}' object has no attribute 'get_target'")
        name, place = f"{field.name}.", model.place(field.name)
        plan = self.plan(field.relation, more, all_) if field.relation in MODELS else None
        if plan and (child := _child(field)):
            shown = _visible(child, all_=all_)
            draft.column(name, page.children(self.book, child.name, plan, shown=shown))
        elif plan and place is not None:
            draft.column(name, page.target(self.book, field.relation, place, plan.objects, NULL))
        else:
            draft.always(name, "[]" if field.type in LISTS else NULL)


def _field(model: Model, name: str) -> Field:
    if name not in model.fields:
        raise Refused(f"'{name}'")
    return model.fields[name]


def _at_end(model: Model, path: tuple[str, ...]) -> Field:
    field = _field(model, path[0])
    for name in path[1:]:
        if field.relation not in MODELS:
            raise Refused(f"'{field.name}.{name}'")
        field = _field(MODELS[field.relation], name)
    return field


def _column(model: Model, path: tuple[str, ...], value: object) -> str:
    """What the book itself can compare; not with null, and not with lists of other things."""
    if value is None or (is_list(value) and None in value):
        return ""
    columns: Mapping[str, str] = {"id": "id", model.owner: "owner", **STAMPS}
    return columns.get(".".join(path), "")


def _speaks_of(tree: Tree, name: str) -> bool:
    match tree:
        case Leaf(path):
            return path == (name,)
        case Both(parts) | Either(parts):
            return any(_speaks_of(part, name) for part in parts)
        case _:
            return False


def _is_downwards(word: str) -> bool:
    if word.upper() not in {"ASC", "DESC"}:
        raise Refused(f"'{word.upper()}'")
    return word.upper() == "DESC"


def _by_book(order: list[tuple[str, bool]]) -> str:
    """The order in SQL, empty where the book can not sort by itself."""
    if any(name not in STAMPS and name != "id" for name, _ in order):
        return ""
    words = ("DESC" if is_downwards else "ASC" for _, is_downwards in order)
    return ", ".join(
        f"{STAMPS.get(name, 'id')} {word}" for (name, _), word in zip(order, words, strict=True)
    )


def _key(value: object) -> tuple[bool, Any]:
    return (value is not None, value)


def _stamp(name: str) -> Column:
    def column(rows: Sequence[Row]) -> Sequence[str]:
        return [moment(getattr(row, name)) for row in rows]

    return column


def _cells(rows: Sequence[Row], place: int) -> list[str]:
    return [row.cells[place] for row in rows]


def _child(field: Field) -> Model | None:
    """The model of a one2many that the sandbox keeps by its owner."""
    child = MODELS.get(field.relation)
    is_owned = field.type == "one2many" and child is not None and child.owner == field.back
    return child if is_owned else None


def _visible(model: Model, *, all_: bool) -> Callable[[Row], bool]:
    place = model.place("active")
    if all_ or place is None:
        return page.everything
    return lambda row: row.cells[place] == "1"
