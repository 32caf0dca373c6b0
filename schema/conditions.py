"""The inputs `where` of every list, written from the catalogues of `hub.conditions`."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import strawberry
from strawberry import UNSET

from hub.conditions import (
    CUSTOMERS,
    DIRECT,
    INTERACTIONS,
    ORDERS,
    PRODUCTS,
    REJECTED,
    REQUESTS,
    RUNS,
)
from hub.conditions.catalogue import Catalogue, Field, Operator
from schema.scalars import Json
from schema.words import (
    Gender,
    InteractionDirection,
    InteractionKind,
    PrivacyRequestKind,
    PrivacyRequestState,
    SyncMode,
    SyncState,
)

VALUES: Mapping[str, Any] = {
    "AttributeValue": Json,
    "Boolean": bool,
    "Date": date,
    "DateTime": datetime,
    "Decimal": Decimal,
    "Gender": Gender,
    "ID": strawberry.ID,
    "InteractionDirection": InteractionDirection,
    "InteractionKind": InteractionKind,
    "PrivacyRequestKind": PrivacyRequestKind,
    "PrivacyRequestState": PrivacyRequestState,
    "String": str,
    "SyncMode": SyncMode,
    "SyncState": SyncState,
}
SAYS: Mapping[str, str] = {
    "eq": "It is this.",
    "in": "It is one of these.",
    "gt": "It is more, or later, than this.",
    "gte": "It is this, or more, or later.",
    "lt": "It is less, or earlier, than this.",
    "lte": "It is this, or less, or earlier.",
    "isNull": "Whether it is missing.",
    "key": "Which one.",
}

_made: dict[tuple[tuple[str, str, bool], ...], Any] = {}


def _input(name: str, description: str, fields: Mapping[str, tuple[Any, str]]) -> Any:
    """A GraphQL input whose fields are named as given; all of them may be left out."""
    body: dict[str, Any] = {
        f"field_{i}": strawberry.field(name=key, description=says, default=UNSET)
        for i, (key, (_, says)) in enumerate(fields.items())
    }
    types = {f"field_{i}": type_ for i, (type_, _) in enumerate(fields.values())}
    made = type(name, (), {"__module__": __name__, "__annotations__": types, **body})
    return strawberry.input(made, description=description)


def _value(operator: Operator) -> Any:
    type_ = VALUES[operator.scalar.name]
    return list[type_] | None if operator.is_list else type_ | None


def _matching(field: Field) -> Any:
    """The input of a field's operators; fields with the same ones share it."""
    found = field.operators
    form = tuple((name, op.scalar.name, op.is_list) for name, op in found.items())
    if form not in _made:
        fields = {name: (_value(op), SAYS[name]) for name, op in found.items()}
        _made[form] = _input(_name(found), "All that is given must hold.", fields)
    return _made[form]


def _name(operators: Mapping[str, Operator]) -> str:
    if "key" in operators:
        return "AttributeMatch"
    scalar = next(iter(operators.values())).scalar.name
    optional = "Optional" if "isNull" in operators else ""
    kind = "Range" if "gte" in operators else "Match" if "eq" in operators else "Set"
    return f"{optional}{scalar.title() if scalar.isupper() else scalar}{kind}"


def _where(name: str, catalogue: Catalogue, what: str) -> Any:
    own = {
        key: (
            _value(field.operators[DIRECT]) if field.direct else _matching(field) | None,
            field.description,
        )
        for key, field in catalogue.fields.items()
    }
    joined = {
        "and": (f"list[{name}] | None", "All of these hold."),
        "or": (f"list[{name}] | None", "At least one of these holds."),
        "not": (f"{name} | None", "This does not hold."),
    }
    return _input(name, f"Which {what} to list. All that is given must hold.", {**own, **joined})


if TYPE_CHECKING:

    class CustomerWhere: ...

    class OrderWhere: ...

    class ProductWhere: ...

    class InteractionWhere: ...

    class SyncRunWhere: ...

    class RejectedRecordWhere: ...

    class PrivacyRequestWhere: ...

else:
    CustomerWhere = _where("CustomerWhere", CUSTOMERS, "customers")
    OrderWhere = _where("OrderWhere", ORDERS, "orders")
    ProductWhere = _where("ProductWhere", PRODUCTS, "products")
    InteractionWhere = _where("InteractionWhere", INTERACTIONS, "interactions")
    SyncRunWhere = _where("SyncRunWhere", RUNS, "runs")
    RejectedRecordWhere = _where("RejectedRecordWhere", REJECTED, "items")
    PrivacyRequestWhere = _where("PrivacyRequestWhere", REQUESTS, "requests")
