"""What lists are read by: sort keys, search, and an index for each order and filter."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

NAMES = " || ' ' || ".join(
    f"left(coalesce({name}, ''), 200)" for name in ("given_name", "family_name", "middle_name")
)
PRODUCT = " || ' ' || ".join(f"left(coalesce({name}, ''), 200)" for name in ("name", "brand"))
LETTERS = """Ёё!"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~"""
SPACES = "ее" + " " * 32

LAST_ORDERED = """
UPDATE customer c SET last_ordered_at = o.ordered_at
  FROM (SELECT customer_id, max(ordered_at) AS ordered_at FROM "order" GROUP BY customer_id) o
 WHERE c.id = o.customer_id
"""

LINES_CUSTOMER = """
UPDATE order_line l SET customer_id = o.customer_id FROM "order" o
 WHERE o.id = l.order_id AND o.customer_id IS NOT NULL
"""

TAGGED = """
UPDATE customer c SET tags = t.tags
  FROM (SELECT customer_id, array_agg(DISTINCT tag ORDER BY tag) AS tags
          FROM tag GROUP BY customer_id) t
 WHERE c.id = t.customer_id
"""


ATTRIBUTED = """
UPDATE customer c SET attributes = o.all_of_it
  FROM (SELECT customer_id, jsonb_object_agg(category, them) AS all_of_it
          FROM (SELECT customer_id, category, jsonb_object_agg(key,
                       CASE jsonb_array_length(found) WHEN 1 THEN found -> 0 ELSE found END) AS them
                  FROM (SELECT a.customer_id, d.category, a.key,
                               jsonb_agg(DISTINCT CASE WHEN length(a.value #>> '{}') <= 200
                                                       THEN a.value ELSE 'null' END) AS found
                          FROM attribute a JOIN attribute_definition d ON d.key = a.key
                         GROUP BY 1, 2, 3) v
                 GROUP BY 1, 2) w
         GROUP BY 1) o
 WHERE c.id = o.customer_id
"""

ATTRIBUTE_INDEXES = """
DO $$
DECLARE d record;
BEGIN
    FOR d IN SELECT format('(attributes -> %L -> %L)', category, key) AS value,
                    'customer_attribute_'
                    || left(encode(sha256(convert_to(key, 'UTF8')), 'hex'), 16) AS name
               FROM attribute_definition LOOP
        EXECUTE format('CREATE INDEX ix_%1$s ON customer (%2$s) WHERE %2$s IS NOT NULL',
                       d.name, d.value);
        EXECUTE format('CREATE STATISTICS %s ON %s FROM customer', d.name, d.value);
        EXECUTE format('ALTER STATISTICS %s SET STATISTICS 400', d.name);
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.add_column(
        "customer",
        sa.Column(
            "last_ordered_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("TIMESTAMPTZ '1000-01-01T00:00:00Z'"),
            nullable=False,
        ),
    )
    op.execute(LAST_ORDERED)
    # Most ordered lately: finer statistics tell the few who did not for a long time.
    op.execute("ALTER TABLE customer ALTER COLUMN last_ordered_at SET STATISTICS 400")
    op.add_column("customer", sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=True))
    op.execute(TAGGED)
    op.add_column("customer", sa.Column("attributes", postgresql.JSONB(), nullable=True))
    op.execute(ATTRIBUTED)
    op.execute(ATTRIBUTE_INDEXES)
    _widen_key()
    made("customer", sort_name="display_name", search=NAMES)
    made("product", sort_name="name", search=PRODUCT)
    index("customer", "created_at", "id")
    index("customer", "updated_at", "id")
    index("customer", "last_ordered_at", "id")
    index("customer", "sort_name", "id")
    city = sa.text("left(city, 200)")
    index("customer", city, "created_at", "id", name="ix_customer_city")
    index("customer", "birth_date")
    index("customer", "gender")
    index(
        "customer",
        "tags",
        postgresql_using="gin",
        postgresql_where=sa.text("tags IS NOT NULL"),
    )
    index(
        "customer",
        "search",
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 256},
    )
    index(
        "identifier",
        sa.literal_column("reverse(value)").label("phone_end"),
        name="ix_identifier_phone_end",
        postgresql_ops={"phone_end": "text_pattern_ops"},
        postgresql_where=sa.text("type = 'phone'"),
    )
    op.drop_index("ix_tag_tag", "tag")
    op.drop_index("ix_tag_customer_id", "tag")
    index("tag", "tag", "customer_id")
    index("tag", "customer_id", "tag")
    op.add_column("consent_entry", sa.Column("superseded_by", sa.Uuid(), nullable=True))
    _index_trade()
    op.add_column("order_line", sa.Column("customer_id", sa.Uuid(), nullable=True))
    op.execute(LINES_CUSTOMER)
    # Lest the planner take lines of an order and of its customer for a rare meeting.
    op.execute(
        "CREATE STATISTICS order_line_customer (dependencies)"
        " ON order_id, customer_id FROM order_line"
    )
    index("interaction", "started_at", "id")
    index("interaction", "kind", "started_at", "id")
    index("interaction", "direction", "started_at", "id")


def _widen_key() -> None:
    """Let the key of customers hold what the purposes' rules ask of them."""
    referring = ("consent_state", "customer_alias", "identity_link")
    op.execute("ALTER TABLE customer DROP CONSTRAINT pk_customer CASCADE")
    op.execute(
        "ALTER TABLE customer ADD CONSTRAINT pk_customer PRIMARY KEY (id)"
        " INCLUDE (status, erased_at, restricted_at, granted, refused)"
    )
    for table in referring:
        name = op.f(f"fk_{table}_customer_id")
        op.create_foreign_key(name, table, "customer", ["customer_id"], ["id"])


def _index_trade() -> None:
    index("product", "sort_name", "id")
    index("product", sa.text("left(name, 200)"), name="ix_product_name")
    index("product", sa.text("left(sku, 200)"), name="ix_product_sku")
    for column in ("brand", "category"):
        start = sa.text(f"left({column}, 200)")
        index("product", start, "sort_name", "id", name=f"ix_product_{column}")
    index("product", "search", postgresql_using="gin")
    index("order", "ordered_at", "id")
    index("order", "store_id", "ordered_at", "id")
    index("order", "source_id", "ordered_at", "id")
    for column in ("status", "channel"):
        start = sa.text(f"left({column}, 200)")
        index("order", start, "ordered_at", "id", name=f"ix_order_{column}")
    index("order", sa.text("left(number, 200)"), name="ix_order_number")
    index("order", "total")
    # Of a source the planner knows the key only: let it take the index that has all its orders
    # in order, and not read through everybody's because one source has nearly all of them.
    op.execute('ALTER TABLE "order" ALTER COLUMN source_id SET (n_distinct = 1000)')


def made(table: str, *, sort_name: str, search: str) -> None:
    """Add the columns that are made of a table's names."""
    sorting = f"left(translate(lower({sort_name}), 'Ёё', 'ее'), 200)"
    words = f"to_tsvector('simple', translate(lower({search}), '{LETTERS}', '{SPACES}'))"
    for name, kind, text in (
        ("sort_name", sa.Text(), sorting),
        ("search", postgresql.TSVECTOR(), words),
    ):
        computed = sa.Computed(text, persisted=True)
        op.add_column(table, sa.Column(name, kind, computed, nullable=False))


def index(table: str, *columns: object, name: str | None = None, **options: object) -> None:
    """An index, named as the models name theirs unless it is over an expression."""
    named = name or op.f(f"ix_{table}_{'_'.join(map(str, columns))}")
    op.create_index(named, table, list(columns), unique=False, **options)  # type: ignore[arg-type]  # names and texts
