"""The two login roles: what the reader may not do, how to see it, and the statements that mend it.

The owner holds the tables. The reader may read the purpose views and nothing else, so that a query
that forgets about consent returns nobody. The owner is a member of the reader, so that it can step
into its shoes (`SET LOCAL ROLE`) for the answer to a write.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Record

    from hub.db.connection import Connection

SUPERUSER = "postgres"
OWNER = "hub_owner"
READER = "hub_reader"
DATABASE = "hub"
READER_TIMEOUT = "30s"
"""The longest a statement of the reader may run."""
TUNING = {
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "seq_page_cost": "0.1",
    "random_page_cost": "0.1",
}


def identifier(name: str) -> str:
    """A name, quoted for SQL."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def literal(value: str) -> str:
    """A text, quoted for SQL and for postgresql.conf."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def creation(owner: str, reader: str, *, version: int) -> Iterator[str]:
    """Make both login roles and tie them; for a superuser, on a server that has neither."""
    yield f"CREATE ROLE {identifier(owner)} LOGIN"
    yield f"CREATE ROLE {identifier(reader)} LOGIN"
    yield membership(owner, reader, version=version)
    yield timeout(reader)
    yield from tuning(reader)


def membership(owner: str, reader: str, *, version: int) -> str:
    """Let the owner step into the reader's shoes; PostgreSQL 16 began to ask for it by name."""
    suffix = " WITH INHERIT FALSE, SET TRUE" if version >= 16 else ""
    return f"GRANT {identifier(reader)} TO {identifier(owner)}{suffix}"


def timeout(reader: str) -> str:
    """Bound the reader's statements."""
    return f"ALTER ROLE {identifier(reader)} SET statement_timeout = '{READER_TIMEOUT}'"


def tuning(reader: str) -> Iterator[str]:
    """Let the reader's statements be planned for what they are: short, and many at a time.

    Starting parallel workers or compiling takes longer than a page does (measured: 8 ms). Pages of
    the database are in memory, so to visit one costs little more than to look at a row of it: else
    12,000 rows in the right order seem as cheap as 800 out of it (measured: 9 ms against 0.4).
    """
    for name, value in TUNING.items():
        yield f"ALTER ROLE {identifier(reader)} SET {name} = {value}"


def restriction(database: str, reader: str) -> Iterator[str]:
    """Let only owner and reader into a database, and nobody but the owner make temporary tables.

    Privileges on a database are not copied with a template: each copy needs these again.
    """
    yield f"REVOKE ALL ON DATABASE {identifier(database)} FROM PUBLIC, {identifier(reader)}"
    yield f"GRANT CONNECT ON DATABASE {identifier(database)} TO {identifier(reader)}"


def enclosure(owner: str) -> Iterator[str]:
    """Inside the hub's database: nobody else creates anything or calls the owner's functions."""
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield no_functions(owner)


def no_large_objects() -> str:
    """Keep everybody from making large objects, which no right on tables or schemas is asked for;
    for a superuser, in the hub's database.
    """
    return f"REVOKE EXECUTE ON FUNCTION {', '.join(_MAKING)} FROM PUBLIC"


_MAKING = (
    "pg_catalog.lo_creat(integer)",
    "pg_catalog.lo_create(oid)",
    "pg_catalog.lo_from_bytea(oid, bytea)",
)


def no_functions(owner: str) -> str:
    """Keep functions that the owner will make from everybody else."""
    return (
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(owner)}"
        " REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"
    )


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it must be, and the statements that mend it."""

    message: str
    statements: Sequence[str]
    is_fatal: bool = True


async def problems(
    connection: "Connection", reader: str, *, ours: Collection[str] = ()
) -> Sequence[Problem]:
    """What is wrong with the reader, seen by the owner in the hub's database.

    `ours`: the bodies of functions with the owner's rights that the purposes' schemas are made of.
    """
    facts = await connection.fetchrow(_FACTS, reader)
    version = connection.get_server_version().major
    owner: str = await connection.fetchval("SELECT current_user")
    if facts is None:
        return [_missing(owner, reader, version=version)]
    return [
        *_powers(facts, reader),
        *_ties(facts, owner, reader, version=version),
        *await _rights(connection, owner, reader, ours),
    ]


def _missing(owner: str, reader: str, *, version: int) -> Problem:
    return Problem(
        f"The reader's login role {reader} does not exist.",
        [
            f"CREATE ROLE {identifier(reader)} LOGIN PASSWORD '...'",
            membership(owner, reader, version=version),
            timeout(reader),
            *tuning(reader),
        ],
    )


_FACTS = f"""
SELECT r.rolcanlogin, r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb AS powerful,
       current_database() AS database,
       has_database_privilege(r.oid, current_database(), 'TEMP') AS may_temp,
       has_database_privilege(r.oid, current_database(), 'CREATE') AS may_create,
       has_database_privilege(r.oid, current_database(), 'CONNECT') AS may_connect,
       pg_has_role(current_user, r.oid, CASE
           WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END
       ) AS is_tied,
       has_function_privilege(r.oid, 'pg_catalog.lo_create(oid)', 'EXECUTE') AS may_make_objects,
       ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
             WHERE m.member = r.oid ORDER BY 1) AS memberships,
       EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) entry
               WHERE s.setrole = r.oid AND entry LIKE 'statement_timeout=%') AS is_bounded,
       ARRAY(SELECT split_part(entry, '=', 1)
               FROM pg_db_role_setting s, unnest(s.setconfig) entry WHERE s.setrole = r.oid)
       @> ARRAY[{", ".join(map(literal, TUNING))}] AS is_tuned
  FROM pg_roles r WHERE r.rolname = $1
"""


def _powers(facts: "Record", reader: str) -> Iterator[Problem]:
    name, database = identifier(reader), identifier(facts["database"])
    if not facts["rolcanlogin"]:
        yield Problem(f"{reader} may not log in.", [f"ALTER ROLE {name} LOGIN PASSWORD '...'"])
    if facts["powerful"]:
        yield Problem(
            f"{reader} has powers beyond reading.",
            [f"ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB"],
        )
    if facts["may_temp"] or facts["may_create"]:
        yield Problem(
            f"{reader} may create temporary tables or schemas.",
            [f"REVOKE TEMPORARY, CREATE ON DATABASE {database} FROM PUBLIC, {name}"],
        )
    if facts["may_make_objects"]:
        yield Problem(
            f"{reader} may make large objects (empty ones); a superuser can take that away.",
            [no_large_objects() + ";"],
            is_fatal=False,
        )
    if not facts["may_connect"]:
        yield Problem(
            f"{reader} may not connect to the database.",
            [f"GRANT CONNECT ON DATABASE {database} TO {name}"],
        )


def _ties(facts: "Record", owner: str, reader: str, *, version: int) -> Iterator[Problem]:
    if not facts["is_tied"]:
        yield Problem(
            f"{owner} is not a member of {reader}, so writes can not answer.",
            [membership(owner, reader, version=version)],
        )
    for group in facts["memberships"]:
        yield Problem(
            f"{reader} is a member of {group}, whose rights it has too.",
            [f"REVOKE {identifier(group)} FROM {identifier(reader)}"],
        )
    if not facts["is_bounded"]:
        yield Problem(
            f"Statements of {reader} may run for ever.", [timeout(reader)], is_fatal=False
        )
    if not facts["is_tuned"]:
        yield Problem(
            f"Statements of {reader} are not planned for short answers.",
            list(tuning(reader)),
            is_fatal=False,
        )


_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v', 'S')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
   AND NOT (c.relkind = 'v' AND starts_with(n.nspname, 'for_'))
   AND CASE c.relkind WHEN 'S'
       THEN has_sequence_privilege($1, c.oid, 'USAGE, SELECT, UPDATE')
       ELSE has_any_column_privilege($1, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
            OR has_table_privilege($1, c.oid, 'DELETE, TRUNCATE, TRIGGER') END
 ORDER BY 1
"""
_SCHEMAS = """
SELECT n.nspname FROM pg_namespace n
 WHERE n.nspname !~ '^pg_' AND has_schema_privilege($1, n.oid, 'CREATE') ORDER BY 1
"""
_FUNCTIONS = """
SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner
 WHERE o.rolname = current_user AND has_function_privilege($1, p.oid, 'EXECUTE')
   AND p.pronamespace <> 'pg_catalog'::regnamespace
   AND NOT (starts_with(p.pronamespace::regnamespace::text, 'for_')
            AND (NOT p.prosecdef OR p.prosrc = ANY($2::text[])))
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
   AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = $1)
 ORDER BY 1
"""
"""Those of the purposes' schemas run with the reader's own rights, so they open nothing, but for
some that tell no more than they are made to.
"""


async def misses_views(connection: "Connection", reader: str) -> bool:
    """Whether there is a purpose whose views the reader may not use."""
    return await connection.fetchval(_MISSING, reader)


_MISSING = """
SELECT EXISTS (
    SELECT FROM pg_namespace n, pg_roles r
     WHERE starts_with(n.nspname, 'for_') AND r.rolname = $1
       AND NOT has_schema_privilege(r.oid, n.oid, 'USAGE'))
"""


async def _rights(
    connection: "Connection", owner: str, reader: str, ours: Collection[str]
) -> Sequence[Problem]:
    return [
        *_on_tables(reader, await _column(connection, _TABLES, reader)),
        *_on_schemas(reader, await _column(connection, _SCHEMAS, reader)),
        *_on_functions(owner, reader, await _column(connection, _FUNCTIONS, reader, [*ours])),
    ]


async def _column(connection: "Connection", query: str, *arguments: object) -> Sequence[str]:
    return [row[0] for row in await connection.fetch(query, *arguments)]


def _on_tables(reader: str, tables: Sequence[str]) -> Iterator[Problem]:
    if tables:
        yield Problem(
            f"{reader} has rights on {_some(tables)}, past the purpose views.",
            [f"REVOKE ALL ON {table} FROM PUBLIC, {identifier(reader)}" for table in tables],
        )


def _on_schemas(reader: str, schemas: Sequence[str]) -> Iterator[Problem]:
    if schemas:
        names = ", ".join(identifier(schema) for schema in schemas)
        yield Problem(
            f"{reader} may create things in {_some(schemas)}.",
            [f"REVOKE CREATE ON SCHEMA {names} FROM PUBLIC, {identifier(reader)}"],
        )


def _on_functions(owner: str, reader: str, functions: Sequence[str]) -> Iterator[Problem]:
    if functions:
        names = ", ".join(functions)
        yield Problem(
            f"{reader} may call {_some(functions)}.",
            [
                f"REVOKE EXECUTE ON FUNCTION {names} FROM PUBLIC, {identifier(reader)}",
                no_functions(owner),
            ],
        )


def _some(names: Sequence[str]) -> str:
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + rest
