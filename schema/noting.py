"""What is noted of requests: who was shown whom, what for, by which document."""

from collections.abc import Sequence

from auth.principal import Principal
from hub.audit import PERSON, Act, Auditor, Entry
from hub.audit.entries import Kind
from schema.plan.document import Operation
from schema.request import Caller

MOST = 5_000
"""Acts that are kept at hand; they come again with every request of the same client."""


def actor(principal: Principal) -> str:
    """Who does it, as the audit names them."""
    return PERSON if principal.customer_id is not None else f"client:{principal.name}"


def act(kind: Kind, action: str, caller: Caller, operation: Operation) -> Act:
    """Something that a caller does by an operation."""
    principal = caller.principal
    return Act(
        kind,
        action,
        actor(principal),
        caller.purpose,
        client_id=principal.client_id,
        user_id=principal.user_id,
        document=operation.digest,
    )


class Notes:
    """Notes what answers show before they leave; nothing where reads are not audited."""

    def __init__(self, auditor: Auditor | None) -> None:
        self._auditor = auditor
        self._acts: dict[tuple[int, str, int], tuple[Principal, Act]] = {}

    def expect(self, more: int) -> None:
        """Somebody is under way whose answer will be noted (1), or no longer is (-1)."""
        if self._auditor is not None:
            self._auditor.coming += more

    async def shown(self, operation: Operation, caller: Caller, people: bytes) -> None:
        """Return when it is kept whom an answer shows. Raises DatabaseUnreachable, Retry."""
        if self._auditor is not None:
            await self._auditor.read(Entry(self._act(operation, caller), people))

    async def all_shown(
        self, operation: Operation, caller: Caller, answers: Sequence[bytes]
    ) -> None:
        """The same of several answers, one entry each."""
        if self._auditor is not None:
            told = self._act(operation, caller)
            await self._auditor.sent([Entry(told, people) for people in answers])

    def _act(self, operation: Operation, caller: Caller) -> Act:
        """By identity: to compare principals takes longer than anything else here."""
        principal = caller.principal
        key = (operation.number, caller.purpose, id(principal))
        found = self._acts.get(key)
        if found is not None and found[0] is principal:
            return found[1]
        if len(self._acts) >= MOST:
            self._acts.clear()
        made = act("read", operation.asked, caller, operation)
        self._acts[key] = principal, made
        return made
