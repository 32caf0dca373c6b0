"""Logging in at the company's OpenID provider: on the way there, and back."""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from auth.people import arrival
from auth.people.entrance import Entrance, kept, led
from auth.people.provider import Attempt, Provider
from auth.people.refusal import Refusal
from auth.server.requests import parsed
from hub.crypto import Keyring, Sealed
from hub.errors import BadInput, BadSettings, HubError, StopJob

ATTEMPT_SECONDS = 600
"""How long somebody may take at the provider."""
PLACE = "log-in attempt"


def routes(entrance: Entrance) -> Sequence[BaseRoute]:
    """None where there is no provider."""
    if entrance.provider is None:
        return []
    found = Company(entrance, entrance.provider)
    return [
        Route("/oauth/login/company", entrance.guarded(found.go)),
        Route("/oauth/login/callback", entrance.guarded(found.come_back)),
    ]


class Company:
    """What has to come back from the provider is sealed into a cookie: no other browser has it."""

    def __init__(self, entrance: Entrance, provider: Provider) -> None:
        self._entrance = entrance
        self._provider = provider

    async def go(self, request: Request) -> Response:
        """On the way to the provider."""
        onward = kept(request.query_params.get("next", ""))
        attempt, location = await self._provider.begin(onward, seconds=ATTEMPT_SECONDS)
        response = led(location)
        cookies, text = self._entrance.cookies, _sealed(self._entrance.keyring, attempt)
        cookies.put(response, cookies.attempt, text, seconds=ATTEMPT_SECONDS)
        return response

    async def come_back(self, request: Request) -> Response:
        """With word of who somebody is; the attempt is over, however it went."""
        entrance = self._entrance
        text = entrance.cookie(request, entrance.cookies.attempt)
        try:
            response = await self._arrived(request, _opened(entrance.keyring, text))
        except HubError as error:
            response = entrance.told(request, error)
        entrance.cookies.drop(response, entrance.cookies.attempt)
        return response

    async def _arrived(self, request: Request, attempt: Attempt | None) -> Response:
        if attempt is None:
            raise Refusal("expired", "This browser has no attempt to log in under way.")
        known = await self._provider.end(attempt, _answer(request))
        user = await self._entrance.database.retrying(lambda c: arrival.arrive(c, known))
        return await self._entrance.entered(request, user, attempt.onward)


def _answer(request: Request) -> Mapping[str, str]:
    """What the provider answers. Raises BadInput where something is said twice."""
    parameters = parsed(request.scope["query_string"])
    answer = dict(parameters)
    if len(answer) < len(parameters):
        raise BadInput("The provider's answer says something twice.")
    return answer


def _sealed(keyring: Keyring, attempt: Attempt) -> str:
    sealed = keyring.seal(msgspec.json.encode(attempt), place=PLACE)
    return urlsafe_b64encode(sealed.data).decode()


def _opened(keyring: Keyring, text: str) -> Attempt | None:
    """The attempt, if it is one that we sealed."""
    try:
        sealed = Sealed(b64decode(text, altchars=b"-_", validate=True))
        return msgspec.json.decode(keyring.open(sealed, place=PLACE), type=Attempt)
    except (ValueError, BadSettings, StopJob, msgspec.MsgspecError):
        return None
