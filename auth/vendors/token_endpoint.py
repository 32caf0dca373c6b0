"""What the hub says at a vendor's token endpoint, and what it makes of the answer (RFC 6749).

An answer is good, a refusal that only a person can mend (Reconnect), trouble that passes
(VendorAway, Retry with a time), or a mistake in what was set (VendorRefused). Nothing of an answer
is repeated but words that OAuth itself defines.
"""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from math import isfinite
from typing import Any, TypeGuard
from urllib.parse import quote_plus, urlencode, urlsplit

from auth.vendors.assertion import assertion
from auth.vendors.safe import advice, leave_needed
from hub import clock
from hub.adapter import (
    Answer,
    AuthorizationCode,
    ClientCredentials,
    JwtBearer,
    OAuth,
    TokenEndpoint,
    Values,
)
from hub.errors import Reconnect, Retry, VendorAway, VendorRefused
from hub.net import Target, Wire
from hub.net.faults import FAILS, FINE
from hub.net.places import at
from hub.net.waits import wait

SECONDS = 50.0
"""How long an answer is waited for, unless the caller has less time."""
UNTOLD = timedelta(seconds=60)
"""How long to wait where an endpoint asks to wait and does not say for how long."""
LONGEST_TOKEN = 16_384
"""Characters of a token: more fits no header."""
LONGEST_LIFE = timedelta(days=3650)
BUSY = {"temporarily_unavailable", "server_error"}
WRONG = {"invalid_request", "invalid_scope", "invalid_target", "unsupported_grant_type"}
"""What OAuth calls a request that is not as the vendor wants it."""
CLIENT = {"invalid_client", "unauthorized_client"}
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

Parameters = dict[str, str]


class LeaveRefused(Reconnect):
    """The vendor does not take what renews a token, though it knows the client."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """What an endpoint gave: a token, how long it lasts (None: until it is refused), and what
    renews it, "" where nothing came. Printing it shows neither."""

    token: str = field(repr=False)
    lasts: timedelta | None
    refresh: str = field(default="", repr=False)


class Exchange:
    """One integration's dealings with its vendor's endpoint."""

    def __init__(self, target: Target, auth: OAuth, secrets: Values) -> None:
        self._target = target
        self._auth = auth
        self._tokens = auth.tokens
        self._known = {**target.values, **secrets}

    @property
    def place(self) -> str:
        """For what a leave is given: neither it nor its tokens are shown anywhere else."""
        tokens = self._tokens
        where = (self._target.adapter.base, tokens.url, tokens.refresh_url or tokens.url)
        return " ".join([*dict.fromkeys(map(self._filled, where)), self._client_id])

    def page(self, auth: AuthorizationCode, *, state: str, verifier: str, back: str) -> str:
        """The address at which a person gives leave, and from where they come back."""
        said = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": back,
            "state": state,
            "scope": auth.separator.join(auth.scopes),
            **self._all_filled(auth.parameters),
        }
        if auth.pkce:
            said |= {"code_challenge": _challenge(verifier), "code_challenge_method": "S256"}
        page = self._filled(auth.authorize)
        query = urlencode(self._named({name: text for name, text in said.items() if text}))
        return f"{page}{'&' if urlsplit(page).query else '?'}{query}"

    def issuer(self, auth: AuthorizationCode) -> str:
        """The `iss` that a person has to come back with, "" where none is declared."""
        return self._filled(auth.issuer)

    def origin(self, auth: AuthorizationCode) -> tuple[str, str]:
        """That of the page."""
        return urlsplit(self._filled(auth.authorize))[:2]

    async def redeem(self, wire: Wire, code: str, *, verifier: str, back: str) -> Fresh:
        """Make a code a token. Raises what is said above."""
        said = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        if isinstance(self._auth, AuthorizationCode) and self._auth.pkce:
            said["code_verifier"] = verifier
        return await self._asked(wire, self._tokens.url, said)

    async def refresh(self, wire: Wire, refresh: str) -> Fresh:
        """Renew a token."""
        said = {"grant_type": "refresh_token", "refresh_token": refresh}
        return await self._asked(wire, self._tokens.refresh_url or self._tokens.url, said)

    async def own(self, wire: Wire, auth: ClientCredentials | JwtBearer) -> Fresh:
        """A token in the hub's own name."""
        scope = auth.separator.join(auth.scopes)
        if isinstance(auth, ClientCredentials):
            said = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        else:
            said = {"grant_type": JWT_BEARER, "assertion": self._assertion(auth, scope)}
        return await self._asked(wire, self._tokens.url, said)

    async def give_back(self, wire: Wire, token: str, hint: str) -> None:
        """Tell the vendor that a token counts no more (RFC 7009). Raises VendorAway or
        VendorRefused where it may still count."""
        said = {"token": token, "token_type_hint": hint}
        answer = await self._send(wire, self._tokens.revoke, said)
        if answer.status in FAILS.status or answer.status == 429:
            raise VendorAway(f"{self._title} can not take tokens back just now.")
        if answer.status not in FINE:
            raise VendorRefused(f"{self._title} did not take its token back.")

    async def _asked(self, wire: Wire, url: str, said: Parameters) -> Fresh:
        answer = await self._send(wire, url, said | self._all_filled(self._tokens.parameters))
        token = at(answer.body, self._tokens.access)
        if answer.status in FINE and _is_token(token):
            return self._fresh(token, answer.body)
        raise self._fault(answer)

    async def _send(self, wire: Wire, url: str, said: Parameters) -> Answer:
        proof, headers = self._proof()
        whole, to = self._named(said | proof), self._filled(url)
        if self._tokens.body == "json":
            return await wire.ask("POST", to, json=whole, headers=headers, seconds=SECONDS)
        return await wire.ask("POST", to, form=whole, headers=headers, seconds=SECONDS)

    def _proof(self) -> tuple[Parameters, list[tuple[str, str]]]:
        """What shows which client asks: parameters and headers."""
        said = {"client_id": self._client_id} if self._client_id else {}
        secret = "" if self._tokens.client == "none" else self._filled(self._tokens.client_secret)
        match self._tokens.client:
            case "none":
                return said, []
            case "basic":
                pair = f"{quote_plus(self._client_id)}:{quote_plus(secret)}"  # RFC 6749, 2.3.1
                return {}, [("Authorization", f"Basic {b64encode(pair.encode()).decode()}")]
            case "body":
                return {**said, "client_secret": secret}, []
            case "private_key_jwt":
                signed = assertion(
                    secret,
                    self._tokens.algorithm,
                    issuer=self._client_id,
                    subject=self._client_id,
                    audience=self._filled(self._tokens.url),
                )
                proof = {"client_assertion_type": ASSERTION, "client_assertion": signed}
                return {**said, **proof}, []

    def _assertion(self, auth: JwtBearer, scope: str) -> str:
        return assertion(
            self._filled(auth.key),
            auth.algorithm,
            issuer=self._filled(auth.issuer),
            subject=self._filled(auth.subject),
            audience=self._filled(auth.audience or self._tokens.url),
            key_id=self._filled(auth.key_id),
            scope=scope,
        )

    def _fresh(self, token: str, body: Any) -> Fresh:
        refresh = at(body, self._tokens.refresh)
        is_whole = isinstance(refresh, str) and len(refresh) <= LONGEST_TOKEN
        return Fresh(token, _life(body, self._tokens), refresh if is_whole else "")

    def _fault(self, answer: Answer) -> Reconnect | Retry | VendorAway | VendorRefused:
        """What an answer without a token means."""
        found = at(answer.body, self._tokens.error)
        error = found if isinstance(found, str) else ""
        if answer.status == 429 or error == "slow_down":
            until = clock.now() + (wait(answer) or UNTOLD)
            return Retry(f"{self._title} asks to wait before it gives a token.", at=until)
        if answer.status in FAILS.status or error in BUSY:
            return VendorAway(f"{self._title} can not give a token just now; it is tried again.")
        if error in self._tokens.refused or answer.status == 401:
            return self._refusal(error)
        told = error if error in WRONG else f"status {answer.status}"
        return VendorRefused(
            f"{self._title} gives no token ({told}): look at the settings of the integration, and"
            " at those of the hub's client there."
        )

    def _refusal(self, error: str) -> Reconnect:
        if error in CLIENT or not isinstance(self._auth, AuthorizationCode):
            return Reconnect(advice(self._target))
        return LeaveRefused(leave_needed(self._target))

    def _named(self, said: Mapping[str, str]) -> Parameters:
        """Parameters in the vendor's words."""
        names = dict(self._tokens.names)
        return {names.get(name, name): text for name, text in said.items()}

    def _all_filled(self, parameters: Iterable[tuple[str, str]]) -> Parameters:
        return {name: self._filled(text) for name, text in parameters}

    def _filled(self, text: str) -> str:
        return text.format_map(self._known)

    @property
    def _client_id(self) -> str:
        return self._filled(self._tokens.client_id)

    @property
    def _title(self) -> str:
        return self._target.adapter.title


def _is_token(found: Any) -> TypeGuard[str]:
    """Whether it is something that a header can carry."""
    is_text = isinstance(found, str) and 0 < len(found) <= LONGEST_TOKEN
    return is_text and found.isascii() and found.isprintable()


def _life(body: Any, tokens: TokenEndpoint) -> timedelta | None:
    """How long a token lasts, as far as the answer tells in a way that makes sense."""
    try:
        seconds = float(at(body, tokens.expires))
    except (TypeError, ValueError, OverflowError):
        return tokens.lasts
    if not isfinite(seconds) or seconds <= 0:
        return tokens.lasts
    return min(LONGEST_LIFE, timedelta(seconds=min(seconds, LONGEST_LIFE.total_seconds())))


def _challenge(verifier: str) -> str:
    """The S256 challenge of RFC 7636."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
