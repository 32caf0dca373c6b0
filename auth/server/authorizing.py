"""The authorization endpoint's half of the protocol: what a client asks a person for."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AccessDeniedError

from auth.clients import Client
from auth.redirects import back
from auth.rights import Rights
from auth.server.grants.codes import CodeGrant
from auth.server.grants.giving import narrowed, of_person
from auth.server.grants.pkce import S256
from auth.server.protocol import Protocol
from auth.server.requests import Asking
from hub.errors import BadInput, Refused


class NoRedirect(BadInput):
    """The request can not be answered at its client's address: tell the person on a page."""


class SendBack(Refused):
    """The browser goes back to the client, at `location`, with what was wrong."""

    def __init__(self, message: str, *, location: str) -> None:
        super().__init__(message)
        self.location = location


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is in order: who asks, for what, and where the browser goes back to."""

    client: Client
    redirect_uri: str
    rights: Rights
    state: str | None

    @property
    def scopes(self) -> tuple[str, ...]:
        return self.rights.scopes

    @property
    def purposes(self) -> tuple[str, ...]:
        return self.rights.purposes


def asked(protocol: Protocol, asking: Asking, user_id: UUID | None) -> Asked:
    """What is asked for; of a person who is known, only what they may give.

    Raises NoRedirect, or SendBack.
    """
    return _validated(protocol, asking, user_id)[1]


def grant(protocol: Protocol, asking: Asking, user_id: UUID) -> str:
    """Where the browser goes with the code of what is granted. Raises NoRedirect, or SendBack."""
    way, found = _validated(protocol, asking, user_id)
    code = way.keep(way.registered, user_id, found.redirect_uri, found.rights)
    return _location(protocol, found.redirect_uri, [("code", code)], found.state)


def deny(protocol: Protocol, asking: Asking) -> str:
    """Where the browser goes when nothing is granted. Raises NoRedirect, or SendBack."""
    _, found = _validated(protocol, asking, None)
    body = AccessDeniedError("The person did not grant it.").get_body()
    return _location(protocol, found.redirect_uri, body, found.state)


def _validated(protocol: Protocol, asking: Asking, user_id: UUID | None) -> tuple[CodeGrant, Asked]:
    way, uri = CodeGrant(asking, protocol), ""
    S256()(way)
    try:
        uri = way.validate_consent_request()
        rights = narrowed(way.registered.client.rights, asking.words)
        if user_id is not None:
            rights = _granted(rights, of_person(protocol.session, user_id))
    except OAuth2Error as error:
        raise _refusal(protocol, error, uri or error.redirect_uri, asking) from error
    return way, Asked(way.registered.client, uri, rights, asking.form.get("state"))


def _granted(rights: Rights, person: Rights) -> Rights:
    found = rights.within(person)
    if found.are_none:
        raise AccessDeniedError("The person may not grant any of what is asked for.")
    return found


def _refusal(protocol: Protocol, error: OAuth2Error, uri: str | None, asking: Asking) -> Refused:
    if not uri:
        return NoRedirect(error.description or "The client is unknown or disabled.")
    location = _location(protocol, uri, error.get_body(), asking.form.get("state"))
    return SendBack(error.description, location=location)


def _location(
    protocol: Protocol, uri: str, body: Sequence[tuple[str, str | None]], state: str | None
) -> str:
    """With `iss` on every answer (RFC 9207), so that no client takes us for somebody else."""
    said = {name: value for name, value in body if value and name != "state"}
    stated = {"state": state} if state else {}
    return back(uri, [*said.items(), *stated.items(), ("iss", protocol.deployment.issuer)])
