"""What Odoo and Tryton share: models, asked with a domain, in the order of their ids."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from hub.adapter import Answer, Ask, Call, Child, Cursor, Described, Item, Reconcile, Stream, Values
from hub.paging import ById
from hub.reading import part, text
from hub.records import AnyRecord, Person, Record

Clause = list[object]
Map = Callable[[Item, Values], AnyRecord | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one of them is asked for rows of a model and for its fields, how it writes a time, which
    field has the time of a row's last change, and under which key of a body the result is."""

    search: Callable[[str, list[Clause], Ask], Call]
    fields: Callable[[str, Values], Call]
    time: Callable[[datetime], object]
    changed: str
    result: str = ""

    def stream(
        self,
        model: str,
        kind: type[Record],
        map: Map,
        fields: str,
        where: Sequence[Clause] = (),
        size: int = 1000,
        parts: tuple[str, ...] = (),
        children: tuple[Child, ...] = (),
    ) -> Stream:
        """A model as a stream of one kind of record; `fields` are parted by blanks."""
        key = f"{kind.__name__.lower()}s"
        return Stream(
            key=key,
            title=key.capitalize(),
            kind=kind,
            ask=self._ask(model, where),
            map=map,
            fields=(*fields.split(), self.changed),
            cursor=Cursor(field=self.changed),
            deletions=Reconcile(),
            items=(self.result,) if self.result else (),
            pages=ById(size),
            parts=parts,
            children=children,
            describe=lambda values: self.fields(model, values),
            described=self._described,
        )

    def child(
        self, model: str, owner: str, key: str = "", fields: str = "", where: Sequence[Clause] = ()
    ) -> Child:
        """Rows that belong to those in their field `owner`; with a `key` they are read apart."""
        ask, names = self._ask(model, where, owner), (owner, *fields.split())
        return Child(key=key, owners=_ids_in(owner), ask=ask, fields=names, apart=bool(key))

    def _ask(self, model: str, where: Sequence[Clause], owner: str = "") -> Callable[[Ask], Call]:
        return lambda ask: self.search(model, [*where, *self._domain(ask, owner)], ask)

    def _domain(self, ask: Ask, owner: str) -> list[Clause]:
        """A full read has no bounds: a row without a time belongs to it."""
        found: list[Clause] = []
        if ask.after:
            found.append(["id", ">", int(ask.after)])
        if ask.ids:
            found.append(["id", "in", [int(id) for id in ask.ids]])
        if ask.owners:
            found.append([owner, "in", [int(id) for id in ask.owners]])
        if ask.since:
            found.append([self.changed, ">=", self.time(ask.since)])
        if ask.until:
            found.append([self.changed, "<=", self.time(ask.until)])
        return found

    def _described(self, answer: Answer) -> tuple[Described, ...]:
        found = part({"": answer.body}, "")
        found = part(found, self.result) if self.result else found
        known = ((name, part(found, name)) for name in found)
        return tuple(Described(n, text(f, "type"), text(f, "string")) for n, f in known)


def _ids_in(field: str) -> Callable[[Item], tuple[str, ...]]:
    """The ids of a reference to one row (7, or Odoo's [7, "name"]) or to many ([7, 8])."""

    def ids(row: Item) -> tuple[str, ...]:
        value = row.get(field)
        many = cast(list[object], value) if isinstance(value, list) else [value]
        return tuple(str(id) for id in many if isinstance(id, int) and id)

    return ids


def person(id: str | None) -> Person | None:
    """Whom an order is of, if it says so."""
    return None if id is None else Person(external_id=id)
