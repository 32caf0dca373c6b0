"""Four questions that front-end teams ask, as documents; `bench/routes.py` has them by hand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from bench.wrk import Asked
from hub.db.connection import Connection
from schema.scalars import global_id

PURPOSE = "customer_service"
DRAWN = 2_000
"""Different requests for each question."""


@dataclass(frozen=True, slots=True)
class Question:
    """A document with one variable, and what its values are drawn from."""

    name: str
    title: str
    document: str
    variable: str
    values: str


QUESTIONS = (
    Question(
        "Q1",
        "a customer's card",
        """query Card($id: ID!) {
  customer(by: {id: $id}) {
    id displayName givenName familyName birthDate gender locale city createdAt updatedAt
    identifiers { type value verified }
    orders(first: 10) {
      nodes {
        id number orderedAt
        total { amount currency }
        lines { name quantity total { amount currency } }
      }
    }
    consents { purpose { key title } state }
  }
}""",
        "id",
        "SELECT id FROM customer ORDER BY md5(id::text) LIMIT $1",
    ),
    Question(
        "Q2",
        "50 customers of a city",
        """query OfCity($city: String!) {
  customers(where: {city: {eq: $city}}, first: 50) {
    nodes {
      id displayName givenName familyName birthDate locale city updatedAt
      identifiers { type value }
    }
  }
}""",
        "city",
        "SELECT DISTINCT city FROM customer WHERE city IS NOT NULL LIMIT $1",
    ),
    Question(
        "Q3",
        "20 customers, their orders",
        """query TheirOrders($city: String!) {
  customers(where: {city: {eq: $city}}, first: 20) {
    nodes {
      id displayName
      orders(first: 5) {
        nodes {
          id number orderedAt
          total { amount currency }
          lines { name quantity total { amount currency } }
        }
      }
    }
  }
}""",
        "city",
        "SELECT DISTINCT city FROM customer WHERE city IS NOT NULL LIMIT $1",
    ),
    Question(
        "Q4",
        "a customer by e-mail",
        """query ByEmail($email: String!) {
  customer(by: {email: $email}) {
    id displayName givenName familyName birthDate city updatedAt
    identifiers { type value }
  }
}""",
        "email",
        "SELECT value FROM identifier WHERE type = 'email' ORDER BY md5(value) LIMIT $1",
    ),
)


async def values(connection: Connection, question: Question) -> Sequence[Any]:
    """What the requests of a question ask for."""
    return [row[0] for row in await connection.fetch(question.values, DRAWN)]


def variables(question: Question, value: Any) -> Mapping[str, Any]:
    """As a client sends it, which knows ids from answers."""
    told = global_id("Customer", value) if isinstance(value, UUID) else value
    return {question.variable: told}


def by_hand(question: Question, drawn: Sequence[Any]) -> Iterator[Asked]:
    for value in drawn:
        yield Asked("GET", f"/{question.name}/{value}")


def by_document(question: Question, drawn: Sequence[Any]) -> Iterator[Asked]:
    for value in drawn:
        body = {"query": question.document, "variables": variables(question, value)}
        yield Asked("POST", "/graphql", msgspec.json.encode(body).decode())
