"""What can be asked."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from schema.auditing import AuditEntries, AuditWhere, Seen, audited
from schema.conditions import (
    CustomerWhere,
    InteractionWhere,
    OrderWhere,
    PrivacyRequestWhere,
    ProductWhere,
)
from schema.connection import After, Before, Connection, First, Last, Most, Node
from schema.consent import Purpose
from schema.customer import Customer
from schema.decision import At, ConsentDecision, ContactPoint, Destined, Purposed, Whose, decided
from schema.integration import Adapter, Integration, adapters
from schema.interaction import Interaction
from schema.order import Order
from schema.orderings import (
    CustomerOrder,
    InteractionOrder,
    OrderOrder,
    PrivacyRequestOrder,
    ProductOrder,
)
from schema.plan.mapping import Asked, ById, Keyed, Local, Lookup, Many, Page, field, listed
from schema.privacy import PrivacyRequest
from schema.product import Product
from schema.viewer import Viewer, viewer

NODES = ("Customer", "Order", "Product", "Store", "Interaction", "SourceRecord")


@strawberry.input(description="A record's id in its source.")
class ExternalId:
    source: str = strawberry.field(description="The source's key.")
    external_id: str = strawberry.field(description="The id that the source gave.")


@strawberry.input(one_of=True, description="What points at one customer.")
class CustomerBy:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="An id, also one of a customer merged into another."
    )
    email: strawberry.Maybe[str] = strawberry.field(description="An e-mail address.")
    phone: strawberry.Maybe[str] = strawberry.field(description="A telephone number.")
    loyalty_card: strawberry.Maybe[str] = strawberry.field(description="A loyalty card's number.")
    external: strawberry.Maybe[ExternalId] = strawberry.field(
        description="The id in another system."
    )


@strawberry.type(description="What can be asked.")
class Query:
    viewer: Viewer = field(Local(viewer), "Who asks.")

    @listed(
        Lookup(),
        "The one customer that something points at. Null where there is none, where the purpose "
        "does not allow them, and where several share what points at them.",
    )
    def customer(self, by: CustomerBy) -> Customer | None: ...

    @listed(Page("customers"), "Customers whom the purpose allows.")
    def customers(
        self,
        where: CustomerWhere | None = UNSET,
        order_by: CustomerOrder = CustomerOrder.OLDEST,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Customer]: ...

    @listed(Page("orders"), "Orders of customers whom the purpose allows.")
    def orders(
        self,
        where: OrderWhere | None = UNSET,
        order_by: OrderOrder = OrderOrder.NEWEST,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Order]: ...

    @listed(Page("products"), "What is sold.")
    def products(
        self,
        where: ProductWhere | None = UNSET,
        order_by: ProductOrder = ProductOrder.NAME,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Product]: ...

    @listed(Page("interactions"), "Interactions, if all people on them are allowed.")
    def interactions(
        self,
        where: InteractionWhere | None = UNSET,
        order_by: InteractionOrder = InteractionOrder.NEWEST,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Interaction]: ...

    @listed(
        Asked(decided, "consents:read", "consent"),
        "Whether a person's data may be used for a purpose, and why: for people nobody is shown,"
        " too.",
    )
    def consent_decision(
        self,
        customer: Whose,
        purpose: Purposed,
        contact_point: ContactPoint | None = UNSET,
        destination: Destined = UNSET,
        at: At = UNSET,
    ) -> ConsentDecision: ...

    @listed(
        Asked(audited, "audit:read"),
        "Who saw, was sent, changed or decided what of whom, the newest first.",
    )
    def audit_entries(
        self,
        customer: Seen = UNSET,
        where: AuditWhere | None = UNSET,
        first: First = UNSET,
        after: After = UNSET,
    ) -> AuditEntries: ...

    @listed(
        Many('{n}."retired_at" IS NULL', '{n}."bit"'), "The purposes that data may be used for."
    )
    def purposes(self, first: Most = UNSET) -> list[Purpose]: ...

    @listed(Many("", '{n}."name"'), "The systems that are connected, by name.")
    def integrations(self, first: Most = UNSET) -> list[Integration]: ...

    @listed(Keyed("name", "name"), "The connected system of a name; null if there is none.")
    def integration(
        self, name: Annotated[str, strawberry.argument(description="Its name.")]
    ) -> Integration | None: ...

    @listed(
        Page("privacyRequests"),
        "What people asked about their data; a token that is bound to a customer has their own.",
    )
    def privacy_requests(
        self,
        where: PrivacyRequestWhere | None = UNSET,
        order_by: PrivacyRequestOrder = PrivacyRequestOrder.NEWEST,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[PrivacyRequest]: ...

    adapters: list[Adapter] = field(
        Local(adapters, "integrations:read"), "What systems can be connected by, as installed."
    )

    @listed(ById(NODES), "Anything that has an id; null where it is not there or not allowed.")
    def node(
        self, id: Annotated[strawberry.ID, strawberry.argument(description="The field `id`.")]
    ) -> Node | None: ...
