"""A mapping for files that need none: their columns are named like the fields of the records."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hub.errors import BadMapping
from hub.transfer.mapping import (
    AddressMap,
    ConsentMap,
    CustomerMap,
    DetailMap,
    IdentifierMap,
    InteractionMap,
    LineMap,
    OrderMap,
    PairMap,
    ProductMap,
    RowMap,
    StoreMap,
    explained,
)

_SECTIONS: Mapping[str, tuple[str, type[msgspec.Struct]]] = {
    "customers": ("customer", CustomerMap),
    "details": ("detail", DetailMap),
    "identifiers": ("detail", IdentifierMap),
    "addresses": ("detail", AddressMap),
    "tags": ("detail", DetailMap),
    "attributes": ("detail", PairMap),
    "orders": ("order", OrderMap),
    "products": ("product", ProductMap),
    "stores": ("store", StoreMap),
    "interactions": ("interaction", InteractionMap),
    "consents": ("consent", ConsentMap),
}
TYPES = tuple(_SECTIONS)
_STATEMENT = ("customer", "external_id", "observed_at")


def type_of(path: Path, type: str) -> str:
    """The kind of records in a file: as told, or by its name."""
    found = type or path.name.split(".")[0].lower()
    if found in _SECTIONS:
        return found
    raise BadMapping(
        f"{path}: what is in it? Give --map, or --type with one of {', '.join(TYPES)} (then the "
        "columns are named like the fields of the records)"
    )


class _Names:
    """The columns of a file, crossed out as they find their fields."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.left = [name for name in columns if name and not name.startswith("_")]
        self.known: list[str] = []

    def take(self, keys: Iterable[str], prefix: str = "") -> dict[str, object]:
        """The columns that are named like these keys."""
        wanted = [prefix + key for key in keys]
        self.known += wanted
        found = {name.removeprefix(prefix): name for name in self.left if name in wanted}
        self.left = [name for name in self.left if name not in wanted]
        return dict[str, object](found)

    def rest(self, prefix: str) -> dict[str, object]:
        """All columns with a prefix, by what follows it."""
        self.known.append(f"{prefix}*")
        return self.take(
            [name.removeprefix(prefix) for name in self.left if _follows(name, prefix)], prefix
        )


def _follows(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and name != prefix


def mapping(given: RowMap, columns: Sequence[str], type: str) -> RowMap:
    """The mapping of a file of this type. Columns whose names begin with `_` say nothing."""
    names = _Names(columns)
    section, kind = _SECTIONS[type]
    parts: dict[str, Mapping[str, Any]] = {section: _section(type, kind, names)}
    if type == "orders" and (line := names.take(LineMap.__struct_fields__, "line_")):
        parts["line"] = line
    if names.left:
        raise BadMapping(
            f"{names.left[0]!r} is not a column of {type}; these are: {', '.join(names.known)}. "
            "Give a --map to read it, or to leave it out"
        )
    return _built(given, parts)


def _section(type: str, kind: type[msgspec.Struct], names: _Names) -> dict[str, object]:
    keys = kind.__struct_fields__
    match type:
        case "identifiers":
            one = names.take(keys)
            if "type" in one:
                one["type"] = {"column": "type"}
            return {**names.take(_STATEMENT), "identifiers": [one]}
        case "addresses":
            return {**names.take(_STATEMENT), "addresses": [names.take(keys)]}
        case "tags":
            return {**names.take(_STATEMENT), "tags": names.take(["tag"]).get("tag", ())}
        case "attributes":
            return {**names.take(_STATEMENT), "attribute": names.take(keys)}
        case "customers" | "details":
            return _person(keys, names)
        case _:
            return names.take(key for key in keys if key != "participants")


def _person(keys: Sequence[str], names: _Names) -> dict[str, object]:
    nested = {"identifiers", "addresses", "attributes", "attribute", "name_order", "tags"}
    found = names.take(key for key in keys if key not in nested)
    if names.take(["tags"]):
        found["tags"] = {"column": "tags", "split": ","}
    if address := names.take(AddressMap.__struct_fields__, "address_"):
        found["addresses"] = [address]
    return {**found, "attributes": names.rest("attribute_")}


def _built(given: RowMap, parts: Mapping[str, Mapping[str, Any]]) -> RowMap:
    """The given mapping (file and attributes) with sections; undeclared attributes are text."""
    whole: dict[str, Any] = {**msgspec.to_builtins(given), **parts}
    for section in parts.values():
        for name in section.get("attributes", ()):
            whole["attributes"].setdefault(name, {})
    try:
        return msgspec.convert(whole, RowMap)
    except msgspec.ValidationError as error:
        raise BadMapping(f"the file lacks a column: {explained(str(error))}") from error
