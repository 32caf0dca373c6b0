"""What a request comes to before anything is read: its document, its plan, its variables and cost.

Documents and plans are kept, and forgotten when the purposes change.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLSchema, VariableValues

from hub.config import Settings
from schema.plan.cache import Cache
from schema.plan.document import Document, Faulty, Operation, fault
from schema.plan.limits import Limits
from schema.plan.plan import Plan, Planner
from schema.plan.run import Reader
from schema.plan.sight import Sight
from schema.plan.views import CUSTOMER
from schema.request import Caller, Request
from schema.trusted import Trusted

KEPT = 10_000_000
"""Bytes of documents that are kept, besides the trusted ones."""
PLANS = 6_000_000
"""Bytes of plans that are kept: each of an operation for a sight and a shape of its variables."""
SIGHTS = 2_000


@dataclass(slots=True)
class Prepared:
    """A request that may run: its plan and its variables."""

    operation: Operation
    given: dict[str, Any] | None
    values: VariableValues
    plan: Plan
    cost: int

    @property
    def variables(self) -> Mapping[str, Any]:
        return self.values.coerced


class Plans:
    """Documents and plans, made when first asked for."""

    def __init__(
        self, core: GraphQLSchema, reader: Reader, settings: Settings, trusted: Trusted
    ) -> None:
        self.core = core
        self.limits = Limits(cost=settings.graphql_max_cost)
        self._reader = reader
        self._region = settings.phone_region
        self._trusted = trusted
        self._pinned: Mapping[str, Document] = {}
        self._documents: Cache[Document] = Cache(KEPT)
        self._plans: Cache[Plan] = Cache(PLANS)
        self._planners: dict[Hashable, Planner] = {}

    def figures(self) -> Mapping[str, float]:
        """How well they are kept, for the metrics."""
        return {
            "documents_hit": self._documents.hits,
            "documents_missed": self._documents.misses,
            "plans_hit": self._plans.hits,
            "plans_missed": self._plans.misses,
        }

    async def prepare(self) -> None:
        """Learn the purposes, and read the trusted documents so that their first use is quick."""
        await self._reader.learn()
        self._pinned = {
            text: Document(self.core, text, self.limits) for text in self._trusted.texts
        }

    async def forget(self) -> None:
        """Compile everything anew: the purposes or their views are not what they were."""
        await self._reader.learn()
        self._plans.clear()
        self._planners.clear()

    def operation(self, request: Request) -> Operation:
        """What a request wants done. Raises Faulty."""
        text = self._trusted.text(request)
        return self._document(text).operation(request.operation_name)

    def _document(self, text: str) -> Document:
        pinned = self._pinned.get(text)
        if pinned is not None:
            return pinned
        return self._documents.found(
            text, lambda: Document(self.core, text, self.limits), lambda made: made.weight
        )

    def prepared(
        self,
        operation: Operation,
        given: dict[str, Any] | None,
        caller: Caller,
        *,
        typed: bool = False,
    ) -> Prepared:
        """An operation that may run, with the variables that were given. Raises Faulty, Refused."""
        values = operation.coerced(given)
        shape = operation.shape(values.coerced)
        plan = self._plans.found(
            (operation.number, _sight(caller), shape, typed),
            lambda: self._compiled(operation, values, caller, typed=typed),
            lambda made: made.weight,
        )
        cost = plan.cost(values.coerced)
        if cost > self.limits.cost:
            raise fault(
                "COST_TOO_HIGH",
                f"This costs {cost} and may cost {self.limits.cost}: ask for shorter lists.",
            )
        return Prepared(operation, given, _for(caller, values), plan, cost)

    def renew(self, prepared: Prepared, caller: Caller) -> None:
        """Compile it again, for the views that there are now; what it costs was paid."""
        operation = prepared.operation
        values = operation.coerced(prepared.given)
        prepared.plan = self._compiled(operation, values, caller, typed=False)

    def planner(self, caller: Caller) -> Planner:
        """What plans for callers who may see the same."""
        key = _sight(caller)
        if key not in self._planners:
            if len(self._planners) > SIGHTS:
                self._planners.clear()
            sight = Sight.of(self._reader.use(caller.purpose), caller.principal)
            self._planners[key] = Planner(self.core, sight, self._region)
        return self._planners[key]

    def _compiled(
        self, operation: Operation, values: VariableValues, caller: Caller, *, typed: bool
    ) -> Plan:
        try:
            return self.planner(caller).plan(operation, values, typed=typed)
        except GraphQLError as error:
            raise Faulty("BAD_USER_INPUT", [error]) from None


def _sight(caller: Caller) -> Hashable:
    """All of a caller that decides what they may see; who is bound sees what others bound do."""
    principal = caller.principal
    return caller.purpose, principal.scopes, principal.customer_id is not None


def _for(caller: Caller, values: VariableValues) -> VariableValues:
    """The variables, with the customer whom the caller is bound to."""
    customer = caller.principal.customer_id
    if customer is None:
        return values
    return VariableValues(values.sources, {**values.coerced, CUSTOMER: customer})
