"""Where each customer is named in the chains, looked up a little after the entries were written."""

from hub.db.connection import Connection

LOCK = 0x6875625F6D656E74
"""Advisory lock of the one who looks ("hub_ment")."""
TRY = f"SELECT pg_try_advisory_xact_lock({LOCK})"
MOST_ENTRIES, MOST_PEOPLE = 2_000, 5_000
"""Of one round: it is over soon, and stands in nobody's way."""
NEXT = """
SELECT c.id, c.mentioned FROM audit_chain c
 WHERE EXISTS (SELECT FROM audit_entry e WHERE e.chain_id = c.id AND e.number > c.mentioned)
 ORDER BY c.began_at LIMIT 1
"""
UNTIL = f"""
SELECT max(number) FROM (
    SELECT number, row_number() OVER w AS place, sum(length(people)) OVER w AS bytes
      FROM (SELECT number, people FROM audit_entry WHERE chain_id = $1 AND number > $2
             ORDER BY number LIMIT {MOST_ENTRIES}) n
    WINDOW w AS (ORDER BY number)
) m WHERE place = 1 OR bytes <= {16 * MOST_PEOPLE}
"""
MENTION = """
INSERT INTO audit_mention (customer_id, chain_id, number)
SELECT DISTINCT encode(substring(e.people FROM 16 * n + 1 FOR 16), 'hex')::uuid, $1::uuid, e.number
  FROM (SELECT number, people || ''::bytea AS people FROM audit_entry
         WHERE chain_id = $1 AND number > $2 AND number <= $3 OFFSET 0) e,
       generate_series(0, length(e.people) / 16 - 1) n
ON CONFLICT DO NOTHING
"""
"""People are put together anew (`|| ''`): out of a value stored elsewhere each piece would be cut
by reading all of it."""
REACHED = "UPDATE audit_chain SET mentioned = $2 WHERE id = $1"


async def look(connection: Connection) -> bool:
    """Look at some entries, in a transaction; whether there may be more.

    One does so at a time: False for the others.
    """
    if not await connection.fetchval(TRY):
        return False
    found = await connection.fetchrow(NEXT)
    if found is None:
        return False
    chain, mentioned = found
    until: int = await connection.fetchval(UNTIL, chain, mentioned)
    await connection.execute(MENTION, chain, mentioned, until)
    await connection.execute(REACHED, chain, until)
    return True
