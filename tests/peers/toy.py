"""A stand-in for the hub: fifty customers behind a token and a purpose, and a subscription."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

import strawberry
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

TOKEN = "toy-token"  # noqa: S105 - opens nothing but the toy
PURPOSE = "customer_service"
WANTED = {"authorization": f"Bearer {TOKEN}", "purpose": PURPOSE}


@dataclass(frozen=True)
class Server:
    """Where a hub is, and what opens it."""

    url: str
    token: str = TOKEN
    purpose: str = PURPOSE


@strawberry.type
class Customer:
    id: strawberry.ID
    display_name: str


@strawberry.type
class CustomerEdge:
    node: Customer


@strawberry.type
class CustomerConnection:
    edges: list[CustomerEdge]


def _admit(told: Mapping[str, Any]) -> None:
    if {name: told.get(name) for name in WANTED} != WANTED:
        raise PermissionError("Who asks?")


@strawberry.type
class Query:
    @strawberry.field
    def customers(self, info: strawberry.Info, first: int) -> CustomerConnection:
        headers = info.context["request"].headers
        _admit({**headers, "purpose": headers.get("hub-purpose")})
        people = [Customer(id=strawberry.ID(str(n)), display_name=f"Anna {n}") for n in range(50)]
        return CustomerConnection(edges=[CustomerEdge(node=person) for person in people[:first]])


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def customer_changed(self, info: strawberry.Info) -> AsyncGenerator[Customer]:
        _admit(info.context["connection_params"])
        for n in range(100):
            yield Customer(id=strawberry.ID(str(n)), display_name=f"Boris {n}")
            await asyncio.sleep(0.1)


class Toy(GraphQL[dict[str, Any], None]):
    """The endpoint, on both its wires."""

    def __init__(self) -> None:
        super().__init__(strawberry.Schema(query=Query, subscription=Subscription))

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> dict[str, Any]:
        return {"request": request, "response": response}
