"""What all ways to a token have in common: what was asked for, and what comes of it."""

from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import BaseGrant
from sqlalchemy import text
from sqlalchemy.orm import Session

from auth import users
from auth.rights import Rights
from auth.server.faults import InvalidTarget
from auth.server.known_client import Registered
from auth.server.protocol import Protocol, ours
from auth.server.requests import Asking
from auth.tokens import Said
from hub.errors import Forbidden

PERSON = text(
    (users.HAD + users.RIGHTS).replace("$1", ":id")
    + ' FROM "user" WHERE id = :id AND disabled_at IS NULL'
)
"""What a colleague may do now: all that their roles give, together."""


class Giving(BaseGrant):
    """A grant that answers with a token of ours. `said` is what the token will say."""

    def __init__(self, request: Asking, server: Protocol) -> None:
        super().__init__(request, server)  # type: ignore[misc]  # an open stub
        self.asking = ours(request)
        self.protocol = server
        self.session: Session = server.session
        self.said: Said | None = None

    def proven_client(self) -> Registered:
        """The client that asks, if it may take this way."""
        found = self.protocol.authenticate_client(self.asking)
        if not found.check_grant_type(self.GRANT_TYPE or ""):
            raise UnauthorizedClientError("The client is not registered for this grant type.")
        return found

    @property
    def registered(self) -> Registered:
        """The client, once it is known."""
        if not isinstance(self.asking.client, Registered):
            raise TypeError("Nobody looked yet who the client is.")
        return self.asking.client

    def generate_token(self, *_: Any, **__: Any) -> dict[str, str | int]:
        """The answer. Authlib's own generator (tokens of ten days) has no part in it."""
        if self.said is None:
            raise TypeError("It was not settled what the token is to say.")
        return self.protocol.token(self.said)

    def save_token(self, token: object) -> None:
        """Access tokens are signed, not stored."""

    def demand_resource(self) -> None:
        """Refuse tokens for anybody else than us (RFC 8707)."""
        issuer = self.protocol.deployment.issuer
        places = {issuer, issuer + "/", f"{issuer}/graphql"}
        wanted = [*self.asking.all("resource"), *self.asking.all("audience")]
        if not set(wanted) <= places:
            raise InvalidTarget("Tokens of this hub are for this hub: leave resource out.")


def narrowed(rights: Rights, words: str | None) -> Rights:
    """What is asked for, within what there is. Raises InvalidScopeError."""
    try:
        found = rights.narrowed(words)
    except Forbidden as error:
        raise InvalidScopeError(str(error)) from error
    if found.are_none:
        raise InvalidScopeError("There is no scope or no purpose that a token could have.")
    return found


def of_person(session: Session, id_: UUID) -> Rights:
    """What a colleague may do now; nothing, if they are disabled or gone."""
    row = session.execute(PERSON, {"id": id_}).one_or_none()
    return Rights() if row is None else Rights.of(row.scopes, row.purposes)
