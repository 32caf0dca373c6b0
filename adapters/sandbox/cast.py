"""The one cast: people invented with a seed, who are the same in every vendor and every run.

Nobody is real: mailboxes are at example.com and example.org, telephones in ranges that are kept
for fiction.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

Names = tuple[tuple[str, str], ...]
"""Given and family names with the other way in which they are written."""

RUSSIAN_GIVEN: Names = (
    ("Анна", "Anna"),
    ("Борис", "Boris"),
    ("Вера", "Vera"),
    ("Глеб", "Gleb"),
    ("Дарья", "Darya"),
    ("Егор", "Egor"),
    ("Зоя", "Zoya"),
    ("Иван", "Ivan"),
    ("Кира", "Kira"),
    ("Лев", "Lev"),
    ("Мария", "Maria"),
    ("Никита", "Nikita"),
    ("Ольга", "Olga"),
    ("Павел", "Pavel"),
    ("Раиса", "Raisa"),
    ("Степан", "Stepan"),
    ("Тамара", "Tamara"),
    ("Фёдор", "Fyodor"),
)
RUSSIAN_FAMILY: Names = (
    ("Белов", "Belov"),
    ("Волков", "Volkov"),
    ("Громов", "Gromov"),
    ("Дроздов", "Drozdov"),
    ("Ершов", "Yershov"),
    ("Зимин", "Zimin"),
    ("Карпов", "Karpov"),
    ("Лапин", "Lapin"),
    ("Морозов", "Morozov"),
    ("Носов", "Nosov"),
    ("Орлов", "Orlov"),
    ("Попов", "Popov"),
    ("Рыбаков", "Rybakov"),
    ("Соколов", "Sokolov"),
    ("Титов", "Titov"),
    ("Фомин", "Fomin"),
)
WESTERN_GIVEN: Names = (
    ("Alice", "Ally"),
    ("Benjamin", "Ben"),
    ("Catherine", "Kate"),
    ("Daniel", "Dan"),
    ("Elizabeth", "Liz"),
    ("Frederick", "Fred"),
    ("Grace", "Gracie"),
    ("Henry", "Harry"),
    ("Isabel", "Bella"),
    ("James", "Jim"),
    ("Katharina", "Kathi"),
    ("Luca", "Luke"),
    ("Margaret", "Maggie"),
    ("Nicholas", "Nick"),
    ("Olivia", "Liv"),
    ("Peter", "Pete"),
    ("Robert", "Bob"),
    ("Susan", "Sue"),
)
WESTERN_FAMILY: Names = (
    ("Abbott", "Abbot"),
    ("Brown", "Browne"),
    ("Clark", "Clarke"),
    ("Davies", "Davis"),
    ("Evans", "Evens"),
    ("Fischer", "Fisher"),
    ("Gray", "Grey"),
    ("Hansen", "Hanson"),
    ("Jonson", "Johnson"),
    ("Keller", "Kellar"),
    ("Larsen", "Larson"),
    ("Meyer", "Meier"),
    ("Nielsen", "Nielson"),
    ("Olsen", "Olson"),
    ("Philips", "Phillips"),
    ("Schmidt", "Schmitt"),
)
CITIES = (("Kent", "CT1"), ("Leeds", "LS1"), ("York", "YO1"), ("Bath", "BA1"), ("Ely", "CB7"))
STREETS = ("Elm Street", "Harbour Road", "Mill Lane", "Garden Street", "Station Road")
FICTION = (
    "20 7946 0",
    "113 496 0",
    "114 496 0",
    "115 496 0",
    "116 496 0",
    "117 496 0",
    "118 496 0",
    "121 496 0",
    "131 496 0",
    "141 496 0",
    "151 496 0",
    "161 496 0",
    "191 498 0",
)
"""Beginnings of British numbers that no telephone has; three digits follow."""
HOSTS = ("example.com", "example.org")
HOUSEHOLD = 3


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody invented; `number` is theirs in the cast. A family shares phone and address."""

    number: int
    given: str
    family: str
    mail: str
    phone: str
    street: str
    postcode: str
    city: str
    language: str

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"


def person(number: int, seed: int = 2026) -> Person:
    """The same for the same number and seed."""
    home, own = _home(number, seed), _chance(number, seed, "person")
    is_russian = home.random() < 0.4
    given = _given(number, seed, RUSSIAN_GIVEN if is_russian else WESTERN_GIVEN)
    family = home.choice(RUSSIAN_FAMILY if is_russian else WESTERN_FAMILY)
    city, area = home.choice(CITIES)
    spelt = family[0] + ("а" if is_russian and given[0][-1] in "ая" else "")
    return Person(
        number=number,
        given=given[0],
        family=spelt,
        mail=f"{given[1]}.{family[1]}.{number}@{own.choice(HOSTS)}".lower(),
        phone=_phone(_household(number)),
        street=f"{home.randrange(1, 200)} {home.choice(STREETS)}",
        postcode=f"{area} {home.randrange(1, 10)}AA",
        city=city,
        language="ru" if is_russian else "en",
    )


def respelt(known: Person, seed: int = 2026) -> Person:
    """The same person as another system has them: in other letters, or by a shorter name."""
    given, family = _other(known.given), _other(known.family)
    phone = (
        known.phone.replace(" ", "") if _chance(known.number, seed, "other").random() < 0.5 else ""
    )
    return replace(known, given=given, family=family, phone=phone)


def people(count: int, seed: int = 2026) -> Sequence[Person]:
    return [person(number, seed) for number in range(count)]


def _household(number: int) -> int:
    """Of every five people three are one household and two live alone."""
    whole, within = divmod(number, 5)
    return whole * HOUSEHOLD + max(0, within - HOUSEHOLD + 1)


def _given(number: int, seed: int, names: Names) -> tuple[str, str]:
    """A first name that nobody in the household has whose number comes before."""
    within = number % 5
    before = range(number - within, number) if within < HOUSEHOLD else ()
    taken = {_given(other, seed, names) for other in before}
    return _chance(number, seed, "given").choice([name for name in names if name not in taken])


def _home(number: int, seed: int) -> random.Random:
    return _chance(_household(number), seed, "home")


def _chance(number: int, seed: int, what: str) -> random.Random:
    return random.Random(f"{seed}/{what}/{number}")  # noqa: S311  # the same people each time


def _phone(household: int) -> str:
    """British numbers of fiction first; whole households apart as long as there are any."""
    area, last = divmod(household, 1000)
    return f"+44 {FICTION[area % len(FICTION)]}{last:03d}"


def _other(name: str) -> str:
    is_feminine = name.endswith(("ва", "на"))
    for names in (RUSSIAN_GIVEN, RUSSIAN_FAMILY, WESTERN_GIVEN, WESTERN_FAMILY):
        for written, other in names:
            if name == written:
                return other
            if is_feminine and name == written + "а":
                return other + "a"
    return name
