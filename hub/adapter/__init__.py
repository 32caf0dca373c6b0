"""What a vendor's module says of the vendor: one frozen value `ADAPTER`, and pure functions.

The engine does all input and output, keeps time, remembers places and writes. A function given
here is pure and total: same input, same output; no clock, no network; unknown fields are ignored,
missing ones harmless. What it can make no sense of it refuses with `RejectedRecord`.
See `docs/adapters/writing.md`.
"""

from hub.adapter.calls import (
    Answer,
    Ask,
    Call,
    Item,
    Limit,
    Path,
    Then,
    Values,
    When,
)
from hub.adapter.consent import Status
from hub.adapter.credentials import (
    REFUSALS,
    Algorithm,
    Auth,
    AuthorizationCode,
    Basic,
    ClientCredentials,
    JwtBearer,
    Key,
    Login,
    OAuth,
    Proof,
    TokenEndpoint,
)
from hub.adapter.streams import (
    Child,
    Cursor,
    Deletions,
    Described,
    Never,
    Reconcile,
    Stream,
    nothing,
)
from hub.adapter.vendor import (
    CONTRACT,
    Adapter,
    Category,
    Family,
    Privacy,
    Setting,
    same,
)

__all__ = [
    "CONTRACT",
    "REFUSALS",
    "Adapter",
    "Algorithm",
    "Answer",
    "Ask",
    "Auth",
    "AuthorizationCode",
    "Basic",
    "Call",
    "Category",
    "Child",
    "ClientCredentials",
    "Cursor",
    "Deletions",
    "Described",
    "Family",
    "Item",
    "JwtBearer",
    "Key",
    "Limit",
    "Login",
    "Never",
    "OAuth",
    "Path",
    "Privacy",
    "Proof",
    "Reconcile",
    "Setting",
    "Status",
    "Stream",
    "Then",
    "TokenEndpoint",
    "Values",
    "When",
    "nothing",
    "same",
]
