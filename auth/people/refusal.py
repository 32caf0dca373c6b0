"""Why somebody is not let in, in a word that pages have sentences for."""

from typing import Literal

from hub.errors import Unauthenticated

Reason = Literal[
    "disabled", "expired", "forged", "provider_refused", "uninvited", "untrusted", "wrong"
]


class Refusal(Unauthenticated):
    """Somebody is not let in. The message is for the log: what exactly did not hold."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason
