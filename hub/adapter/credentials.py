"""How the hub is known to a vendor: keys, log-ins, and every way of OAuth 2."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from hub.adapter.calls import Answer, Call, Path, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A secret that goes with every call."""

    header: str = "Authorization"
    """The header that carries it."""

    form: str = "Bearer {key}"
    """The header's value; `{…}` are settings and secrets by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A token is fetched with the secrets, and kept until it is refused or `lasts` is over."""

    ask: Callable[[Values, Values], Call]
    """From settings and secrets the call that logs in. It goes out unsigned."""

    token: Callable[[Answer, Values], str | None]
    """The token in the answer. None: refused, so a person has to connect again."""

    header: Callable[[str], tuple[str, str]]
    """Name and value of the header that carries a token."""

    lasts: timedelta = timedelta(hours=1)
    """After how long a new one is fetched unasked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic:
    """A name and a password that go with every call (RFC 7617)."""

    user: str = "{user}"
    """The name; `{…}` are settings and secrets by key, here and in all texts below."""

    password: str = "{password}"  # noqa: S105 - says where it comes from
    """The password."""


Proof = Literal["basic", "body", "none", "private_key_jwt"]
"""How a client shows at a token endpoint which one it is: its secret in a header or in the body;
not at all; or an assertion signed with its key (RFC 7523)."""

Algorithm = Literal["RS256", "PS256", "ES256"]
"""What an assertion is signed with."""

REFUSALS = (
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "access_denied",
    "invalid_token",
    "login_required",
    "interaction_required",
    "consent_required",
)
"""What OAuth calls it where only a person can help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEndpoint:
    """Where tokens are fetched, and how the vendor's OAuth 2 differs from the plain one."""

    url: str
    """Its address. Secrets can not be in it."""

    refresh_url: str = ""
    """Where a token is renewed, if that is elsewhere."""

    revoke: str = ""
    """Where tokens are given back (RFC 7009). Empty: the vendor knows no such thing."""

    client: Proof = "basic"
    """How the hub shows which client it is."""

    client_id: str = "{client_id}"
    """The client's id. Empty: none is said."""

    client_secret: str = "{client_secret}"  # noqa: S105 - says where it comes from
    """Its secret; with `private_key_jwt` its private key, in PEM or as a JWK."""

    algorithm: Algorithm = "RS256"
    """What `private_key_jwt` is signed with."""

    body: Literal["form", "json"] = "form"
    """How requests are written."""

    parameters: tuple[tuple[str, str], ...] = ()
    """Sent besides, whenever a token is fetched."""

    names: tuple[tuple[str, str], ...] = ()
    """What the vendor calls parameters otherwise: `("client_id", "app_id")`."""

    access: Path = ("access_token",)
    """Where the answer has the token."""

    refresh: Path = ("refresh_token",)
    """Where it has the token that renews it."""

    expires: Path = ("expires_in",)
    """Where it has the seconds until the token is over."""

    lasts: timedelta | None = timedelta(hours=1)
    """How long a token lasts whose answer does not say so. None: until it is refused."""

    error: Path = ("error",)
    """Where an answer says what is wrong."""

    refused: tuple[str, ...] = REFUSALS
    """What it says there when a person has to connect again."""

    header: str = "Authorization"
    """The header of calls that carries the token."""

    form: str = "Bearer {token}"
    """That header's value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCode:
    """A person gives the hub leave at the vendor, in a browser (RFC 6749, 4.1). It is renewed from
    then on, until they take it back."""

    tokens: TokenEndpoint
    """Where the leave becomes a token."""

    authorize: str
    """The page that the person is sent to. Secrets can not be in it."""

    scopes: tuple[str, ...] = ()
    """What the hub asks to be allowed."""

    separator: str = " "
    """What stands between scopes."""

    parameters: tuple[tuple[str, str], ...] = ()
    """Said to that page besides: `("access_type", "offline")`."""

    pkce: bool = True
    """Whether the vendor knows PKCE (RFC 7636). False only where it refuses it."""

    issuer: str = ""
    """The `iss` that the person has to come back with (RFC 9207). Empty: the vendor sends none; one
    that comes all the same has to be of the page's origin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """The hub fetches tokens in its own name (RFC 6749, 4.4)."""

    tokens: TokenEndpoint
    """Where it does."""

    scopes: tuple[str, ...] = ()
    """What it asks to be allowed."""

    separator: str = " "
    """What stands between scopes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtBearer:
    """The hub fetches tokens with an assertion that it signs (RFC 7523): service accounts."""

    tokens: TokenEndpoint
    """Where it does; the assertion is made out to this address."""

    issuer: str = "{client_id}"
    """Who asserts."""

    subject: str = ""
    """For whom, where it is somebody else."""

    audience: str = ""
    """Whom it is made out to, where that is not the address."""

    key: str = "{private_key}"
    """The private key, in PEM or as a JWK."""

    key_id: str = ""
    """The key's id (`kid`), where the vendor wants one."""

    algorithm: Algorithm = "RS256"
    """What it is signed with."""

    scopes: tuple[str, ...] = ()
    """What is asked for; it stands in the assertion."""

    separator: str = " "
    """What stands between scopes."""


OAuth = AuthorizationCode | ClientCredentials | JwtBearer
"""Ways to a token by OAuth 2."""

Auth = Key | Basic | Login | OAuth
"""Every way to be known to a vendor."""
