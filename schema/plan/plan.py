"""The plan of an operation: its statements, what is told without asking, and what it costs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graphql import GraphQLObjectType, GraphQLSchema, VariableValues

from schema.plan import introspection, local
from schema.plan.asking import Ask, asked
from schema.plan.compile import nested, statement
from schema.plan.cost import Cost
from schema.plan.document import Operation
from schema.plan.introspection import META
from schema.plan.mapping import Asked, Chosen, Local, read_of
from schema.plan.rows import Nodes, Rows
from schema.plan.selection import Selector
from schema.plan.sight import Sight
from schema.plan.statement import Statement

INTROSPECTION_WEIGHT = 50_000
"""Bytes that a plan with introspection may keep alive: its document."""
Told = Callable[[Any, VariableValues], Any]
"""What makes a value of who asks and of the variables."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`statements`, `told` and `asked` by response key; `keys` has all of them in order."""

    keys: Sequence[str]
    statements: Mapping[str, Statement]
    told: Mapping[str, Told]
    asked: Mapping[str, Ask]
    costs: Sequence[Cost]
    fixed: int | None

    @property
    def weight(self) -> int:
        """Bytes of memory that it takes (measured)."""
        introspective = sum(INTROSPECTION_WEIGHT for key in self.keys if key not in self.statements)
        return 2_000 + introspective + sum(3 * len(s.sql) for s in self.statements.values())

    def cost(self, variables: Mapping[str, Any]) -> int:
        """What it costs with these variables."""
        if self.fixed is not None:
            return self.fixed
        return sum(cost.of(variables) for cost in self.costs)


@dataclass(frozen=True, slots=True)
class Planner:
    """Compiles operations for one sight. `region`: of telephone numbers without a country."""

    schema: GraphQLSchema
    sight: Sight
    region: str

    def plan(self, operation: Operation, values: VariableValues, *, typed: bool = False) -> Plan:
        """The plan of a query or subscription for variables of one shape.

        Raises Refused for what may not be had, BadInput for values that can not be used.
        """
        root = _root(self.schema, operation)
        selected = self.selector(operation, values).within(root, [operation.node.selection_set])
        statements: dict[str, Statement] = {}
        told: dict[str, Told] = {}
        asks: dict[str, Ask] = {}
        costs: list[Cost] = []
        for key, nodes in selected.items():
            name = nodes[0].name.value
            if name == "__typename":
                told[key] = _constant(root.name)
            elif name in META:
                told[key] = self._introspected(operation, nodes, len(selected))
            else:
                read = read_of(root.fields[name])
                if isinstance(read, Local):
                    told[key] = self._local(operation, values, root, read, nodes)
                elif isinstance(read, Asked):
                    selector = self.selector(operation, values)
                    asks[key] = asked(self.sight, selector, read, root.fields[name], nodes)
                    costs.append(Cost())
                else:
                    assert read is not None  # noqa: S101 - mutations are not planned
                    rows = self._rows(operation, values, typed=typed)
                    made, cost = statement(rows, read, root.fields[name], nodes, region=self.region)
                    statements[key] = made
                    costs.append(cost)
        fixed = sum(c.of({}) for c in costs) if all(c.is_fixed for c in costs) else None
        return Plan(tuple(selected), statements, told, asks, costs, fixed)

    def chosen(
        self, operation: Operation, values: VariableValues, type_name: str, nodes: Nodes
    ) -> tuple[Statement, Cost]:
        """The statement for customers whom a mutation speaks of, by their ids."""
        type_ = cast("GraphQLObjectType", self.schema.type_map[type_name])
        rows = self._rows(operation, values, typed=True)
        field = type_.fields[nodes[0].name.value]
        return statement(rows, Chosen(), field, nodes, region=self.region)

    def selector(self, operation: Operation, values: VariableValues) -> Selector:
        return Selector(self.schema, operation.fragments, values.coerced)

    def _rows(self, operation: Operation, values: VariableValues, *, typed: bool) -> Rows:
        return Rows(
            self.schema,
            self.sight,
            self.selector(operation, values),
            operation.slotted(values),
            page=nested,
            typed=typed,
        )

    def _introspected(self, operation: Operation, nodes: Nodes, among: int) -> Told:
        """What the schema says of itself; several such fields share what one may hold."""
        return lambda _, values: introspection.told(
            self.schema,
            self.selector(operation, values),
            values,
            nodes,
            most=introspection.MOST // among,
        )

    def _local(
        self,
        operation: Operation,
        values: VariableValues,
        root: GraphQLObjectType,
        read: Local,
        nodes: Nodes,
    ) -> Told:
        field = root.fields[nodes[0].name.value]
        tell = local.told(self.sight, self.selector(operation, values), read, field, nodes)
        return lambda caller, _: tell(caller)


def _constant(value: Any) -> Told:
    return lambda _caller, _values: value


def _root(schema: GraphQLSchema, operation: Operation) -> GraphQLObjectType:
    root = schema.get_root_type(operation.kind)
    assert root is not None  # noqa: S101 - validation saw it
    return root
