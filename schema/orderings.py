"""The orders of every list, described by the catalogues of `hub.conditions`."""

from enum import Enum
from typing import Any

import strawberry

from hub.conditions import CUSTOMERS, INTERACTIONS, ORDERS, PRODUCTS, REJECTED, REQUESTS, RUNS
from hub.conditions.catalogue import Catalogue


def _order(catalogue: Catalogue, name: str) -> Any:
    return strawberry.enum_value(name, description=catalogue.orderings[name].description)


@strawberry.enum(description="How customers are ordered; among equals by id.")
class CustomerOrder(Enum):
    NEWEST = _order(CUSTOMERS, "NEWEST")
    OLDEST = _order(CUSTOMERS, "OLDEST")
    RECENTLY_UPDATED = _order(CUSTOMERS, "RECENTLY_UPDATED")
    NAME = _order(CUSTOMERS, "NAME")
    LAST_ORDER = _order(CUSTOMERS, "LAST_ORDER")


@strawberry.enum(description="How orders are ordered; among equals by id.")
class OrderOrder(Enum):
    NEWEST = _order(ORDERS, "NEWEST")
    OLDEST = _order(ORDERS, "OLDEST")


@strawberry.enum(description="How products are ordered; among equals by id.")
class ProductOrder(Enum):
    NAME = _order(PRODUCTS, "NAME")


@strawberry.enum(description="How interactions are ordered; among equals by id.")
class InteractionOrder(Enum):
    NEWEST = _order(INTERACTIONS, "NEWEST")
    OLDEST = _order(INTERACTIONS, "OLDEST")


@strawberry.enum(description="How runs are ordered; among equals by id.")
class SyncRunOrder(Enum):
    NEWEST = _order(RUNS, "NEWEST")
    OLDEST = _order(RUNS, "OLDEST")


@strawberry.enum(description="How rejected items are ordered; among equals by id.")
class RejectedRecordOrder(Enum):
    NEWEST = _order(REJECTED, "NEWEST")
    OLDEST = _order(REJECTED, "OLDEST")


@strawberry.enum(description="How requests are ordered; among equals by id.")
class PrivacyRequestOrder(Enum):
    NEWEST = _order(REQUESTS, "NEWEST")
    OLDEST = _order(REQUESTS, "OLDEST")
