"""What customers can be chosen by."""

from typing import Any

import pytest

from hub.errors import BadInput
from tests.hub.conditions.conftest import Find

ANNA, BORIS, VERA = "Анна", "Boris", "Vera"
EVERYBODY = [BORIS, VERA, ANNA]
LATER = "2026-01-01T00:00:00Z"

FOUND: list[tuple[dict[str, Any], list[str]]] = [
    ({}, EVERYBODY),
    ({"search": "короле АННА"}, [ANNA]),
    ({"search": "smith-корол"}, [ANNA]),
    ({"search": "o'br"}, [BORIS]),
    ({"search": "анна boris"}, []),
    ({"search": "123-45-67"}, [ANNA]),
    ({"search": "8 (900) 123 45 67"}, [ANNA]),
    ({"search": "4567 анна"}, [ANNA]),
    ({"search": "4567 boris"}, []),
    ({"search": "567"}, []),
    ({"search": "Anna@Example.com"}, [ANNA]),
    ({"search": "nobody@example.com"}, []),
    ({"search": " "}, EVERYBODY),
    ({"search": "':* & !"}, []),
    ({"search": "a' | b <-> (c:*"}, []),
    ({"email": {"eq": " ANNA@example.com "}}, [ANNA]),
    ({"email": {"in": ["anna@example.com", "boris@example.com"]}}, [BORIS, ANNA]),
    ({"phone": {"eq": "8 900 123 45 67"}}, [ANNA]),
    ({"loyaltyCard": {"eq": "card-0001"}}, [ANNA]),
    ({"city": {"eq": "Kazan"}}, [ANNA]),
    ({"city": {"in": ["Kazan", "Leeds"]}}, [VERA, ANNA]),
    ({"city": {"in": []}}, []),
    ({"city": {"isNull": True}}, [BORIS]),
    ({"gender": {"in": ["FEMALE", "male"]}}, [BORIS, ANNA]),
    ({"birthDate": {"gte": "1980-05-17", "lt": "1980-05-18"}}, [ANNA]),
    ({"birthDate": {"isNull": False}}, [ANNA]),
    ({"createdAt": {"gt": LATER}}, EVERYBODY),
    ({"updatedAt": {"lte": LATER}}, []),
    ({"hasOrderSince": LATER}, [ANNA]),
    ({"lastOrderedAt": {"lt": LATER}}, [BORIS]),
    ({"lastOrderedAt": {"isNull": True}}, [VERA]),
    ({"not": {"lastOrderedAt": {"lte": LATER}}}, [VERA, ANNA]),
    ({"tag": {"eq": "loyal"}}, [BORIS, ANNA]),
    ({"tag": {"in": ["vip", "x"]}}, [ANNA]),
    ({"not": {"tag": {"eq": "vip"}}}, [BORIS, VERA]),
    ({"attribute": {"key": "level"}}, [BORIS, ANNA]),
    ({"not": {"attribute": {"key": "level"}}}, [VERA]),
    ({"attribute": {"key": "level", "eq": "gold"}}, [ANNA]),
    ({"attribute": {"key": "level", "in": ["gold", "tin"]}}, [BORIS, ANNA]),
    ({"attribute": {"key": "score", "gte": 7.5, "lt": 12}}, [ANNA]),
    ({"attribute": {"key": "score", "gt": 12}}, [ANNA]),
    ({"attribute": {"key": "score", "gt": 7.5, "lt": 20}}, [BORIS]),
    ({"attribute": {"key": "score", "eq": 20}}, [ANNA]),
    ({"attribute": {"key": "score", "in": [12, 20]}}, [BORIS, ANNA]),
    ({"not": {"attribute": {"key": "score", "lt": 10}}}, [BORIS, VERA]),
    ({"attribute": {"key": "score", "gt": "1"}}, []),
    ({"attribute": {"key": "nothing"}}, []),
    ({"attribute": {"key": "renewal", "lte": "2026-06-01"}}, [ANNA]),
    ({"attribute": {"key": "agreed", "eq": True}}, [ANNA]),
    ({"attribute": {"key": "secret", "eq": "x"}}, []),
    ({"or": []}, []),
    ({"and": []}, EVERYBODY),
    ({"or": [{"city": {"eq": "Leeds"}}, {"tag": {"eq": "vip"}}]}, [VERA, ANNA]),
    ({"and": [{"tag": {"eq": "loyal"}}, {"not": {"gender": {"eq": "male"}}}]}, [ANNA]),
    ({"not": {"birthDate": {"gt": "1970-01-01"}}}, [BORIS, VERA]),
    ({"not": {"not": {"city": {"eq": "Kazan"}}}}, [ANNA]),
]


async def test_conditions_find_whom_they_say(find: Find) -> None:
    for where, expected in FOUND:
        assert (where, await find(where)) == (where, expected)


async def test_a_search_without_contacts_is_for_names(find: Find) -> None:
    identity = frozenset({"identity"})
    assert await find({"search": "анна"}, allowed=identity) == [ANNA]
    assert await find({"search": "123-45-67"}, allowed=identity) == []


async def test_an_attribute_is_of_its_own_category(find: Find) -> None:
    where = {"attribute": {"key": "secret", "eq": "x"}}
    assert await find(where, allowed=frozenset({"profile", "identity"})) == [BORIS]


async def test_a_purpose_finds_its_own_people(find: Find) -> None:
    assert await find({"search": "анна"}, schema="for_email_marketing") == []


WRONG: list[dict[str, Any]] = [
    {"nobody": {"eq": "x"}},
    {"city": None},
    {"city": "Kazan"},
    {"city": {"eq": None}},
    {"city": {"like": "K"}},
    {"city": {"isNull": "yes"}},
    {"city": {"in": "Kazan"}},
    {"city": {"in": [None]}},
    {"city": {"in": ["x"] * 501}},
    {"and": {"city": {"eq": "x"}}},
    {"or": [None]},
    {"not": None},
    {"attribute": {"eq": "x"}},
    {"attribute": {"key": "score", "gt": 1e999}},
    {"createdAt": {"gt": "2026-01-01T00:00:00"}},
    {"createdAt": {"gt": "0001-01-01T00:00:00+14:00"}},
    {"birthDate": {"eq": "17.05.1980"}},
    {"id": {"in": ["1"]}},
    {"email": {"eq": "no address"}},
    {"search": "x" * 201},
    {"search": "a\0b"},
    {"search": "\ud800"},
    {"search": 5},
]


@pytest.mark.parametrize("where", WRONG)
async def test_what_is_no_condition_is_refused(find: Find, where: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        await find(where)
