"""The page on GraphQL says what the code does, and its examples work."""

import json
import re
from collections.abc import Iterator

import pytest
from graphql import parse, validate

from docs import graphql_parts as page
from schema.build import build, core
from schema.errors import OUTCOMES
from schema.plan.limits import Limits
from tests.shop import Shop
from tests.shop import filled as filled
from tests.shop import shop as shop

TEXT = page.PAGE.read_text(encoding="utf-8")
SCHEMA = core(build())
COSTLY = re.compile(r"<!-- costs ([\d,]+) -->\n```graphql\n(.+?)```", re.DOTALL)


def fences(language: str) -> Iterator[str]:
    yield from re.findall(rf"^```{language}\n(.+?)^```", TEXT, re.DOTALL | re.MULTILINE)


def test_page_is_up_to_date() -> None:
    assert page.render(TEXT) == TEXT, "docs/graphql.md is out of date: python docs/graphql_parts.py"


@pytest.mark.parametrize("document", list(fences("graphql")))
def test_example_is_valid(document: str) -> None:
    assert validate(SCHEMA, parse(document)) == []


async def test_example_costs_as_told(shop: Shop) -> None:
    found = COSTLY.search(TEXT)
    assert found is not None
    answer = json.loads((await shop.ask(found[2])).body)
    assert answer["extensions"]["cost"] == int(found[1].replace(",", ""))


def test_every_code_is_told() -> None:
    assert page.MEANINGS.keys() == OUTCOMES.keys()


def test_every_limit_is_told() -> None:
    assert page.LIMITS.keys() == Limits.__dataclass_fields__.keys()


@pytest.mark.parametrize("subject", ["Mutation", "Subscription", "Query"])
def test_every_root_field_is_told(subject: str) -> None:
    fields = SCHEMA.type_map[subject].fields  # type: ignore[attr-defined]  # an object type
    assert [name for name in fields if f"`{name}" not in TEXT] == []


def test_stale_part_is_replaced() -> None:
    stale = "before\n<!-- generated: limits -->\n| gone |\n<!-- end -->\nafter\n"
    assert "gone" not in page.render(stale)
    assert page.render(stale).endswith("<!-- end -->\nafter\n")
