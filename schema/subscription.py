"""What can be followed as it happens."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from hub import models
from schema.customer import Customer
from schema.plan.mapping import Leaf, One, column, entity, field, followed, watched
from schema.scalars import global_id_in_sql
from schema.syncing import PROGRESS, SyncRun

RESOLVED = (
    '{n}."id" = coalesce((SELECT a."customer_id" FROM {v[customer_alias]} a'
    ' WHERE a."alias_id" = {t}."customer_id"), {t}."customer_id")'
)


@entity(
    models.Event,
    "That something happened to a customer.",
    people='uuid_send({t}."customer_id")',
)
class CustomerChange:
    position: str = field(
        Leaf('({t}."position")::text', ("position",)), "Its place among all events, ever growing."
    )
    type: str = column(models.Event.type, "What happened, such as `customer.updated`.")
    cause: str = column(models.Event.cause, "Why, such as `sync` or `merge`.")
    at: datetime = column(models.Event.created_at, "When.")
    customer_id: strawberry.ID = field(
        Leaf(global_id_in_sql("Customer", '{t}."customer_id"'), ("customer_id",)),
        "The customer's id then.",
    )
    customer: Customer | None = field(
        One(RESOLVED, ("customer_id",)), "The customer now, if the purpose allows them."
    )


@strawberry.type(description="What can be followed as it happens.")
class Subscription:
    @followed("Changes of customers whom the purpose allows, from now on.")
    async def customer_changed(
        self,
        ids: Annotated[
            list[strawberry.ID] | None, strawberry.argument(description="Only of these customers.")
        ] = UNSET,
        types: Annotated[
            list[str] | None,
            strawberry.argument(description="Only of these types, such as `customer.updated`."),
        ] = UNSET,
    ) -> AsyncGenerator[CustomerChange]: ...

    @watched(
        PROGRESS,
        "How the run of a connected system goes on that is under way, or else the next one; ends"
        " with the run.",
    )
    async def sync_progress(
        self,
        integration: Annotated[str, strawberry.argument(description="The integration's name.")],
    ) -> AsyncGenerator[SyncRun]: ...
