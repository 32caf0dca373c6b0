"""GraphQL over HTTP at `/graphql`: POST, GET and event streams, with nothing in between."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import structlog

from hub.errors import HubError
from hub.web.asgi import CLIENT, Receive, Scope, Send, reply
from hub.web.figures import Figures
from schema import sse
from schema.admission import Header, Refusal, Tokens, admit, after, refusal
from schema.media import CONTENT_TYPE, Media, accepted, is_json
from schema.request import INTERNAL, Caller, Engine, Outcome, Request
from schema.status import Profile, statuses
from schema.visit import Gone, Porter, Visit, too_long

UNKEPT: Header = (b"cache-control", b"no-store")
ALLOWED: Header = (b"allow", b"GET, POST")
ONLY_POST: Header = (b"allow", b"POST")
EXTRA: Mapping[Outcome, Sequence[Header]] = {Outcome.METHOD_NOT_ALLOWED: (ONLY_POST,)}
GONE, STREAMED = "gone", "streamed"
PARAMETERS = {"query", "documentId", "operationName", "variables", "extensions"}
MOST_PARAMETERS = 20
BODY_SECONDS = 10.0
"""How long a body may take to arrive."""

Way = tuple[str, int, Sequence[Header]]
"""The name of an outcome, its status and its headers."""

log = structlog.get_logger(__name__)


class HttpDoor:
    """The endpoint. Plain ASGI: what it costs, every request pays."""

    def __init__(
        self,
        engine: Engine,
        tokens: Tokens,
        figures: Figures,
        *,
        profile: Profile = "audits",
        max_bytes: int = 4 << 20,
        body_seconds: float = BODY_SECONDS,
        keep_alive_seconds: float = sse.KEEP_ALIVE_SECONDS,
    ) -> None:
        self._engine = engine
        self._tokens = tokens
        self._figures = figures
        self._ways = _ways(profile)
        self._malformed = 422 if profile == "2026" else 400
        self._max_bytes = max_bytes
        self._porter = Porter(body_seconds)
        self._keep_alive_seconds = keep_alive_seconds
        self._decoder = msgspec.json.Decoder(Request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        visit = self._porter.enter(receive)
        outcome, kind = GONE, ""
        try:
            outcome, kind = await self._serve(scope, visit, receive, send)
        except Refusal as refused:
            outcome = await _refuse(send, refused)
        except Gone:
            pass
        except asyncio.CancelledError:
            outcome = await _excuse(visit, send)
        except Exception as error:
            log.error("a request failed", exc_info=error)
            outcome = await _refuse(send, Refusal(500, INTERNAL, "INTERNAL_SERVER_ERROR"))
        finally:
            self._porter.leave(visit)
            if outcome != STREAMED:
                self._figures.count("http", outcome, kind=kind, seconds=perf_counter() - began)

    async def _serve(
        self, scope: Scope, visit: Visit, receive: Receive, send: Send
    ) -> tuple[str, str]:
        """How it ended, and the kind of what was asked for."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        method: str = scope["method"]
        media = _wanted(method, headers)
        caller = await self._admit(headers)
        scope[CLIENT] = caller.principal.client_id
        if method == "POST":
            self._demand_json(headers)
            request = self._decoded(await visit.body(self._max_bytes))
        else:
            await visit.body(self._max_bytes)
            request = self._asked(scope["query_string"])
        if media is Media.EVENTS:
            self._porter.leave(visit)
            stopping = scope.get("state", {}).get("stopping")
            await self._stream(request, caller, receive, send, stopping=stopping)
            return STREAMED, ""
        answer = await self._engine.answer(request, caller, only_reads=method == "GET")
        name, status, shared = self._ways[media][answer.outcome]
        if answer.retry_after is not None:
            shared = (*shared, after(answer.retry_after))
        await reply(send, status, answer.body, shared)
        return name, answer.kind

    async def _admit(self, headers: Mapping[bytes, bytes]) -> Caller:
        authorization = headers.get(b"authorization", b"")
        purpose = headers.get(b"hub-purpose")
        try:
            return await admit(
                self._tokens,
                authorization.decode("latin-1"),
                None if purpose is None else purpose.decode("latin-1").strip(),
            )
        except HubError as error:
            raise refusal(error, offered=bool(authorization)) from error

    def _demand_json(self, headers: Mapping[bytes, bytes]) -> None:
        kind = headers.get(b"content-type", b"")
        if kind != b"application/json" and not is_json(kind):
            raise Refusal(415, "The body has to be JSON: send `Content-Type: application/json`.")
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise Refusal(415, "The body has to come as it is, not compressed.")
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._max_bytes:
            raise too_long(self._max_bytes)

    def _decoded(self, body: bytes) -> Request:
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError as error:
            if body.lstrip().startswith(b"["):
                raise Refusal(
                    400, "There are no batches here: send one request at a time."
                ) from error
            raise Refusal(self._malformed, f"This is not a GraphQL request: {error}.") from error
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Refusal(400, "The body is not JSON in UTF-8 of a reasonable depth.") from error

    def _asked(self, query_string: bytes) -> Request:
        """The request in an address; `variables` and `extensions` are JSON there."""
        try:
            pairs = parse_qsl(
                query_string.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=MOST_PARAMETERS,
            )
        except ValueError as error:
            raise Refusal(400, "The address holds no parameters that can be read.") from error
        known = [(name, value) for name, value in pairs if name in PARAMETERS]
        if len(known) != len(dict(known)):
            raise Refusal(400, "The address names a parameter twice.")
        return self._decoded(msgspec.json.encode(dict(_parsed(*pair) for pair in known)))

    async def _stream(
        self,
        request: Request,
        caller: Caller,
        receive: Receive,
        send: Send,
        *,
        stopping: asyncio.Event | None,
    ) -> None:
        with self._figures.open("streams"):
            outcome, kind = await sse.stream(
                self._engine.stream(request, caller),
                receive,
                send,
                expires_at=caller.principal.expires_at,
                revoked=partial(self._tokens.ended, caller.principal),
                stopping=stopping or asyncio.Event(),
                keep_alive_seconds=self._keep_alive_seconds,
            )
        self._figures.count("sse", outcome, kind=kind)


def _wanted(method: str, headers: Mapping[bytes, bytes]) -> Media:
    """The form of the answer. Raises Refusal where method and form do not go."""
    if method not in ("GET", "POST"):
        raise Refusal(405, "GraphQL is asked with POST or GET.", headers=[ALLOWED])
    media = accepted(headers.get(b"accept", b""))
    if media is None:
        kinds = ", ".join(media.value for media in Media)
        raise Refusal(406, f"The hub answers in one of {kinds}: accept one of them.")
    if media is Media.EVENTS and method == "GET":
        raise Refusal(405, "A stream is asked for with POST.", headers=[ONLY_POST])
    return media


def _ways(profile: Profile) -> Mapping[Media, Mapping[Outcome, Way]]:
    """How each outcome is told in each form, put together once."""
    return {
        media: {
            outcome: (
                outcome.name.lower(),
                known.get(outcome, 500),
                (CONTENT_TYPE[media], UNKEPT, *EXTRA.get(outcome, ())),
            )
            for outcome in Outcome
        }
        for media, known in statuses(profile).items()
    }


async def _excuse(visit: Visit, send: Send) -> str:
    """Of a task that was cancelled: by us, for one of two reasons, or by somebody else."""
    if visit.is_late:
        visit.forgive()
        return await _refuse(send, Refusal(408, "The body did not arrive: send the request again."))
    if visit.is_gone:
        visit.forgive()
        return GONE
    raise asyncio.CancelledError


def _parsed(name: str, value: str) -> tuple[str, Any]:
    if name not in ("variables", "extensions"):
        return name, value
    if not value:
        return name, None
    try:
        msgspec.json.decode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Refusal(400, f"The parameter {name} is not JSON.") from error
    return name, msgspec.Raw(value.encode())


async def _refuse(send: Send, refused: Refusal) -> str:
    """Say no, in plain JSON: that is what everybody understands."""
    headers = (CONTENT_TYPE[Media.JSON], UNKEPT, *refused.headers)
    await reply(send, refused.status, refused.body, headers)
    return refused.code.lower()
