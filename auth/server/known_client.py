"""Clients as Authlib asks about them, found in our table; only those that may still ask."""

from datetime import datetime
from uuid import UUID

from authlib.oauth2.rfc6749 import ClientMixin
from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from auth import redirects
from auth.clients import Client, identified
from auth.hashes import is_same
from hub.models.access import OauthClient


class Registered(ClientMixin):
    """A client, and what it proves itself by."""

    def __init__(self, row: OauthClient, *, now: datetime) -> None:
        self.row = row
        self.id: UUID = row.id
        self.client = Client(**{name: getattr(row, name) for name in Client.__slots__})
        self._now = now

    def get_client_id(self) -> str:
        return str(self.id)

    def get_default_redirect_uri(self) -> str:
        """The only one it has, if there is only one."""
        return self.row.redirect_uris[0] if len(self.row.redirect_uris) == 1 else ""

    def get_allowed_scope(self, scope: object) -> str:
        """Words of what it may have; what is asked for is weighed by `Rights`."""
        return self.client.rights.words

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Nobody is asked before an own client gets a code, so its port is no other program's."""
        has_free_port = not self.row.is_own
        known = self.row.redirect_uris
        return redirects.is_registered(redirect_uri, known, has_free_port=has_free_port)

    def check_client_secret(self, client_secret: str) -> bool:
        """Secrets are compared as hashes (`has_secret`): Authlib's own way is never taken."""
        return False

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == self.row.auth_method

    def check_response_type(self, response_type: str) -> bool:
        """Weighed with the rest of the request, in words that repeat nothing of it."""
        return True

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.row.grant_types

    def has_secret(self, hashes: list[bytes]) -> bool:
        """Whether one of these is its secret's, or its former one's while that counts."""
        until = self.row.old_secret_until
        former = self.row.old_secret_hash if until and until > self._now else None
        found = [is_same(one, known) for one in hashes for known in (self.row.secret_hash, former)]
        return any(found)


LONGEST_ID = 80
"""Characters of a name; no id is longer."""
ACTIVE = select(OauthClient, func.now()).where(
    OauthClient.disabled_at.is_(None),
    or_(OauthClient.expires_at.is_(None), OauthClient.expires_at > func.now()),
)
OF_ID = ACTIVE.where(OauthClient.id == bindparam("client"))
NAMED = ACTIVE.where(OauthClient.name == bindparam("client"))


def find(session: Session, client_id: str) -> Registered | None:
    """The client of this id or name, if it may still ask."""
    if not client_id.isprintable() or len(client_id) > LONGEST_ID:
        return None
    id_ = identified(client_id)
    statement, key = (NAMED, client_id) if id_ is None else (OF_ID, id_)
    row = session.execute(statement, {"client": key}).one_or_none()
    return None if row is None else Registered(row[0], now=row[1])
