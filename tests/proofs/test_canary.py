"""What goes wrong in our own code shows nobody who did not agree: the database has no such row.

People in every state of consent carry a word of their own in all that is known of them; whatever is
asked, the words of those who may not be seen come nowhere.
"""

import contextlib
import itertools
import json
import re
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from hub.db import views
from hub.db.engine import Database
from hub.errors import Refused
from schema.plan import mapping
from schema.plan.mapping import Leaf
from schema.plan.plan import Planner
from schema.plan.sight import Sight
from schema.request import Request
from tests.proofs.conftest import Tell
from tests.proofs.matrix import ALL, NOTHING, PURPOSES, chosen
from tests.proofs.states import STATES, seen, token
from tests.proofs.test_matrix import SCHEMA, caller, documents
from tests.proofs.test_states import ALWAYS, Asked
from tests.shop import Shop, customer_id

pytestmark = pytest.mark.slow
VIEWS = "SELECT viewname FROM pg_views WHERE schemaname = $1"


def hidden(purpose: str, *, profiled: bool = False) -> list[str]:
    """Whose words may not be seen."""
    allowed = seen(purpose, chosen("trade") if profiled else NOTHING)
    return [state for state in STATES if state not in allowed]


async def strangers(everybody: Shop, purpose: str) -> tuple[int, list[tuple[str, str]]]:
    """How many rows the views of a purpose hold, read by the reader without any condition; and who
    is in which, who may not be."""
    reader, rows, found = everybody.database.reader, 0, list[tuple[str, str]]()
    ids = {state: str(await customer_id(everybody.database.owner, state)) for state in STATES}
    for (name,) in await reader.fetch(VIEWS, f"for_{purpose}"):
        read = await reader.fetch(f'SELECT v::text FROM for_{purpose}."{name}" v')
        text = "\n".join(row[0] for row in read)
        rows += len(read)
        for state in hidden(purpose, profiled=name.endswith("_profiled")):
            if token(state) in text or ids[state] in text:
                found.append((name, state))
    return rows, found


@pytest.mark.parametrize("purpose", list(PURPOSES))
async def test_no_view_holds_anybody_else(everybody: Shop, purpose: str, tell: Tell) -> None:
    rows, found = await strangers(everybody, purpose)
    assert found == []
    text = await whole(everybody, purpose)
    assert {state for state in STATES if token(state) in text} == seen(purpose, NOTHING)
    tell(f"{purpose}: {rows} rows")


async def test_the_canary_sings(everybody: Shop) -> None:
    """A view without a rule is found out."""
    owner, role = everybody.database.owner, everybody.database.reader_role
    sql = 'CREATE VIEW for_analytics.careless AS SELECT t.* FROM public."order" t'
    await owner.execute(f'{sql}; GRANT SELECT ON for_analytics.careless TO "{role}"')
    _, found = await strangers(everybody, "analytics")
    assert {*found} == {("careless", state) for state in hidden("analytics")}


async def whole(everybody: Shop, purpose: str) -> str:
    """All that is in three views, one of which names people for each purpose."""
    found: list[str] = []
    for name in ("customer", "order", "attribute"):
        sql = f'SELECT v::text FROM for_{purpose}."{name}" v'
        with contextlib.suppress(asyncpg.UndefinedTableError):
            found += [row[0] for row in await everybody.database.reader.fetch(sql)]
    return "\n".join(found)


BLUNDERS = {
    "no condition holds": lambda sql: sql.replace(" WHERE ", " WHERE true OR "),
    "profiling is forgotten": lambda sql: sql.replace('_profiled"', '"'),
    "inner joins are crossed": lambda sql: re.sub(r"= t\.\"id\"", "IS NOT NULL", sql),
    "nothing is limited": lambda sql: re.sub(r" LIMIT (\d+|\$\d+::int)", "", sql),
}


@pytest.mark.parametrize("purpose", list(PURPOSES))
async def test_a_wrong_plan_shows_nobody_else(everybody: Shop, purpose: str, tell: Tell) -> None:
    """Every statement that there is for a purpose, each spoiled in every way."""
    (use,) = [use for use in await everybody.database.retrying(views.uses) if use.key == purpose]
    planner = Planner(SCHEMA, Sight.of(use, caller(purpose, ALL).principal), "RU")
    anybody, tried, failed = await customer_id(everybody.database.owner, "granted"), 0, 0
    for (text, need), spoil in itertools.product(documents(), BLUNDERS.values()):
        asked = Asked.of(text, need)
        for sql, arguments in planned(planner, asked, anybody):
            tried += 1
            found = await spoiled(everybody.database, spoil(sql), arguments)
            failed += found is None
            for state in hidden(purpose) if found else ():
                assert token(state) not in (found or ""), (text, state)
    tell(f"{purpose}: {tried:,} spoiled statements, {failed:,} fail, none shows anybody else")
    assert failed < tried


def planned(planner: Planner, asked: Asked, who: UUID) -> list[tuple[str, list[Any]]]:
    values = asked.operation.coerced(asked.variables(who))
    try:
        statements = planner.plan(asked.operation, values).statements.values()
    except Refused:
        return []
    variables = {**values.coerced, **ALWAYS}
    return [(s.sql, s.bound(variables)) for s in statements if not s.watches]


async def spoiled(database: Database, sql: str, arguments: list[Any]) -> str | None:
    """What a spoiled statement tells; None where the database does not take it."""
    numbers = {int(number) for number in re.findall(r"\$(\d+)", sql)}
    missing = [n for n in range(1, len(arguments) + 1) if n not in numbers]
    if missing:
        return None
    async with database.reader.acquire() as connection:
        try:
            return str([bytes(row[0] or b"") for row in await connection.fetch(sql, *arguments)])
        except asyncpg.PostgresError:
            return None


def misread(monkeypatch: pytest.MonkeyPatch, shop: Shop, sql: str) -> None:
    """Let the field of a name be read by other SQL than it should."""
    field = shop.engine.core.type_map["Customer"].fields["displayName"]  # type: ignore[attr-defined]  # an object
    known = field.extensions["strawberry-definition"]
    monkeypatch.setattr(known, "metadata", {mapping.READ: Leaf(sql, ("display_name",))})


STRAYS = [
    "(SELECT string_agg(x.given_name, ',') FROM public.customer x)",
    "(SELECT string_agg(x.given_name, ',') FROM customer x)",
    "(SELECT string_agg(x.given_name, ',') FROM for_data_subject_rights.customer x)",
    '(SELECT string_agg(x.given_name, \',\') FROM "for_customer_service"."customer" x)',
    "(SELECT string_agg(x.value, ',') FROM public.identifier x)",
    "(SELECT string_agg(x::text, ',') FROM public.consent_entry x)",
    "(SELECT string_agg(x.reason, ',') FROM gone_x.customer x)",
    '({t}."family_name")::int::text',
    '(SELECT (x."family_name")::int::text FROM {v[customer]} x LIMIT 1)',
    "pg_read_file('/etc/passwd')",
    "(SELECT string_agg(x.value, ',') FROM {v[identifier]} x)",
    "(SELECT string_agg(x.given_name, ',') FROM {v[customer]} x)",
]


@pytest.mark.parametrize("sql", STRAYS)
async def test_a_wrong_resolver_shows_nobody_else(
    everybody: Shop, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], sql: str
) -> None:
    """Nor does what the database says when it refuses, in the answer or in the log."""
    misread(monkeypatch, everybody, sql)
    query = Request(query="{ customers(first: 50) { nodes { displayName } } }")
    answer = await everybody.engine.answer(query, caller("email_marketing", ALL))
    said = answer.body.decode() + "".join(capfd.readouterr())
    for state in hidden("email_marketing"):
        assert token(state) not in said, state
    body = json.loads(answer.body)
    if "errors" in body:
        assert "zz" not in said
        (error,) = body["errors"]
        assert error["extensions"]["code"] in {"INTERNAL_SERVER_ERROR", "BAD_USER_INPUT"}
    else:
        assert "{v[" in sql


async def test_what_a_failure_says_stays_inside(
    everybody: Shop, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A condition that fails on the rows of people who may not be seen names them: not to us."""
    sql = "SELECT family_name::int FROM for_email_marketing.customer"
    with pytest.raises(asyncpg.PostgresError) as raised:
        await everybody.database.reader.fetch(sql)
    assert "zz" in str(raised.value)
    misread(monkeypatch, everybody, '({t}."family_name")::int')
    query = Request(query="{ customers { nodes { displayName } } }")
    answer = await everybody.engine.answer(query, caller("email_marketing", ALL))
    assert b"BAD_USER_INPUT" in answer.body
    assert "zz" not in answer.body.decode() + "".join(capfd.readouterr())


TABLES = """
SELECT format('SELECT * FROM %I.%I', n.nspname, c.relname) FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^(pg_|for_|information_schema)' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
"""
FUNCTIONS = """
SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname !~ '^(pg_|for_|information_schema)'
   AND has_function_privilege($1, p.oid, 'EXECUTE')
"""


async def test_the_reader_reads_no_table_at_all(everybody: Shop, tell: Tell) -> None:
    owner, reader = everybody.database.owner, everybody.database.reader
    found = [row[0] for row in await owner.fetch(TABLES)]
    for sql in found:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch(sql)
    assert await owner.fetch(FUNCTIONS, everybody.database.reader_role) == []
    tell(f"{len(found)} tables and sequences refused")


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE public.mine AS SELECT * FROM for_customer_service.customer",
        "CREATE TABLE for_customer_service.mine ()",
        "CREATE TEMP TABLE mine ()",
        "CREATE TEMP VIEW mine AS SELECT 1",
        "CREATE SCHEMA mine",
        "SELECT lo_create(0)",
        "SELECT lo_creat(-1)",
        "SELECT lo_from_bytea(0, 'mine')",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION pg_temp.mine(text) RETURNS bool LANGUAGE sql AS 'SELECT true'",
        "UPDATE for_customer_service.customer SET given_name = ''",
        "DELETE FROM for_customer_service.order",
        "INSERT INTO for_customer_service.customer (id) VALUES (gen_random_uuid())",
        "COPY for_customer_service.customer TO '/tmp/people'",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "ALTER ROLE CURRENT_USER SUPERUSER",
    ],
)
async def test_the_reader_makes_nothing(everybody: Shop, sql: str) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await everybody.database.reader.execute(sql)
