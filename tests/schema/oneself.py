"""Somebody bound to a customer who asks the shop, and what would tell of anybody else."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from auth.principal import Principal
from hub.models import Base
from schema.request import Answer, Caller, Request
from tests.schema.whole import whole
from tests.shop import Shop

LAW = "data_subject_rights"
UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def bound(
    customer: UUID, purpose: str = LAW, scopes: frozenset[str] = frozenset({"privacy:self"})
) -> Caller:
    """A shop's front end that acts for one customer."""
    ends = datetime.now(UTC) + timedelta(minutes=10)
    principal = Principal(uuid4(), "front", scopes, (purpose,), ends, customer_id=customer)
    return Caller(principal, purpose)


async def ask(
    shop: Shop, who: str | UUID, query: str, variables: Mapping[str, Any] | None = None
) -> Answer:
    me = who if isinstance(who, UUID) else await shop.id(who)
    given = dict(variables) if variables is not None else None
    return await shop.engine.answer(Request(query=query, variables=given), bound(me))


async def data(shop: Shop, who: str | UUID, query: str, **variables: Any) -> Any:
    told = json.loads((await ask(shop, who, query, variables)).body)
    assert "errors" not in told, told["errors"]
    return told["data"]


async def code(shop: Shop, who: str | UUID, query: str, **variables: Any) -> str:
    told = json.loads((await ask(shop, who, query, variables)).body)
    return told["errors"][0]["extensions"]["code"]


HANGING = sorted(
    model.class_.__tablename__
    for model in Base.registry.mappers
    if "customer_id" in model.columns and model.class_.category is not None
)
"""The tables with a customer's id."""


async def foreign(shop: Shop, me: UUID) -> set[str]:
    """All ids in the hub but this customer's, of their things, and of what those lead to."""
    own, others = {str(me)}, set[str]()
    sql = """
        SELECT l.record_id AS id, l.customer_id FROM identity_link l WHERE unlinked_at IS NULL
        UNION ALL SELECT r.id, l.customer_id FROM source_record r
          JOIN identity_link l ON l.record_id = r.about_id AND l.unlinked_at IS NULL
        UNION ALL SELECT id, customer_id FROM "order"
        UNION ALL SELECT store_id, customer_id FROM "order"
        UNION ALL SELECT product_id, customer_id FROM order_line
        UNION ALL SELECT interaction_id, customer_id FROM interaction_participant
        UNION ALL SELECT id, customer_id FROM consent_entry
        UNION ALL SELECT alias_id, customer_id FROM customer_alias
        UNION ALL SELECT id, id FROM customer
        UNION ALL SELECT id, NULL FROM source_record
        UNION ALL SELECT id, NULL FROM product
        UNION ALL SELECT id, NULL FROM store"""
    for id_, customer in await shop.database.owner.fetch(sql):
        (own if customer == me else others).add(str(id_))
    return others - own


SAYING = ("customer", *(table for table in HANGING if table != "identity_link"))
"""The tables that hold what is said of people, where links only say why."""


async def words(shop: Shop, me: UUID) -> set[str]:
    """All texts, too long to be there by chance, in rows of others and in none of one's own."""
    own, others = set[str](), set[str]()
    for table in SAYING:
        key = "id" if table == "customer" else "customer_id"
        said = "to_jsonb(t) - '{purpose,type,state,status,data}'::text[]"  # words of ours
        sql = f'SELECT {key} = $1, {said} FROM "{table}" t'
        for is_own, row in await shop.database.owner.fetch(sql, me):
            (own if is_own else others).update(texts(json.loads(row)))
    mine = "\n".join(own)
    return {word for word in others if len(word) > 4 and word not in mine}


def seen(body: str) -> set[str]:
    """Every id in an answer, raw, in a global id or in a cursor."""
    found = set(UUIDS.findall(body))
    for text in re.findall(r'"([A-Za-z0-9+/]{40,}={0,2})"', body):
        found.update(UUIDS.findall(base64.b64decode(text + "==").decode(errors="replace")))
    return found


def texts(told: Any) -> Iterator[str]:
    """Every text in an answer, but for the names of fields."""
    match told:
        case str():
            yield told
        case dict():
            for inner in told.values():
                yield from texts(inner)
        case list():
            for inner in told:
                yield from texts(inner)
        case _:
            pass


async def demand_own(shop: Shop, me: UUID, answer: Answer) -> None:
    """See that an answer tells of nobody else."""
    body = answer.body.decode()
    found = seen(body) & await foreign(shop, me)
    assert not found, found
    told = {UUID(bytes=answer.people[at : at + 16]) for at in range(0, len(answer.people), 16)}
    assert told <= {me}
    told_texts = "\n".join(texts(json.loads(body)))
    leaked = {word for word in await words(shop, me) if word in told_texts}
    assert not leaked, leaked


ROOTS = ("customers", "orders", "products", "interactions", "purposes")
DEEP = "consentHistory sourceRecords sourceRecord"


def documents(shop: Shop) -> Iterator[str]:
    """Everything that can be asked for without knowing anything."""
    schema = shop.engine.core
    assert schema.query_type is not None
    for name in ROOTS:
        type_ = str(schema.query_type.fields[name].type).strip("[]!")
        yield f"{{ {name}(first: 20) {whole(schema, type_, 2)} }}"
        yield f"{{ {name}(first: 9) {whole(schema, type_, 3)} }}"
        yield f"{{ {name}(first: 4) {whole(schema, type_, 4, without='edges')} }}"
        yield f"{{ {name}(first: 3) {whole(schema, type_, 5, without=f'edges {DEEP} source')} }}"
