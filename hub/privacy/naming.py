"""Whom a request is of: somebody named by id, by a record, or by what reaches nobody else."""

from uuid import UUID

from hub.db.connection import Connection
from hub.errors import BadInput, NotFound
from hub.identifiers import Unusable, normalise
from hub.records import IdentifierType

HOLDER = """
SELECT (array_agg(c.id))[1] FROM identifier i JOIN customer c ON c.id = i.customer_id
 WHERE i.type = $1 AND i.value = $2 AND c.status = 'active' AND c.erased_at IS NULL
HAVING count(DISTINCT c.id) = 1
"""
"""The one customer who has an identifier; nobody where several have it."""


async def by_identifier(
    connection: Connection, type_: IdentifierType, value: str, *, region: str
) -> UUID:
    """The one customer who has an identifier; `region` is of numbers without a country.

    Raises BadInput, and NotFound for nobody and for several.
    """
    contact = normalise(type_, value, region=region)
    if isinstance(contact, Unusable):
        raise BadInput("That can not be read as what it is said to be: look at its spelling.")
    found: UUID | None = await connection.fetchval(HOLDER, contact.type, contact.value)
    if found is None:
        raise NotFound("Nobody has this, or several people do: name the customer by id.")
    return found
