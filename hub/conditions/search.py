"""What people type into a search box, taken apart: names, the end of a telephone, an address."""

import re
from typing import Any, NamedTuple

from hub import config
from hub.conditions import values
from hub.errors import BadInput
from hub.identifiers import Unusable, normalise
from hub.models.search import PUNCTUATION

LONGEST = 200
FEWEST_DIGITS = 4
MOST_DIGITS = 10
"""Only the last ones are compared: they are the same however the beginning is written."""
MOST_WORDS = 10

_MAIL = re.compile(r"\S+@\S+")
_PHONE = re.compile(r"(?<!\w)[+(]{0,2}\d(?:[\s().-]*\d)*(?!\w)")
_APART = re.compile(f"[\\s\\x00-\\x20\\x7f{re.escape(PUNCTUATION)}]+")


class Asked(NamedTuple):
    """What a search asks for; None where it does not."""

    mail: str | None
    phone: str | None
    words: str | None


def names(value: Any) -> str | None:
    """A tsquery for the words, each by its beginning and in any order; None without any text.

    Text without a single word in it gives an empty query, which finds nothing.
    """
    return words(_text(value))


def people_names(value: Any) -> str | None:
    """The same of a search for people, without the telephone and the address in it."""
    return _asked(_text(value)).words


def phone_end(value: Any) -> str | None:
    """The last digits of the telephone in a search, the last one first."""
    return _asked(_text(value)).phone


def mail(value: Any) -> str | None:
    """The e-mail address in a search; one that can not be any is nobody's."""
    return _asked(_text(value)).mail


def _text(value: Any) -> str:
    text = values.text(value)
    if len(text) > LONGEST:
        raise BadInput(f"A search has at most {LONGEST} characters: shorten it.")
    return text


def _asked(text: str) -> Asked:
    found_mail = _MAIL.search(text)
    rest = _without(text, found_mail)
    found_phone = next((m for m in _PHONE.finditer(rest) if _is_phone(m.group())), None)
    rest = _without(rest, found_phone)
    return Asked(
        mail=_canonical(found_mail.group()) if found_mail else None,
        phone=_end(found_phone.group()) if found_phone else None,
        words=words(rest) if rest.strip() or not (found_mail or found_phone) else None,
    )


def _without(text: str, part: re.Match[str] | None) -> str:
    return text if part is None else f"{text[: part.start()]} {text[part.end() :]}"


def _is_phone(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= FEWEST_DIGITS


def _end(text: str) -> str:
    """ASCII digits, whatever script they were typed in."""
    digits = "".join(str(int(sign)) for sign in text if sign.isdecimal())
    return digits[::-1][:MOST_DIGITS]


def _canonical(text: str) -> str:
    found = normalise("email", text, region=config.settings().phone_region)
    return "" if isinstance(found, Unusable) else found.value


def words(text: str) -> str | None:
    if not text.strip():
        return None
    parts = [part for part in _APART.split(text) if part]
    return " & ".join(f"'{part}':*" for part in parts[:MOST_WORDS])
