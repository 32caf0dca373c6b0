"""What points at a person: e-mail addresses, telephone numbers, loyalty cards, external ids.

`normalise` turns a value as a source wrote it into the one spelling under which the hub compares
it, or says why it can not be used. Pure: the same value and region always give the same answer.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, Literal, NamedTuple, assert_never

import phonenumbers

from hub.records import IdentifierType


@dataclass(frozen=True, slots=True)
class Rule:
    """How identity treats a type of identifier.

    `priority`: the lower, the earlier records are joined by it. `limit`: how many different values
    one customer may gather before a further one is doubted. `guarded`: whether two given names or
    two birth dates keep people apart who share a value, as families share a telephone.
    """

    priority: int
    limit: int
    guarded: bool


IDENTIFIER_TYPES: Final[Mapping[IdentifierType, Rule]] = {
    "external": Rule(priority=1, limit=50, guarded=False),
    "loyalty_card": Rule(priority=2, limit=10, guarded=True),
    "email": Rule(priority=3, limit=10, guarded=True),
    "phone": Rule(priority=4, limit=10, guarded=True),
}


class Contact(NamedTuple):
    """An identifier in its canonical spelling: what is stored, searched and joined."""

    type: IdentifierType
    value: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """A value that identifies nobody. Neither `code` nor `reason` repeats the value.

    A `placeholder` was typed because a form wanted something: it is counted and otherwise ignored.
    An `invalid` value was meant and is wrong: it is reported, so that a person can mend it.
    """

    kind: Literal["placeholder", "invalid"]
    code: str
    reason: str


def normalise(type: IdentifierType, value: str, *, region: str) -> Contact | Unusable:
    """The canonical spelling of `value`, or why there is none.

    `region` (ISO 3166-1 alpha-2) is the country of telephone numbers without a country code.
    """
    match type:
        case "email":
            return _email(value)
        case "phone":
            return _phone(value, region)
        case "loyalty_card":
            return _loyalty_card(value)
        case "external":
            return _external(value)
        case _:
            assert_never(type)


def _invalid(code: str, reason: str) -> Unusable:
    return Unusable("invalid", code, reason)


_EMPTY: Final = Unusable("placeholder", "empty", "is empty")
_PLACEHOLDER: Final = Unusable(
    "placeholder", "placeholder", "was typed to fill a field and belongs to nobody"
)
_CACHED: Final = 1 << 16
_LONGEST: Final = 500  # nothing longer is worth looking at; every type has a lower limit of its own
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))


def _is_one_character(text: str) -> bool:
    return text == text[:1] * len(text)


# E-mail

_SENDERS_ONLY: Final = frozenset(
    "noreply no-reply no_reply no.reply donotreply do-not-reply do_not_reply mailer-daemon".split()
)
_NO_ADDRESS: Final = frozenset(
    "nomail no-mail no_mail noemail no-email no_email none null nobody unknown"
    " нет нетпочты нет_почты отсутствует неизвестно netpochty net_pochty".split()
)
_FILLERS: Final = frozenset(
    "test тест mail email e-mail майл почта pochta no net нет none null name user client клиент"
    " asd asdf qwe qwerty йцукен abc aaa xxx 123 1234 12345 123456".split()
)
_FREE_DOMAINS: Final = frozenset(
    "mail.ru gmail.com yandex.ru ya.ru bk.ru list.ru inbox.ru rambler.ru yahoo.com".split()
)
_LOCAL: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_DOMAIN: Final = re.compile(
    r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
    r"(?:[a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9])"
)


@lru_cache(_CACHED)
def _email(value: str) -> Contact | Unusable:
    """Lower case throughout, though RFC 5321 lets the part before the @ be case-sensitive: no mail
    system in use tells `Anna@` from `anna@`. Dots and `+tags` stay: to the standard those are
    different mailboxes, and what one provider makes of them does not hold for the next.
    """
    text = _bare_address(value)
    local, at, domain = text.rpartition("@")
    if not text:
        return _EMPTY
    if not at:
        return _PLACEHOLDER if text in _NO_ADDRESS else _invalid("email_at", "has no @")
    if _is_filler_address(local, domain):
        return _PLACEHOLDER
    if not _LOCAL.fullmatch(local):
        return _invalid("email_local", "has characters before the @ that no mailbox has")
    domain = _ascii_domain(domain)
    if not _DOMAIN.fullmatch(domain):
        return _invalid("email_domain", "does not end in the name of a mail domain")
    if len(local.encode()) > 64 or len(local.encode()) + len(domain) > 253:  # RFC 5321, 4.5.3.1
        return _invalid("email_length", "is longer than an e-mail address may be")
    return Contact("email", f"{local}@{domain}")


def _bare_address(value: str) -> str:
    """Without what people and programs put around an address: `Anna <mailto:anna@example.com>`."""
    if len(value) > _LONGEST:
        return value[:_LONGEST]
    text = unicodedata.normalize("NFKC", value).translate(_INVISIBLE).strip()
    if text.endswith(">") and "<" in text:
        text = text[text.rindex("<") + 1 : -1].strip()
    text = text.strip("<>").lower()
    # Lower case can undo NFKC (a few letters with marks), so compose once more.
    return unicodedata.normalize("NFKC", text.removeprefix("mailto:").strip())


def _is_filler_address(local: str, domain: str) -> bool:
    if local in _SENDERS_ONLY or local in _NO_ADDRESS:
        return True
    name = domain.partition(".")[0]
    return _is_filler(local) and (domain in _FREE_DOMAINS or _is_filler(name))


def _is_filler(word: str) -> bool:
    return word in _FILLERS or (word != "" and _is_one_character(word))


def _ascii_domain(domain: str) -> str:
    domain = domain.replace("\u3002", ".").removesuffix(".")
    if domain.isascii():
        return domain
    return ".".join(_ascii_label(label) for label in domain.split("."))


def _ascii_label(label: str) -> str:
    """IDNA 2008's A-label; an empty one if the label holds what no domain may hold."""
    if label.isascii():
        return label
    if not all(unicodedata.category(sign)[0] in "LMN" or sign == "-" for sign in label):
        return ""
    return "xn--" + label.encode("punycode").decode("ascii")


# Telephone

_SEPARATORS: Final = dict.fromkeys(map(ord, " -().\t\u00a0\u202f\u2011\u2013"))
_LONGEST_EXTENSION: Final = 6  # a longer one is a second number in the same field
_UP: Final = "01234567890"
_DOWN: Final = _UP[::-1]


@lru_cache(_CACHED)
def _phone(value: str, region: str) -> Contact | Unusable:
    compact = value.translate(_SEPARATORS)
    number = _plain_number(compact, region)
    if number is None:
        return _parsed_number(value, compact, region)
    return _PLACEHOLDER if _is_filler_number(number) else Contact("phone", number)


def _plain_number(compact: str, region: str) -> str | None:
    """The number in E.164, if it is written in one of the usual ways.

    Nine values in ten are, and need no parser: the country's own pattern from the metadata of
    phonenumbers is enough, in a tenth of the time. What is not so plain is None and goes the long
    way, which agrees.
    """
    if not compact.isascii():
        return None
    if compact.startswith("+"):
        code, national = _split_code(compact[1:])
        pattern = _pattern(code)
    elif region == "RU" and len(compact) in (10, 11):
        national = compact[-10:]
        pattern = _pattern(7) if len(compact) == 10 or compact[0] in "78" else None
        code = 7
    else:
        return None
    return f"+{code}{national}" if pattern and pattern.fullmatch(national) else None


def _split_code(digits: str) -> tuple[int, str]:
    """Country code and the rest; no country code is the beginning of another."""
    for length in (1, 2, 3):
        code = digits[:length]
        if (
            code[:1] != "0"
            and code.isdigit()
            and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
        ):
            return int(code), digits[length:]
    return 0, digits


@cache
def _pattern(code: int) -> re.Pattern[str] | None:
    """What a number looks like in the main country of a code, if that alone decides.

    It does not where the number's beginning might be taken for a national prefix, or where leading
    zeros belong to the number.
    """
    region = phonenumbers.region_code_for_country_code(code)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return None
    kinds = [
        kind for kind in (metadata.mobile, metadata.fixed_line) if kind and kind.possible_length
    ]
    if not kinds:
        return None
    lengths = {length for kind in kinds for length in kind.possible_length}
    shape = "|".join(f"[1-9][0-9]{{{length - 1}}}" for length in sorted(lengths))
    prefix = metadata.national_prefix_for_parsing
    unambiguous = f"(?!{prefix})" if prefix else ""
    own = f"(?={metadata.leading_digits})" if metadata.leading_digits else ""
    national = "|".join(f"(?:{kind.national_number_pattern})" for kind in kinds)
    return re.compile(rf"(?=(?:{shape})\Z){unambiguous}{own}(?:{national})", re.ASCII)


def _parsed_number(value: str, compact: str, region: str) -> Contact | Unusable:
    if not compact:
        return _EMPTY
    if _is_filler_digits(compact.lstrip("+")):
        return _PLACEHOLDER
    try:
        number = phonenumbers.parse(value[:_LONGEST], region)
    except phonenumbers.NumberParseException:
        return _invalid("phone_syntax", "is not a telephone number")
    if len(number.extension or "") > _LONGEST_EXTENSION:
        return _invalid("phone_several", "holds more than one telephone number")
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if _is_filler_number(text):
        return _PLACEHOLDER
    if not phonenumbers.is_possible_number(number):
        return _invalid("phone_length", "is too short or too long for a telephone number")
    if not phonenumbers.is_valid_number(number):
        return _invalid("phone_range", "is in a range in which no telephone numbers are given out")
    return Contact("phone", text)


def _is_filler_number(number: str) -> bool:
    """Whether the number counts up or down, or its last seven digits are all the same.

    A few people pay for such a number; far more records hold it because a form insisted.
    """
    return _is_one_character(number[-7:]) or _is_filler_digits(_split_code(number[1:])[1])


def _is_filler_digits(digits: str) -> bool:
    if not digits.isdigit():
        return False
    return _is_one_character(digits) or digits in _UP or digits in _DOWN


# Loyalty card

_CARD_SEPARATORS: Final = re.compile(r"[\s\-_./\\#№:*]+")
_CYRILLIC_TWINS: Final = str.maketrans("АВЕКМНОРСТУХ", "ABEKMHOPCTYX")
_NO_CARD: Final = frozenset("NONE NULL TEST UNKNOWN CARD NOCARD TECT HETKAPTЫ KAPTA".split())
_SHORTEST_CARD: Final = 4
_LONGEST_CARD: Final = 64


@lru_cache(_CACHED)
def _loyalty_card(value: str) -> Contact | Unusable:
    """Upper case, without separators. Cyrillic letters that look Latin become Latin, since the
    same card is typed on both keyboards. Leading zeros stay: they are printed on the card.
    """
    text = _CARD_SEPARATORS.sub("", value[:_LONGEST].translate(_INVISIBLE))
    card = unicodedata.normalize("NFKC", text).upper().translate(_CYRILLIC_TWINS)
    if not card:
        return _EMPTY
    if _is_one_character(card) or card in _NO_CARD or card in ("HET", "NO", "0" + _UP[1:10]):
        return _PLACEHOLDER
    if _UP[1:].startswith(card):
        return _PLACEHOLDER
    if not card.isalnum():
        return _invalid("card_characters", "has other signs than letters and digits")
    if not _SHORTEST_CARD <= len(card) <= _LONGEST_CARD:
        return _invalid("card_length", "is too short or too long for a card number")
    return Contact("loyalty_card", card)


# External id

_SOURCE: Final = re.compile(r"[a-z0-9_-]{1,64}")
_EMPTY_REFERENCE: Final = "00000000-0000-0000-0000-000000000000"  # as 1C writes it
_NO_ID: Final = frozenset(f"- 0 null none n/a nil undefined nan нет {_EMPTY_REFERENCE}".split())
_LONGEST_ID: Final = 256


@lru_cache(_CACHED)
def _external(value: str) -> Contact | Unusable:
    """The source in lower case; the id as it is, since systems do tell `a1` from `A1`."""
    source, colon, key = (part.strip() for part in value.partition(":"))
    if not source and not key:
        return _EMPTY
    if not colon or not _SOURCE.fullmatch(source.lower()):
        return _invalid("external_syntax", "is not written source:id")
    if not key or key.lower() in _NO_ID:
        return _PLACEHOLDER
    if len(key) > _LONGEST_ID or not key.isprintable():
        return _invalid("external_id", "has an id that is too long or holds control characters")
    return Contact("external", f"{source.lower()}:{key}")


# Blocklist and masks


class Blocklist:
    """Contact points a deployment never joins people by: exact values, or patterns with `*`.

    Patterns are compared with canonical values: `noreply@*`, `+7800*`, `erp:0*`.
    """

    def __init__(self, rows: Iterable[tuple[IdentifierType, str]]) -> None:
        spelled = [Contact(type, canonical_pattern(type, pattern)) for type, pattern in rows]
        self._exact = frozenset(row for row in spelled if "*" not in row.value)
        self._patterns = {
            type: _any_of(row.value for row in spelled if row.type == type and "*" in row.value)
            for type in IDENTIFIER_TYPES
        }

    def matches(self, contact: Contact) -> bool:
        if contact in self._exact:
            return True
        pattern = self._patterns[contact.type]
        return pattern is not None and pattern.fullmatch(contact.value) is not None


def canonical_pattern(type: IdentifierType, pattern: str) -> str:
    """The pattern in the spelling of canonical values, as far as that is sure with a `*` in it."""
    text = pattern.strip()
    match type:
        case "email":
            return text.lower()
        case "phone":
            return text.translate(_SEPARATORS)
        case "loyalty_card":
            return text.upper().translate(_CYRILLIC_TWINS).replace(" ", "").replace("-", "")
        case "external":
            source, colon, key = text.partition(":")
            return f"{source.lower()}{colon}{key}"
        case _:
            assert_never(type)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str] | None:
    parts = [".*".join(map(re.escape, re.split(r"\*+", pattern))) for pattern in patterns]
    return re.compile("|".join(parts), re.DOTALL) if parts else None


def mask(contact: Contact) -> str:
    """Enough to recognise a contact point one knows, too little to learn it: `a•••@example.com`."""
    match contact.type:
        case "email":
            local, _, domain = contact.value.rpartition("@")
            return f"{local[:1]}•••@{domain}"
        case "phone":
            code, national = _split_code(contact.value[1:])
            return f"+{code}•••••••{national[-2:]}"
        case "loyalty_card":
            return f"•••{_tail(contact.value)}"
        case "external":
            source, _, key = contact.value.partition(":")
            return f"{source}:•••{_tail(key)}"
        case _:
            assert_never(contact.type)


def _tail(text: str) -> str:
    return text[-2:] if len(text) > 5 else ""
