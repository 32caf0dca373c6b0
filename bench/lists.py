"""How long the database takes for a page of each list, by every documented order and filter."""

import itertools
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.figures import Figure
from hub import conditions
from hub.conditions import CATALOGUES, Catalogue
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.db.roles import literal
from hub.db.rules import PROFILED

PAGE = 51
RUNS = 5
PATIENCE = 40
"""Runs of a statement that seems slow: the quickest counts, since others use the machine too."""
MILLISECONDS = 10.0
"""What a page may take."""
SMALL = {"source", "store", "attribute_definition"}
SERVICE, MARKETING, RIGHTS = (
    "for_customer_service",
    "for_email_marketing",
    "for_data_subject_rights",
)

Where = Mapping[str, Any]
PEOPLE: tuple[Where, ...] = (
    {},
    *({"search": text} for text in ("a", "anna", "petr ann", "zoya smithberg", "qqqq", "':* & !")),
    *({"search": text} for text in ("1234", "anna 1234", "person77@example.com", "")),
    {"email": {"eq": "person5@example.com"}},
    {"email": {"in": [f"person{n}@example.com" for n in range(100)]}},
    {"phone": {"eq": "+61 2 5550 1234"}},
    {"loyaltyCard": {"eq": "card 00000077"}},
    *({"city": {"eq": city}} for city in ("Kazan", "Nowhere")),
    {"city": {"in": ["Kazan", "Leeds"]}},
    *({"city": {"isNull": is_null}} for is_null in (True, False)),
    *({"gender": {"eq": word}} for word in ("FEMALE", "OTHER")),
    {"birthDate": {"eq": "1980-05-17"}},
    {"birthDate": {"gte": "1980-05-01", "lt": "1980-06-01"}},
    *({"birthDate": {"gte": day}} for day in ("1950-01-01", "2020-01-01")),
    {"birthDate": {"isNull": True}},
    {"createdAt": {"gte": "2025-01-01T00:00:00Z", "lt": "2025-01-02T00:00:00Z"}},
    *({"createdAt": {"gte": f"{year}-01-01T00:00:00Z"}} for year in (2025, 2035)),
    *({"updatedAt": {"gte": f"{year}-01-01T00:00:00Z"}} for year in (2025, 2035)),
    *({"hasOrderSince": f"{day}T00:00:00Z"} for day in ("2025-01-01", "2026-06-26", "2035-01-01")),
    *({"lastOrderedAt": {"isNull": is_null}} for is_null in (True, False)),
    {"lastOrderedAt": {"lt": "2023-06-01T00:00:00Z"}},
    {"not": {"city": {"eq": "Kazan"}}},
    {"city": {"eq": "Kazan"}, "gender": {"eq": "MALE"}},
    {"or": [{"city": {"eq": "Kazan"}}, {"gender": {"eq": "MALE"}}]},
)
PROFILES: tuple[Where, ...] = (
    *({"tag": {"eq": tag}} for tag in ("loyal", "vip", "press", "nobody")),
    *({"tag": {"eq": tag}} for tag in ("staff", "club", "app", "known")),
    {"tag": {"in": ["vip", "press"]}},
    *({"not": {"tag": {"eq": tag}}} for tag in ("loyal", "vip", "staff", "club", "app", "nobody")),
    {"tag": {"eq": "vip"}, "city": {"eq": "Kazan"}},
    {"tag": {"eq": "app"}, "city": {"eq": "Kazan"}},
    {"and": [{"tag": {"eq": "vip"}}, {"tag": {"eq": "app"}}]},
    {"and": [{"tag": {"eq": "club"}}, {"tag": {"eq": "app"}}]},
    *({"attribute": {"key": key}} for key in ("level", "nothing")),
    {"not": {"attribute": {"key": "level"}}},
    *({"attribute": {"key": "level", "eq": word}} for word in ("gold", "lead")),
    {"attribute": {"key": "level", "in": ["gold", "tin"]}},
    *({"attribute": {"key": "score", "gte": least}} for least in (9000, 9990)),
    {"attribute": {"key": "renewal", "gte": "2026-05-01", "lte": "2026-05-31"}},
    *({"attribute": {"key": "points", "gte": n}} for n in (9990, 9900, 9000, 5000, 0)),
    *({"attribute": {"key": "points", "gte": 5000, "lt": n}} for n in (5010, 5100, 6000)),
    *({"not": {"attribute": {"key": "points", "gte": n}}} for n in (9990, 9900, 9000, 5000)),
    {"attribute": {"key": "points", "gte": 9900}, "city": {"eq": "Kazan"}},
    {"attribute": {"key": "points", "gte": 5000}, "tag": {"eq": "club"}},
)
ORDERS: tuple[Where, ...] = (
    {},
    *({"status": {"eq": word}} for word in ("paid", "lost", "nothing")),
    {"status": {"in": ["lost", "returned"]}},
    *({"channel": {"eq": word}} for word in ("web", "fax")),
    {"number": {"eq": "N777"}},
    {"orderedAt": {"gte": "2025-01-01T00:00:00Z", "lt": "2025-01-01T06:00:00Z"}},
    {"orderedAt": {"gte": "2024-01-01T00:00:00Z"}},
    *({"total": {"gte": least}} for least in ("100", "49990", "1000000")),
    *({"source": {"eq": key}} for key in ("shop", "crm", "nothing")),
    {"store": {"eq": "STORE"}},
    *({"customer": given} for given in ({"eq": "CUSTOMER"}, {"in": ["CUSTOMER"]})),
)
PRODUCTS: tuple[Where, ...] = (
    {},
    *({"search": text} for text in ("smith", "tea 77", "zzzz")),
    {"sku": {"eq": "SKU77"}},
    *({"brand": {"eq": name}} for name in ("Brand 7", "nothing")),
    *({"category": {"eq": name}} for name in ("Category 7", "nothing")),
    {"name": {"eq": "nothing"}},
)
INTERACTIONS: tuple[Where, ...] = (
    {},
    *({"kind": {"eq": word}} for word in ("CALL", "REVIEW", "SMS")),
    *({"direction": {"eq": word}} for word in ("IN", "OUT")),
    {"startedAt": {"gte": "2025-01-01T00:00:00Z", "lt": "2025-01-01T06:00:00Z"}},
    *({"customer": given} for given in ({"eq": "CUSTOMER"}, {"in": ["CUSTOMER"]})),
)
LISTS: tuple[tuple[str, str, tuple[Where, ...]], ...] = (
    ("customers", SERVICE, PEOPLE),
    ("customers", MARKETING, PEOPLE),
    ("customers", RIGHTS, PROFILES),
    ("customers", MARKETING, PROFILES),
    ("orders", SERVICE, ORDERS),
    ("products", SERVICE, PRODUCTS),
    ("interactions", SERVICE, INTERACTIONS),
)


@dataclass
class Literals:
    """Binds by number, and keeps the values as they are written in SQL."""

    types: list[str] = field(default_factory=list[str])
    values: list[str] = field(default_factory=list[str])

    def __call__(self, value: Any, cast: str, convert: Any = None) -> str:
        self.types.append(cast)
        self.values.append(_written(convert(value) if convert else value, cast))
        return f"${len(self.types)}::{cast}"


def _written(value: Any, cast: str) -> str:
    if value is None:
        return f"NULL::{cast}"
    if isinstance(value, list):
        items = ", ".join(literal(str(item)) for item in value)  # type: ignore[arg-type]  # of texts
        return f"ARRAY[{items}]::{cast}"
    return f"{literal(str(value))}::{cast}"


@dataclass(frozen=True)
class Asked:
    """A page that was asked for: what it took, and the big tables that were read whole."""

    schema: str
    list: str
    where: Where
    order: str
    mode: str
    milliseconds: float
    whole: frozenset[str]


async def measure(database: Database) -> list[Figure]:
    """The longest page of each list."""
    longest: dict[str, Asked] = {}
    async for page in asked(database):
        if page.list not in longest or page.milliseconds > longest[page.list].milliseconds:
            longest[page.list] = page
    return [_figure(page) for page in longest.values()]


def _figure(page: Asked) -> Figure:
    return Figure(
        name=f"longest page of {page.list}: {json.dumps(page.where)}, {page.order}, {page.schema}",
        value=page.milliseconds,
        unit="ms",
        reach=f"≤ {MILLISECONDS:.0f} ms",
    )


async def asked(database: Database) -> AsyncGenerator[Asked]:
    """Every list by each of its filters in each of its orders."""
    names = await _names(database)
    async with database.session("reader") as reader:
        for name, schema, wheres in LISTS:
            for where, key in itertools.product(wheres, CATALOGUES[name].orderings):
                statement = _statement(CATALOGUES[name], schema, _named(where, names), key)
                async for mode, milliseconds, whole in _plans(reader, statement):
                    yield Asked(schema, name, where, key, mode, milliseconds, whole)


def _named(where: Where, names: Mapping[str, str]) -> Where:
    text = json.dumps(where)
    for word, value in names.items():
        text = text.replace(word, value)
    return json.loads(text)


async def _names(database: Database) -> Mapping[str, str]:
    """The ids of one customer and one store that have orders."""
    query = 'SELECT customer_id, store_id FROM "order" LIMIT 1'
    row = await database.owner.fetchrow(query)
    assert row is not None
    return {"CUSTOMER": str(row["customer_id"]), "STORE": str(row["store_id"])}


@dataclass(frozen=True)
class _Statement:
    sql: str
    types: str
    values: str
    modes: tuple[str, ...]


def _statement(catalogue: Catalogue, schema: str, where: Where, key: str) -> _Statement:
    """With a plan for its values, and with one for any if it is to have that."""
    values, order = Literals(), catalogue.orderings[key]
    made = conditions.compile(
        catalogue, where, schema=schema, row="c", bind=values, order=order.column
    )
    way = " DESC" if order.descending else ""
    is_profiling = schema == MARKETING and PROFILED & {*made.categories, order.category}
    view = f"{catalogue.view}_profiled" if is_profiling else catalogue.view
    sql = (
        f'SELECT c.id FROM "{schema}"."{view}" c WHERE {made.sql}'
        f' ORDER BY c."{order.column}"{way}, c.id{way} LIMIT {PAGE}'
    )
    types = f"({', '.join(values.types)})" if values.types else ""
    given = f"({', '.join(values.values)})" if values.values else ""
    return _Statement(sql, types, given, ("custom",) if made.is_skewed else ("custom", "generic"))


async def _plans(
    reader: Connection, statement: _Statement
) -> AsyncGenerator[tuple[str, float, frozenset[str]]]:
    await reader.execute(f"PREPARE page{statement.types} AS {statement.sql}")
    for mode in statement.modes:
        await reader.execute(f"SET plan_cache_mode = force_{mode}_plan")
        yield mode, *await _explained(reader, f"EXECUTE page{statement.values}")
    await reader.execute("DEALLOCATE page")


async def _explained(reader: Connection, statement: str) -> tuple[float, frozenset[str]]:
    explain = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}"
    quickest, nodes = float("inf"), list[Mapping[str, Any]]()
    for n in range(PATIENCE):
        if n >= RUNS and quickest <= MILLISECONDS:
            break
        run = json.loads(await reader.fetchval(explain))[0]
        quickest, nodes = min(quickest, run["Execution Time"]), list(_nodes(run["Plan"]))
    whole = {n["Relation Name"] for n in nodes if n["Node Type"] == "Seq Scan"}
    return quickest, frozenset(whole - SMALL)


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
