"""Comparing given names: are these two spellings of one name, or the names of two people?

Identity asks it where people share a contact point: a family's telephone must not make one
customer of a married couple, and a nickname must not make two of one person. So `clash` is true
only where the two are surely different, `same` only where they are surely one, and between the
two lies everything that proves nothing. `names.txt` holds the names and their short forms.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import Final

_CACHED: Final = 1 << 16
_LONGEST: Final = 100  # a longer given name is a sentence; only its beginning is compared

# Folding: one spelling for both alphabets

_LETTERS: Final = str.maketrans(
    dict(
        zip(
            "абвгдезийклмнопрстуфыэіѓґәғқңөұүһђј",
            "abvgdeziiklmnoprstufieiggagknouuhdi",
            strict=True,
        )
    )
    | {"ж": "zh", "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "iu", "я": "ia"}
    | {"ъ": "", "ь": "", "є": "e", "љ": "l", "њ": "n", "ћ": "ch", "џ": "dzh", "'": "", "’": ""}
    | {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
# In this order. Each line brings two spellings of one sound together, so that the same name comes
# out alike whether it was written in Russian, by a passport office, or by its owner.
_SPELLINGS: Final = [
    (re.compile(pattern), letters)
    for pattern, letters in [
        (r"(?<=[bcdfghklmnprstvz])yo", "e"),  # Fyodor, Фёдор
        (r"x", "ks"),  # Alexey, Алексей
        (r"ph", "f"),
        (r"kh", "h"),  # Mikhail, Михаил
        (r"tz", "ts"),
        (r"th", "t"),
        (r"chr", "kr"),  # Christina, Кристина
        (r"c(?!h)|q", "k"),
        (r"w", "v"),
        (r"[jy]", "i"),  # Julia, Yulia
        (r"(.)\1+", r"\1"),  # Anna, Kirill; Евгений, Evgeny
        (r"(?<=[bdfghklmnprstvz])iu", "u"),  # Lyudmila, Ludmila
        (r"ie", "e"),  # Yekaterina, Ekaterina
        (r"(.)\1+", r"\1"),
        (r"(?<=a)h$", ""),  # Sarah, Sara
    ]
]
_WORD: Final = re.compile(r"[^\W\d_]+")
_PATRONYMIC: Final = re.compile(r".{2,}(?:[oe]vich|ich|[oe]vna|ichna|ogli|ogly|oglu|kyzy|kizi)")


@lru_cache(_CACHED)
def fold(name: str) -> str:
    """The name in the one spelling names are compared in: small Latin letters, words apart.

    A patronymic after the name, titles and words that name nobody are left out, so a name that
    says nothing (`клиент`, `-`) becomes an empty text. Folding twice changes nothing.
    """
    plain = unicodedata.normalize("NFKD", name[:_LONGEST].casefold()).casefold()
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    words = [_fold_word(word) for word in _WORD.findall(letters.translate(_LETTERS))]
    names = [word for word in words if word and word not in _silent_words()]
    given = names[:1] + [word for word in names[1:] if not _PATRONYMIC.fullmatch(word)]
    return "" if given in _ABBREVIATIONS else " ".join(given)


def _fold_word(word: str) -> str:
    """Until nothing changes: one spelling undone may show another (`Xkhavier`)."""
    while (simpler := _respell(word)) != word:
        word = simpler
    return word


def _respell(word: str) -> str:
    for pattern, letters in _SPELLINGS:
        word = pattern.sub(letters, word)
    return word


_SILENT: Final = (
    "клиент клиентка покупатель покупательница розничный розничная розница частное частный лицо"
    " физлицо физ физическое гость гостья посетитель аноним анонимный неизвестно неизвестный"
    " неизвестен не нет указано указан без имени имя отчество фамилия фио тест тестовый тестов"
    " пользователь держатель карты карта владелец абонент контакт новый"
    " client customer guest buyer user visitor anonymous unknown undefined none null nil no name"
    " firstname test tester na not given available retail card holder contact"
    " mr mrs ms miss mister dr господин госпожа"
)
_ABBREVIATIONS: Final = (["n", "a"], ["n", "d"])  # n/a, н/д


@cache
def _silent_words() -> frozenset[str]:
    letters = unicodedata.normalize("NFKD", _SILENT).translate(_LETTERS)
    return frozenset(map(_fold_word, re.findall(r"[a-z]+", letters)))


def is_placeholder(name: str) -> bool:
    """Whether the field holds no name at all, whatever was typed into it."""
    return not fold(name)


# Comparing


@lru_cache(_CACHED)
def clash(a: str, b: str) -> bool:
    """Whether two folded names are surely the names of two people.

    An empty name, an initial, a short form and a slip of the pen prove nothing. Nor do names in
    two scripts that folding did not bring together, nor one of several names in common.
    """
    if not a or not b or a.isascii() != b.isascii() or _joined(a) == _joined(b):
        return False
    return not any(_may_be_one(x, y) for x, y in product(a.split(), b.split()))


@lru_cache(_CACHED)
def same(a: str, b: str) -> bool:
    """Whether two folded names are there and are surely one name: equal, or one short for it."""
    if not a or not b:
        return False
    return _joined(a) == _joined(b) or not _lines(a).isdisjoint(_lines(b))


def _joined(name: str) -> str:
    """`Анна-Мария` and `Аннамария` are one name."""
    return _fold_word(name.replace(" ", ""))


def _may_be_one(a: str, b: str) -> bool:
    if a == b or not _lines(a).isdisjoint(_lines(b)):
        return True
    if _is_initial(a) or _is_initial(b):
        return _begins_alike(a, b) or _begins_alike(b, a)
    if _lines(a) and _lines(b):
        return False
    return not _differ_in_gender(a, b) and _is_slip(a, b)


# Short forms


@cache
def _table() -> Mapping[str, frozenset[int]]:
    """For each folded name the lines of `names.txt` it stands on."""
    table: dict[str, set[int]] = defaultdict(set)
    for number, names in enumerate(_read_lines()):
        for name in names:
            table[name].add(number)
    return {name: frozenset(numbers) for name, numbers in table.items()}


@cache
def _read_lines() -> list[list[str]]:
    text = Path(__file__).with_name("names.txt").read_text(encoding="utf-8")
    lines = (line.partition("#")[0].replace("=", " ").split() for line in text.splitlines())
    return [[fold(name) for name in line] for line in lines if line]


def _lines(name: str) -> frozenset[int]:
    return _table().get(name, frozenset())


def _forms(name: str) -> Iterator[str]:
    yield name
    for number in _lines(name):
        yield from _read_lines()[number]


# Initials

_INITIALS: Final = frozenset("abcdefghijklmnopqrstuvwxyz") | {
    "iu",
    "ia",
    "zh",
    "ch",
    "sh",
    "shch",
    "ts",
    "ks",
}
_SOUNDS: Final = {"k": ("k", "ch"), "p": ("p", "f"), "i": ("i", "e"), "e": ("e", "i")}


def _is_initial(name: str) -> bool:
    return name in _INITIALS


def _begins_alike(initial: str, name: str) -> bool:
    """Whether the name, or a form of it, may begin with that letter: `С.` is Александр, or Саша."""
    if not _is_initial(initial):
        return False
    starts = _SOUNDS.get(initial, (initial,))
    return any(form.startswith(starts) for form in _forms(name))


# Slips of the pen

# What is added to a man's name, or put for its ending, to make it a woman's.
_ENDINGS: Final = frozenset(
    {("", "a"), ("", "e"), ("", "ia"), ("", "ina"), ("", "ine"), ("", "et"), ("", "eta")}
    | {("o", "a"), ("us", "a"), ("us", "ia")}
)


def _differ_in_gender(a: str, b: str) -> bool:
    """Whether only the ending differs, and tells him from her: Александр, Александра."""
    shared = _shared_beginning(a, b)
    ends = a[shared:], b[shared:]
    return ends in _ENDINGS or ends[::-1] in _ENDINGS


def _shared_beginning(a: str, b: str) -> int:
    shared = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        shared += 1
    return shared


def _is_slip(a: str, b: str) -> bool:
    """One wrong, missing, doubled or swapped letter; two in a long name."""
    shorter = min(len(a), len(b))
    allowed = 0 if shorter < 4 else 1 if shorter < 8 else 2
    return abs(len(a) - len(b)) <= allowed and _distance(a, b) <= allowed


def _distance(a: str, b: str) -> int:
    """Damerau and Levenshtein's count of slips, no letter being touched twice."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        following = [i]
        for j, y in enumerate(b, 1):
            slips = min(row[j] + 1, following[-1] + 1, row[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                slips = min(slips, before[j - 2] + 1)
            following.append(slips)
        before, row = row, following
    return row[-1]
