"""One cell's text as a value: typed and total. What can not be read raises `Unreadable`.

Reasons never repeat the value: it may be somebody's. Empty text never gets here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

LONGEST_ID = 256
LARGEST = Decimal(10) ** 15
DECIMALS = 12
"""As many as are kept of a number."""
OLDEST_BIRTH = date(1900, 1, 1)
PLACEHOLDER_BIRTHS = frozenset({date(1900, 1, 1), date(1970, 1, 1)})
"""What systems put where they know no birth date: they say nothing."""
FOREVER = 2200
"""An end from this year on means that there is none."""
AHEAD = timedelta(days=2)
"""How far ahead of ours a source's clock and time zone may be."""
REMEMBERED = 8192


class Unreadable(ValueError):
    """The text is not such a value; the message says why, without the value."""


Parse = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Habits:
    """How a file writes its values. `now` decides what lies in the future.

    `decimal` is "," or "." or, when nobody said, empty: then what is ambiguous is refused.
    """

    zone: tzinfo
    now: datetime
    decimal: str = ""
    dates: Sequence[str] = ()


_DOTTED = re.compile(
    r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?", re.ASCII
)


def moment(text: str, habits: Habits) -> datetime:
    """A date with or without a time, as it stands: naive unless the text has an offset."""
    for format in habits.dates:
        try:
            return datetime.strptime(text, format)  # noqa: DTZ007 (the caller adds the zone)
        except ValueError:
            continue
    return _dotted(text) if "." in text[:3] else _iso(text)


def _dotted(text: str) -> datetime:
    if not (match := _DOTTED.fullmatch(text)):
        raise Unreadable("not a date the hub knows; add its format to file.dates")
    day, month, year, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 (as above)
    except ValueError as error:
        raise Unreadable("there is no such day or hour") from error


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable("not a date the hub knows; add its format to file.dates") from error


def birth_date(text: str, habits: Habits) -> date | None:
    """A day of birth; None for a placeholder."""
    return sane_birth(moment(text, habits).date(), habits.now)


def sane_birth(day: date, now: datetime) -> date | None:
    if day in PLACEHOLDER_BIRTHS:
        return None
    if day < OLDEST_BIRTH:
        raise Unreadable("the birth date is before 1900")
    if day > now.date():
        raise Unreadable("the birth date is in the future")
    return day


def instant(text: str, habits: Habits) -> datetime:
    """An instant, in UTC; a time without an offset is of the file's zone."""
    return aware(moment(text, habits), habits.zone)


def aware(at: datetime, zone: tzinfo) -> datetime:
    try:
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise Unreadable("the date is out of range") from error


def past(text: str, habits: Habits) -> datetime:
    """An instant at which something happened."""
    return sane_past(instant(text, habits), habits.now)


def sane_past(at: datetime, now: datetime) -> datetime:
    if at > now + AHEAD:
        raise Unreadable("the date is in the future")
    return sane(at)


def planned(text: str, habits: Habits) -> datetime:
    """An instant that may lie ahead, such as a meeting's."""
    return sane_planned(instant(text, habits))


def sane_planned(at: datetime) -> datetime:
    if at.year >= FOREVER:
        raise Unreadable("the date is too far in the future")
    return sane(at)


def sane(at: datetime) -> datetime:
    if at.year < 1970 or (at.year, at.month, at.day) == (1970, 1, 1):
        raise Unreadable("the date is before 1970 or a placeholder")
    return at


def until(text: str, habits: Habits) -> datetime | None:
    """An end; None where the source writes a far day for 'no end'."""
    at = moment(text, habits)
    return sane_until(at if at.year >= FOREVER else aware(at, habits.zone))


def sane_until(at: datetime) -> datetime | None:
    return None if at.year >= FOREVER else sane(at)


_CURRENCY = re.compile(
    r"^(?:₽|\$|€|£|¥|[A-Z]{3})\s*|\s*(?:₽|\$|€|£|¥|руб\.?|р\.?|тг\.?|[A-Z]{3})$", re.IGNORECASE
)
_POINT = re.compile(r"[+-]?\s*(?:[1-9][0-9]{0,2}(?:[,\s'’][0-9]{3})+|[0-9]+)?(?:\.[0-9]*)?")
_COMMA = re.compile(r"[+-]?\s*(?:[1-9][0-9]{0,2}(?:[.\s'’][0-9]{3})+|[0-9]+)?(?:,[0-9]*)?")
_SPACES = re.compile(r"[\s'’]+")
_FLOAT = re.compile(r"[+-]?\d(?:\.\d+)?[eE][+-]?\d{1,2}", re.ASCII)
_EITHER = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")


def decimal_of(sign: str) -> Callable[[str], Decimal]:
    """A reader of numbers whose decimal sign is `sign` (empty: told from the number itself)."""
    plain = sign or "."

    @lru_cache(maxsize=REMEMBERED)
    def read(text: str) -> Decimal:
        whole, _, part = text.partition(plain)
        is_plain = len(whole) < 15 and whole.isdecimal() and part.isdecimal() and text.isascii()
        if is_plain and len(part) <= DECIMALS:
            return Decimal(f"{whole}.{part}")
        return _sized(_decimal(text, sign))

    return read


def _decimal(text: str, sign: str) -> Decimal:
    text = _CURRENCY.sub("", text.replace("−", "-"), count=2).strip()
    if _FLOAT.fullmatch(text):
        return Decimal(text)
    is_comma = (sign or _sign(text)) == ","
    if not (_COMMA if is_comma else _POINT).fullmatch(text) or not any(map(str.isdigit, text)):
        raise Unreadable("not a number" + (f" with the decimal sign {sign}" if sign else ""))
    text = _SPACES.sub("", text)
    return Decimal(text.replace(".", "").replace(",", ".") if is_comma else text.replace(",", ""))


def _sign(text: str) -> str:
    """The later of comma and dot is the decimal sign; one comma before three digits is neither."""
    if _EITHER.fullmatch(text):
        raise Unreadable('may be thousands or a fraction; say which with file.decimal = "," or "."')
    if text.count(",") > 1:
        return "."
    return "," if text.rfind(",") > text.rfind(".") else "."


def _sized(number: Decimal) -> Decimal:
    """What follows the last decimal kept is noise of floating point (3.3000000000000003)."""
    if not -LARGEST < number < LARGEST:
        raise Unreadable("the number is too large")
    exponent = number.as_tuple().exponent
    is_noisy = isinstance(exponent, int) and exponent < -DECIMALS
    return round(number, DECIMALS).normalize() if is_noisy else number


_YES = frozenset("1 да yes y true t on + истина д x".split())
_NO = frozenset("0 нет no n false f off - ложь н".split())


def boolean(text: str) -> bool:
    word = text.casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise Unreadable("neither yes nor no")


def word_of(words: Mapping[str, object]) -> Parse:
    """A reader of one of some words, in any case."""
    known = ", ".join(sorted({str(word) for word in words.values()}))

    def read(text: str) -> object:
        try:
            return words[text.casefold()]
        except KeyError:
            raise Unreadable(f"not one of: {known}; add values = {{...}} to the map") from None

    return read


GENDERS: Mapping[str, object] = {
    **dict.fromkeys("female f ж жен жен. женский женщина w woman".split(), "female"),
    **dict.fromkeys("male m м муж муж. мужской мужчина man".split(), "male"),
    **dict.fromkeys(("other", "x"), "other"),
}
STATES: Mapping[str, object] = {
    **{word: word for word in ("granted", "denied", "withdrawn", "objected")},
    **dict.fromkeys(_YES, "granted"),
    **dict.fromkeys(_NO, "denied"),
}
KINDS: Mapping[str, object] = {
    word: word for word in ("call", "email", "meeting", "sms", "chat", "visit", "review")
}
POINTS: Mapping[str, object] = {
    word: word for word in ("email", "phone", "loyalty_card", "external")
}
DIRECTIONS: Mapping[str, object] = {"in": "in", "out": "out"}


def text_of(text: str) -> str:
    return text


def identity_of(text: str) -> str:
    """A source's own id of something."""
    if len(text) > LONGEST_ID:
        raise Unreadable(f"longer than {LONGEST_ID} characters")
    return text


def currency(text: str) -> str:
    code = text.upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise Unreadable("not an ISO 4217 currency code")
    return code


def country(text: str) -> str:
    code = text.upper()
    if len(code) != 2 or not (code.isascii() and code.isalpha()):
        raise Unreadable("not an ISO 3166-1 alpha-2 country code")
    return code


def number(text: str, read: Callable[[str], Decimal]) -> int | float:
    """A number as an attribute holds it."""
    value = read(text)
    return int(value) if value == value.to_integral_value() else float(value)


def names(text: str, order: Sequence[str]) -> dict[str, str]:
    """A full name by its parts' order ("family given middle"). One word alone is a given name.

    The last part takes what is left over (`Али Гусейн оглы`).
    """
    words = text.split(maxsplit=len(order) - 1)
    if len(words) == 1:
        return {"given_name": words[0]}
    return {f"{part}_name": word for part, word in zip(order, words, strict=False)}
