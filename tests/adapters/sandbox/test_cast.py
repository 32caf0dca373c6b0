"""The cast is the same each time, is not real, and is known under other spellings too."""

import phonenumbers

from adapters.sandbox import cast

PEOPLE = cast.people(3000)


def test_same_people_each_time() -> None:
    assert cast.people(50) == cast.people(50)
    assert cast.people(50) != cast.people(50, seed=1)


def test_mailboxes_differ() -> None:
    assert len({person.mail for person in PEOPLE}) == len(PEOPLE)
    assert all(person.mail.endswith(("@example.com", "@example.org")) for person in PEOPLE)
    assert all(person.mail.isascii() for person in PEOPLE)


def test_families_share_phones() -> None:
    phones = [person.phone for person in PEOPLE]
    assert len(set(phones)) == len(PEOPLE) * 3 // 5
    assert PEOPLE[0].phone == PEOPLE[1].phone == PEOPLE[2].phone != PEOPLE[3].phone
    assert PEOPLE[0].street == PEOPLE[2].street


def test_phones_are_readable() -> None:
    for person in PEOPLE[::100]:
        assert phonenumbers.is_possible_number(phonenumbers.parse(person.phone))


def test_names_in_two_scripts() -> None:
    russian = [person for person in PEOPLE if person.language == "ru"]
    assert 0.3 < len(russian) / len(PEOPLE) < 0.5
    assert not russian[0].name.isascii()


def test_other_spellings() -> None:
    others = [cast.respelt(person) for person in PEOPLE]
    assert all(other.name.isascii() for other in others)
    assert all(other.name != person.name for other, person in zip(others, PEOPLE, strict=True))
    assert [other.mail for other in others] == [person.mail for person in PEOPLE]
