"""Fetching an archive: by who answers people's requests, or by the person it is of."""

from collections.abc import Sequence
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from auth.principal import Principal
from auth.rights import BOUND_SCOPE, PRIVACY_PURPOSE, PRIVACY_SCOPE
from hub import audit
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Forbidden, HubError, NotFound
from hub.identity.decisions import current
from hub.privacy import requests
from hub.privacy.archive import fetching
from schema import admission
from schema.admission import Tokens
from schema.request import Caller

PATH = "/privacy/archives/{request}"
UNKNOWN = "There is no such archive, or it is over: ask for another with `requestAccess`."
PRIVATE = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox",
}


def routes(database: Database, keyring: Keyring, tokens: Tokens) -> Sequence[BaseRoute]:
    """Where archives are fetched."""
    return [Route(PATH, Archives(database, keyring, tokens).answer, methods=["GET"])]


class Archives:
    """Gives an archive to whom it belongs, with an entry in the audit trail before the first
    byte."""

    def __init__(self, database: Database, keyring: Keyring, tokens: Tokens) -> None:
        self._database = database
        self._keyring = keyring
        self._tokens = tokens

    async def answer(self, request: Request) -> Response:
        """A zip, or what is in the way."""
        authorization = request.headers.get("authorization", "")
        try:
            purpose = request.headers.get("hub-purpose")
            caller = await admission.admit(self._tokens, authorization, purpose)
            wanted = _wanted(request.path_params["request"])
            parts = await self._database.retrying(lambda c: _given(c, caller, wanted))
        except NotFound as error:  # the same for what is not there, and what is not theirs
            return _refusal(404, admission.complaint(UNKNOWN, error.code))
        except HubError as error:
            refused = admission.refusal(error, offered=bool(authorization))
            return _refusal(refused.status, refused.body, dict(refused.headers))
        name = f'attachment; filename="archive-{wanted}.zip"'
        return StreamingResponse(
            fetching.opened(self._database, self._keyring, wanted, parts),
            media_type="application/zip",
            headers={**PRIVATE, "content-disposition": name},
        )


async def _given(connection: Connection, caller: Caller, wanted: UUID) -> int:
    """How many parts there are for this caller, noted as given out. Raises Forbidden, NotFound."""
    _demand(caller)
    found = await requests.find(connection, wanted)
    whose = await current(connection, found.customer_id)
    bound = caller.principal.customer_id
    parts = await fetching.count(connection, wanted)
    if not parts or (bound is not None and bound != whose):
        raise NotFound(UNKNOWN)
    entries = audit.each(_act(caller.principal, caller.purpose), [whose], f"request {wanted}")
    await audit.draft(connection, entries)
    return parts


def _demand(caller: Caller) -> None:
    principal = caller.principal
    scope = PRIVACY_SCOPE if principal.customer_id is None else BOUND_SCOPE
    if scope not in principal.scopes:
        raise Forbidden(f"An archive needs the scope {scope}, which the client does not have.")
    if caller.purpose != PRIVACY_PURPOSE:
        raise Forbidden(f"An archive is for {PRIVACY_PURPOSE}: name that in Hub-Purpose.")


def _act(principal: Principal, purpose: str) -> audit.Act:
    actor = f"client:{principal.name}" if principal.customer_id is None else audit.PERSON
    return audit.Act(
        "sent",
        "privacyArchive",
        actor,
        purpose,
        client_id=principal.client_id,
        user_id=principal.user_id,
    )


def _wanted(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(UNKNOWN) from None


def _refusal(status: int, body: bytes, headers: dict[bytes, bytes] | None = None) -> Response:
    more = {name.decode(): value.decode() for name, value in (headers or {}).items()}
    return Response(body, status, {**PRIVATE, **more}, "application/json")
