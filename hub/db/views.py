"""The purpose views: one schema per purpose, all that a reader may read.

`for_analytics.customer` holds the customers that may be used for analytics, with the columns that
analytics may return; every other table is joined to an allowed customer. The views are made from
the models and the rows of `purpose`, so that nobody writes one by hand, and a forgotten condition
in a query returns nobody who did not agree.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, text
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.db.connection import Connection
from hub.db.roles import READER, identifier
from hub.models import Base
from hub.models.base import of_category

LOCK = 0x6875625F76696577
"""Advisory lock that keeps two rebuilds apart ("hub_view")."""


CATEGORY_OF = """
CREATE FUNCTION "{schema}".category_of(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT
PARALLEL SAFE AS 'SELECT d.category FROM "{schema}".attribute_definition d WHERE d.key = $1'
"""
"""The category of a declared attribute. What is declared never changes, so the planner may ask this
beforehand, and sees which column a condition is on.
"""


@dataclass(frozen=True, slots=True)
class Use:
    """A purpose as far as its views need it."""

    key: str
    basis: str
    bit: int
    may_return: frozenset[str]
    contact_types: tuple[str, ...] | None

    @property
    def schema(self) -> str:
        return f"for_{self.key}"


def rule(use: Use) -> str:
    """The condition on a customer `c` under which this purpose may see them.

    The basis decides: consent wants a grant and no refusal, legitimate interest no refusal,
    a contract neither, a legal obligation only that the person is not erased. It is one boolean
    expression, of which the database keeps statistics: the planner takes a test of bits for rare.
    """
    return _rule(use, "c.")


def _rule(use: Use, row: str) -> str:
    mask = f"{1 << use.bit}::bigint"
    conditions = [f"{row}status = 'active'", f"{row}erased_at IS NULL"]
    if use.basis != "legal_obligation":
        conditions.append(f"{row}restricted_at IS NULL")
    if use.basis in {"consent", "legitimate_interest"}:
        conditions.append(f"{row}refused & {mask} = 0")
    if use.basis == "consent":
        conditions.append(f"{row}granted & {mask} <> 0")
    return f"CASE WHEN {' AND '.join(conditions)} THEN true ELSE false END"


def statements(use: Use) -> Iterator[str]:
    """Everything that makes the schema of a purpose anew."""
    yield f'DROP SCHEMA IF EXISTS "{use.schema}" CASCADE'
    yield f'CREATE SCHEMA "{use.schema}"'
    yield f'CREATE STATISTICS "{use.schema}".allowed ON ({_rule(use, "")}) FROM public.customer'
    for model in _models():
        columns = visible(model, use)
        if columns:
            yield _view(model, columns, use)
    yield CATEGORY_OF.format(schema=use.schema)


def grants(use: Use, reader: str) -> Iterator[str]:
    """What lets the reader read a purpose's views."""
    role = identifier(reader)
    yield f'GRANT USAGE ON SCHEMA "{use.schema}" TO {role}'
    yield f'GRANT SELECT ON ALL TABLES IN SCHEMA "{use.schema}" TO {role}'
    yield f'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA "{use.schema}" TO {role}'


def _models() -> Iterable[type[Base]]:
    mappers = sorted(Base.registry.mappers, key=lambda mapper: mapper.class_.__tablename__)
    return [mapper.class_ for mapper in mappers if mapper.class_.category is not None]


def visible(model: type[Base], use: Use) -> Sequence[str]:
    """The columns of a table that a purpose may return; none where nothing would be told.

    The customer itself is always there, if only as an id that the rest hangs on; so is what is
    open, which may still be about people (`reach`).
    """
    allowed = use.may_return | {"open"}
    columns: list[Column[object]] = list(model.__table__.columns)  # type: ignore[arg-type]  # a Table
    shown = [column for column in columns if _category(column, model) in allowed or _is_key(column)]
    if model.row_category is not None:
        return [column.name for column in columns]
    if _is_other_contact(model, use):
        return []
    is_always_told = model.category == "open" or model.reach == "{customer}"
    is_told = is_always_told or any(_category(c, model) in use.may_return for c in shown)
    return [column.name for column in shown] if is_told else []


def _is_other_contact(model: type[Base], use: Use) -> bool:
    """A purpose of one kind of contact point has no business with postal addresses."""
    is_narrow = use.contact_types is not None
    return is_narrow and model.category == "contact" and model.__tablename__ != "identifier"


def _category(column: "Column[object]", model: type[Base]) -> str | None:
    return column.info.get("category", None if _is_key(column) else model.category)


def _is_key(column: "Column[object]") -> bool:
    """Keys lead from row to row; by themselves they tell nothing."""
    return column.name == "customer_id" or (
        column.primary_key and (column.name == "id" or column.name.endswith("_id"))
    )


def _view(model: type[Base], columns: Sequence[str], use: Use) -> str:
    alias = "c" if model.reach == "{customer}" else "t"
    chosen = ", ".join([*(f'{alias}."{name}"' for name in columns), *_divided(model, use)])
    table = f'public."{model.__tablename__}" {alias}'
    where = [] if model.reach is None else [model.reach.format(customer=rule(use))]
    if model.__tablename__ == "identifier" and use.contact_types is not None:
        kinds = ", ".join(f"'{kind}'" for kind in use.contact_types)
        where.append(f"{alias}.type IN ({kinds})")
    if model.row_category is not None:
        kinds = ", ".join(f"'{kind}'" for kind in sorted(use.may_return))
        where.append(model.row_category.format(categories=kinds))
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    return (
        f'CREATE VIEW "{use.schema}"."{model.__tablename__}" AS '
        f"SELECT {chosen} FROM {table}{condition}"
    )


def _divided(model: type[Base], use: Use) -> Iterator[str]:
    """The columns of what is kept by category, as far as the purpose may return it."""
    for column in model.__table__.columns:
        for category in sorted(use.may_return) if "by_category" in column.info else ():
            yield f"c.\"{column.name}\" -> '{category}' AS {of_category(column.name, category)}"


async def rebuild(
    connection: AsyncConnection, *, only: str | None = None, reader: str = READER
) -> None:
    """Make the views of all purposes, or of one, anew; the caller's transaction commits them.

    A reader that does not exist yet is granted nothing. The statistics on customers went with the
    old schemas, so they are taken again.
    """
    await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    for use in await _uses(connection):
        if only in {None, use.key}:
            for statement in statements(use):
                await connection.exec_driver_sql(statement)
            if await _exists(connection, reader):
                for statement in grants(use, reader):
                    await connection.exec_driver_sql(statement)
    await connection.exec_driver_sql("ANALYZE public.customer")
    for key in await _retired(connection):
        await connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "for_{key}" CASCADE')


async def _exists(connection: AsyncConnection, role: str) -> bool:
    found = await connection.execute(
        text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}
    )
    return found.first() is not None


PURPOSES = """
SELECT key, basis, bit, may_return, contact_types
  FROM public.purpose WHERE retired_at IS NULL ORDER BY bit
"""


async def _uses(connection: AsyncConnection) -> Sequence[Use]:
    rows = await connection.execute(text(PURPOSES))
    return [_use(row) for row in rows.mappings()]


async def uses(connection: Connection) -> Sequence[Use]:
    """The purposes in use."""
    return [_use(row) for row in await connection.fetch(PURPOSES)]


def _use(row: Any) -> Use:
    return Use(
        row["key"],
        row["basis"],
        row["bit"],
        frozenset(row["may_return"]),
        _tuple(row["contact_types"]),
    )


def _tuple(items: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if items is None else tuple(items)


async def _retired(connection: AsyncConnection) -> Sequence[str]:
    rows = await connection.execute(
        text("SELECT key FROM public.purpose WHERE retired_at IS NOT NULL")
    )
    return [row.key for row in rows]
