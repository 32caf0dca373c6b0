"""What a vendor's statuses mean as consent, for the hub and for people to read."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.errors import RejectedRecord
from hub.records import ConsentWord, IdentifierType


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A status that a vendor keeps of people, and what it means as consent.

    The stream that it is read by gives `Consent` records, and its function asks `meant`.
    """

    stream: str
    """The stream that reads it."""

    field: str
    """The vendor's field that holds it."""

    purpose: str
    """Which purpose it speaks of."""

    means: Mapping[str, ConsentWord | None]
    """The vendor's words by what they mean; None: nothing is said (never asked, not yet answered).
    A word that is not here is refused, for it may be a refusal."""

    contact: IdentifierType | None = None
    """Of which kind of contact point alone it speaks. None: of the person."""

    def meant(self, word: str) -> ConsentWord | None:
        """What a word means. Raises RejectedRecord for one that nobody has thought of."""
        try:
            return self.means[word]
        except KeyError as error:
            reason = "is a status of which it is not known what it means as consent"
            raise RejectedRecord(reason, field=self.field) from error
