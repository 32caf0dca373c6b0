"""`/connect/callback`: where people come back to from a vendor, and what they are told."""

from collections.abc import Sequence

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from auth.pages.connecting import SPOKEN
from auth.pages.page import notice, words_for
from auth.vendors.connector import PATH, Connector, NotConnected
from hub.errors import HubError, Retry

log = structlog.get_logger(__name__)


def routes(connector: Connector) -> Sequence[BaseRoute]:
    """The one there is."""
    return [Route(PATH, Callback(connector).answer, methods=["GET"])]


class Callback:
    """Lets in who comes back, and says what became of it."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    async def answer(self, request: Request) -> Response:
        if request.method != "GET":  # Starlette lets HEAD in, which link checkers send
            return Response(status_code=405, headers={"allow": "GET"})
        try:
            connected = await self._connector.connect(request.url.query)
        except NotConnected as error:
            return _told(request, error.why, name=error.name, status=400)
        except Retry as error:
            log.warning("not connected", code=error.code, cause=str(error))
            return _told(request, "away", status=503)
        except HubError as error:
            log.warning("not connected", code=error.code, cause=str(error))
            return _told(request, "stopped", status=502)
        return _told(request, "connected", name=connected.name)


def _told(request: Request, what: str, *, name: str = "", status: int = 200) -> Response:
    """A page in the reader's language."""
    words = SPOKEN[words_for(request).language]
    title = words["title" if what == "connected" else "failed"]
    return notice(request, words[what].format(name=name), title=title, status=status)
