"""Very many people who want letters, made by the database itself in a minute."""

from hub.db.connection import Connection

MAKE = """
CREATE TEMP TABLE one ON COMMIT DROP AS
SELECT n, gen_random_uuid() AS record, gen_random_uuid() AS customer, gen_random_uuid() AS said
  FROM generate_series(1, {number}) AS n;
INSERT INTO source (key, kind) VALUES ('crowd', 'file');
INSERT INTO source_record (id, source_id, type, external_id)
SELECT record, (SELECT id FROM source WHERE key = 'crowd'), 'customer', n::text FROM one;
INSERT INTO customer (id, founder_id, display_name, given_name, family_name, city, granted)
SELECT customer, record, 'Person ' || n, 'Person', 'Of ' || n, 'City ' || n % 100,
       1::bigint << (SELECT bit FROM purpose WHERE key = 'email_marketing') FROM one;
INSERT INTO identity_link (record_id, customer_id, method, rule_version)
SELECT record, customer, 'founder', '1' FROM one;
INSERT INTO identifier_value (type, value, holders)
SELECT 'email', 'person' || n || '@example.com', 1 FROM one;
INSERT INTO identifier (record_id, type, value, stated_by_id, customer_id)
SELECT record, 'email', 'person' || n || '@example.com', record, customer FROM one;
INSERT INTO consent_entry (id, statement_id, record_id, customer_id, purpose, state, channel,
                           method, document, version, evidence, given_at)
SELECT said, said, record, customer, 'email_marketing', 'granted', '', 'form', '', '', '',
       '2026-03-01T00:00:00Z' FROM one;
INSERT INTO consent_state (customer_id, purpose, state)
SELECT customer, 'email_marketing', 'granted' FROM one;
"""
TABLES = ("source_record", "customer", "identity_link", "identifier", "identifier_value")


async def gather(connection: Connection, number: int) -> None:
    """Make them: each with an address and a consent."""
    async with connection.transaction():
        await connection.execute(MAKE.format(number=number))
    for table in (*TABLES, "consent_entry", "consent_state"):
        await connection.execute(f"VACUUM ANALYZE {table}")
