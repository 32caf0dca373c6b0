"""Who asks, and what the doors say to those whom they do not let in."""

from collections.abc import Sequence
from math import ceil
from typing import Protocol

import msgspec

from auth.principal import Principal
from hub.errors import HubError, RateLimited, Retry, Unauthenticated
from hub.errors import Refused as Denied
from schema.request import INTERNAL, Caller

Header = tuple[bytes, bytes]


class Tokens(Protocol):
    """What knows access tokens."""

    def known(self, token: str) -> Principal | None:
        """Who asks, if this process knows already."""
        ...

    async def principal(self, token: str) -> Principal:
        """Who asks. Raises Unauthenticated."""
        ...

    async def ended(self, principal: Principal) -> None:
        """Wait until the token that somebody came by counts no more, or not as it did."""
        ...


class Refusal(Exception):
    """A request that ends at the door, as HTTP tells it."""

    def __init__(
        self, status: int, message: str, code: str = "BAD_REQUEST", headers: Sequence[Header] = ()
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.headers = status, message, code, headers

    @property
    def body(self) -> bytes:
        return complaint(self.message, self.code)


def complaint(message: str, code: str) -> bytes:
    """A whole GraphQL response of one error."""
    return b'{"errors":' + error(message, code) + b"}"


def error(message: str, code: str) -> bytes:
    """A list of one error."""
    return msgspec.json.encode([{"message": message, "extensions": {"code": code}}])


async def admit(tokens: Tokens, authorization: str, purpose: str | None) -> Caller:
    """The caller of a request by its two headers. Raises what `hub.errors` has for it."""
    scheme, _, token = authorization.partition(" ")
    if not token or scheme.lower() != "bearer":
        raise Unauthenticated("An access token is needed: send `Authorization: Bearer ...`.")
    principal = tokens.known(token) or await tokens.principal(token.strip())
    return Caller(principal, principal.purpose(purpose))


def refusal(error: HubError, *, offered: bool) -> Refusal:
    """What HTTP says about an error; `offered` is whether there was a token at all."""
    message, code = str(error), error.code
    match error:
        case Unauthenticated():
            challenge = b'Bearer error="invalid_token"' if offered else b"Bearer"
            return Refusal(401, message, code, [(b"www-authenticate", challenge)])
        case RateLimited():
            return Refusal(429, message, code, [after(error.seconds)])
        case Denied():
            return Refusal(403, message, code)
        case Retry():
            unavailable = "The hub can not look the token up just now: try again."
            return Refusal(503, unavailable, "UNAVAILABLE", [after(1)])
        case _:
            return Refusal(500, INTERNAL, "INTERNAL_SERVER_ERROR")


def after(seconds: float) -> Header:
    """How long to wait, in whole seconds."""
    return b"retry-after", b"%d" % max(1, ceil(seconds))
