"""The mapping file: which column says what. Typed, so that a slip is an error and not a gap.

Sections and keys are named like the records and fields of `hub/records.py`.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec

from hub.errors import BadMapping

AttributeType = Literal["text", "number", "boolean", "date"]
Format = Literal["csv", "jsonl", "parquet"]
_T = TypeVar("_T")


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Cell(_Part, frozen=True):
    """Where a value comes from, if a column's name alone does not say it.

    Exactly one of `column`, `constant`, `template` (`"{Family name}-{Phone}"`, empty when one of
    its columns is). Then `values` translates words (`"*"` stands for all others), `format` is a
    date's format, `split` cuts a list, and `default` stands in for an empty cell. A default and a
    constant are meant as they are, not translated.
    """

    column: str | None = None
    constant: str | int | float | bool | None = None
    template: str | None = None
    default: str | int | float | bool | None = None
    values: Mapping[str, str] = {}
    split: str = ""
    format: str = ""

    def __post_init__(self) -> None:
        given = [self.column, self.constant, self.template]
        if given.count(None) != 2:
            raise ValueError("give exactly one of column, constant and template")


Spec = str | Cell


class IdentifierMap(_Part, frozen=True, kw_only=True):
    type: Spec
    value: Spec
    verified: Spec | None = None


class AddressMap(_Part, frozen=True):
    kind: Spec | None = None
    text: Spec | None = None
    street: Spec | None = None
    city: Spec | None = None
    region: Spec | None = None
    postcode: Spec | None = None
    country: Spec | None = None


class PairMap(_Part, frozen=True):
    """An attribute whose name stands in a column of its own."""

    key: Spec
    value: Spec


class _PersonFields(_Part, frozen=True):
    """What both a customer and a detail may say."""

    observed_at: Spec | None = None
    email: Spec | tuple[Spec, ...] = ()
    phone: Spec | tuple[Spec, ...] = ()
    loyalty_card: Spec | tuple[Spec, ...] = ()
    external: Spec | tuple[Spec, ...] = ()
    identifiers: tuple[IdentifierMap, ...] = ()
    addresses: tuple[AddressMap, ...] = ()
    tags: Spec | tuple[Spec, ...] = ()
    attributes: Mapping[str, Spec] = {}
    attribute: PairMap | None = None


class CustomerMap(_PersonFields, frozen=True, kw_only=True):
    external_id: Spec
    given_name: Spec | None = None
    family_name: Spec | None = None
    middle_name: Spec | None = None
    full_name: Spec | None = None
    name_order: str = "family given middle"
    birth_date: Spec | None = None
    gender: Spec | None = None
    locale: Spec | None = None
    city: Spec | None = None

    def __post_init__(self) -> None:
        words = self.name_order.split()
        if len(set(words)) != len(words) or not {*words} <= {"family", "given", "middle"}:
            raise ValueError('name_order is words of "family given middle", in the file\'s order')


class DetailMap(_PersonFields, frozen=True, kw_only=True):
    customer: Spec
    external_id: Spec | None = None


class PersonMap(_Part, frozen=True):
    """Whom something is about: an id if there is one, else the first contact point there is."""

    customer: Spec | None = None
    email: Spec | None = None
    phone: Spec | None = None
    loyalty_card: Spec | None = None


class ProductMap(_Part, frozen=True, kw_only=True):
    external_id: Spec
    observed_at: Spec | None = None
    name: Spec | None = None
    sku: Spec | None = None
    brand: Spec | None = None
    category: Spec | None = None
    price: Spec | None = None
    currency: Spec | None = None


class StoreMap(_Part, frozen=True, kw_only=True):
    external_id: Spec
    observed_at: Spec | None = None
    name: Spec | None = None
    city: Spec | None = None
    address: Spec | None = None


class OrderMap(PersonMap, frozen=True, kw_only=True):
    external_id: Spec
    ordered_at: Spec
    observed_at: Spec | None = None
    number: Spec | None = None
    status: Spec | None = None
    channel: Spec | None = None
    store: Spec | None = None
    currency: Spec | None = None
    total: Spec | None = None


class LineMap(_Part, frozen=True):
    external_id: Spec | None = None
    product: Spec | None = None
    name: Spec | None = None
    quantity: Spec | None = None
    unit_price: Spec | None = None
    discount: Spec | None = None
    total: Spec | None = None


class ParticipantMap(PersonMap, frozen=True):
    role: Spec | None = None


class InteractionMap(PersonMap, frozen=True, kw_only=True):
    external_id: Spec
    kind: Spec
    started_at: Spec
    observed_at: Spec | None = None
    ended_at: Spec | None = None
    direction: Spec | None = None
    subject: Spec | None = None
    text: Spec | None = None
    role: Spec | None = None
    participants: tuple[ParticipantMap, ...] = ()


class ConsentMap(PersonMap, frozen=True, kw_only=True):
    external_id: Spec | None = None
    purpose: Spec
    state: Spec
    given_at: Spec
    observed_at: Spec | None = None
    valid_until: Spec | None = None
    contact_email: Spec | None = None
    contact_phone: Spec | None = None
    channel: Spec | None = None
    method: Spec | None = None
    document: Spec | None = None
    version: Spec | None = None
    language: Spec | None = None
    evidence: Spec | None = None


class FileMap(_Part, frozen=True):
    """How the file is written. What is left out is guessed or comes from the settings."""

    format: Format | None = None
    encoding: str = "utf-8"
    delimiter: str = ""
    quote: str = '"'
    decimal: Literal["", ",", "."] = ""
    dates: tuple[str, ...] = ()
    timezone: str = ""
    observed_at: Spec | None = None

    def __post_init__(self) -> None:
        if len(self.delimiter) > 1 or len(self.quote) > 1:
            raise ValueError("delimiter and quote are one character each")


class AttributeMap(_Part, frozen=True):
    """The declaration of an attribute: its type, and the category of data it belongs to."""

    type: AttributeType = "text"
    category: Literal["identity", "contact", "trade", "behaviour", "profile"] = "profile"
    title: str = ""


class RowMap(_Part, frozen=True):
    """A whole mapping: what one row says. Rows with the same order id are one order's lines."""

    file: FileMap = FileMap()
    attributes: Mapping[str, AttributeMap] = {}
    customer: CustomerMap | None = None
    detail: DetailMap | tuple[DetailMap, ...] = ()
    product: ProductMap | None = None
    store: StoreMap | None = None
    order: OrderMap | None = None
    line: LineMap | None = None
    interaction: InteractionMap | None = None
    consent: ConsentMap | tuple[ConsentMap, ...] = ()

    def __post_init__(self) -> None:
        if self.line and not self.order:
            raise ValueError("a [line] needs an [order] to belong to")


def several(value: _T | tuple[_T, ...]) -> tuple[_T, ...]:
    """TOML lets one stand for a list of one."""
    return cast("tuple[_T, ...]", value if isinstance(value, tuple) else (value,))


def load(path: Path) -> RowMap:
    """Read a mapping file; raises `BadMapping` naming the file and the key."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
        return msgspec.convert(raw, RowMap)
    except (OSError, UnicodeDecodeError) as error:
        raise BadMapping(f"{path}: the mapping can not be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise BadMapping(f"{path}: not valid TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise BadMapping(f"{path}: {explained(str(error))}") from error


_UNKNOWN = re.compile(r"unknown field `(.+?)`(?: - at `\$\.?(.*)`)?$")
_PLACED = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?$", re.DOTALL)


def explained(message: str) -> str:
    """The library's complaint in the words of a TOML file."""
    if unknown := _UNKNOWN.search(message):
        return _nearest(unknown[1], unknown[2] or "")
    placed = _PLACED.fullmatch(message)
    said, place = placed.groups() if placed else (message, "")
    said = said.replace("Object missing required field", "missing key").replace("`", "")
    return f"{place}: {said}" if place else said


def _nearest(key: str, place: str) -> str:
    known = sorted(
        field.name for kind in _kinds_at(place) for field in msgspec.structs.fields(kind)
    )
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"it can be: {', '.join(known)}"
    where = f"{place}.{key}" if place else key
    return f"{where}: there is no such key; {hint}"


def _kinds_at(place: str) -> list[type[msgspec.Struct]]:
    """The kinds of table that may stand at a place (`customer.addresses[0]`)."""
    kinds: list[type[msgspec.Struct]] = [RowMap]
    for name in re.sub(r"\[.*?\]", "", place).split(".") if place else []:
        kinds = [found for kind in kinds for found in _tables(get_type_hints(kind).get(name))]
    return kinds


def _tables(hint: object) -> Iterator[type[msgspec.Struct]]:
    if get_origin(hint) is not None:
        for part in get_args(hint):
            yield from _tables(part)
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
