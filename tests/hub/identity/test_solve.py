"""The solver: what joins records, what keeps them apart, and that decisions come first."""

from datetime import date
from uuid import UUID

from hub import names
from hub.identifiers import IDENTIFIER_TYPES, Contact
from hub.identity.solve import Decision, Member, Solution, solve

PHONE = Contact("phone", "+79001234567")
MAIL = Contact("email", "family@example.com")


def member(
    number: int, *values: Contact, given: str = "", family: str = "", born: date | None = None
) -> Member:
    return Member(
        id=UUID(int=number),
        key=("crm", "customer", f"{number:03}"),
        given_name=names.fold(given),
        family_name=names.fold(family),
        birth_date=born,
        values=values,
    )


def groups(solution: Solution) -> list[list[int]]:
    return [[m.id.int for m in cluster] for cluster in solution.clusters]


def decided(kind: str, left: set[int], right: set[int]) -> Decision:
    return Decision(kind, _ids(left), _ids(right))


def _ids(numbers: set[int]) -> frozenset[UUID]:
    return frozenset(UUID(int=n) for n in numbers)


def test_a_shared_address_joins() -> None:
    assert groups(solve([member(1, MAIL), member(2, MAIL), member(3)])) == [[1, 2], [3]]


def test_two_given_names_share_a_phone() -> None:
    solution = solve([member(1, PHONE, given="Anna"), member(2, PHONE, given="Борис")])
    assert groups(solution) == [[1], [2]]
    assert solution.shared == {PHONE}
    assert solution.refusals[0].reason == "contested"


def test_two_birth_dates_share_a_phone() -> None:
    father = member(1, PHONE, given="Ivan", born=date(1960, 5, 12))
    son = member(2, PHONE, given="Ivan", born=date(1985, 5, 12))
    assert groups(solve([father, son])) == [[1], [2]]


def test_a_nameless_record_joins_no_contested_phone() -> None:
    people = [member(1, PHONE, given="Anna"), member(2, PHONE), member(3, PHONE, given="Boris")]
    assert groups(solve(people)) == [[1], [2], [3]]


def test_a_contested_phone_joins_those_who_agree() -> None:
    anna = member(1, PHONE, given="Анна", family="Иванова")
    boris = member(2, PHONE, given="Boris", family="Ivanov")
    again = member(3, PHONE, given="Anna", family="Ivanova")
    solution = solve([anna, boris, again])
    assert groups(solution) == [[1, 3], [2]]
    assert solution.joins[again.id].method == "rule"


def test_a_stronger_identifier_comes_first() -> None:
    card = Contact("loyalty_card", "CARD1")
    people = [
        member(1, PHONE, given="Anna"),
        member(2, PHONE, card),
        member(3, card, given="Boris"),
    ]
    assert groups(solve(people)) == [[1], [2, 3]]


def test_an_external_id_joins_in_spite_of_names() -> None:
    stated = Contact("external", "erp:7")
    people = [member(1, stated, given="Anna"), member(2, stated, given="Boris")]
    assert groups(solve(people)) == [[1, 2]]


def test_too_many_identifiers_are_refused() -> None:
    limit = IDENTIFIER_TYPES["loyalty_card"].limit
    many = [Contact("loyalty_card", f"CARD{n}") for n in range(limit)]
    solution = solve([member(1, MAIL, *many), member(2, MAIL, Contact("loyalty_card", "MORE"))])
    assert groups(solution) == [[1], [2]]
    assert solution.refusals[0].reason == "limit"


def test_a_barred_value_joins_nobody() -> None:
    solution = solve([member(1, MAIL), member(2, MAIL)], barred={MAIL: "blocked"})
    assert groups(solution) == [[1], [2]]
    assert solution.refusals[0].reason == "blocked"


def test_a_merge_beats_names() -> None:
    people = [member(1, given="Anna"), member(2, given="Boris")]
    assert groups(solve(people, [decided("merge", {1}, {2})])) == [[1, 2]]


def test_merged_people_still_gather_records() -> None:
    people = [
        member(1, MAIL, given="Anna"),
        member(2, given="Boris"),
        member(3, MAIL, given="Anna"),
    ]
    assert groups(solve(people, [decided("merge", {1}, {2})])) == [[1, 2, 3]]


def test_a_split_beats_identifiers() -> None:
    people = [member(1, MAIL), member(2, MAIL), member(3, MAIL)]
    assert groups(solve(people, [decided("split", {1, 2}, {3})])) == [[1, 2], [3]]


def test_never_link_beats_a_merge() -> None:
    decisions = [decided("never_link", {1}, {2}), decided("merge", {1}, {2})]
    assert groups(solve([member(1), member(2)], decisions)) == [[1], [2]]


def test_a_partial_split_leaves_the_merge_standing() -> None:
    decisions = [decided("merge", {1, 2}, {3}), decided("split", {1, 3}, {2})]
    assert groups(solve([member(1), member(2), member(3)], decisions)) == [[1, 3], [2]]


def test_a_contact_attaches_to_its_only_holder() -> None:
    caller = Member(UUID(int=9), ("pbx", "contact", "9"), values=(PHONE,), attaches=True)
    solution = solve([member(1, PHONE), caller])
    assert solution.attached == {caller.id: 0}


def test_a_contact_waits_where_two_hold_it() -> None:
    caller = Member(UUID(int=9), ("pbx", "contact", "9"), values=(PHONE,), attaches=True)
    people = [member(1, PHONE, given="Anna"), member(2, PHONE, given="Boris"), caller]
    assert solve(people).attached == {}
