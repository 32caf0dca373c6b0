"""Rights: what may be touched and what for, and how OAuth's one word `scope` says both."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Self

from hub.errors import Forbidden

PURPOSE = "purpose:"
"""How a purpose begins among the words of a `scope`."""
PRIVACY_PURPOSE = "data_subject_rights"
"""The purpose under which everything is returned: it wants a scope of its own."""
PRIVACY_SCOPE = "privacy:manage"
BOUND_SCOPE = "privacy:self"
"""Means something only in a token that is bound to one customer."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Scopes and purposes, each in the order they were given."""

    scopes: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()

    @classmethod
    def of(cls, scopes: Iterable[str], purposes: Iterable[str]) -> Self:
        """These, once each."""
        return cls(tuple(dict.fromkeys(scopes)), tuple(dict.fromkeys(purposes)))

    @classmethod
    def said(cls, words: str) -> Self:
        """What a `scope` says."""
        every = words.split()
        purposes = [word.removeprefix(PURPOSE) for word in every if word.startswith(PURPOSE)]
        return cls.of([word for word in every if not word.startswith(PURPOSE)], purposes)

    @property
    def words(self) -> str:
        """The same as a `scope`."""
        return " ".join([*self.scopes, *(PURPOSE + purpose for purpose in self.purposes)])

    @property
    def are_none(self) -> bool:
        """Whether nothing can be done with them: every request has a purpose."""
        return not (self.scopes and self.purposes)

    def narrowed(self, words: str | None) -> "Rights":
        """Those that are asked for; all scopes, or all purposes, where none is named.

        Raises Forbidden where more is asked for than there is.
        """
        wanted = Rights.said(words or "")
        _demand_within(wanted.scopes, self.scopes)
        _demand_within(wanted.purposes, self.purposes)
        found = Rights(wanted.scopes or self.scopes, wanted.purposes or self.purposes).unbound()
        _demand_within(wanted.purposes, found.purposes)
        return found

    def within(self, other: "Rights") -> "Rights":
        """Those of them that the other has too."""
        return Rights(
            tuple(scope for scope in self.scopes if scope in other.scopes),
            tuple(purpose for purpose in self.purposes if purpose in other.purposes),
        ).unbound()

    def unbound(self) -> "Rights":
        """Those of them that count without a customer to be bound to."""
        purposes = self.purposes
        if PRIVACY_SCOPE not in self.scopes:
            purposes = tuple(purpose for purpose in purposes if purpose != PRIVACY_PURPOSE)
        return Rights(tuple(scope for scope in self.scopes if scope != BOUND_SCOPE), purposes)


def _demand_within(wanted: Collection[str], had: Collection[str]) -> None:
    if not set(wanted) <= set(had):
        raise Forbidden("More is asked for than there is: leave scope out to get all of it.")
