"""`/consent/{token}`: what somebody is asked, to the letter. Only the button answers.

Scanners and previews of mail open every link, so opening one does nothing.
"""

from typing import cast, get_args

from starlette.requests import Request
from starlette.responses import Response

from auth.consent.page import busy, defaults, said, strange, told
from auth.pages.page import page
from auth.server import requests
from hub.consent import confirming
from hub.consent.confirming import Decision, Question
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.errors import BadInput, Conflict, NotFound, RejectedRecord, Retry


class Confirming:
    """Shows questions, and enters answers."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring
        self._defaults = defaults(database.settings)

    async def show(self, request: Request) -> Response:
        token = request.path_params["token"]
        try:
            found = await self._database.retrying(
                lambda c: confirming.question(c, self._keyring, token)
            )
        except Retry:
            return busy(request)
        return _shown(request, found)

    async def decide(self, request: Request) -> Response:
        """The first answer counts; another one changes nothing."""
        token = request.path_params["token"]
        try:
            decision = await _decision(request)
            found = await self._database.retrying(
                lambda c: confirming.answer(
                    c, self._keyring, token, decision, defaults=self._defaults
                )
            )
        except BadInput:
            return told(request, "unclear", status=400)
        except (Retry, Conflict):
            return busy(request)
        except (RejectedRecord, NotFound):
            return told(request, "over", status=410)
        return _shown(request, found)


async def _decision(request: Request) -> Decision:
    form = dict((await requests.read(request)).parameters)
    word = form.get("decision", "")
    if word not in get_args(Decision):
        raise BadInput("The form says neither confirm nor deny.")
    return cast("Decision", word)


def _shown(request: Request, found: Question | None) -> Response:
    if found is None:
        return strange(request)
    if found.answer is not None:
        status = 410 if found.answer == "over" else 200
        return told(request, found.answer, language=found.language, status=status)
    return page(
        request,
        "asked",
        language=found.language,
        said=said(request, found.language),
        title=found.title,
        controller=found.controller,
        text=found.text,
        text_language=found.language,
    )
