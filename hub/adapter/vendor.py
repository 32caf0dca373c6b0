"""An adapter: all that is said of a vendor, and what can be seen to be wrong with it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from string import Formatter
from typing import Any, Literal

from hub.adapter.calls import Call, Limit, Values, When
from hub.adapter.consent import Status
from hub.adapter.credentials import (
    Auth,
    AuthorizationCode,
    Basic,
    ClientCredentials,
    JwtBearer,
    Key,
    Login,
    TokenEndpoint,
)
from hub.adapter.streams import Stream
from hub.records import Consent

CONTRACT = 1
"""The version of this contract: another number where what was written against it would break."""
Family = Literal["erp", "telephony", "email", "ads", "calendar"]
"""What kind of system it is; the folder that its adapter lies in."""

Category = Literal["identity", "contact", "trade", "behaviour", "profile", "consent"]
"""Kinds of personal data, in the words of scopes and purposes."""


def same(value: Any) -> Any:
    """For vendors whose values are plain already."""
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Something a person says when they connect the vendor."""

    key: str
    """Its name in commands and in `Values`: small letters, digits, `_`."""

    title: str
    """Its name for people."""

    help: str = ""
    """What to write, and where to find it."""

    secret: bool = False
    """Whether it is asked for without showing it, sealed, and given to `auth` alone."""

    default: str | None = None
    """What holds when nothing is said. None: it has to be said."""

    pattern: str = ".+"
    """A regular expression that the whole value fits; else it is refused with `help`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """What the vendor holds of people, and how somebody is erased there."""

    holds: tuple[Category, ...]
    """Which kinds of personal data."""

    by_hand: str
    """Why the hub can not erase there, and what a person does instead. Never empty: saying
    nothing is the one wrong answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """Everything the hub has to know of a vendor.

    Raises `ValueError` for what can be seen to be wrong: a name that is no name or is there twice,
    a placeholder that no setting fills, an empty word about erasure.
    """

    key: str
    """Its name in commands: small letters, digits, `_`."""

    title: str
    """The vendor's name."""

    family: Family
    """What kind of system it is."""

    docs: str
    """Where the vendor documents its interface."""

    settings: tuple[Setting, ...]
    """What a person says to connect it. `source`, `calls` and `seconds` are taken: by `Values`, and
    by the limit that an operator may set for any integration. OAuth takes `token`."""

    base: str
    """The address that every path is joined to; `{…}` are settings by key: `{url}`."""

    auth: Auth
    """How the hub is known to the vendor."""

    check: Callable[[Values], Call]
    """The cheapest call that needs the credentials."""

    streams: tuple[Stream, ...]
    """What is read."""

    privacy: Privacy
    """What it holds of people."""

    consents: tuple[Status, ...] | str = ()
    """What its statuses mean as consent, one for each purpose that one speaks of; or a sentence:
    why none does, and what a person does instead. Every stream of `Consent` records is in it."""

    faults: tuple[When, ...] = ()
    """What its faults mean, looked through before the engine's own rules."""

    limits: tuple[Limit, ...] = ()
    """How often it may be called."""

    plain: Callable[[Any], Any] = same
    """A value as the vendor writes it (`{"__class__": "Decimal", …}`, `[7, "EUR"]`) as a text,
    number, truth, date, time, list or None: what an integration's own mapping works with."""

    seconds: float = 60.0
    """How long one call may take in all."""

    contract: int = CONTRACT
    """The contract that it was written against."""

    def __post_init__(self) -> None:
        for wrong in _wrongs(self):
            raise ValueError(f"adapter {self.key!r}: {wrong}")


_NAME = re.compile(r"[a-z0-9_]+")
_TAKEN = ("source", "calls", "seconds")


def _wrongs(adapter: Adapter) -> Iterator[str]:
    settings = [setting.key for setting in adapter.settings]
    streams = [stream.key for stream in adapter.streams]
    yield from _bad_names((adapter.key, *settings, *streams))
    yield from _repeated("settings", [*settings, *_TAKEN])
    yield from _repeated("streams", streams)
    shown = {setting.key for setting in adapter.settings if not setting.secret}
    yield from _unfilled("base", adapter.base, shown)
    yield from _wrongs_of_auth(adapter.auth, shown=shown, known={*settings})
    for child in (child for stream in adapter.streams for child in stream.children):
        if child.apart and not child.key:
            yield "children that are read apart need a key to be put under"
    if not adapter.privacy.by_hand.strip():
        yield "privacy.by_hand has to say how somebody is erased at the vendor"
    yield from _wrongs_of_consents(adapter.consents, adapter.streams)


def _wrongs_of_consents(
    consents: tuple[Status, ...] | str, streams: Iterable[Stream]
) -> Iterator[str]:
    """Statuses without a stream of consents, and streams of which nobody says what they mean."""
    giving = {stream.key for stream in streams if stream.kind is Consent}
    statuses = () if isinstance(consents, str) else consents
    explained = {status.stream for status in statuses}
    if isinstance(consents, str) and not consents.strip():
        yield "consents has to say why no status means consent"
    for key in explained - giving:
        yield f"consents names {key!r}, which is no stream of consents"
    for key in giving - explained:
        yield f"consents has to say what the statuses of {key!r} mean"


def _wrongs_of_auth(auth: Auth, *, shown: set[str], known: set[str]) -> Iterator[str]:
    """Texts that no setting fills, addresses with secrets, and a client that shows nothing."""
    match auth:
        case Key():
            yield from _unfilled("auth", auth.form, known)
        case Basic():
            yield from _unfilled("auth", auth.user + auth.password, known)
        case AuthorizationCode():
            yield from _unfilled("auth.authorize", auth.authorize, shown)
            yield from _unfilled("auth", auth.issuer + _texts(auth.parameters), known)
            yield from _wrongs_of_tokens(auth.tokens, shown=shown, known=known)
            if auth.tokens.client == "none" and not auth.pkce:
                yield "auth has to use PKCE, for its client shows nothing else"
        case ClientCredentials():
            yield from _wrongs_of_tokens(auth.tokens, shown=shown, known=known)
            if auth.tokens.client == "none":
                yield "auth has nothing that the client could show"
        case JwtBearer():
            said = (auth.issuer, auth.subject, auth.audience, auth.key, auth.key_id)
            yield from _unfilled("auth", "".join(said), known)
            yield from _wrongs_of_tokens(auth.tokens, shown=shown, known=known)
        case Login():
            pass


def _wrongs_of_tokens(tokens: TokenEndpoint, *, shown: set[str], known: set[str]) -> Iterator[str]:
    if "token" in known:
        yield "auth has a token itself: call the setting 'token' otherwise"
    yield from _unfilled("auth.tokens", tokens.url + tokens.refresh_url + tokens.revoke, shown)
    yield from _unfilled("auth.tokens", tokens.client_id + _texts(tokens.parameters), known)
    if tokens.client != "none":
        yield from _unfilled("auth.tokens", tokens.client_secret, known)
    yield from _unfilled("auth.tokens", tokens.form, {*known, "token"})


def _texts(parameters: Iterable[tuple[str, str]]) -> str:
    return "".join(text for _, text in parameters)


def _bad_names(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if not _NAME.fullmatch(name):
            yield f"{name!r} is no name: small letters, digits and _"


def _repeated(what: str, names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{what} have {name!r} twice, or it is taken"


def _unfilled(what: str, template: str, known: set[str]) -> Iterator[str]:
    for _, name, _, _ in Formatter().parse(template):
        if name is not None and name not in known:
            yield f"{what} names {{{name}}}, which is no setting that it may show"
