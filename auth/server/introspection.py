"""Tokens that are brought back: to be ended (RFC 7009), or to be asked about (RFC 7662)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError, TokenMixin
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.util import await_only

from auth.claims import Claims
from auth.hashes import keyed_all
from auth.rights import Rights
from auth.server.client_proof import FAILED
from auth.server.grants import families
from auth.server.known_client import Registered
from auth.server.protocol import Protocol
from auth.server.requests import Asking
from auth.tokens import Tokens
from hub.errors import Unauthenticated
from hub.models.access import OauthGrant, OauthToken, RevokedToken

NOTHING = Rights()


@dataclass(frozen=True, slots=True)
class Access(TokenMixin):
    """An access token of ours that has not expired, and what it still gives, if anything."""

    claims: Claims
    rights: Rights = NOTHING

    def check_client(self, client: Registered) -> bool:
        return client.id == self.claims.client_id

    def is_expired(self) -> bool:
        return self.rights.are_none

    def is_revoked(self) -> bool:
        return self.rights.are_none

    def facts(self, issuer: str) -> dict[str, Any]:
        said = self.claims
        return {
            **{"iss": said.iss, "aud": said.aud, "sub": said.sub, "jti": str(said.jti)},
            **{"client_id": str(said.client_id), "iat": said.iat, "exp": said.exp},
            "token_type": "Bearer",
            "scope": self.rights.words,
        }


@dataclass(frozen=True, slots=True)
class Refresh(TokenMixin):
    """A refresh token of ours, and whether it may still be used."""

    grant: OauthGrant
    expires_at: datetime
    counts: bool

    def check_client(self, client: Registered) -> bool:
        return client.id == self.grant.client_id

    def is_expired(self) -> bool:
        return not self.counts

    def is_revoked(self) -> bool:
        return not self.counts

    def facts(self, issuer: str) -> dict[str, Any]:
        return {
            **{"iss": issuer, "sub": str(self.grant.user_id)},
            **{"client_id": str(self.grant.client_id), "exp": int(self.expires_at.timestamp())},
            "scope": Rights.of(self.grant.scopes, self.grant.purposes).words,
        }


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where both endpoints look tokens up; `tokens` knows access tokens and what became of them."""

    protocol: Protocol
    tokens: Tokens

    def find(self, token: str) -> Access | Refresh | None:
        """A token of ours, of whichever kind: what the hint says may be wrong."""
        return self._refresh(token) if "." not in token else await_only(self._access(token))

    async def _access(self, token: str) -> Access | None:
        try:
            claims = await self.tokens.claims(token)
        except Unauthenticated:
            return None
        try:
            principal = await self.tokens.principal(token)
        except Unauthenticated:
            return Access(claims)
        scopes = [scope for scope in claims.scope.split() if scope in principal.scopes]
        return Access(claims, Rights.of(scopes, principal.purposes))

    def _refresh(self, token: str) -> Refresh | None:
        hashes = keyed_all(self.protocol.keyring, families.TOKEN, token)
        found = self.protocol.session.execute(
            select(OauthGrant, OauthToken.expires_at, COUNTS)
            .join(OauthToken, OauthToken.grant_id == OauthGrant.id)
            .where(OauthToken.hash.in_(hashes))
        ).one_or_none()
        return None if found is None else Refresh(found[0], found[1], found[2])

    def end(self, token: Access | Refresh) -> None:
        """Let a token count no more; with a refresh token all that came of its grant."""
        if isinstance(token, Refresh):
            families.end(self.protocol.session, token.grant.id, "the client revoked it")
            return
        session, jti = self.protocol.session, token.claims.jti
        if session.get(RevokedToken, jti) is not None:
            return  # to write it anew would have all processes look everything up again
        expires_at = datetime.fromtimestamp(token.claims.exp, UTC)
        gone = insert(RevokedToken).values(id=jti, expires_at=expires_at)
        session.execute(gone.on_conflict_do_nothing())
        session.info[families.ENDED] = True


COUNTS = (
    OauthToken.used_at.is_(None)
    & (OauthToken.expires_at > func.now())
    & OauthGrant.ended_at.is_(None)
    & (OauthGrant.expires_at > func.now())
)


class Revocation(RevocationEndpoint):
    """A client ends a token of its own."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf.protocol)  # type: ignore[misc]  # an open stub
        self._shelf = shelf

    def check_params(self, request: Asking, client: Registered) -> None:
        demand_token(request)

    def query_token(self, token_string: str, token_type_hint: object) -> Access | Refresh | None:
        return self._shelf.find(token_string)

    def revoke_token(self, token: Access | Refresh, request: object) -> None:
        self._shelf.end(token)


class Introspection(IntrospectionEndpoint):
    """A client that keeps a secret asks about a token of its own; of others' it learns nothing."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf.protocol)  # type: ignore[misc]  # an open stub
        self._shelf = shelf

    def authenticate_endpoint_client(self, request: Asking) -> Registered:
        found = self._shelf.protocol.authenticate_client(request)
        if found.row.auth_method == "none":
            raise InvalidClientError(FAILED)
        return found

    def check_params(self, request: Asking, client: Registered) -> None:
        demand_token(request)

    def check_permission(
        self, token: Access | Refresh, client: Registered, request: object
    ) -> bool:
        return token.check_client(client)

    def query_token(self, token_string: str, token_type_hint: object) -> Access | Refresh | None:
        return self._shelf.find(token_string)

    def introspect_token(self, token: Access | Refresh) -> dict[str, Any]:
        return token.facts(self._shelf.protocol.deployment.issuer)


def demand_token(asking: Asking) -> None:
    """Refuse a request without a token; a hint that nobody knows is no fault (RFC 7009, 2.1)."""
    if "token" not in asking.form:
        raise InvalidRequestError("Send the token as the parameter token.")
