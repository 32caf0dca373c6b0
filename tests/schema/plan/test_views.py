"""The views that statements name: whole for everybody but who is bound to a customer."""

import re
from pathlib import Path

import pytest

from auth.scopes import SCOPES
from bench.questions import QUESTIONS, Question
from hub.db.views import Use
from hub.errors import Forbidden
from hub.models.base import CATEGORIES
from schema.build import build, core
from schema.plan.document import Document
from schema.plan.limits import Limits
from schema.plan.plan import Planner
from schema.plan.sight import OF_ONESELF, Sight
from schema.plan.statement import Draft
from schema.plan.views import OPEN, Narrowed, Whole
from tests.proofs.matrix import CHOICES
from tests.schema.whole import whole

SCHEMA = core(build())
EVERYTHING = frozenset(CATEGORIES) - {"open"}
SERVICE = Use("customer_service", "contract", 0, EVERYTHING, None)
LAW = Use("data_subject_rights", "legal_obligation", 9, EVERYTHING, None)
STATEMENTS = Path(__file__).with_name("unbound.sql")
"""What the four questions of the bench are compiled to for who is not bound: to be read in full
when it changes, since what was measured is these."""
NAMED = re.compile(r'(.{24})"for_data_subject_rights"\."?(\w+)"?(.{0,40})')
OWN_ROWS = re.compile(
    r'.*(?:t\.\*|t\."unlinked_at") FROM \S+ t WHERE '
    r'|.* \S+ ([a-z]) WHERE \1\."customer_id" = \$'
    r'|.* FROM \S+ o JOIN "for_|.* JOIN \S+ l ON l\."order_id" = o\.'
)
"""What stands around a view of which only one customer's rows are read."""
FUNCTION = "category_of"
ROOTS = {
    "customers": "CustomerConnection",
    "orders": "OrderConnection",
    "products": "ProductConnection",
    "interactions": "InteractionConnection",
    "purposes": "Purpose",
}


def compiled(text: str, sight: Sight, **variables: str) -> str:
    operation = Document(SCHEMA, text, Limits(cost=10_000_000)).operation(None)
    plan = Planner(SCHEMA, sight, "RU").plan(operation, operation.coerced(variables))
    return "\n".join(statement.sql for statement in plan.statements.values())


def sql(question: Question, sight: Sight) -> str:
    return compiled(question.document, sight, **{question.variable: "x"})


def test_the_unbound_are_not_slowed_down() -> None:
    everybody = Sight(SERVICE, frozenset(SCOPES))
    found = [f"-- {q.name}: {q.title}\n{sql(q, everybody)}\n" for q in QUESTIONS]
    assert "\n".join(found) == STATEMENTS.read_text()


ASKED = [*CHOICES, *(f"{name} {whole(SCHEMA, type_, 3)}" for name, type_ in ROOTS.items())]


@pytest.mark.parametrize("asked", ASKED)
def test_whoever_is_bound_reads_nothing_whole(asked: str) -> None:
    text = asked if "__typename" in asked else f"{asked} {{ __typename }}"
    oneself = Sight(LAW, OF_ONESELF, is_bound=True)
    read = NAMED.findall(compiled(f"{{ {text} }}", oneself))
    assert read
    whole_ones = {
        table for before, table, after in read if not OWN_ROWS.match(f"{before}{table}{after}")
    }
    assert whole_ones <= OPEN | {FUNCTION}


def test_the_customer_is_bound_once() -> None:
    draft = Draft()
    views = Narrowed("for_data_subject_rights", draft.me)
    texts = [views[table] for table in ("order", "event", "customer", "interaction")]
    assert all("$1::uuid" in text and "$2" not in text for text in texts)
    (take,) = draft.statement("").arguments
    assert take({"#customer": 7}) == 7


@pytest.mark.parametrize("table", ["integration", "sync_run", "oauth_client", "nonsense"])
def test_what_is_nobodys_own_is_not_read(table: str) -> None:
    with pytest.raises(Forbidden):
        Narrowed("for_data_subject_rights", Draft().me)[table]


def test_no_template_has_the_schema_itself() -> None:
    """One that named a view in the old way would read it whole."""
    for views in (Whole("for_x"), Narrowed("for_x", Draft().me)):
        assert '"for_x"."order"' not in f'"{views}"."order"'
