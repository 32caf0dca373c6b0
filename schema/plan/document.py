"""A document, parsed and validated once, and the plans that its operations were compiled to."""

import contextlib
import itertools
import re
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    VariableValues,
    get_variable_values,
    parse,
    validate,
)
from graphql.execution.values import VariableValueSource
from graphql.language import Visitor, visit

from schema.inputs import FAULTS as INPUT_FAULTS
from schema.inputs import quick
from schema.plan.digest import asked, digest
from schema.plan.limits import Limits, check
from schema.plan.types import input_type, is_text
from schema.plan.values import shape, slotted

ERRORS = 5
"""Faults of one document or its variables that are told at once."""

VALUES = 2_000
"""Values in the variables of one request, but for records (measured: 10 ms)."""
WEIGHT, CHARACTER_WEIGHT = 4_000, 70
"""Bytes of memory that a document takes (measured)."""

_numbers = itertools.count()


class Faulty(Exception):
    """A document or its variables can not be used; `errors` say why."""

    def __init__(self, code: str, errors: Sequence[GraphQLError]) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors


def fault(code: str, message: str) -> Faulty:
    """What is wrong with a request, in one sentence."""
    return Faulty(code, [GraphQLError(message)])


class Document:
    """What a text says. Raises Faulty when that is nothing that the schema can answer."""

    def __init__(self, schema: GraphQLSchema, text: str, limits: Limits) -> None:
        self.node = _parsed(text, limits)
        self.weight = WEIGHT + len(text) * CHARACTER_WEIGHT
        _check(schema, self.node, limits)
        self._fragments = {
            node.name.value: node
            for node in self.node.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self.operations = {
            node.name.value if node.name else "": Operation(
                schema, self.node, node, self._fragments
            )
            for node in self.node.definitions
            if isinstance(node, OperationDefinitionNode)
        }

    def operation(self, name: str | None) -> "Operation":
        """The operation of this name, or the only one."""
        if name:
            found = self.operations.get(name)
            if found is None:
                raise fault(
                    "OPERATION_RESOLUTION_FAILURE",
                    "The document has no operation of the name that was asked for.",
                )
            return found
        if len(self.operations) != 1:
            raise fault(
                "OPERATION_RESOLUTION_FAILURE",
                "The document has several operations: name one as operationName.",
            )
        (only,) = self.operations.values()
        return only


def _parsed(text: str, limits: Limits) -> DocumentNode:
    if len(text) > limits.characters:
        raise fault(
            "DOCUMENT_TOO_LARGE",
            f"The document is longer than {limits.characters} characters:"
            " send values as variables.",
        )
    try:
        return parse(text, max_tokens=limits.tokens)
    except GraphQLError as error:
        raise Faulty("GRAPHQL_PARSE_FAILED", [error]) from None
    except RecursionError:
        raise fault("GRAPHQL_PARSE_FAILED", "The document nests too deeply.") from None


def _check(schema: GraphQLSchema, node: DocumentNode, limits: Limits) -> None:
    try:
        check(node, limits)
        errors = validate(schema, node, max_errors=ERRORS)
    except GraphQLError as error:
        errors = [error]
    except RecursionError:
        errors = [GraphQLError("The document nests too deeply.")]
    if errors:
        raise Faulty("GRAPHQL_VALIDATION_FAILED", errors)


class Operation:
    """One operation of a document; `number` stands for it in what is kept of plans."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        node: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> None:
        self.number = next(_numbers)
        self.document = document
        self.node = node
        self.fragments = fragments
        self.kind: OperationType = node.operation
        self._schema = schema
        self._definitions = node.variable_definitions or ()
        self._types = {
            definition.variable.name.value: input_type(schema, definition.type)
            for definition in self._definitions
        }
        readers = {name: quick(type_) for name, type_ in self._types.items()}
        self._quick = {name: reader for name, reader in readers.items() if reader is not None}
        self._has_texts = all(map(is_text, self._types.values()))
        self._shape_of_texts = tuple(sorted(self._types))
        self._signatures: Mapping[str, Any] = {}
        self._switches = tuple(sorted(_switches(document)))

    @property
    def name(self) -> str | None:
        return self.node.name.value if self.node.name else None

    @cached_property
    def digest(self) -> bytes:
        """The hash that the document goes by in the audit and in logs."""
        return digest(self._schema, self.document)

    @cached_property
    def asked(self) -> str:
        """What is asked for, in the schema's words."""
        return asked(self.node, self.fragments)

    def coerced(self, given: Mapping[str, Any] | None) -> VariableValues:
        """The variables as their types want them. Raises Faulty."""
        if given and self._signatures and (texts := self._texts(given)) is not None:
            return texts
        read = self._read_quickly(given or {})
        left = [d for d in self._definitions if d.variable.name.value not in read]
        names = [d.variable.name.value for d in left if d.variable.name.value not in self._quick]
        _demand_few([given[name] for name in names if name in given] if given else [])
        found = get_variable_values(
            self._schema, left, dict(given or {}), ERRORS, hide_suggestions=True
        )
        if isinstance(found, list):
            raise Faulty("BAD_USER_INPUT", [_unrepeated(error) for error in found])
        if self._has_texts and len(found.sources) == len(self._types):
            self._signatures = {name: source.signature for name, source in found.sources.items()}
        return VariableValues(found.sources, {**found.coerced, **read}) if read else found

    def _texts(self, given: Mapping[str, Any]) -> VariableValues | None:
        """Variables that are all texts, as they are; what else comes goes the usual way."""
        coerced: dict[str, Any] = {}
        sources: dict[str, VariableValueSource] = {}
        for name, signature in self._signatures.items():
            value = given.get(name)
            if type(value) is not str:
                return None
            coerced[name] = value
            sources[name] = VariableValueSource(signature, value)
        return VariableValues(sources, coerced)

    def _read_quickly(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The records in the variables; what is wrong with one is found out the usual way."""
        read: dict[str, Any] = {}
        for name, reader in self._quick.items():
            if name in given:
                with contextlib.suppress(*INPUT_FAULTS):
                    read[name] = reader(given[name])
        return read

    def shape(self, variables: Mapping[str, Any]) -> Hashable:
        """All of the variables that decides what statements look like."""
        if not variables:
            return ()
        if self._has_texts and len(variables) == len(self._types) and _all_said(variables):
            return self._shape_of_texts
        forms = tuple((name, shape(self._types[name], value)) for name, value in variables.items())
        return (forms, tuple(variables.get(name) for name in self._switches))

    def slotted(self, values: VariableValues) -> VariableValues:
        """The variables with slots for what their shape does not hold."""
        coerced = {
            name: value if name in self._quick else slotted(self._types[name], value, (name,))
            for name, value in values.coerced.items()
        }
        return VariableValues(values.sources, coerced)


def _all_said(variables: Mapping[str, Any]) -> bool:
    """Whether none of them is null, which is another shape."""
    return None not in variables.values()


_REPEATED = [
    (re.compile(r"[,;] found: .*", re.DOTALL), "."),
    (re.compile(r"(cannot represent [\w\s-]*value): .*", re.DOTALL), r"\1."),
    (re.compile(r"Value '.*' does not exist", re.DOTALL), "The value does not exist"),
    (re.compile(r"unknown field '(?!\w+').*", re.DOTALL), "an unknown field."),
]
"""Where graphql-core repeats a value in what it says of variables."""


def _unrepeated(error: GraphQLError) -> GraphQLError:
    """The error without the value, which may be somebody's."""
    message = error.message
    for pattern, instead in _REPEATED:
        message = pattern.sub(instead, message)
    return GraphQLError(message, error.nodes)


def _demand_few(values: list[Any]) -> None:
    """Raise Faulty for variables that take too long to read: a condition has few values."""
    for _ in range(VALUES):
        if not values:
            return
        value = values.pop()
        if isinstance(value, dict):
            values.extend(cast("dict[str, Any]", value).values())
        elif isinstance(value, list):
            values.extend(cast("list[Any]", value)[: VALUES + 1])
    raise fault("BAD_USER_INPUT", f"The variables hold too much: {VALUES} values are allowed.")


class _Switches(Visitor):
    """Finds the variables in `@skip` and `@include`."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value in {"skip", "include"}:
            for argument in node.arguments or ():
                if isinstance(argument.value, VariableNode):
                    self.names.add(argument.value.name.value)


def _switches(document: DocumentNode) -> set[str]:
    found = _Switches()
    visit(document, found)
    return found.names
