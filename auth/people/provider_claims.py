"""What the company's provider is believed to know about somebody, read from its claims."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

MOST_VALUES = 1000
"""Values of the role claim that are looked at."""


@dataclass(frozen=True, slots=True)
class Known:
    """Who somebody is at the provider; `email` only where the provider verified it, `values` those
    of the claim that gives roles."""

    issuer: str
    subject: str
    email: str | None
    values: Sequence[str]


def known(claims: Mapping[str, Any], issuer: str, role_claim: str | None) -> Known:
    """Somebody of whom these claims are, which have been verified."""
    email = claims.get("email")
    is_verified = claims.get("email_verified") is True and isinstance(email, str)
    return Known(
        issuer=issuer,
        subject=claims["sub"],
        email=email if is_verified else None,
        values=values(claims, role_claim),
    )


def values(claims: Mapping[str, Any], role_claim: str | None) -> Sequence[str]:
    """The values of the role claim: one, several, or the names in an object."""
    if role_claim is None:
        return []
    several = _several(_claim(claims, role_claim))
    return [one for one in several if isinstance(one, str) and one.isprintable()][:MOST_VALUES]


def _several(value: Any) -> Iterable[Any]:
    return cast("Iterable[Any]", value) if isinstance(value, list | dict) else [value]


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by its place within others (`realm_access.roles`)."""
    if name in claims:
        return claims[name]
    outer, _, inner = name.partition(".")
    return _claim(mapping(claims.get(outer)), inner) if inner else None


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object, or an empty one in place of anything else."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}
