"""Identifiers: one spelling for what is the same, and nothing for what is nobody's."""

import re
import time

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from hub import identifiers
from hub.identifiers import Blocklist, Contact, Unusable, mask, normalise
from hub.records import IdentifierType


def canonical(type: IdentifierType, value: str, region: str = "RU") -> str:
    contact = normalise(type, value, region=region)
    assert isinstance(contact, Contact), contact
    return contact.value


def refusal(type: IdentifierType, value: str) -> tuple[str, str]:
    unusable = normalise(type, value, region="RU")
    assert isinstance(unusable, Unusable), unusable
    return unusable.kind, unusable.code


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("anna@example.com", "anna@example.com"),
        ("  Anna@Example.COM ", "anna@example.com"),
        ("mailto:anna@example.com", "anna@example.com"),
        ("Anna <MAILTO:anna@example.com>", "anna@example.com"),
        ("ａｎｎａ@example.com", "anna@example.com"),
        ("anna@example.com.", "anna@example.com"),
        ("a.n.n.a+shop@example.com", "a.n.n.a+shop@example.com"),
        ("anna@пример.рф", "anna@xn--e1afmkfd.xn--p1ai"),
        ("anna@straße.example", "anna@xn--strae-oqa.example"),
        ("test@example.com", "test@example.com"),
        ("ivanov@ivanov.example", "ivanov@ivanov.example"),
        ("anna\u200b@shop.invalid", "anna@shop.invalid"),
    ],
)
def test_email_has_one_spelling(written: str, expected: str) -> None:
    assert canonical("email", written) == expected


@pytest.mark.parametrize(
    "written",
    [
        *("noreply@shop.invalid", "No-Reply@example.com", "test@test", "test@test.com"),
        *("нет@нет", "1@1.ru", "none@none.com", "mail@mail.ru", "нет", "net@mail.ru", "aaa@aaa.aa"),
    ],
)
def test_typed_fillers_are_no_email(written: str) -> None:
    assert refusal("email", written) == ("placeholder", "placeholder")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("anna.example.com", "email_at"),
        ("anna petrova@example.com", "email_local"),
        ("anna..p@example.com", "email_local"),
        ("anna@@example.com", "email_local"),
        ("anna@example", "email_domain"),
        ("anna@[192.0.2.1]", "email_domain"),
        ("anna@-example.com", "email_domain"),
        (f"anna@{'a' * 64}.com", "email_domain"),
        (f"{'ab' * 33}@example.com", "email_length"),
    ],
)
def test_wrong_email_says_why(written: str, code: str) -> None:
    assert refusal("email", written) == ("invalid", code)


@pytest.mark.parametrize(
    "written",
    [
        *("8 900 000-00-12", "8(900)0000012", "7 900 000 00 12", "9000000012", "+7 900 000-00-12"),
        *("+7 (900) 000-00-12 доб. 104", "8 10 7 900 000 00 12", "тел. 8 900 000 00 12"),
        *("７９０００００００１２", "\u00a08\u00a0900\u00a0000\u20110012"),
    ],
)
def test_russian_phone_has_one_spelling(written: str) -> None:
    assert canonical("phone", written) == "+79000000012"


def test_region_reads_national_numbers() -> None:
    assert canonical("phone", "(212) 555-0123", "US") == "+12125550123"
    assert canonical("phone", "8 701 234 56 71", "KZ") == "+77012345671"
    assert canonical("phone", "+1 212 555 0123", "RU") == "+12125550123"


@pytest.mark.parametrize(
    "written",
    [
        *("0000000", "1111111", "1234567", "+70000000000", "8 (999) 999-99-99", "9876543210"),
        *("8 900 000 00 00", "+7 911 111 11 11", "81234567890", "0"),
    ],
)
def test_typed_fillers_are_no_phone(written: str) -> None:
    assert refusal("phone", written) == ("placeholder", "placeholder")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("ask at the till", "phone_syntax"),
        ("8 900 123 01", "phone_length"),
        ("+7 000 123 45 61", "phone_range"),
        ("+0452 010 00 09", "phone_syntax"),
        ("89000000012;89000000013", "phone_several"),
    ],
)
def test_wrong_phone_says_why(written: str, code: str) -> None:
    assert refusal("phone", written) == ("invalid", code)


@given(
    st.sampled_from(["RU", "KZ", "US", "GB", "DE", "IT", "BR", "AR", "MX"]),
    st.one_of(
        st.from_regex(r"\A(\+7|8|7|)[93478][0-9]{7,10}\Z"),
        st.from_regex(r"\A\+[1-9][0-9]{6,13}\Z"),
        st.from_regex(r"\A\+?[0-9 ().-]{5,18}\Z"),
    ),
)
def test_fast_way_agrees_with_the_parser(region: str, written: str) -> None:
    slow = identifiers._parsed_number(written, re.sub(r"[ ().-]", "", written), region)
    assert normalise("phone", written, region=region) == slow


@pytest.mark.slow
@pytest.mark.parametrize("kind", [PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE])
@pytest.mark.parametrize("code", sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
def test_fast_way_agrees_in_every_country(code: int, kind: int) -> None:
    region = phonenumbers.region_code_for_country_code(code)
    example = phonenumbers.example_number_for_type(region, kind)
    digits = str(example.national_number) if example else "100000000"
    written = [f"+{code}{digits[:-2]}{last:02d}" for last in range(100)]
    written += [f"+{code}{first}{digits[1:]}" for first in range(10)]
    written += [f"+{code}{first}{digits}" for first in range(10)] + [f"+{code}{digits[1:]}"]
    slow = [identifiers._parsed_number(number, number, "RU") for number in written]
    assert [normalise("phone", number, region="RU") for number in written] == slow


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("7712-0034 55", "7712003455"),
        ("№ 00440211", "00440211"),
        ("ab 1209", "AB1209"),
        ("АВ 1209", "AB1209"),
    ],
)
def test_card_has_one_spelling(written: str, expected: str) -> None:
    assert canonical("loyalty_card", written) == expected


def test_unusable_card_says_why() -> None:
    assert refusal("loyalty_card", "0000000") == ("placeholder", "placeholder")
    assert refusal("loyalty_card", "12345678") == ("placeholder", "placeholder")
    assert refusal("loyalty_card", "нет карты") == ("placeholder", "placeholder")
    assert refusal("loyalty_card", "77") == ("placeholder", "placeholder")
    assert refusal("loyalty_card", "A7") == ("invalid", "card_length")
    assert refusal("loyalty_card", "77%1209") == ("invalid", "card_characters")


def test_external_keeps_the_id_as_it_is() -> None:
    assert canonical("external", " ERP : C-104a ") == "erp:C-104a"
    assert canonical("external", "crm:a:b") == "crm:a:b"


def test_unusable_external_says_why() -> None:
    assert refusal("external", "C-104") == ("invalid", "external_syntax")
    assert refusal("external", "my erp:C-104") == ("invalid", "external_syntax")
    assert refusal("external", "erp:a\nb") == ("invalid", "external_id")
    assert refusal("external", "erp:") == ("placeholder", "placeholder")
    assert refusal("external", f"1c:{'00000000-0000-0000-0000-000000000000'}")[0] == "placeholder"


@pytest.mark.parametrize("type", list(identifiers.IDENTIFIER_TYPES))
def test_nothing_is_empty(type: IdentifierType) -> None:
    assert refusal(type, "") == ("placeholder", "empty")
    assert refusal(type, " \t\u00a0") == ("placeholder", "empty")


_TYPES = st.sampled_from(list(identifiers.IDENTIFIER_TYPES))
_NEARLY = st.one_of(
    st.text(), st.emails(), st.from_regex(r"\A[+]?[\d -]{4,15}\Z"), st.text("@.а1-")
)


@given(_TYPES, _NEARLY)
def test_canonical_values_stay_as_they_are(type: IdentifierType, value: str) -> None:
    contact = normalise(type, value, region="RU")
    if isinstance(contact, Contact):
        assert normalise(type, contact.value, region="RU") == contact


@given(_TYPES, st.text(min_size=12))
def test_reasons_do_not_repeat_the_value(type: IdentifierType, value: str) -> None:
    answer = normalise(type, value, region="RU")
    assert isinstance(answer, Contact) or value not in answer.reason


def test_blocklist_knows_values_and_patterns() -> None:
    block = Blocklist(
        [("email", "Till@Example.com"), ("email", "*@shop.invalid"), ("phone", "+7 800*")]
    )
    assert block.matches(Contact("email", "till@example.com"))
    assert block.matches(Contact("email", "anyone@shop.invalid"))
    assert block.matches(Contact("phone", "+78005553535"))
    assert not block.matches(Contact("email", "anna@example.com"))
    assert not block.matches(Contact("loyalty_card", "78005553535"))


def test_empty_blocklist_blocks_nothing() -> None:
    assert not Blocklist([]).matches(Contact("email", "anna@example.com"))


def test_pattern_dots_are_only_dots() -> None:
    block = Blocklist([("email", "*.test@example.com")])
    assert block.matches(Contact("email", "a.test@example.com"))
    assert not block.matches(Contact("email", "a-test@example.com"))


def test_masks_show_too_little_to_call() -> None:
    assert mask(Contact("email", "anna@example.com")) == "a•••@example.com"
    assert mask(Contact("phone", "+79000000012")) == "+7•••••••12"
    assert mask(Contact("loyalty_card", "7712003455")) == "•••55"
    assert mask(Contact("loyalty_card", "7712")) == "•••"
    assert mask(Contact("external", "erp:C-10455")) == "erp:•••55"


def test_usual_numbers_are_read_in_a_fraction_of_the_parsers_time() -> None:
    phones = [f"8 (900) {n // 100:03d}-{n % 100:02d}-00" for n in range(2000)]
    began = time.process_time()
    for phone in phones:
        phonenumbers.parse(phone, "RU")
    parsed = time.process_time()
    usable = [isinstance(normalise("phone", phone, region="RU"), Contact) for phone in phones]
    assert sum(usable) > 1900
    assert time.process_time() - parsed < (parsed - began) / 2
