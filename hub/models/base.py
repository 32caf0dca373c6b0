"""What every table declares: its category, what a merge does to it, how it reaches a customer."""

from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Literal, get_args
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Category = Literal[
    "identity", "contact", "trade", "behaviour", "profile", "consent", "provenance", "open"
]
"""Kinds of data that scopes and purposes speak of. `open` says nothing about a person."""

CATEGORIES: tuple[Category, ...] = get_args(Category)


class Merge(Enum):
    """What merging or splitting customers does to a table's rows."""

    FOLLOW = "follow"
    """Each row stays with its record; `customer_id` is pointed anew by `record_id`."""
    REBUILD = "rebuild"
    """Computed again for the customers that changed."""
    KEEP = "keep"
    """Left as it was: it says what happened, or it is about no customer."""


def nearly_always(condition: str) -> str:
    """SQL for a condition, said in a way that the planner takes for nearly always true."""
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END <> 0"


ROW_BY_ROW = nearly_always("(SELECT {customer} FROM public.customer c WHERE c.id = t.customer_id)")
"""The usual reach, for what customers are chosen by: it is looked at after everything else, where
a join would have the planner begin with all customers. How many rows are left is no business of
this: the customer's own rule says so once more.
"""


def categorised(name: Category | None) -> dict[Any, Any]:
    """Mark a column as being of another category than its table; None: in no purpose view."""
    return {"category": name}


def by_category() -> dict[Any, Any]:
    """Mark a column that holds an object of each category's data.

    A purpose's view has what it may return of them, each as a column of its own.
    """
    return {"category": None, "by_category": True}


def sealed(place: str, category: Category | None = None) -> dict[Any, Any]:
    """Mark a column as sealed with HUB_SECRET_KEY; `place` is what is sealed in, with the names of
    the table's keys in it (`credential/{integration_id}/token`)."""
    return {"sealed": place, "category": category}


def hashed(until: str | None = "expires_at") -> dict[Any, Any]:
    """Mark a column as a hash that HUB_SECRET_KEY is part of (`Keyring.hashed`).

    `until` is the column that says when a row counts no more; None: made anew at the next use.
    """
    return {"hashed": until, "category": None}


def of_category(column: str, category: str) -> str:
    """How the views call the column of one category's data."""
    return f"{column}_{category}"


class Base(DeclarativeBase):
    """The root of all models.

    `merge`: see `Merge`. `category`: the category of the table's columns, unless a column says
    otherwise; None keeps the table out of the purpose views. `row_category`: SQL that is true of
    a row `t` of one of `{categories}`, where rows differ in it. `reach`: SQL that leads from a row
    `t` to the customers it is about, `{customer}` standing for the rule on a customer `c`; the
    default follows `customer_id`. It is None for a table that is about nobody, and only for that.
    `part_of`: the table whose rows this one's are parts of; they follow the record of the whole.
    `law_only`: only purposes of legal obligation have a view of it.
    """

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        UUID: Uuid,
        dict[str, Any]: JSONB,
    }

    merge: ClassVar[Merge]
    category: ClassVar[Category | None] = None
    row_category: ClassVar[str | None] = None
    part_of: ClassVar[str | None] = None
    law_only: ClassVar[bool] = False
    reach: ClassVar[str | None] = (
        "EXISTS (SELECT FROM public.customer c WHERE c.id = t.customer_id AND {customer})"
    )


def key() -> Mapped[UUID]:
    """A time-ordered id, drawn by the hub (`clock.new_id`)."""
    return mapped_column(primary_key=True)
