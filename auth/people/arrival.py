"""Arrival: who comes from the company's provider becomes one of our users, or is turned away."""

from collections.abc import Sequence
from urllib.parse import urlsplit
from uuid import UUID

from auth import roles, users
from auth.people.provider_claims import Known
from auth.people.refusal import Refusal
from auth.users import User
from hub import clock
from hub.db.connection import Connection
from hub.errors import BadInput

KNOWN = 'SELECT id FROM "user" WHERE issuer = $1 AND subject = $2'
INVITED = """
UPDATE "user" SET issuer = $1, subject = $2
 WHERE name = $3 AND issuer IS NULL RETURNING id
"""
CLAIMING = """
INSERT INTO "user" (id, name, issuer, subject) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING id
"""
CLAIMS = 'UPDATE "user" SET claimed_roles = $2 WHERE id = $1'
DROP_FIRST = """
UPDATE "user" SET password = NULL, must_change = false WHERE id = $1 AND must_change
"""
"""Who can come through the provider needs none, and it may still lie in a mailbox."""


async def arrive(connection: Connection, known: Known) -> User:
    """The user that somebody is here, with the roles that the provider gives them today.

    In a transaction. Who was invited is known by their verified e-mail address when they first
    come, and by the provider's own name for them from then on. Raises Refusal.
    """
    claimed = await roles.claimed(connection, known.values)
    id_ = await _found(connection, known) or await _made(connection, known, claimed)
    if id_ is None:
        raise Refusal("uninvited", "Nobody invited them, and no claim gives them a role.")
    user = await users.of_id(connection, id_)
    if user.disabled_at is not None:
        raise Refusal("disabled", "They are disabled.")
    if list(user.claimed_roles) != claimed:
        await connection.execute(CLAIMS, id_, claimed)  # only then: every process hears of it
    await connection.execute(DROP_FIRST, id_)
    return await users.of_id(connection, id_)


async def _found(connection: Connection, known: Known) -> UUID | None:
    id_ = await connection.fetchval(KNOWN, known.issuer, known.subject)
    name = _name(known)
    if id_ is not None or name is None:
        return id_
    return await connection.fetchval(INVITED, known.issuer, known.subject, name)


async def _made(connection: Connection, known: Known, claimed: Sequence[str]) -> UUID | None:
    """Somebody new, whom a claim lets in; called by their address unless another is."""
    if not claimed:
        return None
    for name in (_name(known), _fallback(known), str(clock.new_id())):
        if name is None:
            continue
        to_be = (clock.new_id(), name, known.issuer, known.subject)
        await connection.execute(CLAIMING, *to_be)
        id_ = await connection.fetchval(KNOWN, known.issuer, known.subject)
        if id_ is not None:
            return id_
    return None


def _name(known: Known) -> str | None:
    """Their verified address, as a name; only such can be one's that was invited.

    Small and capital letters of English are the same. Of others that merely look like a letter, or
    stand for one in some spelling, nothing is made: they are another person's address.
    """
    if known.email is None or "@" not in known.email:
        return None
    plain = "".join(sign.lower() if sign.isascii() else sign for sign in known.email)
    try:
        return plain if users.name_of(plain) == plain else None
    except BadInput:
        return None


def _fallback(known: Known) -> str:
    """A name that no address looks like."""
    host = urlsplit(known.issuer).hostname or ""
    name = f"{host}/{known.subject}".casefold()
    return name if users.NAME.fullmatch(name) else f"{host}/{clock.new_id()}"
