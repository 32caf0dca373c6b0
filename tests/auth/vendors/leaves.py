"""A vendor whose owner gives leave in a browser: told what to do, and counting."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from hub.adapter import Adapter, AuthorizationCode, Setting, TokenEndpoint
from tests.vendor import Arrival, adapter, says

SECRETS = {"client_secret": "k-client"}
SETTINGS = (
    Setting(key="url", title="Address"),
    Setting(key="client_id", title="Client"),
    Setting(key="client_secret", title="Its secret", secret=True),
)


def endpoint(**changed: Any) -> TokenEndpoint:
    return TokenEndpoint(**{"url": "{url}/token", "revoke": "{url}/revoke", **changed})


def by_leave(tokens: TokenEndpoint | None = None, **changed: Any) -> Adapter:
    """The declaration of such a vendor."""
    said = {"authorize": "{url}/authorize", "scopes": ("customers", "orders"), **changed}
    return adapter(settings=SETTINGS, auth=AuthorizationCode(tokens=tokens or endpoint(), **said))


@dataclass
class Leaves:
    """Its behaviour. Each token that renews is good once; one that comes twice ends all of it."""

    seconds: int = 3600
    token: str = "k-token-0"  # noqa: S105 - of nobody
    refresh: str = "k-refresh-0"
    renewals: int = 0
    refused: int = 0
    used: set[str] = field(default_factory=set[str])
    revoked: list[str] = field(default_factory=list[str])
    is_over: bool = False

    async def __call__(self, arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        said = dict(parse_qsl(arrival.body.decode()))
        match arrival.path:
            case "/token":
                writer.write(self._renewed(said))
            case "/revoke":
                self.revoked.append(said["token"])
                writer.write(says(200, b""))
            case _:
                is_good = arrival.headers.get("authorization") == f"Bearer {self.token}"
                writer.write(says(200, ["row"]) if is_good else says(401, b""))
        await writer.drain()

    def _renewed(self, said: dict[str, str]) -> bytes:
        if said["grant_type"] == "refresh_token":
            self.is_over |= said["refresh_token"] in self.used
            if self.is_over or said["refresh_token"] != self.refresh:
                self.refused += 1
                return says(400, {"error": "invalid_grant"})
            self.used.add(self.refresh)
        self.renewals += 1
        self.token, self.refresh = f"k-token-{self.renewals}", f"k-refresh-{self.renewals}"
        told = {"access_token": self.token, "refresh_token": self.refresh}
        return says(200, {**told, "expires_in": self.seconds})
