"""The shape of a condition decides its SQL, and its depth and size are bounded."""

from typing import Any

import pytest

from hub import conditions
from hub.conditions import CUSTOMERS, LISTS, Condition
from hub.errors import BadInput
from hub.models import Base


def compiled(where: dict[str, Any]) -> Condition:
    """Compiled with values that nobody may look at."""
    return conditions.compile(
        CUSTOMERS, where, schema="for_x", row="c", bind=lambda value, cast, convert=None: f"${cast}"
    )


def test_values_are_never_looked_at() -> None:
    hidden = object()
    where = {"city": {"in": hidden}, "search": hidden, "attribute": {"key": hidden, "eq": hidden}}
    other = {"attribute": {"eq": 1, "key": 2}, "search": 3, "city": {"in": 4}}
    assert compiled(where) == compiled(other)


def test_categories_are_of_all_that_chooses() -> None:
    where = {"or": [{"tag": {"eq": 1}}, {"not": {"hasOrderSince": 1}}], "createdAt": {"gt": 1}}
    assert compiled(where).categories == {"profile", "trade", "open"}
    assert compiled({"search": 1}).categories == {"identity", "contact"}


def test_what_names_one_is_not_skewed() -> None:
    assert not compiled({"email": {"eq": 1}, "id": {"in": 2}}).is_skewed
    assert compiled({"city": {"eq": 1}}).is_skewed


def test_depth_is_bounded() -> None:
    where: dict[str, Any] = {}
    for _ in range(10):
        where = {"not": where}
    with pytest.raises(BadInput, match="deep"):
        compiled(where)


def test_size_is_bounded() -> None:
    with pytest.raises(BadInput, match="at most"):
        compiled({"or": [{"city": {"eq": "x"}}] * 100})


@pytest.mark.parametrize("name", LISTS)
def test_orders_are_columns_that_are_never_null(name: str) -> None:
    catalogue = LISTS[name]
    columns = Base.metadata.tables[catalogue.view].columns
    assert not any(columns[o.column].nullable for o in catalogue.orderings.values())
