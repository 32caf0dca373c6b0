"""A base to read from, made in SQL: customers with contact points, orders, products, interactions.

The same for the same size. Nothing of it went through intake, so it is there in a minute; what
intake keeps in step (links, copies of the customer, sums) is made to fit.
"""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from bench.people import CITIES, FAMILY, GIVEN, LINES
from hub.db.connection import Connection
from hub.transfer import attributes
from hub.transfer.mapping import AttributeMap

SIZE = 200_000


@dataclass(frozen=True, slots=True)
class Shape:
    """How much hangs on each customer."""

    orders: int = 5
    lines: int = 3
    interactions: int = 5


WHOLE = Shape()
TABLES = (
    *("source_record", "customer", "identity_link", "identifier", "tag", "attribute", "product"),
    *("store", "order", "order_line", "interaction", "interaction_participant", "address"),
    "consent_state",
)
PRODUCTS = 5_000
STORES = 40

ID = """
CREATE FUNCTION pg_temp.id(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
SELECT (lpad(to_hex(1767225600000 + n), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8000'
        || lpad(to_hex((n * 2654435761) & 281474976710655), 12, '0'))::uuid $$;
CREATE FUNCTION pg_temp.spread(n bigint, salt int, most int) RETURNS int
LANGUAGE sql IMMUTABLE AS $$
SELECT ((hashint8(n * 131 + salt)::bigint + 2147483648) % most)::int $$;
CREATE FUNCTION pg_temp.pick(words text[], n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT words[1 + n % cardinality(words)] $$;
"""
"""Ids that sort by number, numbers without a pattern, and words in turn."""

PERSON, ORDER, INTERACTION, PRODUCT, STORE, CUSTOMER = range(1, 7)

SOURCES = "INSERT INTO source (key, kind) VALUES ('crm', 'file'), ('shop', 'file'), ('pbx', 'file')"

DECLARED = {
    "level": AttributeMap(),
    "score": AttributeMap(type="number"),
    "renewal": AttributeMap(type="date"),
    "points": AttributeMap(type="number"),
}


def _source(key: str) -> str:
    return f"(SELECT id FROM source WHERE key = '{key}')"


def _records(kind: int, type: str, source: str, about: str = "NULL") -> str:
    return f"""
INSERT INTO source_record (id, source_id, type, external_id, about_id, payload, hash, observed_at)
SELECT pg_temp.id({kind}, n), {_source(source)}, '{type}', n::text, {about}, '{{}}', '\\x00',
       '2026-01-01'::timestamptz + n * interval '1 s'
  FROM generate_series(1, $1::bigint) n
"""


def _about(per_person: int) -> str:
    return f"pg_temp.id({PERSON}, 1 + (n - 1) / {per_person})"


CUSTOMERS = f"""
INSERT INTO customer (id, founder_id, display_name, given_name, family_name, birth_date, gender,
                      locale, city, granted, refused, created_at, updated_at)
SELECT pg_temp.id({CUSTOMER}, n), pg_temp.id({PERSON}, n), given || ' ' || family, given, family,
       CASE WHEN n % 5 > 0 THEN date '1940-01-01' + pg_temp.spread(n, 1, 25000) END,
       CASE WHEN n % 10 > 0 THEN pg_temp.pick(ARRAY['female', 'male'], n) END, 'en',
       CASE WHEN n % 8 > 0 THEN pg_temp.pick($2::text[], pg_temp.spread(n, 2, 1000)) END,
       CASE WHEN n % 10 < 6 THEN (1 << 2) | (1 << 3) | (1 << 6) | (1 << 8) ELSE 0 END,
       CASE WHEN n % 50 = 0 THEN 2
            WHEN n % 10 IN (6, 7) THEN (1 << 2) | (1 << 3) | (1 << 6) ELSE 0 END,
       '2024-01-01'::timestamptz + n * interval '5 min',
       '2025-01-01'::timestamptz + pg_temp.spread(n, 3, 30000000) * interval '1 s'
  FROM generate_series(1, $1::bigint) n,
       LATERAL (SELECT pg_temp.pick($3::text[], pg_temp.spread(n, 4, 100000)) AS given,
                       pg_temp.pick($4::text[], pg_temp.spread(n, 5, 100000))
                       || pg_temp.pick($5::text[], pg_temp.spread(n, 6, 100000)) AS family) names
"""
ENDINGS = ("", "son", "ova", "sky", "berg", "ini", "eau", "mann", "ić", "ёв")

LINKS = """
INSERT INTO identity_link (record_id, customer_id, method, rule_version)
SELECT founder_id, id, 'founder', '1' FROM customer
"""

IDENTIFIERS = f"""
INSERT INTO identifier (record_id, type, value, stated_by_id, customer_id)
SELECT pg_temp.id({PERSON}, n), i.type, i.value, pg_temp.id({PERSON}, n), pg_temp.id({CUSTOMER}, n)
  FROM generate_series(1, $1::bigint) n, LATERAL (VALUES
       ('email', 'person' || n || '@example.com'),
       ('phone', pg_temp.pick($2::text[], n / 10000) || lpad((n % 10000)::text, 4, '0')),
       ('loyalty_card', 'CARD' || lpad(n::text, 8, '0'))) AS i (type, value)
"""

ADDRESSES = f"""
INSERT INTO address (record_id, stated_by_id, position, customer_id, kind, text, street, city,
                     region, postcode, country)
SELECT pg_temp.id({PERSON}, n), pg_temp.id({PERSON}, n), 1, pg_temp.id({CUSTOMER}, n), 'home', '',
       'Long Street ' || n % 300, pg_temp.pick($2::text[], n), '', lpad((n % 99999)::text, 5, '0'),
       'GB'
  FROM generate_series(1, $1::bigint) n
"""

TAGS = f"""
INSERT INTO tag (record_id, tag, stated_by_id, customer_id)
SELECT pg_temp.id({PERSON}, n), t.tag, pg_temp.id({PERSON}, n), pg_temp.id({CUSTOMER}, n)
  FROM generate_series(1, $1::bigint) n, LATERAL (VALUES
       ('loyal', n % 5), ('vip', n % 100), ('press', n % 20000), ('known', 0), ('app', n % 2),
       ('club', pg_temp.spread(n, 9, 10)), ('staff', pg_temp.spread(n, 10, 1000))) AS t (tag, rest)
 WHERE t.rest = 0
"""

TAGGED = """
UPDATE customer c SET tags = t.tags
  FROM (SELECT customer_id, array_agg(tag ORDER BY tag) AS tags FROM tag GROUP BY 1) t
 WHERE c.id = t.customer_id
"""

ATTRIBUTED = """
UPDATE customer c SET attributes = jsonb_build_object('profile', a.them)
  FROM (SELECT customer_id, jsonb_object_agg(key, value) AS them FROM attribute GROUP BY 1) a
 WHERE c.id = a.customer_id
"""

ATTRIBUTES = f"""
INSERT INTO attribute (record_id, key, stated_by_id, customer_id, value)
SELECT pg_temp.id({PERSON}, n), a.key, pg_temp.id({PERSON}, n), pg_temp.id({CUSTOMER}, n), a.value
  FROM generate_series(1, $1::bigint) n, LATERAL (VALUES
       ('level', to_jsonb(pg_temp.pick(ARRAY['tin', 'silver', 'gold'], n)), n % 2),
       ('score', to_jsonb(pg_temp.spread(n, 7, 100000) / 10.0), n % 4),
       ('renewal', to_jsonb((date '2026-01-01' + pg_temp.spread(n, 8, 700))::text), n % 3),
       ('points', to_jsonb(pg_temp.spread(n, 11, 100000) / 10.0), 0)
       ) AS a (key, value, rest)
 WHERE a.rest = 0
"""

CONSENTS = """
INSERT INTO consent_state (customer_id, purpose, state)
SELECT c.id, p.key, CASE WHEN c.granted & (1::bigint << p.bit) <> 0 THEN 'granted'
                         WHEN p.basis = 'consent' THEN 'denied' ELSE 'objected' END
  FROM customer c JOIN purpose p ON (c.granted | c.refused) & (1::bigint << p.bit) <> 0
"""
"""As the bits of the customers have it: three each on average. There is no ledger behind them."""

THINGS = (
    f"""
INSERT INTO product (id, source_id, external_id, name, sku, brand, category, price, currency)
SELECT pg_temp.id({PRODUCT}, n), {_source("shop")}, n::text,
       pg_temp.pick($2::text[], pg_temp.spread(n, 1, 1000)) || ' tea no. ' || n, 'SKU' || n,
       'Brand ' || n % 60, 'Category ' || n % 25, 100 + n % 900, 'RUB'
  FROM generate_series(1, $1::bigint) n
""",
    f"""
INSERT INTO store (id, source_id, external_id, name, city)
SELECT pg_temp.id({STORE}, n), {_source("shop")}, n::text, 'Shop ' || n,
       pg_temp.pick($2::text[], n)
  FROM generate_series(1, $1::bigint) n
""",
)

ORDERS = f"""
INSERT INTO "order" (id, source_id, external_id, record_id, customer_id, store_id, number, status,
                     channel, ordered_at, currency, total)
SELECT pg_temp.id({ORDER}, n), {_source("shop")}, n::text, pg_temp.id({PERSON}, p),
       pg_temp.id({CUSTOMER}, p), pg_temp.id({STORE}, 1 + pg_temp.spread(n, 1, {STORES})),
       'N' || n, CASE WHEN n % 5000 = 0 THEN 'lost'
                      ELSE pg_temp.pick(ARRAY['paid', 'paid', 'sent', 'returned'], n) END,
       pg_temp.pick(ARRAY['web', 'store', 'app'], pg_temp.spread(n, 2, 3000)),
       '2023-01-01'::timestamptz + pg_temp.spread(n, 3, 110000000) * interval '1 s', 'RUB',
       pg_temp.spread(n, 4, 5000000) / 100.0
  FROM generate_series(1, $1::bigint) n, LATERAL (SELECT 1 + (n - 1) / $2::bigint AS p) whose
 WHERE p % 10 > 0
"""

ORDER_LINES = f"""
INSERT INTO order_line (order_id, position, customer_id, product_id, name, quantity, unit_price,
                        total)
SELECT o.id, k, o.customer_id, pg_temp.id({PRODUCT}, 1 + pg_temp.spread(hashtext(o.number) + k, 1,
       {PRODUCTS})), '', 1, 100, 100
  FROM "order" o, generate_series(1, $1::int) k
"""

LAST_ORDERED = """
UPDATE customer c SET last_ordered_at = o.last
  FROM (SELECT customer_id, max(ordered_at) AS last FROM "order" GROUP BY 1) o
 WHERE o.customer_id = c.id
"""

INTERACTIONS = f"""
INSERT INTO interaction (id, source_id, external_id, kind, direction, started_at, subject, text)
SELECT pg_temp.id({INTERACTION}, n), {_source("pbx")}, n::text,
       CASE WHEN n % 20000 = 0 THEN 'review'
            ELSE pg_temp.pick(ARRAY['call', 'call', 'email', 'visit'], n) END,
       pg_temp.pick(ARRAY['in', 'out', NULL], n),
       '2023-01-01'::timestamptz + pg_temp.spread(n, 5, 110000000) * interval '1 s',
       'About order ' || n, ''
  FROM generate_series(1, $1::bigint) n
"""

PARTICIPANTS = f"""
INSERT INTO interaction_participant (interaction_id, position, record_id, customer_id, role)
SELECT pg_temp.id({INTERACTION}, n), 1, pg_temp.id({PERSON}, p), pg_temp.id({CUSTOMER}, p), 'caller'
  FROM generate_series(1, $1::bigint) n, LATERAL (SELECT 1 + (n - 1) / $2::bigint AS p) whose
"""


async def fill(connection: Connection, size: int = SIZE, *, shape: Shape = WHOLE) -> None:
    """Fill an empty, migrated database. The connection is the owner's, outside a transaction."""
    await connection.execute(ID)
    await attributes.declare(connection, DECLARED)
    async with connection.transaction(), _bare(connection):
        await connection.execute(SOURCES)
        await _people(connection, size)
        await _trade(connection, size, shape)
        await _behaviour(connection, size, shape)
    await connection.execute("VACUUM FULL customer")  # was updated as a whole, again and again
    for table in TABLES:
        await connection.execute(f'VACUUM ANALYZE "{table}"')


async def _people(connection: Connection, size: int) -> None:
    await connection.execute(_records(PERSON, "customer", "crm"), size)
    names = (list(CITIES), list(GIVEN), list(FAMILY), list(ENDINGS))
    await connection.execute(CUSTOMERS, size, *names)
    await connection.execute(LINKS)
    await connection.execute(IDENTIFIERS, size, list(LINES))
    await connection.execute(ADDRESSES, size, list(CITIES))
    await connection.execute(TAGS, size)
    await connection.execute(TAGGED)
    await connection.execute(ATTRIBUTES, size)
    await connection.execute(ATTRIBUTED)
    await connection.execute(CONSENTS)


async def _trade(connection: Connection, size: int, shape: Shape) -> None:
    orders = size * shape.orders
    await connection.execute(_records(PRODUCT, "product", "shop"), PRODUCTS)
    await connection.execute(_records(STORE, "store", "shop"), STORES)
    await connection.execute(_records(ORDER, "order", "shop", _about(shape.orders)), orders)
    for statement, count, words in zip(
        THINGS, (PRODUCTS, STORES), (list(FAMILY), list(CITIES)), strict=True
    ):
        await connection.execute(statement, count, words)
    await connection.execute(ORDERS, orders, shape.orders)
    await connection.execute(ORDER_LINES, shape.lines)
    await connection.execute(LAST_ORDERED)


async def _behaviour(connection: Connection, size: int, shape: Shape) -> None:
    count = size * shape.interactions
    await connection.execute(_records(INTERACTION, "interaction", "pbx"), count)
    await connection.execute(INTERACTIONS, count)
    await connection.execute(PARTICIPANTS, count, shape.interactions)


INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
  FROM pg_index WHERE indrelid = ANY($1::regclass[]) AND NOT indisunique
"""
REFERENCES = """
SELECT conrelid::regclass::text AS of, quote_ident(conname) AS name,
       pg_get_constraintdef(oid) AS definition
  FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY($1::regclass[])
"""


@contextlib.asynccontextmanager
async def _bare(connection: Connection) -> AsyncGenerator[None]:
    """Without indexes and references, which are quicker made at the end."""
    tables: Sequence[str] = [f'"{table}"' for table in TABLES]
    indexes = await connection.fetch(INDEXES, tables)
    references = await connection.fetch(REFERENCES, tables)
    for row in references:
        await connection.execute(f"ALTER TABLE {row['of']} DROP CONSTRAINT {row['name']}")
    for row in indexes:
        await connection.execute(f"DROP INDEX {row['name']}")
    yield
    for row in indexes:
        await connection.execute(row["definition"])
    for row in references:
        definition = f"{row['name']} {row['definition']}"
        await connection.execute(f"ALTER TABLE {row['of']} ADD CONSTRAINT {definition}")
