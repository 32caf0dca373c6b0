"""Every field and choice × every set of scopes × every purpose × every state of consent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from hub.db import views
from hub.errors import Refused
from schema.plan.document import Document, Operation
from schema.plan.limits import Limits
from schema.plan.plan import Plan, Planner
from schema.plan.sight import Sight
from schema.plan.statement import Statement
from schema.scalars import global_id
from tests.proofs.conftest import Tell
from tests.proofs.matrix import NOBODY, PURPOSES, Need, faults
from tests.proofs.states import STATES, seen, token
from tests.proofs.test_matrix import SCHEMA, SETS, caller, documents
from tests.shop import Shop, customer_id

ALWAYS = {"#since": 0, "#until": 1 << 40}
"""Of events all there are."""
WHOLE = ("{ customers { ", "{ orders { ", "{ interactions { ", "{ customers(orderBy")
WHOLE += ("{ orders(orderBy", "{ interactions(orderBy")
"""Lists of everybody there is: who is not in them is not seen."""


@dataclass(frozen=True)
class Asked:
    """A document, about one person where it names one."""

    text: str
    need: Need
    operation: Operation

    @classmethod
    def of(cls, text: str, need: Need) -> "Asked":
        if NOBODY in text:
            text = f"query ($who: ID!) {text.replace(NOBODY, '$who')}"
        return cls(text, need, Document(SCHEMA, text, Limits(cost=10_000_000)).operation(None))

    @property
    def names_somebody(self) -> bool:
        return "$who" in self.text

    @property
    def is_whole(self) -> bool:
        return self.text.startswith(WHOLE)

    def variables(self, who: UUID) -> dict[str, str]:
        return {"who": global_id("Customer", who)} if self.names_somebody else {}


def planned(
    use: views.Use, scopes: frozenset[str], asked: Asked, ids: Mapping[str, UUID]
) -> tuple[Plan | None, str]:
    """The plan, or the code of what is refused."""
    try:
        sight = Sight.of(use, caller(use.key, scopes).principal)
        values = asked.operation.coerced(asked.variables(ids["granted"]))
        return Planner(SCHEMA, sight, "RU").plan(asked.operation, values), ""
    except Refused as refused:
        return None, refused.code


Found = tuple[set[UUID], bytes]
"""The people in an answer, and its text."""


async def found(shop: Shop, statements: Sequence[Statement], variables: dict[str, Any]) -> Found:
    ids, text = set[UUID](), b""
    for statement in statements:
        bound = statement.bound({**variables, **ALWAYS})
        for row in await shop.database.reader.fetch(statement.sql, *bound):
            told = row["people"] or b""
            ids |= {UUID(bytes=told[at : at + 16]) for at in range(0, len(told), 16)}
            text += row["data"] or b""
    return ids, text


def complaint(asked: Asked, purpose: str, who: str, ids: Mapping[str, UUID], answer: Found) -> str:
    """What is wrong with an answer: somebody in it who may not be, or missing who should be."""
    people, text = answer
    allowed = seen(purpose, asked.need)
    names = {state for state, id_ in ids.items() if id_ in people}
    hidden = [state for state in STATES if state not in allowed and token(state).encode() in text]
    if hidden or names - allowed:
        return f"shows {sorted({*hidden, *names} - allowed)}"
    if asked.names_somebody and (who in names) is not (who in allowed):
        return f"lacks {who}"
    return f"lacks {sorted(allowed - names)}" if asked.is_whole and names != allowed else ""


@pytest.mark.slow
@pytest.mark.parametrize("purpose", list(PURPOSES))
async def test_each_field_in_each_state(everybody: Shop, tell: Tell, purpose: str) -> None:
    owner = everybody.database.owner
    ids = {state: await customer_id(owner, state) for state in STATES}
    (use,) = [use for use in await everybody.database.retrying(views.uses) if use.key == purpose]
    asked_for = [Asked.of(text, need) for text, need in documents()]
    cells, wrong, told = 0, list[tuple[object, ...]](), dict[object, str]()
    for scopes in map(frozenset, SETS):
        for asked in asked_for:
            plan, code = planned(use, scopes, asked, ids)
            if code not in (faults(asked.need, purpose, scopes) or {""}):
                wrong.append((asked.text, sorted(scopes), code))
            statements = [s for s in plan.statements.values() if not s.watches] if plan else []
            for who in STATES:
                cells += 1
                key = (asked.text, who * asked.names_somebody, *(s.sql for s in statements))
                if key not in told:
                    values = asked.operation.coerced(asked.variables(ids[who])).coerced
                    answer = await found(everybody, statements, dict(values))
                    told[key] = (statements and complaint(asked, purpose, who, ids, answer)) or ""
                if told[key]:
                    wrong.append((asked.text, who, sorted(scopes), told[key]))
    tell(f"{purpose}: {cells:,} cells, {len(told):,} different ones asked, {len(wrong)} wrong")
    assert not wrong, wrong[:5]
