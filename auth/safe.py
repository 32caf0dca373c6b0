"""Where credentials of connected systems lie: each sealed for its own row, opened for a call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from hub.adapter import Values
from hub.crypto import Keyring, Sealed
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Reconnect
from hub.net import Target

KEEP = """
INSERT INTO credential (integration_id, secrets) VALUES ($1, $2)
ON CONFLICT (integration_id) DO UPDATE
   SET secrets = CASE WHEN $3 THEN excluded.secrets ELSE credential.secrets END,
       token = NULL, token_version = credential.token_version + 1, token_expires_at = NULL,
       renewing_until = NULL
"""
KEPT = """
SELECT secrets, token, token_version AS version,
       coalesce(token IS NOT NULL AND token_expires_at > clock_timestamp(), false) AS is_good,
       coalesce(renewing_until = 'infinity', false) AS is_refused
  FROM credential WHERE integration_id = $1
"""
RESEAL = "UPDATE credential SET secrets = $3 WHERE integration_id = $1 AND secrets = $2"


@dataclass(frozen=True, slots=True)
class Kept:
    """What the table holds of an integration's credentials, opened. Printing it shows no secret."""

    secrets: Values = field(repr=False)
    token: str | None = field(repr=False)
    version: int
    is_good: bool
    is_refused: bool


class Safe:
    """The table of credentials, with the keys that open it."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def keep(
        self, connection: Connection, integration: UUID, secrets: Mapping[str, str]
    ) -> None:
        """Keep these secrets, or with none those that are there; forget token and refusal."""
        sealed = self._sealed(msgspec.json.encode(dict(secrets)), integration, "secrets")
        await connection.execute(KEEP, integration, sealed, bool(secrets))

    async def kept(self, target: Target) -> Kept:
        """What is kept of an integration. Raises Reconnect where a secret is missing."""
        id_ = target.integration
        row = await self._database.retrying(lambda c: c.fetchrow(KEPT, id_))
        if row is None:
            raise Reconnect(advice(target))
        await self._keep_current(id_, row["secrets"])
        secrets = msgspec.json.decode(self._opened(row["secrets"], id_, "secrets"))
        token = self._token(row["token"], id_)
        is_good = row["is_good"] and token is not None
        return Kept(_complete(target, secrets), token, row["version"], is_good, row["is_refused"])

    def sealed_token(self, integration: UUID, token: str) -> bytes:
        """A token, as it is to be saved."""
        return self._sealed(token.encode(), integration, "token")

    def _token(self, data: bytes | None, integration: UUID) -> str | None:
        """The token, if there is one. One whose key was dropped is fetched anew: nobody has to
        bring that key back."""
        if data is None or not self._keyring.has_key_of(Sealed(data)):
            return None
        return self._opened(data, integration, "token").decode()

    async def _keep_current(self, integration: UUID, data: bytes) -> None:
        """Seal the secrets anew where that was done with an older key."""
        if not self._keyring.is_current(Sealed(data)):
            secret = self._opened(data, integration, "secrets")
            fresh = self._sealed(secret, integration, "secrets")
            await self._database.retrying(lambda c: c.execute(RESEAL, integration, data, fresh))

    def _sealed(self, secret: bytes, integration: UUID, what: str) -> bytes:
        return self._keyring.seal(secret, place=_place(integration, what)).data

    def _opened(self, data: bytes, integration: UUID, what: str) -> bytes:
        return self._keyring.open(Sealed(data), place=_place(integration, what))


def advice(target: Target) -> str:
    """What a person does whose secrets are wrong, or are missing."""
    name = target.values.get("source", "NAME")
    secret = next((s.key for s in target.adapter.settings if s.secret), "…")
    return (
        f"{target.adapter.title} does not take the credentials: connect it again with"
        f" `hub integration add {name} --set {secret}=-`."
    )


def _complete(target: Target, secrets: Values) -> Values:
    """The secrets, with those that need not be said. Raises Reconnect where one is missing, because
    the adapter came to want it."""
    wanted = [setting for setting in target.adapter.settings if setting.secret]
    spare = {setting.key: setting.default for setting in wanted if setting.default is not None}
    whole = {**spare, **secrets}
    if any(setting.key not in whole for setting in wanted):
        raise Reconnect(advice(target))
    return whole


def _place(integration: UUID, what: str) -> str:
    return f"credential/{integration}/{what}"
