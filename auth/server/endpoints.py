"""The OAuth 2.1 authorization server: one per process, over the hub's database.

Authlib's synchronous logic runs inside `AsyncSession.run_sync`, each request in a transaction of
its own, which is committed before the answer goes out.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar
from uuid import UUID

from authlib.oauth2.rfc6749 import InsecureTransportError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from auth.clients import GRANT_TYPES
from auth.keys import Signing
from auth.server import authorizing
from auth.server.authorizing import Asked, NoRedirect, SendBack
from auth.server.faults import StrangeGrantType
from auth.server.grants import families
from auth.server.grants.codes import CodeGrant
from auth.server.grants.credentials import CredentialsGrant
from auth.server.grants.exchanging import ExchangeGrant
from auth.server.grants.pkce import S256
from auth.server.grants.refreshing import RefreshGrant
from auth.server.introspection import Introspection, Revocation, Shelf
from auth.server.protocol import Answer, Deployment, Protocol
from auth.server.requests import Asking, Form, Parameters
from auth.tokens import Tokens
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.errors import BadInput, DatabaseUnreachable, Retry

__all__ = ["Answer", "Asked", "AuthorizationServer", "NoRedirect", "SendBack"]

T = TypeVar("T")
AWAY = (InterfaceError, OperationalError, PoolTimeout)
MET = ("40001", "40P01")
"""PostgreSQL's codes where two transactions met and one was sent home."""


class AuthorizationServer:
    """What the routes ask. `signing` and `tokens` are those of this process."""

    def __init__(
        self, database: Database, keyring: Keyring, signing: Signing, tokens: Tokens
    ) -> None:
        self._deployment = Deployment(database, keyring)
        self._signing = signing
        self._tokens = tokens

    async def asked(self, parameters: Parameters, user_id: UUID | None = None) -> Asked:
        """What a client asks a person for. Raises NoRedirect, or SendBack."""
        asking = self._authorizing(parameters)
        return await self._run(lambda protocol: authorizing.asked(protocol, asking, user_id))

    async def grant(self, parameters: Parameters, user_id: UUID) -> str:
        """Where the browser goes, with a code. Raises NoRedirect, or SendBack."""
        asking = self._authorizing(parameters)
        return await self._run(lambda protocol: authorizing.grant(protocol, asking, user_id))

    async def deny(self, parameters: Parameters) -> str:
        """Where the browser goes, with nothing. Raises NoRedirect, or SendBack."""
        asking = self._authorizing(parameters)
        return await self._run(lambda protocol: authorizing.deny(protocol, asking))

    async def token(self, form: Form) -> Answer:
        """A token, or why not. Raises BadInput on what is no request at all."""
        asking = self._posted("token", form)
        if asking.form.get("grant_type") not in GRANT_TYPES:
            strange = StrangeGrantType("Send a grant_type that the metadata names.")
            return Answer(strange.status_code, dict(strange.get_body()))
        return await self._run(lambda protocol: protocol.answered(asking))

    async def revoke(self, form: Form) -> Answer:
        """End a token. Raises BadInput."""
        asking = self._posted("revoke", form)
        return await self._run(lambda protocol: self._presented(protocol, "revocation", asking))

    async def introspect(self, form: Form) -> Answer:
        """What a token is good for. Raises BadInput."""
        asking = self._posted("introspect", form)
        return await self._run(lambda protocol: self._presented(protocol, "introspection", asking))

    def _presented(self, protocol: Protocol, endpoint: str, asking: Asking) -> Answer:
        shelf = Shelf(protocol, self._tokens)
        protocol.register_endpoint(Revocation(shelf))
        protocol.register_endpoint(Introspection(shelf))
        return protocol.presented(endpoint, asking)

    def _authorizing(self, parameters: Parameters) -> Asking:
        """The request of a browser. Raises NoRedirect where it is in no order."""
        try:
            return self._asking("GET", "authorize", parameters)
        except BadInput as error:
            raise NoRedirect(str(error)) from error

    def _posted(self, endpoint: str, form: Form) -> Asking:
        headers = {"Authorization": form.authorization} if form.authorization else {}
        return self._asking("POST", endpoint, form.parameters, headers)

    def _asking(
        self,
        method: str,
        endpoint: str,
        parameters: Parameters,
        headers: Mapping[str, str] | None = None,
    ) -> Asking:
        uri = f"{self._deployment.issuer}/oauth/{endpoint}"
        try:
            return Asking(method, uri, parameters, headers)
        except InsecureTransportError as error:
            raise BadInput("OAuth needs TLS: set HUB_BASE_URL to the https:// address.") from error

    async def _run(self, work: Callable[[Protocol], T]) -> T:
        """Do one request's work in a transaction. Raises Retry.

        What it ends counts no more in this process when it returns; others hear of it soon.
        """
        signer = await self._signing.current()
        try:
            async with AsyncSession(self._deployment.database.engine) as session:
                async with session.begin():
                    done = await session.run_sync(
                        lambda inner: work(_protocol(Protocol(inner, self._deployment, signer)))
                    )
                if families.ENDED in session.info:
                    self._tokens.look_again()
                return done
        except AWAY as error:
            raise DatabaseUnreachable("PostgreSQL did not answer: try again.") from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in MET:
                raise Retry("Others changed the same rows just now: try again.") from error
            raise


def _protocol(protocol: Protocol) -> Protocol:
    """With the ways to a token."""
    protocol.register_grant(CredentialsGrant)
    protocol.register_grant(CodeGrant, [S256()])
    protocol.register_grant(RefreshGrant)
    protocol.register_grant(ExchangeGrant)
    return protocol
