"""The company's OpenID provider: where people are sent to log in, and who they turn out to be."""

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote_plus, urlencode

import msgspec

from auth.people import id_token
from auth.people.id_token import Expected, ProviderKeys
from auth.people.provider_claims import Known, known, mapping, values
from auth.people.refusal import Refusal
from hub.adapter import Answer
from hub.config import Settings
from hub.errors import BadSettings, HubError, VendorAway
from hub.net.wire import Wire

PAUSE_SECONDS = 5.0
"""How long a provider that does not answer is left in peace."""
VERIFIED = "email_verified"
FRESH_SECONDS = 3600.0
"""How long it is believed what the provider says about itself."""


class Metadata(msgspec.Struct, frozen=True):
    """What the provider says about itself (OpenID Connect Discovery)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Attempt(msgspec.Struct, frozen=True):
    """One log-in under way, which only the browser that began it can end."""

    state: str
    nonce: str
    verifier: str
    onward: str
    until: float


class Tokens(msgspec.Struct):
    """What the provider gives for a code."""

    id_token: str
    access_token: str


class Provider:
    """One per process; it remembers what the provider says about itself."""

    def __init__(self, settings: Settings, wire: Wire, *, issuer: str, client_id: str) -> None:
        secret = settings.login_client_secret
        self.issuer = issuer
        self._client_id = client_id
        self._secret = secret.get_secret_value() if secret else None
        self._scopes = " ".join(dict.fromkeys(("openid", *settings.login_scopes)))
        self._role_claim = settings.login_role_claim
        self._callback = f"{settings.base_url}/oauth/login/callback"
        self._wire = wire
        self._asking = asyncio.Lock()
        self._failed: tuple[float, HubError] | None = None
        self._found: tuple[float, Metadata, ProviderKeys] | None = None

    @classmethod
    def of(cls, settings: Settings, wire: Wire) -> Self | None:
        """The provider of the settings, if there is one. Raises BadSettings where they are half."""
        if settings.login_issuer is None:
            return None
        if settings.login_client_id is None:
            raise BadSettings("HUB_LOGIN_ISSUER needs HUB_LOGIN_CLIENT_ID: register the hub there.")
        return cls(settings, wire, issuer=settings.login_issuer, client_id=settings.login_client_id)

    async def begin(self, onward: str, *, seconds: float) -> tuple[Attempt, str]:
        """An attempt to log in, and the address that it begins at."""
        metadata, _ = await self._metadata()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        attempt = Attempt(state, nonce, verifier, onward, time.time() + seconds)
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._callback,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        return attempt, metadata.authorization_endpoint + joint + urlencode(asked)

    async def end(self, attempt: Attempt, answer: Mapping[str, str]) -> Known:
        """Who came back with this answer. Raises Refusal, or VendorAway where nobody can say."""
        if attempt.until <= time.time():
            raise Refusal("expired", "The log-in took too long.")
        metadata, keys = await self._metadata()
        self._demand_own(attempt, answer, metadata)
        if "error" in answer or not answer.get("code"):
            raise Refusal("provider_refused", "The provider did not let them in.")
        tokens = await self._redeemed(metadata, answer["code"], attempt.verifier)
        expected = Expected(self.issuer, self._client_id, attempt.nonce)
        claims = await id_token.verified(tokens.id_token, keys, expected)
        return known(await self._completed(metadata, tokens, claims), self.issuer, self._role_claim)

    def _demand_own(self, attempt: Attempt, answer: Mapping[str, str], metadata: Metadata) -> None:
        """Refuse an answer to what this browser did not ask, or of somebody else (RFC 9207)."""
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise Refusal("expired", "The answer is not to what this browser asked: state.")
        said = answer.get("iss")
        is_needed = metadata.authorization_response_iss_parameter_supported
        if said != self.issuer and (said is not None or is_needed):
            raise Refusal("untrusted", "The answer is of another provider: iss.")

    async def _redeemed(self, metadata: Metadata, code: str, verifier: str) -> Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "code_verifier": verifier,
        }
        headers: list[tuple[str, str]] = []
        if self._secret is None:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            headers.append(("Authorization", _basic(self._client_id, self._secret)))
        else:
            form |= {"client_id": self._client_id, "client_secret": self._secret}
        answer = await self._wire.ask("POST", metadata.token_endpoint, form=form, headers=headers)
        return _tokens(answer)

    async def _completed(
        self, metadata: Metadata, tokens: Tokens, claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The claims, with what only the provider's other endpoint says of the same person."""
        has_role = not self._role_claim or values(claims, self._role_claim)
        is_whole = VERIFIED in claims and has_role
        if metadata.userinfo_endpoint is None or is_whole:
            return claims
        bearer = [("Authorization", f"Bearer {tokens.access_token}")]
        answer = await self._wire.ask("GET", metadata.userinfo_endpoint, headers=bearer)
        more = mapping(answer.body)
        if answer.status != 200 or more.get("sub") != claims["sub"]:
            raise Refusal("untrusted", "The provider says nothing, or of somebody else: userinfo.")
        address = claims if VERIFIED in claims else more  # the two belong together
        return {**more, **claims, **{name: address.get(name) for name in ("email", VERIFIED)}}

    async def _metadata(self) -> tuple[Metadata, ProviderKeys]:
        """What is known; asked for by one of many at a time, and not again while it just failed."""
        async with self._asking:
            if self._found is None or self._found[0] <= time.monotonic():
                metadata = await self._discovered()
                keys = ProviderKeys(self._wire, metadata.jwks_uri)
                self._found = time.monotonic() + FRESH_SECONDS, metadata, keys
        return self._found[1], self._found[2]

    async def _discovered(self) -> Metadata:
        if self._failed is not None and self._failed[0] > time.monotonic():
            raise self._failed[1].with_traceback(None)
        try:
            return await self._described()
        except HubError as error:
            self._failed = time.monotonic() + PAUSE_SECONDS, error
            raise

    async def _described(self) -> Metadata:
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        answer = await self._wire.ask("GET", address)
        if answer.status != 200:
            raise VendorAway("The OpenID provider does not say how to log in there.")
        try:
            found = msgspec.convert(answer.body, Metadata)
        except msgspec.ValidationError as error:
            raise Refusal("untrusted", "What the provider says about itself is odd.") from error
        if found.issuer != self.issuer:
            raise Refusal("untrusted", "HUB_LOGIN_ISSUER is not how the provider names itself.")
        _demand_addresses(found)
        return found


def _demand_addresses(found: Metadata) -> None:
    """Refuse a provider that sends people or secrets by a worse way than its own."""
    scheme = found.issuer.partition(":")[0] + "://"
    several = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
    for address in (*several, found.userinfo_endpoint or scheme):
        if not address.startswith(("https://", scheme)) or not address.isprintable():
            raise Refusal("untrusted", "The provider names an address without TLS.")


def _tokens(answer: Answer) -> Tokens:
    if answer.status >= 500:
        raise VendorAway("The OpenID provider does not answer at present.")
    try:
        return msgspec.convert(answer.body, Tokens)
    except msgspec.ValidationError as error:
        raise Refusal("provider_refused", "The provider did not take the code.") from error


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _basic(name: str, secret: str) -> str:
    """Basic authentication as OAuth wants it (RFC 6749, section 2.3.1)."""
    pair = f"{quote_plus(name)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
