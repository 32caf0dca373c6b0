"""Reading what vendors send: a field of an item as a text, a number, a time, or other items.

Every reader is total. What is missing or empty (vendors write null, false or "") is empty here
too; what is there and can not be understood is refused with `RejectedRecord`, which names the
field and repeats nothing of what stands in it.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final, TypeGuard, TypeVar, cast

from hub.adapter import Item
from hub.errors import RejectedRecord

T = TypeVar("T")

DECIMALS: Final = 12
WHOLE: Final = 2.0**53
"""Below it a binary number tells whole numbers apart."""
_NOTHING: Final[Item] = {}


def text(item: Item, field: str) -> str:
    """Without blanks around it. A number is as good as its digits; lists and objects are empty."""
    value = item.get(field)
    if isinstance(value, str):
        return value.strip()
    return "" if _is_empty(value) else _written(value)


def number(item: Item, field: str) -> Decimal | None:
    """A number, or a text that holds one, to the 12 decimals that the hub keeps: what binary
    floats have beyond them (0.1 + 0.2) is noise."""
    value = item.get(field)
    if _is_empty(value):
        return None
    found = _decimal(value if isinstance(value, str | Decimal) else _written(value))
    if found is None:
        raise RejectedRecord("is no number", field=field)
    return found


def instant(item: Item, field: str) -> datetime | None:
    """A time, in UTC. A text is ISO 8601, and in UTC unless it has an offset; a day alone stands
    for its beginning; a number counts seconds since 1970."""
    value = item.get(field)
    if _is_empty(value):
        return None
    try:
        return _instant(value)
    except (ArithmeticError, TypeError, ValueError, OSError):
        raise RejectedRecord("is no time", field=field) from None


def reference(item: Item, field: str) -> str | None:
    """The id of another item, or None where it names none."""
    return text(item, field) or None


def own_id(item: Item, field: str = "id") -> str:
    """The item's own id, without which it is nothing."""
    return given(reference(item, field), field)


def given(value: T | None, field: str) -> T:
    """For what a record can not be without."""
    if value is None:
        raise RejectedRecord("is missing", field=field)
    return value


def part(item: Item, field: str) -> Item:
    """An object inside the item; an empty one where there is none."""
    value = item.get(field)
    return value if _is_item(value) else _NOTHING


def parts(item: Item, field: str) -> list[Item]:
    """The objects of a list inside the item."""
    value: object = item.get(field)
    return [one for one in value if _is_item(one)] if _is_list(value) else []


def split(name: str) -> tuple[str, str]:
    """Given and family name of a name that a vendor keeps in one field: the first word is given,
    unless a comma says that the family name comes first."""
    family, comma, given = name.partition(",")
    if not comma:
        given, _, family = name.partition(" ")
    return given.strip(), family.strip()


def _is_empty(value: object) -> bool:
    return value is None or value is False or value == ""


def _is_number(value: object) -> TypeGuard[int | float | Decimal]:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_item(value: object) -> TypeGuard[Item]:
    return isinstance(value, dict | Mapping)  # a dict is told at once


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _written(value: object) -> str:
    """A number in digits; nothing for what is no number, or has thousands of digits.

    A whole number that came as a binary one (2.0) is as whole as another.
    """
    try:
        if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE:
            return str(int(value))
        return str(value) if _is_number(value) else ""
    except ValueError:
        return ""


def _decimal(written: str | Decimal) -> Decimal | None:
    try:
        found = Decimal(written)
        if not found.is_finite():
            return None
        digits = str(found)
        return found if len(digits) <= DECIMALS and "E" not in digits else _rounded(found)
    except ArithmeticError:
        return None


def _rounded(found: Decimal) -> Decimal:
    exponent = cast(int, found.as_tuple().exponent)  # another only where it is not finite
    return found if exponent >= -DECIMALS else round(found, DECIMALS)


def _instant(value: object) -> datetime:
    if isinstance(value, str):
        return _in_utc(datetime.fromisoformat(value.strip()))
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    if _is_number(value):
        return datetime.fromtimestamp(float(value), UTC)
    raise TypeError


def _in_utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
