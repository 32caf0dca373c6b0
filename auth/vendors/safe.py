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
       renewing_until = nullif(credential.renewing_until, 'infinity')
"""
"""Who is fetching a token just now is let finish: a leave that is used twice is lost."""
KEPT = """
SELECT secrets, token, token_version AS version, leave, leave_version,
       coalesce(token_expires_at > clock_timestamp(), false) AS is_usable,
       coalesce(least(token_due_at, token_expires_at) > clock_timestamp(), false) AS is_good,
       coalesce(renewing_until = 'infinity', false) AS is_refused
  FROM credential WHERE integration_id = $1
"""
RESEAL = """
UPDATE credential
   SET secrets = CASE WHEN secrets = $2 THEN $3 ELSE secrets END,
       leave = CASE WHEN leave = $4 THEN $5 ELSE leave END
 WHERE integration_id = $1 AND (secrets = $2 OR leave = $4)
"""


@dataclass(frozen=True, slots=True)
class Leave:
    """What a person at the vendor gave, for one client at one address (`place`): what renews
    tokens, "" where nothing does; and the one before, in case that the vendor never made the
    change. Printing it shows neither."""

    place: str
    refresh: str = field(repr=False)
    former: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the table holds of an integration's credentials, opened. Printing it shows no secret.

    A token that `is_usable` still counts; one that `is_good` need not be renewed yet.
    """

    secrets: Values = field(repr=False)
    token: str | None = field(repr=False)
    version: int
    leave: Leave | None
    leave_version: int
    is_usable: bool
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
        await self._keep_current(id_, row["secrets"], row["leave"])
        secrets = msgspec.json.decode(self._opened(row["secrets"], id_, "secrets"))
        token = self._token(row["token"], id_)
        return Kept(
            secrets=_complete(target, secrets),
            token=token,
            version=row["version"],
            leave=self._leave(row["leave"], id_),
            leave_version=row["leave_version"],
            is_usable=row["is_usable"] and token is not None,
            is_good=row["is_good"] and token is not None,
            is_refused=row["is_refused"],
        )

    def sealed_token(self, integration: UUID, token: str) -> bytes:
        """A token, as it is to be saved."""
        return self._sealed(token.encode(), integration, "token")

    def sealed_leave(self, integration: UUID, leave: Leave) -> bytes:
        """A leave, as it is to be saved."""
        return self._sealed(msgspec.json.encode(leave), integration, "leave")

    def _leave(self, data: bytes | None, integration: UUID) -> Leave | None:
        if data is None:
            return None
        return msgspec.json.decode(self._opened(data, integration, "leave"), type=Leave)

    def _token(self, data: bytes | None, integration: UUID) -> str | None:
        """The token, if there is one. One whose key was dropped is fetched anew: nobody has to
        bring that key back."""
        if data is None or not self._keyring.has_key_of(Sealed(data)):
            return None
        return self._opened(data, integration, "token").decode()

    async def _keep_current(self, integration: UUID, secrets: bytes, leave: bytes | None) -> None:
        """Seal anew what was sealed with an older key, and can be had from nowhere else."""
        if all(self._keyring.is_current(Sealed(data)) for data in (secrets, leave) if data):
            return
        fresh = self._resealed(secrets, integration, "secrets")
        freed = None if leave is None else self._resealed(leave, integration, "leave")
        words = (integration, secrets, fresh, leave, freed)
        await self._database.retrying(lambda c: c.execute(RESEAL, *words))

    def _resealed(self, data: bytes, integration: UUID, what: str) -> bytes:
        return self._sealed(self._opened(data, integration, what), integration, what)

    def _sealed(self, secret: bytes, integration: UUID, what: str) -> bytes:
        return self._keyring.seal(secret, place=_place(integration, what)).data

    def _opened(self, data: bytes, integration: UUID, what: str) -> bytes:
        return self._keyring.open(Sealed(data), place=_place(integration, what))


def advice(target: Target) -> str:
    """What a person does whose secrets are wrong, or are missing."""
    secret = next((s.key for s in target.adapter.settings if s.secret), None)
    if secret is None:
        return leave_needed(target)
    return (
        f"{target.adapter.title} does not take the credentials: connect it again with"
        f" `hub integration add {_name(target)} --set {secret}=-`."
    )


def leave_needed(target: Target) -> str:
    """What a person does where the vendor gives leave in a browser."""
    return (
        f"{target.adapter.title} has to give the hub leave:"
        f" `hub integration authorize {_name(target)}` says where."
    )


def _name(target: Target) -> str:
    return target.values.get("source", "NAME")


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
