"""Leave for a client to act for one customer, who sits before it: for a shop's own front end.

What it gives is the same for everybody: the person's own data and consents, and nothing else. The
client's own scopes and purposes have no part in it, but for `customers:exchange`, which allows it.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args
from uuid import UUID

from auth.clients import Client
from auth.rights import BOUND_SCOPE, PRIVACY_PURPOSE
from hub import clock
from hub.db.connection import Connection
from hub.errors import Forbidden, NotFound
from hub.identifiers import Unusable, normalise
from hub.privacy.naming import HOLDER
from hub.records import IdentifierType

TOKEN_TYPE = "urn:customer-hub:params:oauth:token-type:customer"  # noqa: S105 - a name
"""What a `subject_token` is that names a customer (RFC 8693)."""
EXCHANGE = "customers:exchange"
"""The scope that a client needs."""
SCOPES = (BOUND_SCOPE,)
PURPOSES = (PRIVACY_PURPOSE,)
LIFE = timedelta(hours=12)
"""How long a grant lasts; who is still there then is exchanged for again."""
LONGEST = 1_000
"""Characters that a customer is named with."""

CURRENT = """
SELECT c.id FROM customer c WHERE c.id = coalesce(
    (SELECT a.customer_id FROM customer_alias a WHERE a.alias_id = $1), $1)
   AND c.status = 'active' AND c.erased_at IS NULL
"""
HOLD = """
SELECT id FROM customer WHERE id = $1 AND status = 'active' AND erased_at IS NULL FOR SHARE
"""
GRANT = """
INSERT INTO oauth_grant (id, client_id, customer_id, scopes, purposes, expires_at)
VALUES ($1, $2, $3, $4, $5, now() + $6::interval) RETURNING expires_at
"""


@dataclass(frozen=True, slots=True)
class Bound:
    """A grant to act for one customer, until it expires or the customer is no longer the same."""

    grant_id: UUID
    customer_id: UUID
    expires_at: datetime
    scopes: tuple[str, ...] = SCOPES
    purposes: tuple[str, ...] = PURPOSES


async def exchange(connection: Connection, client: Client, subject: str, *, region: str) -> Bound:
    """Grant that a client acts for the customer whom `subject` names. In a transaction.

    A subject is an id, or `email:…`, `phone:…`, `loyalty_card:…`, `external:SOURCE:ID`; `region` is
    of telephone numbers without a country. Raises Forbidden for a client without the scope, and
    NotFound, always the same, for nobody, several, or somebody who is erased.
    """
    if EXCHANGE not in client.scopes:
        raise Forbidden(f"This needs the scope {EXCHANGE}, which the client does not have.")
    customer = await _held(_finder(connection, subject, region), connection)
    if customer is None:
        raise NotFound("There is no customer whom a token could be bound to by this.")
    grant = clock.new_id()
    given = (client.id, customer, list(SCOPES), list(PURPOSES), LIFE)
    expires_at = await connection.fetchval(GRANT, grant, *given)
    return Bound(grant, customer, expires_at)


Find = Callable[[], Awaitable[UUID | None]]


async def _held(find: Find, connection: Connection) -> UUID | None:
    """The customer who is found, kept from being merged, split or erased meanwhile.

    Another worker may have done so while we waited: then somebody else is found, or nobody.
    """
    held: set[UUID] = set()
    while (found := await find()) is not None and found not in held:
        if await connection.fetchval(HOLD, found) is not None:
            held.add(found)
    return found


def _finder(connection: Connection, subject: str, region: str) -> Find:
    """What looks for the customer, as things stand when it is called."""
    kind, _, value = subject[:LONGEST].partition(":")
    types: tuple[IdentifierType, ...] = get_args(IdentifierType)
    for type_ in types:
        if kind == type_:
            contact = normalise(type_, value, region=region)
            if isinstance(contact, Unusable):
                return _nobody
            return lambda: connection.fetchval(HOLDER, type_, contact.value)
    id_ = _id(subject)
    return _nobody if id_ is None else lambda: connection.fetchval(CURRENT, id_)


async def _nobody() -> None:
    return None


def _id(subject: str) -> UUID | None:
    """A raw id, or one as GraphQL gives it."""
    try:
        if len(subject) != 36:
            name, _, subject = base64.b64decode(subject, validate=True).decode().partition(":")
            if name != "Customer":
                return None
        return UUID(subject)
    except (binascii.Error, UnicodeError, ValueError):
        return None
