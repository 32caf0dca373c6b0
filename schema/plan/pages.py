"""Connections as SQL: a page of a list by keyset, its cursors, and how long the list is."""

from dataclasses import dataclass

from graphql import GraphQLField

from schema.plan import keyset
from schema.plan.cost import COUNTING, Cost
from schema.plan.keyset import Page
from schema.plan.mapping import Page as Read
from schema.plan.parts import COUNTED, Parts
from schema.plan.rows import Nodes, Rows, limited, size
from schema.plan.statement import Piece

LARGEST = 200
"""Items on one page at most."""
DEFAULT = 20


@dataclass(frozen=True, slots=True)
class Table:
    """A page as one row: where it comes from, its JSON, and the people on it."""

    source: str
    json: str
    people: str | None

    @property
    def piece(self) -> Piece:
        """The page as a part of something else."""
        people = self.people and f"(SELECT {self.people} FROM {self.source})"
        return Piece(f"(SELECT {self.json} FROM {self.source})", people)


def page(
    rows: Rows, read: Read, field: GraphQLField, nodes: Nodes, outer: str, cost: Cost
) -> Table:
    """A connection."""
    made = keyset.prepared(rows, read, field, nodes, outer)
    return _compiled(made, nodes, cost)


def _compiled(page: Page, nodes: Nodes, cost: Cost) -> Table:
    rows, draft = page.rows, page.rows.draft
    item, inner = draft.row(), Cost()
    cost.add(DEFAULT if page.wanted is None else size(page.wanted, LARGEST), inner)
    limit = rows.limit(page.wanted, LARGEST, default=DEFAULT)
    selected = rows.selector.of(page.type_, nodes)
    parts = Parts(page, item, inner, limit, selected)
    columns = [f'{parts.column(chosen)} AS "{key}"' for key, chosen in selected.items()]
    people = parts.whole(_whose(page, item))
    view = page.view
    where = keyset.where(page, item, is_counted=parts.counts)
    total = ""
    if parts.counts:
        cost.own += COUNTING
        total = f" CROSS JOIN ({_counted(view, item, where)}) c"
    x = draft.row()
    source = (
        f"(SELECT {', '.join(parts.aggregates) or 'count(*)'} FROM"
        f" ({_inner(page, parts, view, item, where, limit)}) p) a{total}"
        f" CROSS JOIN LATERAL (SELECT {', '.join(columns)}) {x}"
    )
    return Table(source, f"row_to_json({x})", people)


def _inner(page: Page, parts: Parts, view: str, item: str, where: list[str], limit: str) -> str:
    """The rows of the page, one more where it is asked whether there is one."""
    inside = _all([*where, *keyset.bounds(page, item)])
    sql = limited(
        f"SELECT {', '.join(parts.chosen) or '1'} FROM {view} {item}{''.join(parts.laterals)}"
        f"{inside} ORDER BY {keyset.order_by(page, item)}",
        f"{limit}{' + 1' * parts.looks_beyond}",
        most=LARGEST + parts.looks_beyond,
    )
    if not parts.numbered:
        return sql
    z = page.rows.draft.row()
    return f"SELECT {z}.*, row_number() OVER () AS no FROM ({sql}) {z}"


def _counted(view: str, item: str, where: list[str]) -> str:
    rows = f"SELECT FROM {view} {item}{_all(where)} LIMIT {COUNTED + 1}"
    return f"SELECT count(*) AS n FROM ({rows}) z"


def _all(conditions: list[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _whose(page: Page, item: str) -> str | None:
    """Whom a row of the page is about, unless that is just the one in the answer it hangs on."""
    is_theirs = page.on and hasattr(page.rows.entity(page.node_type).model, "customer_id")
    return None if is_theirs else page.rows.whom(page.node_type, item)
