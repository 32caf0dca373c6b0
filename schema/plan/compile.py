"""Root fields as statements: one for each, which gives finished JSON and the people in it."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from graphql import FieldNode, GraphQLField, GraphQLObjectType

from hub.identifiers import Unusable, normalise
from hub.records import IdentifierType
from schema.plan.cost import Cost
from schema.plan.mapping import ById, Chosen, Follow, Keyed, Lookup, Many, Page, Read, Watch
from schema.plan.pages import page
from schema.plan.rows import Nodes, Rows
from schema.plan.statement import Piece, Statement
from schema.plan.types import object_type
from schema.plan.values import Slot
from schema.scalars import raw_id, typed_id

SINCE, UNTIL, IDS = Slot(("#since",)), Slot(("#until",)), Slot(("#ids",))
WATCHED = Slot(("#watched",))
"""What the hub itself binds: no variable of a document has such a name."""
ROUND = 500
"""Events that one statement takes up at most."""
FIRST = '(array_agg(i."customer_id"))[1]'
KEYS: dict[str, IdentifierType] = {
    "email": "email",
    "phone": "phone",
    "loyaltyCard": "loyalty_card",
    "external": "external",
}


def nested(
    rows: Rows, read: Page, field: GraphQLField, nodes: Nodes, outer: str, cost: Cost
) -> Piece:
    """A connection inside a row."""
    return page(rows, read, field, nodes, outer, cost).piece


def statement(
    rows: Rows, read: Read, field: GraphQLField, nodes: Sequence[FieldNode], *, region: str
) -> tuple[Statement, Cost]:
    """The statement of one root field, and what it costs."""
    cost = Cost(own=0)
    match read:
        case Lookup():
            sql = _lookup(rows, field, nodes, cost, region)
        case Page():
            made = page(rows, read, field, nodes, "", cost)
            people = made.people or "NULL"
            sql = f"SELECT {made.json} AS data, {people} AS people FROM {made.source}"
        case ById(types=types):
            sql = _by_id(rows, field, nodes, cost, types)
        case Many():
            sql = _alone(rows.many(read, field, nodes, "", "", cost))
        case Chosen():
            sql = _chosen(rows, field, nodes, cost)
        case Follow():
            sql = _followed(rows, field, nodes, cost)
        case Keyed():
            sql = _keyed(rows, read, field, nodes, cost)
        case Watch():
            sql = _watched(rows, read, field, nodes, cost)
        case _:
            raise LookupError(f"{nodes[0].name.value} is not a root field")
    return rows.statement(sql), cost


def _alone(piece: Piece) -> str:
    return f"SELECT {piece.json} AS data, {piece.people or 'NULL'} AS people"


def _rows_of(rows: Rows, type_: GraphQLObjectType, nodes: Nodes, cost: Cost, more: str = "") -> str:
    """`SELECT` of the objects of a type, their rows being `t`."""
    inner = Cost()
    cost.add(1, inner)
    view = rows.view(type_, type_.name)
    made = rows.object(type_, nodes, "t", "", inner)
    people = [sql for sql in (rows.whom(type_, "t"), made.people) if sql]
    told = " || ".join(f"coalesce({sql}, '')" for sql in people) or "NULL"
    return (
        f"SELECT row_to_json(x) AS data, {told} AS people{more}"
        f" FROM {view} t CROSS JOIN LATERAL (SELECT {made.json}) x"
    )


def _lookup(rows: Rows, field: GraphQLField, nodes: Nodes, cost: Cost, region: str) -> str:
    type_ = object_type(field)
    by: dict[str, Any] = rows.arguments(field, nodes)["by"]
    ((key, value),) = by.items()
    if key == "id":
        id_ = rows.draft.bind(value, "uuid", _raw("Customer"))
        aliases = rows.views["customer_alias"]
        alias = f'(SELECT "customer_id" FROM {aliases} WHERE "alias_id" = {id_})'
        found = f"coalesce({alias}, {id_})"
    else:
        rows.sight.demand_choice(["contact"], f"by: {key}")
        if key == "external":
            value = _external(rows, value)
        bound = rows.draft.bind(value, "text", _canonical(KEYS[key], region))
        found = (
            f"(SELECT {FIRST} FROM {rows.views['identifier']} i"
            f' WHERE i."type" = \'{KEYS[key]}\' AND i."value" = {bound}'
            f' HAVING {FIRST} = ALL (array_agg(i."customer_id")))'
        )
    return f'{_rows_of(rows, type_, nodes, cost)} WHERE t."id" = {found}'


def _external(rows: Rows, value: Any) -> Any:
    """Source and id as one value, wherever the two stand."""
    return [value["source"], value["externalId"]] if isinstance(value, dict) else value


def _canonical(type_: IdentifierType, region: str) -> Callable[[Any], str | None]:
    """What spells an identifier as the hub stores it; one that identifies nobody finds nobody."""

    def convert(value: Any) -> str | None:
        text = ":".join(value) if isinstance(value, list) else str(value)  # type: ignore[arg-type]  # texts
        contact = normalise(type_, text[:1_000], region=region)
        return None if isinstance(contact, Unusable) else contact.value

    return convert


def _raw(type_name: str) -> Callable[[Any], UUID]:
    return lambda value: raw_id(value, type_name)


def _by_id(rows: Rows, field: GraphQLField, nodes: Nodes, cost: Cost, types: Sequence[str]) -> str:
    value = rows.arguments(field, nodes)["id"]
    by = rows.draft.bind(value, "text", lambda id_: typed_id(id_)[0])
    id_ = rows.draft.bind(value, "uuid", lambda id_: typed_id(id_)[1])
    return _alone(rows.choice(by, id_, [(name, name) for name in types], nodes, cost))


def _chosen(rows: Rows, field: GraphQLField, nodes: Nodes, cost: Cost) -> str:
    type_ = object_type(field)
    select = _rows_of(rows, type_, nodes, cost, ', t."id" AS id')
    return f'{select} WHERE t."id" = ANY({rows.draft.bind(IDS, "uuid[]")})'


def _followed(rows: Rows, field: GraphQLField, nodes: Nodes, cost: Cost) -> str:
    type_ = object_type(field)
    given = rows.arguments(field, nodes)
    select = _rows_of(rows, type_, nodes, cost, ', t."position" AS position')
    bind = rows.draft.bind
    where = [
        f't."position" > {bind(SINCE, "bigint")}',
        f't."position" <= {bind(UNTIL, "bigint")}',
        't."customer_id" IS NOT NULL',
    ]
    if given.get("ids") is not None:
        ids = bind(given["ids"], "uuid[]", lambda ids: [raw_id(id_, "Customer") for id_ in ids])
        where.append(f't."customer_id" = ANY({ids})')
    if given.get("types") is not None:
        where.append(f't."type" = ANY({bind(given["types"], "text[]")})')
    return f'{select} WHERE {" AND ".join(where)} ORDER BY t."position" LIMIT {ROUND}'


def _keyed(rows: Rows, read: Keyed, field: GraphQLField, nodes: Nodes, cost: Cost) -> str:
    value = rows.draft.bind(rows.arguments(field, nodes)[read.argument], "text")
    select = _rows_of(rows, object_type(field), nodes, cost)
    return f'{select} WHERE t."{read.column}" = {value}'


def _watched(rows: Rows, read: Watch, field: GraphQLField, nodes: Nodes, cost: Cost) -> str:
    """One row that tells whether there is anything to watch, and what is watched, if anything.

    Once something is watched, that is what is looked at, whatever becomes of it.
    """
    rows.draft.unknown = read.unknown
    value = rows.draft.bind(rows.arguments(field, nodes)[read.argument], "text")
    watched = rows.draft.bind(WATCHED, "uuid")
    since = rows.draft.bind(SINCE, "timestamptz")
    known, on, alive, over, order = (
        template.format(t="t", v=rows.views, a=value, since=since)
        for template in (read.known, read.on, read.alive, read.over, read.order)
    )
    more = f', t."id" AS id, NOT ({alive}) AS is_over'
    select = _rows_of(rows, object_type(field), nodes, cost, more)
    next_ = f"{alive} OR coalesce({over}, false)"
    one = f'CASE WHEN {watched} IS NULL THEN {next_} ELSE t."id" = {watched} END'
    found = f"{select} WHERE {on} AND {one} ORDER BY {order} LIMIT 1"
    seen = f"SELECT {known} AS is_known, now() AS at, w.* FROM (SELECT) s"
    return f"{seen} LEFT JOIN LATERAL ({found}) w ON true"
