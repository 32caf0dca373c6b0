"""A token that is bound to one customer, for a client that has them before it (RFC 8693)."""

from datetime import timedelta
from typing import Any

from authlib.oauth2.rfc6749 import (
    InvalidRequestError,
    InvalidScopeError,
    TokenEndpointMixin,
    UnauthorizedClientError,
)
from sqlalchemy.util import await_only

from auth import bound
from auth.bound import Bound
from auth.clients import EXCHANGE
from auth.rights import Rights
from auth.server.grants.giving import Giving
from auth.tokens import LIFE, Said
from hub import clock
from hub.errors import Forbidden, NotFound

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name
STRANGE = (
    f"Send subject_token and subject_token_type={bound.TOKEN_TYPE};"
    " what is given is an access token, and nobody acts for somebody else."
)


class ExchangeGrant(Giving, TokenEndpointMixin):
    """What a customer may see and do themselves, for ten minutes at a time."""

    GRANT_TYPE = EXCHANGE

    def validate_token_request(self) -> None:
        self.asking.client = self.proven_client()
        form = self.asking.form
        if (
            form.get("subject_token_type") != bound.TOKEN_TYPE
            or "subject_token" not in form
            or form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN
            or "actor_token" in form
        ):
            raise InvalidRequestError(STRANGE)
        self.demand_resource()
        wanted = Rights.said(self.asking.words or "")
        if not (
            set(wanted.scopes) <= set(bound.SCOPES) and set(wanted.purposes) <= set(bound.PURPOSES)
        ):
            raise InvalidScopeError("A token for a customer has a scope of its own: leave it out.")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:  # type: ignore[override]  # its stub is of text
        given = await_only(self._bound())
        self.said = Said(
            self.registered.id,
            given.scopes,
            given.purposes,
            customer_id=given.customer_id,
            grant_id=given.grant_id,
        )
        answer = self.protocol.token(self.said, life=min(LIFE, _left(given)))
        return 200, {**answer, "issued_token_type": ACCESS_TOKEN}, []

    async def _bound(self) -> Bound:
        """The grant, made on a connection of the core's own."""
        database, subject = self.protocol.deployment.database, self.asking.form["subject_token"]
        client, region = self.registered.client, database.settings.phone_region
        try:
            return await database.retrying(
                lambda connection: bound.exchange(connection, client, subject, region=region)
            )
        except Forbidden as error:
            raise UnauthorizedClientError(str(error)) from error
        except NotFound as error:
            raise InvalidRequestError(str(error)) from error


def _left(given: Bound) -> timedelta:
    return given.expires_at - clock.now()
