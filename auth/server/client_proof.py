"""How a client proves who it is at our endpoints: in one way, the one it registered.

Whoever is refused is not told why: an unknown client looks like a wrong secret.
"""

from collections.abc import Callable
from dataclasses import dataclass

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from auth.hashes import keyed_all
from auth.server import assertion
from auth.server.assertion import Audience
from auth.server.known_client import Registered
from auth.server.requests import Asking, Form, basic
from hub.crypto import Keyring

SECRET = "client secret"  # noqa: S105 - what is hashed, not the thing
FAILED = "The client is unknown or did not prove who it is: check its id and secret or key."
ONE_WAY = "Say who the client is in one way: a header, or parameters."

Find = Callable[[str], Registered | None]
Once = Callable[[Registered, assertion.Assertion], bool]
Anew = Callable[[Registered, bytes], None]


@dataclass(frozen=True, slots=True)
class Prover:
    """What it takes to know a client: where it is found, our keys, and whom assertions name.

    `anew` keeps the hash of a secret by the present key, where it was kept by an older one.
    """

    find: Find
    keyring: Keyring
    audience: Audience
    once: Once
    anew: Anew

    def prove(self, asking: Asking) -> Registered:
        """The client that asks. Raises InvalidClientError, or InvalidRequestError."""
        ways = (
            (_header(asking) != "", self._by_header),
            ("client_secret" in asking.form, self._by_body),
            ("client_assertion" in asking.form, self._by_assertion),
        )
        tried = [way for is_tried, way in ways if is_tried] or [self._public]
        if len(tried) > 1:
            raise InvalidRequestError(ONE_WAY)
        return tried[0](asking)

    def _by_header(self, asking: Asking) -> Registered:
        found = basic(_header(asking))
        if found is None:
            raise refused(asking)
        if asking.form.get("client_id", found[0]) != found[0]:
            raise InvalidRequestError(ONE_WAY)
        return self._by_secret(asking, *found)

    def _by_body(self, asking: Asking) -> Registered:
        form = asking.form
        return self._by_secret(asking, form.get("client_id", ""), form["client_secret"])

    def _by_secret(self, asking: Asking, client_id: str, secret: str) -> Registered:
        hashes = keyed_all(self.keyring, SECRET, secret)
        found = self._found(asking, client_id, "secret")
        if not found.has_secret(hashes):
            raise refused(asking)
        if found.row.secret_hash in hashes[1:]:
            self.anew(found, hashes[0])
        return found

    def _by_assertion(self, asking: Asking) -> Registered:
        said = assertion.unverified(asking.form)
        if said is None or asking.form.get("client_id", said.client_id) != said.client_id:
            raise refused(asking)
        found = self._found(asking, said.client_id, "private_key_jwt")
        verified = assertion.verified(said, found.row.jwks or {}, self.audience)
        if verified is None or not self.once(found, verified):
            raise refused(asking)
        return found

    def _public(self, asking: Asking) -> Registered:
        return self._found(asking, asking.form.get("client_id", ""), "none")

    def _found(self, asking: Asking, client_id: str, method: str) -> Registered:
        """The client of this id, if this is how it proves itself."""
        found = self.find(client_id) if client_id else None
        if found is None or not found.check_endpoint_auth_method(method, "token"):
            raise refused(asking)
        return found


def refused(asking: Asking) -> InvalidClientError:
    """401 with a challenge for who came with the header, as RFC 6749 (5.2) has it."""
    return InvalidClientError(FAILED, status_code=401 if _header(asking) else 400)


def _header(asking: Asking) -> str:
    return (asking.headers or {}).get("Authorization", "")


def claimed(form: Form) -> str:
    """Whom a request claims to come from, proven or not: who guesses is counted by it."""
    said = dict(form.parameters)
    if (found := basic(form.authorization)) is not None:
        return found[0]
    signed = assertion.unverified(said)
    return said.get("client_id", "") if signed is None else signed.client_id
