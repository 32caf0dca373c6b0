"""Whatever somebody bound to a customer asks, they hear of nobody else."""

import pytest
from graphql import DocumentNode, print_ast, print_schema, visit
from hypothesis import event, given
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from schema.request import Outcome, Request
from tests.properties.test_both_ways import SETTLED, THINGS, Tame, global_id, schema
from tests.properties.test_identity import shared_database
from tests.schema.oneself import bound, demand_own
from tests.shop import Shop

ROOTS = "viewer customer customers orders products interactions purposes node".split()
CONTACTS = ("boris@example.org", "anna@example.com", "+79001234500", "7001", "Petrov", "Ёлкина")
documents: st.SearchStrategy[DocumentNode] = queries(
    print_schema(schema()),
    fields=ROOTS,
    custom_scalars={
        "DateTime": st.just(nodes.String("2026-03-01T12:00:00Z")),
        "Date": st.sampled_from(["1991-11-03", "1980-05-17"]).map(nodes.String),
        "Decimal": st.decimals(-10, 10, places=2).map(nodes.String),
        "JSON": st.integers(-5, 5).map(nodes.Int),
        "String": st.sampled_from(CONTACTS).map(nodes.String),
    },
    print_ast=lambda document: document,
    allow_null=False,
)


@pytest.mark.parametrize("who", ["anna", "boris"])
@shared_database
@given(document=documents)
async def test_generated_documents_tell_of_nobody_else(
    shop: Shop, who: str, document: DocumentNode
) -> None:
    ids = [
        global_id(type_name, row["id"])
        for type_name, sql in THINGS.items()
        for row in (await shop.database.owner.fetch(sql))[:5]
    ]
    query = print_ast(visit(document, Tame(ids)))
    me = await shop.id(who)
    answer = await shop.engine.answer(Request(query=query), bound(me))
    event(answer.outcome.name)
    assert answer.outcome in SETTLED, query
    if answer.outcome is Outcome.OK:
        await demand_own(shop, me, answer)
