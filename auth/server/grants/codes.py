"""Leave that a person gives in a browser, carried by a code (`authorization_code`)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import (
    AuthorizationCodeMixin,
    InvalidGrantError,
    InvalidRequestError,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from sqlalchemy import ColumnElement, func, select, update

from auth.clients import REFRESH
from auth.hashes import keyed, keyed_all, new_secret
from auth.rights import Rights
from auth.server.faults import StrangeResponseType
from auth.server.grants import families
from auth.server.grants.giving import Giving, narrowed, of_person
from auth.server.known_client import Registered
from auth.server.requests import Asking
from auth.tokens import Said
from hub.models.access import OauthCode

CODE = "authorization code"
LIFE = timedelta(seconds=60)
GONE = "The code is unknown, expired, used or not of this client: send the person here again."


class Code(AuthorizationCodeMixin):
    """A code that was just used up."""

    def __init__(self, row: OauthCode) -> None:
        self.row = row

    def get_redirect_uri(self) -> str:
        return self.row.redirect_uri if self.row.is_redirect_said else ""

    def get_scope(self) -> str:
        return self.row.scope


class CodeGrant(Giving, AuthorizationCodeGrant):
    """Both ends of it: what the authorization endpoint asks, and what the code is given for."""

    @staticmethod
    def validate_authorization_redirect_uri(request: Asking, client: Registered) -> str:  # type: ignore[override]  # ours
        uri = request.form.get("redirect_uri") or client.get_default_redirect_uri()
        if not uri or not client.check_redirect_uri(uri):
            raise InvalidRequestError(
                "The redirect URI is missing or not registered for the client, letter by letter."
            )
        return uri

    def validate_requested_scope(self) -> None:
        """Everything else about the request, in words that repeat nothing of it."""
        if self.asking.form.get("response_type") != "code":
            raise StrangeResponseType("Only codes are given: send response_type=code.")
        if self.asking.form.get("response_mode", "query") != "query":
            raise InvalidRequestError("Codes come in the query only: leave response_mode out.")
        if not self.registered.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("The client is not registered to ask people.")
        self.demand_resource()
        narrowed(self.registered.client.rights, self.asking.words)

    def generate_authorization_code(self) -> str:
        return new_secret()

    def save_authorization_code(self, code: str, request: object) -> None:
        raise NotImplementedError("Codes are made by `keep`, with what a person granted.")

    def keep(self, client: Registered, user_id: UUID, redirect_uri: str, rights: Rights) -> str:
        """A new code for what a person granted."""
        code = self.generate_authorization_code()
        self.session.add(
            OauthCode(
                hash=keyed(self.protocol.keyring, CODE, code),
                client_id=client.id,
                user_id=user_id,
                redirect_uri=redirect_uri,
                is_redirect_said="redirect_uri" in self.asking.form,
                challenge=self.asking.form["code_challenge"],
                scope=rights.words,
                expires_at=func.now() + LIFE,
            )
        )
        return code

    def authenticate_token_endpoint_client(self) -> Registered:
        found = self.proven_client()
        self.demand_resource()
        return found

    def query_authorization_code(self, code: str, client: Registered) -> Code:  # type: ignore[override]  # ours
        """The code, used up by this: of two who bring it one comes too late, and ends it all."""
        hashes = keyed_all(self.protocol.keyring, CODE, code)
        is_it = OauthCode.hash.in_(hashes), OauthCode.client_id == client.id
        row = self.session.scalars(
            update(OauthCode)
            .where(*is_it, OauthCode.used_at.is_(None), OauthCode.expires_at > func.now())
            .values(used_at=func.now())
            .returning(OauthCode)
        ).one_or_none()
        if row is None:
            self._end_replayed(is_it)
            raise InvalidGrantError(GONE)
        return Code(row)

    def _end_replayed(self, is_it: Sequence[ColumnElement[bool]]) -> None:
        used = select(OauthCode).where(*is_it, OauthCode.used_at.is_not(None))
        row = self.session.scalars(used).one_or_none()
        if row is not None and row.grant_id is not None:
            families.end(self.session, row.grant_id, "the code was brought twice")

    def authenticate_user(self, authorization_code: Code) -> UUID:
        """Whoever gave the leave, if they still may; the grant begins here."""
        row = authorization_code.row
        client = self.registered
        given = Rights.said(row.scope)
        rights = given.within(client.client.rights).within(of_person(self.session, row.user_id))
        if rights.are_none:
            raise InvalidGrantError("The person may no longer grant this: ask an administrator.")
        row.grant_id = families.begin(self.session, client.id, row.user_id, given)
        self.said = Said(
            client.id, rights.scopes, rights.purposes, user_id=row.user_id, grant_id=row.grant_id
        )
        return row.user_id

    def generate_token(self, *rest: Any, **named: Any) -> dict[str, str | int]:
        """The answer, with a refresh token for a client that may use one."""
        answer = super().generate_token(*rest, **named)
        if self.said and self.said.grant_id and self.registered.check_grant_type(REFRESH):
            answer["refresh_token"] = families.descend(
                self.session, self.protocol.keyring, self.said.grant_id
            )
        return answer

    def delete_authorization_code(self, authorization_code: object) -> None:
        """It stays, used, until it expires."""
