"""What a vendor's models are made of: fields with the vendor's names and types.

A sandbox declares only what it keeps and what is asked of it. Labels are made from names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


class Refused(Exception):
    """What was asked does not fit the models; `kind` and the message are the vendor's own."""

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a model. `back` of a one2many is the field of the other model that leads here."""

    name: str
    type: str
    relation: str = ""
    back: str = ""

    @property
    def title(self) -> str:
        words = self.name.removesuffix("_ids").removesuffix("_id").split("_")
        return " ".join(words).capitalize()


@dataclass(frozen=True, slots=True)
class Model:
    """A model and the fields of it that are kept, in the order in which a row holds them.

    `owner` is the kept many2one that rows are found by and, if they `belong`, deleted with.
    """

    name: str
    fields: Mapping[str, Field]
    kept: tuple[str, ...]
    owner: str = ""
    belongs: bool = True

    def place(self, field: str) -> int | None:
        return self.kept.index(field) if field in self.kept else None


Models = Mapping[str, Model]


def declared(models: Mapping[str, str], *, everywhere: str, independent: frozenset[str]) -> Models:
    """Models from texts with a field a line: name, type and, where it leads to other rows, their
    model and `back`. Those that are kept come first, `^` at the owner; after an empty line those
    that are worked out or always empty. What is `everywhere` the book has by itself.
    """
    return {
        name: _model(name, text, everywhere, belongs=name not in independent)
        for name, text in models.items()
    }


def _model(name: str, text: str, everywhere: str, *, belongs: bool) -> Model:
    kept, _, further = text.strip().partition("\n\n")
    owner = next((word[1:] for word in kept.split() if word.startswith("^")), "")
    own = [*_fields(kept)]
    fields = {field.name: field for field in (*_fields(everywhere), *own, *_fields(further))}
    return Model(name, fields, tuple(field.name for field in own), owner, belongs)


def _fields(text: str) -> Iterator[Field]:
    for line in text.strip().splitlines():
        yield Field(*line.replace("^", "").split())
