"""The schema of a purpose as SQL: which views it holds, of which columns, of which rows."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Column

from hub.db import rules, withheld
from hub.db.roles import identifier, literal
from hub.db.rules import PROFILED, Use
from hub.models import Base
from hub.models.base import of_category

CHOSEN_FROM = frozenset({"customer", "order", "interaction"})
"""The tables that people are chosen from: where that wants both, each has a second view for it."""

CATEGORY_OF = """
CREATE FUNCTION "{schema}".category_of(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT
PARALLEL SAFE AS 'SELECT d.category FROM "{schema}".attribute_definition d WHERE d.key = $1'
"""
"""The category of a declared attribute. What is declared never changes, so the planner may ask this
beforehand, and sees which column a condition is on.
"""
STILL = """
CREATE FUNCTION "{schema}".{name}(uuid) RETURNS boolean LANGUAGE sql STABLE STRICT PARALLEL SAFE
SECURITY DEFINER COST 1 SET search_path = pg_catalog, pg_temp AS {body}
"""
WITHHELD = """
CREATE FUNCTION "{schema}".withheld(text) RETURNS TABLE (reason text, customers bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS {body}
"""


def statements(use: Use) -> Iterator[str]:
    """Everything that makes the schema of a purpose, where there is none of its name."""
    yield f'CREATE SCHEMA "{use.schema}"'
    yield _statistics(use, "allowed", rules.counted(use))
    for name, body in rules.functions(use):
        yield STILL.format(schema=use.schema, name=name, body=literal(body))
    for model in models():
        if columns := held(model, use):
            yield _view(model, columns, use)
    if use.is_apart:
        if counted := rules.counted_profiled(use):
            yield _statistics(use, "profiled", counted)
        for model in models():
            if model.__tablename__ in CHOSEN_FROM and (columns := profiled(model, use)):
                yield _profiled_view(model, columns, use)
    yield CATEGORY_OF.format(schema=use.schema)
    yield WITHHELD.format(schema=use.schema, body=literal(withheld.WITHHELD))


def _statistics(use: Use, name: str, expression: str) -> str:
    return f'CREATE STATISTICS "{use.schema}".{name} ON ({expression}) FROM public.customer'


def grants(use: Use, reader: str) -> Iterator[str]:
    """What lets the reader read a purpose's views."""
    role = identifier(reader)
    yield f'GRANT USAGE ON SCHEMA "{use.schema}" TO {role}'
    yield f'GRANT SELECT ON ALL TABLES IN SCHEMA "{use.schema}" TO {role}'
    yield f'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA "{use.schema}" TO {role}'


def privileged(use: Use) -> Iterator[str]:
    """The bodies of its functions that run with the owner's rights."""
    yield withheld.WITHHELD
    for _, body in rules.functions(use):
        yield body


def digest(use: Use) -> str:
    """What tells a schema that was made like this from one that was made otherwise."""
    return hashlib.sha256("\n".join(statements(use)).encode()).hexdigest()


def models() -> Iterable[type[Base]]:
    """The models that purposes have views of, by table."""
    mappers = sorted(Base.registry.mappers, key=lambda mapper: mapper.class_.__tablename__)
    return [mapper.class_ for mapper in mappers if mapper.class_.category is not None]


def visible(model: type[Base], use: Use) -> Sequence[str]:
    """The columns of a table that a purpose may return; none where nothing would be told.

    The customer itself is always there, if only as an id that the rest hangs on; so is what is
    open, which may still be about people (`reach`).
    """
    allowed = use.may_return | {"open"}
    columns = _columns(model)
    shown = [column for column in columns if _category(column, model) in allowed or _is_key(column)]
    if model.law_only and use.basis != "legal_obligation":
        return []
    if model.row_category is not None:
        return [column.name for column in columns]
    if _is_other_contact(model, use):
        return []
    is_always_told = model.category == "open" or model.reach == "{customer}"
    is_told = is_always_told or any(_category(c, model) in use.may_return for c in shown)
    return [column.name for column in shown] if is_told else []


def held(model: type[Base], use: Use) -> Sequence[str]:
    """Those of them that the view of the table holds, and no key that profiling goes by."""
    columns = visible(model, use)
    if not use.is_apart or model.reach != "{customer}":
        return columns
    table = model.__table__.columns
    return [name for name in columns if _category(table[name], model) not in PROFILED]  # type: ignore[arg-type]  # a Column


def profiled(model: type[Base], use: Use) -> Sequence[str]:
    """The columns of the view that people are chosen from by what they did or are thought of."""
    columns = visible(model, use)
    if model.reach != "{customer}":
        return columns
    kept = set(columns) | {c.name for c in _columns(model) if _category(c, model) in PROFILED}
    return [column.name for column in _columns(model) if column.name in kept]


def _columns(model: type[Base]) -> "list[Column[object]]":
    return list(model.__table__.columns)  # type: ignore[arg-type]  # a Table


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
    is_contact = model.__tablename__ == "identifier"
    rule = rules.narrowed(use) if is_contact else rules.rule(use)
    kinds = use.may_return - PROFILED if use.is_apart else use.may_return
    where = [*_reached(model, rule), *(rules.contact_rule(use) if is_contact else ())]
    if model.row_category is not None:
        told = ", ".join(map(literal, sorted(use.may_return))) or "NULL"
        where.append(model.row_category.format(categories=told))
    return _made(model, use, model.__tablename__, [*columns], kinds, where)


def _profiled_view(model: type[Base], columns: Sequence[str], use: Use) -> str:
    where = _reached(model, rules.profiled_rule(use))
    kinds = use.may_return | PROFILED
    return _made(model, use, f"{model.__tablename__}_profiled", columns, kinds, where)


def _reached(model: type[Base], rule: str) -> list[str]:
    return [] if model.reach is None else [model.reach.format(customer=rule)]


def _made(
    model: type[Base],
    use: Use,
    name: str,
    columns: Sequence[str],
    kinds: Iterable[str],
    where: Sequence[str],
) -> str:
    alias = "c" if model.reach == "{customer}" else "t"
    chosen = ", ".join([*(f'{alias}."{name}"' for name in columns), *_divided(model, kinds)])
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    return (
        f'CREATE VIEW "{use.schema}"."{name}" AS'
        f' SELECT {chosen} FROM public."{model.__tablename__}" {alias}{condition}'
    )


def _divided(model: type[Base], kinds: Iterable[str]) -> Iterator[str]:
    """The columns of what is kept by category, as far as the view has those categories."""
    for column in model.__table__.columns:
        for category in sorted(kinds) if "by_category" in column.info else ():
            yield f"c.\"{column.name}\" -> '{category}' AS {of_category(column.name, category)}"
