"""Another access token for what a person granted before (`refresh_token`).

The refresh token is exchanged for a new one each time. One that was used already is brought by a
thief, or by whom the thief robbed: the grant ends for both.
"""

from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import InvalidGrantError, TokenMixin
from authlib.oauth2.rfc6749.grants import RefreshTokenGrant
from sqlalchemy import func, select

from auth.hashes import keyed_all
from auth.rights import Rights
from auth.server.grants import families
from auth.server.grants.giving import Giving, narrowed, of_person
from auth.server.known_client import Registered
from auth.tokens import Said
from hub.models.access import OauthGrant, OauthToken

GONE = "The refresh token is unknown, expired, used or ended: send the person here again."


class Refresh(TokenMixin):
    """A refresh token that may be used, with its row held, and its grant."""

    def __init__(self, row: OauthToken, grant: OauthGrant) -> None:
        self.row = row
        self.grant = grant
        self.rights = Rights.of(grant.scopes, grant.purposes)

    def check_client(self, client: Registered) -> bool:
        return self.grant.client_id == client.id

    def get_scope(self) -> str:
        return self.rights.words


class RefreshGrant(Giving, RefreshTokenGrant):
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_token_endpoint_client(self) -> Registered:
        self.asking.client = found = self.proven_client()
        self.demand_resource()
        return found

    def authenticate_refresh_token(self, refresh_token: str) -> Refresh:
        """The token, held until this request ends. Raises InvalidGrantError."""
        hashes = keyed_all(self.protocol.keyring, families.TOKEN, refresh_token)
        found = self.session.execute(
            select(OauthToken, OauthGrant, *ALIVE)
            .join(OauthGrant, OauthGrant.id == OauthToken.grant_id)
            .where(OauthToken.hash.in_(hashes), OauthGrant.client_id == self.registered.id)
            .with_for_update(of=OauthToken)
        ).one_or_none()
        if found is not None and found.OauthToken.used_at is not None:
            families.end(self.session, found.OauthGrant.id, "a refresh token was brought twice")
        elif found is not None and found.is_fresh and found.is_alive:
            return Refresh(found.OauthToken, found.OauthGrant)
        raise InvalidGrantError(GONE)

    def authenticate_user(self, refresh_token: Refresh) -> UUID:
        """Whoever gave the leave, with what they still may. Raises InvalidGrantError."""
        grant = refresh_token.grant
        client = self.registered
        user_id = grant.user_id
        if user_id is None:
            raise InvalidGrantError(GONE)
        person = of_person(self.session, user_id)
        rights = refresh_token.rights.within(client.client.rights).within(person)
        if rights.are_none:
            raise InvalidGrantError("The person may no longer grant this: ask an administrator.")
        rights = narrowed(rights, self.asking.words)
        self.said = Said(client.id, rights.scopes, rights.purposes, user_id, grant_id=grant.id)
        return user_id

    def generate_token(self, *rest: Any, **named: Any) -> dict[str, str | int]:
        answer = super().generate_token(*rest, **named)
        if self.said and self.said.grant_id:
            keyring = self.protocol.keyring
            answer["refresh_token"] = families.descend(self.session, keyring, self.said.grant_id)
        return answer

    def revoke_old_credential(self, refresh_token: Refresh) -> None:  # type: ignore[override]  # ours
        refresh_token.row.used_at = func.now()


ALIVE = (
    (OauthToken.expires_at > func.now()).label("is_fresh"),
    (OauthGrant.ended_at.is_(None) & (OauthGrant.expires_at > func.now())).label("is_alive"),
)
