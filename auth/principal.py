"""Who asks: a client, for whom, what it may touch, and what for."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from hub.errors import PurposeNeeded, PurposeNotAllowed


@dataclass(frozen=True, slots=True)
class Principal:
    """A client as its token describes it; `purposes` are keys in the order they were given.

    `user_id` and `user` (a name) are the colleague's on whose behalf it asks, if there is one. A
    principal with a `customer_id` is bound: it may see and do what that customer may, for
    themselves, and nothing else. `token_id` and `grant_id` are what it came by, and `epoch` is when
    (`auth.epoch`), to see whether that still counts. The limits are the client's own, where it has
    any.
    """

    client_id: UUID
    name: str
    scopes: frozenset[str]
    purposes: tuple[str, ...]
    expires_at: datetime
    user_id: UUID | None = None
    user: str | None = None
    customer_id: UUID | None = None
    token_id: UUID | None = None
    grant_id: UUID | None = None
    cost_per_second: int | None = None
    requests_per_second: int | None = None
    epoch: int = field(default=-1, compare=False)

    def purpose(self, wanted: str | None) -> str:
        """The purpose of one request: the one it names, or the only one the client has."""
        if wanted is None:
            return self._only()
        if wanted not in self.purposes:
            raise PurposeNotAllowed(
                "The client does not have the purpose that the request names: name one of its own."
            )
        return wanted

    def _only(self) -> str:
        match self.purposes:
            case (purpose,):
                return purpose
            case ():
                raise PurposeNotAllowed("The client has no purpose: give it one to read with.")
            case several:
                raise PurposeNeeded(
                    "The client has several purposes: name one of them in the header Hub-Purpose"
                    f" ({', '.join(several)})."
                )
