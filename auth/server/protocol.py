"""OAuth's protocol over our tables: Authlib's logic, one for each request, inside a session.

What Authlib does by default and should not is closed here and in `auth/server/grants/`;
`tests/auth/server/test_authlib_defaults.py` names each.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from authlib.oauth2.rfc6749 import AuthorizationServer as Logic
from authlib.oauth2.rfc6749 import OAuth2Request
from joserfc.jwk import ECKey
from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from auth.rights import Rights
from auth.server import known_client
from auth.server.assertion import LIFE as ASSERTION_LIFE
from auth.server.assertion import Assertion
from auth.server.client_proof import Prover
from auth.server.known_client import Registered
from auth.server.requests import Asking
from auth.tokens import LIFE, Said, sign
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.models.access import ClientAssertion, OauthClient

logging.getLogger("authlib").setLevel(logging.WARNING)
"""Authlib writes whole tokens into its debug log."""

KEPT = timedelta(seconds=2 * ASSERTION_LIFE)
"""How long an assertion is remembered: longer than any counts."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Authlib answers, before it is HTTP."""

    status: int
    body: Mapping[str, Any]
    headers: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the protocol has to know of this hub."""

    database: Database
    keyring: Keyring

    @property
    def settings(self) -> Settings:
        return self.database.settings

    @property
    def issuer(self) -> str:
        return self.settings.base_url

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/oauth/token"


class Protocol(Logic):
    """Authlib's server as far as it is the same for all grants. `signer` is what signs now."""

    def __init__(self, session: Session, deployment: Deployment, signer: tuple[str, ECKey]) -> None:
        super().__init__()
        self.session = session
        self.deployment = deployment
        self.keyring = deployment.keyring
        self._signer = signer
        audience = (deployment.issuer, deployment.token_endpoint)
        self._prover = Prover(self.query_client, self.keyring, audience, self._once, self._anew)

    def query_client(self, client_id: str) -> Registered | None:  # type: ignore[override]  # may be none
        return known_client.find(self.session, client_id)

    def authenticate_client(
        self, request: OAuth2Request, methods: object = (), endpoint: str = "token"
    ) -> Registered:
        """The client that asks, in whichever one way it known_client. Raises InvalidClientError."""
        asking = ours(request)
        found = self._prover.prove(asking)
        asking.client = found
        asking.auth_method = found.row.auth_method
        return found

    def _once(self, client: Registered, said: Assertion) -> bool:
        """Whether this is the first time that an assertion is brought."""
        seen = insert(ClientAssertion).values(
            client_id=client.id, jti=said.jti, expires_at=func.now() + KEPT
        )
        done = self.session.execute(seen.on_conflict_do_nothing().returning(ClientAssertion.jti))
        return done.first() is not None

    def _anew(self, client: Registered, hashed: bytes) -> None:
        """Keep the hash of a client's secret by the present key; one rotated meanwhile stays."""
        kept = client.row.secret_hash
        self.session.execute(
            update(OauthClient)
            .where(OauthClient.id == client.id, OauthClient.secret_hash == kept)
            .values(secret_hash=hashed)
            .execution_options(synchronize_session=False)
        )

    def token(self, said: Said, *, life: timedelta = LIFE) -> dict[str, str | int]:
        """What an answer says that gives a token: what was given stands in `scope`, all of it."""
        token, claims = sign(*self._signer, said, base_url=self.deployment.issuer, life=life)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": claims.exp - claims.iat,
            "scope": Rights.of(said.scopes, said.purposes).words,
        }

    def answered(self, asking: Asking) -> Answer:
        """What the token endpoint answers."""
        answer = self.create_token_response(asking)  # type: ignore[misc]  # an open stub
        return cast("Answer", answer)  # of `handle_response`, whatever the stub says

    def presented(self, endpoint: str, asking: Asking) -> Answer:
        """What one of the other endpoints answers."""
        answer = self.create_endpoint_response(endpoint, asking)  # type: ignore[misc]  # too
        return cast("Answer", answer)  # of `handle_response`

    def create_oauth2_request(self, request: Asking) -> Asking:
        return request

    def handle_response(  # type: ignore[override]  # headers are pairs, whatever the stub says
        self, status: int, body: Mapping[str, Any], headers: Sequence[tuple[str, str]]
    ) -> Answer:
        return Answer(status, body, headers)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens to Authlib's signals."""


def ours(request: OAuth2Request) -> Asking:
    """A request as we made it."""
    if not isinstance(request, Asking):
        raise TypeError("Authlib was given a request that did not come through `Asking`.")
    return request
