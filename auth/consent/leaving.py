"""`/unsubscribe/{token}`: one click, without a cookie and without a question (RFC 8058)."""

from starlette.requests import Request
from starlette.responses import Response

from auth.consent.page import busy, defaults, said, strange, told
from auth.pages.page import page
from hub.consent import unsubscribing
from hub.consent.links import links
from hub.consent.unsubscribing import Left
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Conflict, NotFound, Retry


class Leaving:
    """Shows the button to whoever opens the link; whoever posts to it has pressed one."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring
        self._defaults = defaults(database.settings)

    async def show(self, request: Request) -> Response:
        token = request.path_params["token"]

        async def work(connection: Connection) -> Left | None:
            made = await links(connection, self._keyring)
            return await unsubscribing.offered(connection, made, token)

        try:
            found = await self._database.retrying(work)
        except Retry:
            return busy(request)
        if found is None:
            return strange(request)
        return page(request, "leaving", said=said(request), title=found.title)

    async def leave(self, request: Request) -> Response:
        """Whatever the body says: mail programs differ in it, and the address says it all."""
        token = request.path_params["token"]

        async def work(connection: Connection) -> Left | None:
            made = await links(connection, self._keyring)
            return await unsubscribing.leave(connection, made, token, defaults=self._defaults)

        try:
            found = await self._database.retrying(work)
        except (Retry, Conflict, NotFound):  # who is merged or erased just now; ask again
            return busy(request)
        return strange(request) if found is None else told(request, "left")
