"""A grant and the refresh tokens that descend from it, each used once; it ends for all at once."""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, update
from sqlalchemy.orm import Session

from auth.hashes import keyed, new_secret
from auth.rights import Rights
from hub import clock
from hub.crypto import Keyring
from hub.models.access import OauthGrant, OauthToken

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

TOKEN = "refresh token"  # noqa: S105 - what is hashed, not the thing
ENDED = "ended"
"""Where a session notes that tokens end with what it commits."""
IDLE = timedelta(days=30)
"""How long a refresh token waits to be used."""
LIFE = timedelta(days=90)
"""How long a grant lasts, however often it is refreshed."""


def begin(session: Session, client_id: UUID, user_id: UUID, rights: Rights) -> UUID:
    """What a person granted a client."""
    grant = OauthGrant(
        id=clock.new_id(),
        client_id=client_id,
        user_id=user_id,
        scopes=list(rights.scopes),
        purposes=list(rights.purposes),
        expires_at=func.now() + LIFE,
    )
    session.add(grant)
    session.flush()
    return grant.id


def descend(session: Session, keyring: Keyring, grant_id: UUID) -> str:
    """A new refresh token of a grant; it can not outlive it."""
    token = new_secret()
    session.add(
        OauthToken(
            hash=keyed(keyring, TOKEN, token), grant_id=grant_id, expires_at=func.now() + IDLE
        )
    )
    return token


def end(session: Session, grant_id: UUID, why: str) -> None:
    """No token of this grant counts from now on. Twice is harmless, and told to nobody."""
    grant = session.get(OauthGrant, grant_id)
    if grant is None or grant.ended_at is not None:
        return
    session.info[ENDED] = True
    log.info("a grant ended", grant_id=grant_id, cause=why)
    session.execute(
        update(OauthGrant)
        .where(OauthGrant.id == grant_id, OauthGrant.ended_at.is_(None))
        .values(ended_at=func.now(), ended_for=why)
        .execution_options(synchronize_session=False)
    )
