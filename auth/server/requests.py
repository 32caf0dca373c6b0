"""What comes to the OAuth endpoints, read and found to be in form before anybody looks at it."""

import asyncio
import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from authlib.oauth2.rfc6749 import InsecureTransportError, OAuth2Payload, OAuth2Request
from starlette.requests import ClientDisconnect, Request

from auth.redirects import LOCAL
from hub.errors import BadInput

FORM = "application/x-www-form-urlencoded"
LONGEST_BODY = 32 << 10
"""Bytes: an assertion and a token are a few thousand."""
BODY_SECONDS = 10.0
MOST_PARAMETERS = 30
REPEATABLE = frozenset({"resource", "audience"})

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it came: its parameters, how its client says who it is, and from where."""

    parameters: Parameters
    authorization: str = ""
    address: str = ""


class Payload(OAuth2Payload):
    """Parameters by name. One without a value counts as not sent (RFC 6749, section 3.1)."""

    def __init__(self, parameters: Parameters) -> None:
        self._all: dict[str, list[str]] = {}
        for name, value in parameters:
            if value:
                self._all.setdefault(name, []).append(value)
        self._first = {name: values[0] for name, values in self._all.items()}

    @property
    def data(self) -> dict[str, str]:
        return self._first

    @property
    def datalist(self) -> dict[str, list[str]]:
        return self._all


class Asking(OAuth2Request):
    """One request in Authlib's words. Raises BadInput where a parameter is sent twice or is odd."""

    def __init__(
        self,
        method: str,
        uri: str,
        parameters: Parameters,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        _demand_tls(uri)
        super().__init__(method, uri, headers=headers or {})  # type: ignore[misc]  # an open stub
        _demand_form(parameters)
        self.said = Payload(parameters)
        self.payload = self.said

    @property
    def form(self) -> dict[str, str]:
        return self.said.data

    @property
    def words(self) -> str | None:
        """What is asked for: scopes and purposes."""
        return self.form.get("scope")

    def all(self, name: str) -> Sequence[str]:
        """Every value of a parameter that may be repeated."""
        return self.said.datalist.get(name, [])


def _demand_tls(uri: str) -> None:
    """By ourselves: an environment variable turns Authlib's own demand off."""
    parts = urlsplit(uri)
    if parts.scheme != "https" and parts.hostname not in LOCAL:
        raise InsecureTransportError()


def _demand_form(parameters: Parameters) -> None:
    once = [name for name, value in parameters if value and name not in REPEATABLE]
    if len(parameters) > MOST_PARAMETERS or len(once) != len(set(once)):
        raise BadInput("A parameter is sent twice, or there are too many: send each once.")
    if not all(name.isprintable() and value.isprintable() for name, value in parameters):
        raise BadInput("A parameter holds characters that can not be printed: leave them out.")


def basic(authorization: str) -> tuple[str, str] | None:
    """Id and secret of a header, both encoded as in a form (RFC 6749, section 2.3.1)."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        text = b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    client_id, colon, secret = text.partition(":")
    found = unquote_plus(client_id), unquote_plus(secret)
    if scheme.lower() != "basic" or not colon or not "".join(found).isprintable():
        return None
    return found


async def read(request: Request) -> Form:
    """The form of a POST. Raises BadInput where it is something else, too long or too slow."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise BadInput(f"Send a form: Content-Type: {FORM}.")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _body(request)
    except TimeoutError as error:
        raise BadInput("The form did not arrive in time: send it again.") from error
    address = request.client.host if request.client else ""
    return Form(parsed(body), request.headers.get("authorization", ""), address)


def parsed(text: bytes) -> Parameters:
    """The parameters of a form or a query. Raises BadInput."""
    try:
        return parse_qsl(
            text.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS
        )
    except ValueError as error:
        raise BadInput("This is not a form in UTF-8: send name=value pairs.") from error


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_BODY:
                raise BadInput(f"The form is longer than {LONGEST_BODY} bytes: send less.")
    except ClientDisconnect as error:
        raise BadInput("The form broke off: send it again.") from error
    return bytes(body)
