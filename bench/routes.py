"""What the hub's reads are held against: servers with the same answers, each run as a process.

`views` and `tables` are routes as one would write them by hand for just these four questions, with
no token and no document: SQL that builds the JSON, over the purpose's views or over the tables
themselves. `executor` is the hub, but every document goes through Strawberry's executor.
"""

import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args
from uuid import UUID

import asyncpg
import click
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.tokens import Tokens
from bench import store
from hub import collecting
from hub.app import opened
from hub.cli import serving
from hub.config import Settings
from hub.db import codecs
from hub.db.connection import Connection, Pool
from hub.feed import Feed
from hub.web import server
from hub.web.asgi import Application
from hub.web.figures import Figures
from schema import engine as engines
from schema import request as asked
from schema.build import build
from schema.request import Answer, Caller
from schema.trusted import Trusted

Kind = Literal["views", "tables", "executor"]
PURPOSE = "customer_service"
SCHEMAS: Mapping[str, str] = {"views": f"for_{PURPOSE}", "tables": "public"}


def _id(type_name: str, row: str) -> str:
    return f"encode(convert_to('{type_name}:' || {row}.id, 'UTF8'), 'base64')"


def _time(sql: str) -> str:
    return f"to_char({sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"


def _money(row: str, column: str, order: str) -> str:
    return (
        f"(SELECT row_to_json(m) FROM (SELECT {row}.{column}::text AS amount,"
        f" {order}.currency AS currency) m)"
    )


def _listed(select: str) -> str:
    return f"(SELECT coalesce(json_agg(l), '[]') FROM ({select}) l)"


IDENTIFIERS = """
SELECT DISTINCT ON (i.type, i.value) upper(i.type) AS type, i.value{more} FROM {s}.identifier i
 WHERE i.customer_id = c.id ORDER BY i.type, i.value, i.verified DESC, i.record_id LIMIT 100
"""
LINES = f"""
SELECT n.name, n.quantity::text AS quantity, {_money("n", "total", "o")} AS total
  FROM {{s}}.order_line n WHERE n.order_id = o.id AND n.customer_id = c.id
 ORDER BY n.position LIMIT 500
"""
ORDERS = f"""
SELECT {_id("Order", "o")} AS id, o.number, {_time("o.ordered_at")} AS "orderedAt",
       {_money("o", "total", "o")} AS total, {_listed(LINES)} AS lines
  FROM {{s}}."order" o WHERE o.customer_id = c.id ORDER BY o.ordered_at DESC, o.id DESC LIMIT {{n}}
"""
CONSENTS = """
SELECT (SELECT row_to_json(k) FROM (SELECT p.key, p.title FROM {s}.purpose p
         WHERE p.key = a.purpose) k) AS purpose, upper(a.state) AS state
  FROM {s}.consent_state a WHERE a.customer_id = c.id ORDER BY a.purpose LIMIT 100
"""


def _nodes(select: str) -> str:
    return f"(SELECT row_to_json(p) FROM (SELECT {_listed(select)} AS nodes) p)"


BY_ID = f"""
SELECT row_to_json(x) FROM (
SELECT {_id("Customer", "c")} AS id, c.display_name AS "displayName", c.given_name AS "givenName",
       c.family_name AS "familyName", c.birth_date AS "birthDate", upper(c.gender) AS gender,
       c.locale, c.city, {_time("c.created_at")} AS "createdAt",
       {_time("c.updated_at")} AS "updatedAt",
       {_listed(IDENTIFIERS.replace("{more}", ", i.verified"))} AS identifiers,
       {_nodes(ORDERS.replace("{n}", "10"))} AS orders, {_listed(CONSENTS)} AS consents
  FROM {{s}}.customer c
 WHERE c.id = coalesce((SELECT customer_id FROM {{s}}.customer_alias WHERE alias_id = $1), $1)
) x
"""
BY_CITY = """
{{s}}.customer c WHERE left(c.city, 200) = left($1, 200) ORDER BY c.created_at, c.id LIMIT {n}
"""
OF_CITY = f"""
SELECT {_id("Customer", "c")} AS id, c.display_name AS "displayName", c.given_name AS "givenName",
       c.family_name AS "familyName", c.birth_date AS "birthDate", c.locale, c.city,
       {_time("c.updated_at")} AS "updatedAt",
       {_listed(IDENTIFIERS.replace("{more}", ""))} AS identifiers
  FROM {BY_CITY.format(n=50)}
"""
THEIR_ORDERS = f"""
SELECT {_id("Customer", "c")} AS id, c.display_name AS "displayName",
       {_nodes(ORDERS.replace("{n}", "5"))} AS orders
  FROM {BY_CITY.format(n=20)}
"""
BY_EMAIL = f"""
SELECT row_to_json(x) FROM (
SELECT {_id("Customer", "c")} AS id, c.display_name AS "displayName", c.given_name AS "givenName",
       c.family_name AS "familyName", c.birth_date AS "birthDate", c.city,
       {_time("c.updated_at")} AS "updatedAt",
       {_listed(IDENTIFIERS.replace("{more}", ""))} AS identifiers
  FROM {{s}}.customer c
 WHERE c.id = (SELECT (array_agg(customer_id))[1] FROM {{s}}.identifier
                WHERE type = 'email' AND value = $1
               HAVING (array_agg(customer_id))[1] = ALL (array_agg(customer_id)))
) x
"""


def _page(select: str) -> str:
    return f"SELECT row_to_json(x) FROM (SELECT {_listed(select)} AS nodes) x"


def _plain(value: str) -> str:
    return value


def _folded(value: str) -> str:
    return value.strip().lower()


BY_HAND: Mapping[str, tuple[str, str, Callable[[str], Any]]] = {
    "Q1": ("customer", BY_ID, UUID),
    "Q2": ("customers", _page(OF_CITY), _plain),
    "Q3": ("customers", _page(THEIR_ORDERS), _plain),
    "Q4": ("customer", BY_EMAIL, _folded),
}
"""The field of the answer, the statement, and what is made of the text in the path."""


def _route(pool: Pool, question: str, schema: str) -> Route:
    key, template, read = BY_HAND[question]
    sql, head = template.format(s=schema), b'{"data":{"%s":' % key.encode()

    async def answer(request: Request) -> Response:
        value = read(request.path_params["value"])
        async with pool.acquire() as connection:
            data = await connection.fetchval(sql, value)
        return Response(head + (data or b"null") + b"}}", media_type="application/json")

    return Route(f"/{question}/{{value}}", answer)


@contextlib.asynccontextmanager
async def _by_hand(settings: Settings, kind: str) -> AsyncGenerator[Application]:
    async with opened(settings) as app:
        addresses = app.database.addresses
        address = addresses.reader if kind == "views" else addresses.direct
        async with asyncpg.create_pool(
            address, min_size=0, max_size=8, init=codecs.install, reset=_nothing
        ) as pool:
            routes = [_route(pool, question, SCHEMAS[kind]) for question in BY_HAND]
            site = Starlette(routes=routes)
            collecting.settle()
            yield site  # type: ignore[misc]  # an ASGI application, in Starlette's own words


async def _nothing(_: Connection) -> None:
    """The connections only read: there is nothing to undo."""


class Executor(engines.Engine):
    """The hub's engine, which compiles the same statements but leaves the answer to Strawberry."""

    async def answer(
        self, request: asked.Request, caller: Caller, *, only_reads: bool = False
    ) -> Answer:
        return await self.executed(self.prepared(request, caller, typed=True), caller)


@contextlib.asynccontextmanager
async def _executed(settings: Settings) -> AsyncGenerator[Application]:
    async with opened(settings) as app:
        made = Executor(
            build(), app.database, settings, feed=Feed(app.database), trusted=Trusted("off", {})
        )
        await made.prepare()
        site = serving.site(app, made, Tokens(app.database), Figures())
        collecting.settle()
        yield site


@click.command()
@click.argument("kind", type=click.Choice(get_args(Kind)))
@click.option("--data-dir", type=click.Path(path_type=Path), required=True)
@click.option("--port", type=int, required=True)
def main(kind: Kind, *, data_dir: Path, port: int) -> None:
    """Serve until SIGTERM, as `hub serve` is configured."""
    settings = store.settings(data_dir).model_copy(update={"port": port})
    opening = (
        partial(_executed, settings) if kind == "executor" else partial(_by_hand, settings, kind)
    )
    server.run(lambda: server.Lived(opening), settings, server.bound(settings))


if __name__ == "__main__":
    main()
