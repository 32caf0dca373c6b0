"""Connections, money and nodes: what lists and objects of every subject share."""

from decimal import Decimal
from typing import Annotated, Generic, TypeVar

import strawberry

T = TypeVar("T")

First = Annotated[
    int | None,
    strawberry.argument(description="The first so many. Without `first` and `last`: 20."),
]
Last = Annotated[int | None, strawberry.argument(description="The last so many.")]
After = Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")]
Before = Annotated[
    str | None, strawberry.argument(description="Only what comes before this cursor.")
]
Most = Annotated[int | None, strawberry.argument(description="Not more than so many.")]


@strawberry.interface(description="A thing with an id that is unique in the whole hub.")
class Node:
    id: strawberry.ID = strawberry.field(description="Ask for it again with `node(id:)`.")


@strawberry.type(description="An amount of money.")
class Money:
    amount: Decimal = strawberry.field(description="How much.")
    currency: str = strawberry.field(description="Currency (ISO 4217).")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether anything follows this page.")
    has_previous_page: bool = strawberry.field(
        description="Whether anything goes before this page."
    )
    start_cursor: str | None = strawberry.field(description="The cursor of the first item.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last item.")


@strawberry.type(description="An item of a list and its place in it.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="The place, for `after` and `before`.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The items, each with its cursor.")
    nodes: list[T] = strawberry.field(description="The items.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in the list.")
    total_count: int | None = strawberry.field(
        description="How many items the list has; null when they are more than 10,000."
    )
    has_more: bool = strawberry.field(description="Whether the list has more than 10,000 items.")
