"""What people say when they connect a system: settings, secrets and limits, checked.

An error names a setting and never repeats its value.
"""

import re
from collections.abc import Mapping, Sequence

from msgspec import UNSET, UnsetType

from hub.adapter import Adapter, Basic, Key, Limit, Login, Setting
from hub.errors import BadInput
from hub.net import origin, wire

LONGEST_VALUE, LONGEST_SECRET = 2000, 8000
"""Signs of a setting; private keys are longer than others."""
UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""What no setting holds: control characters, and bytes that were no UTF-8 where it was typed."""
CALLS, SECONDS = "calls", "seconds"
"""Settings that every integration may have: a limit of the operator's own."""
MOST_CALLS, LONGEST_WINDOW = 10_000, 86_400

Said = Mapping[str, str]


def checked(
    adapter: Adapter, given: Said, *, known: Said | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """The settings, with those that are `known` already, and the secrets, of what somebody said.

    Of an integration that is known (not None) secrets may be left out, but only all of them, and
    not where another address is given: they are for the one that they were given with. Raises
    BadInput, and AddressRefused for an address that could never be asked.
    """
    fit(adapter, given)
    said = {**(known or {}), **given}
    _demand(missing(adapter, given, known=known), is_known=known is not None)
    _demand_addresses(adapter, said)
    secret = {setting.key for setting in adapter.settings if setting.secret}
    settings = {key: value for key, value in said.items() if key not in secret}
    return settings, {key: said[key] for key in secret & said.keys()}


def fit(adapter: Adapter, given: Said) -> None:
    """Raise BadInput for what the adapter has no setting for, or what can be none of it."""
    there = {setting.key: setting for setting in adapter.settings}
    for key, value in given.items():
        if key not in there:
            raise BadInput(f"{adapter.title} has no setting {key}; there are {', '.join(there)}.")
        _check(there[key], value)


def missing(adapter: Adapter, given: Said, *, known: Said | None = None) -> Sequence[Setting]:
    """What has to be said as well."""
    said = {**(known or {}), **given}
    secret = {setting.key for setting in adapter.settings if setting.secret}
    is_elsewhere = known is not None and _addresses(adapter, said) != _addresses(adapter, known)
    are_kept = known is not None and not is_elsewhere and not secret & given.keys()
    return [
        setting
        for setting in adapter.settings
        if setting.key not in said and setting.default is None and not (setting.secret and are_kept)
    ]


def limits(adapter: Adapter, settings: Said) -> tuple[Limit, ...]:
    """How fast a vendor may be asked: as its adapter says, and as the operator does."""
    known = own_limit(settings)
    return adapter.limits if known is None else (*adapter.limits, known)


def own_limit(settings: Said) -> Limit | None:
    """The operator's own limit, if there is one."""
    if CALLS not in settings:
        return None
    return Limit(int(settings[CALLS]), float(settings[SECONDS]))


def limited(settings: Said, limit: Limit | UnsetType | None) -> dict[str, str]:
    """The settings with the operator's own limit, or without it. Raises BadInput."""
    if limit is UNSET:
        return {**settings}
    rest = {key: value for key, value in settings.items() if key not in (CALLS, SECONDS)}
    if not isinstance(limit, Limit):
        return rest
    if not (1 <= limit.calls <= MOST_CALLS and 0 <= limit.seconds <= LONGEST_WINDOW):
        raise BadInput(
            f"A limit is from 1 to {MOST_CALLS:,} calls, in up to {LONGEST_WINDOW:,} seconds."
        )
    return {**rest, CALLS: str(limit.calls), SECONDS: f"{limit.seconds:g}"}


def _demand(lacking: Sequence[Setting], *, is_known: bool) -> None:
    if not lacking:
        return
    told = ", ".join(f"{one.key} ({one.help or one.title})" for one in lacking)
    if is_known:
        raise BadInput(f"Secrets are given all together, and anew for a new address: {told}.")
    raise BadInput(f"What is missing: {told}.")


def _demand_addresses(adapter: Adapter, settings: Said) -> None:
    base, *others = _addresses(adapter, settings)
    origin.base(base)
    for other in others:
        wire.address(other)


def _addresses(adapter: Adapter, settings: Said) -> Sequence[str]:
    """Where settings let the hub go with its secrets: the vendor's address, and those at which
    tokens are made."""
    defaults = {setting.key: setting.default or "" for setting in adapter.settings}
    found, auth = [adapter.base], adapter.auth
    if not isinstance(auth, Key | Basic | Login):
        found += [auth.tokens.url, auth.tokens.refresh_url, auth.tokens.revoke]
    return [text.format_map({**defaults, **settings}) for text in found if text]


def _check(setting: Setting, value: str) -> None:
    fits = re.fullmatch(setting.pattern, value) or value == setting.default
    longest = LONGEST_SECRET if setting.secret else LONGEST_VALUE
    if not fits or len(value) > longest or UNFIT.search(value):
        raise BadInput(f"{setting.key} can not be that: {setting.help or setting.title}")
