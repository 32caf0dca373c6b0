"""Given names: one name in all its spellings, two people behind one telephone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import names
from hub.names import clash, fold, is_placeholder, same


def differ(a: str, b: str) -> bool:
    return clash(fold(a), fold(b))


def agree(a: str, b: str) -> bool:
    return same(fold(a), fold(b))


@pytest.mark.parametrize(
    "spellings",
    [
        "Иван ИВАН Ivan ivan",
        "Юлия Yulia Julia Iuliia Yuliya Julija",
        "Алексей Alexey Aleksei Alexei Aleksey",
        "Евгений Evgeny Yevgeniy Evgeniy",
        "Екатерина Ekaterina Yekaterina",
        "Пётр Петр Pyotr Petr",
        "Фёдор Федор Fyodor Fedor",
        "Михаил Mikhail Mihail",
        "Наталья Наталия Natalia Natalya Nataliia",
        "Сергей Sergey Sergei Sergej",
        "Дмитрий Dmitry Dmitriy Dmitri",
        "Ксения Kseniya Kseniia Xenia",
        "Юрий Yury Yuri Iurii Jurij",
        "Людмила Lyudmila Liudmila Ludmila",
        "Вячеслав Vyacheslav Viacheslav",
        "Кирилл Kirill Cyril",
        "Catherine Katherine",
        "José Jose",
        "Sarah Sara",
    ],
)
def test_spellings_of_a_name_fold_together(spellings: str) -> None:
    assert len({fold(spelling) for spelling in spellings.split()}) == 1


def test_other_names_fold_apart() -> None:
    assert fold("Екатерина") != fold("Catherine")
    assert fold("Мария") != fold("Марина")
    assert fold("Александр") != fold("Александра")


def test_patronymic_and_title_are_left_out() -> None:
    assert fold("Иван Петрович") == fold("Mr. Ivan") == "ivan"
    assert differ("Иван Петрович", "Сергей Петрович")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        *(("Саша", "Александр"), ("Саша", "Александра"), ("Маша", "Мария"), ("Лёша", "Alexey")),
        *(("Bill", "William"), ("Kate", "Catherine"), ("Alexander", "Александр")),
        *(("Анна-Мария", "Аннамария"), ("Дима", "Dmitry"), ("Женя", "Евгения")),
    ],
)
def test_short_form_is_the_same_name(a: str, b: str) -> None:
    assert agree(a, b)
    assert not differ(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        *(("", "Иван"), ("клиент", "Иван"), ("И.", "Иван"), ("Ю", "Юлия"), ("C", "Charles")),
        *(("С.", "Александр"), ("Екатирина", "Екатерина"), ("Сергй", "Сергей")),
        *(
            ("Констинтан", "Константин"),
            ("Jean-Paul", "Jean"),
            ("Ли", "李"),
            ("Иванов Иван", "Иван"),
        ),
    ],
)
def test_little_proves_nothing(a: str, b: str) -> None:
    assert not differ(a, b)
    assert not agree(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        *(("Иван", "Пётр"), ("Анна", "Инна"), ("Марина", "Мария"), ("Арина", "Ирина")),
        *(("Александр", "Александра"), ("Евгений", "Евгения"), ("Валентин", "Валентина")),
        *(("Daniel", "Daniela"), ("Paul", "Paula"), ("Виктор", "Victoria"), ("Mario", "Maria")),
        *(
            ("Б.", "Александр"),
            ("John", "Mary"),
            ("Звиад", "Звиада"),
            ("Иванов Иван", "Иванова Мария"),
        ),
    ],
)
def test_two_names_are_two_people(a: str, b: str) -> None:
    assert differ(a, b)
    assert not agree(a, b)


@pytest.mark.parametrize(
    "name",
    [
        *("клиент", "Покупатель", "розничный покупатель", "Физлицо", "физ. лицо", "test", "ТЕСТ"),
        *("unknown", "нет", "не указано", "-", "", "123", "Клиент 12345", "N/A", "Гость"),
    ],
)
def test_placeholder_says_nothing(name: str) -> None:
    assert is_placeholder(name)


def test_name_is_no_placeholder() -> None:
    assert not is_placeholder("Анна")
    assert not is_placeholder("Новелла")
    assert not is_placeholder("Ю")


_KNOWN = st.sampled_from(sorted(names._table()))
_NAMES = st.one_of(_KNOWN, st.text(max_size=12), st.text("аеийоюяжшabcehijksxy -", max_size=12))


@given(_NAMES)
def test_folding_twice_changes_nothing(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@given(_NAMES, _NAMES)
def test_order_of_two_names_does_not_matter(a: str, b: str) -> None:
    assert differ(a, b) == differ(b, a)
    assert agree(a, b) == agree(b, a)


@given(_NAMES, _NAMES)
def test_names_do_not_agree_and_clash(a: str, b: str) -> None:
    assert not (differ(a, b) and agree(a, b))


@given(_NAMES)
def test_name_never_clashes_with_itself(name: str) -> None:
    assert not differ(name, name)
    assert agree(name, name) != is_placeholder(name)


@given(st.text("abcd", max_size=6), st.text("abcd", max_size=6), st.text("abcd", max_size=6))
def test_slips_count_is_a_distance(a: str, b: str, c: str) -> None:
    assert names._distance(a, b) == names._distance(b, a)
    assert (names._distance(a, b) == 0) == (a == b)
    assert abs(len(a) - len(b)) <= names._distance(a, b) <= max(len(a), len(b))
    assert names._distance(a + c, b + c) <= names._distance(a, b)


def test_every_line_of_the_table_is_read() -> None:
    lines = names._read_lines()
    assert len(lines) > 250
    assert all(all(line) for line in lines)
