"""Structured logs without personal data.

Two fences: only fields declared in `FIELDS`, of their type, are written at all; and from every
text whatever looks like an e-mail address or a telephone number is cut out. Errors appear as their
kind and place. Their message is written only when it is ours, for a foreign one quotes the data
that it stumbled over.
"""

import json
import logging
import re
import sys
import traceback
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

import structlog
from asyncpg import PostgresError
from structlog.typing import EventDict, Processor

from hub.config import Settings
from hub.db.faults import describe
from hub.errors import HubError

FIELDS: Mapping[str, tuple[type, ...]] = {
    "action": (str,),
    "address": (str,),
    "attempt": (int,),
    "batch": (int,),
    "cause": (str,),
    "client_id": (UUID,),
    "code": (str,),
    "count": (int,),
    "customer_id": (UUID,),
    "document": (str,),
    "due_at": (datetime,),
    "event_id": (UUID,),
    "grant_id": (UUID,),
    "integration": (str, UUID),
    "job": (str,),
    "kind": (str,),
    "line": (int,),
    "megabytes": (int, float, Decimal),
    "path": (str, Path),
    "purpose": (str,),
    "record_id": (UUID,),
    "rejected": (int,),
    "revision": (str,),
    "rows": (int,),
    "rule": (str,),
    "run_id": (UUID,),
    "seconds": (int, float, Decimal),
    "source": (str,),
    "state": (str,),
    "status": (int, str),
    "stream": (str,),
    "table": (str,),
}
"""What a log line may say besides its event, and of which type. None of it is about a person but
the ids, which mean nothing outside the hub."""
OURS = ("event", "level", "logger", "exc_info")
TALKATIVE = ("alembic", "httpcore", "httpx", "pgqueuer")
"""Libraries that tell a person who waits about every step, or what goes over the wire."""
MASK = "***"
LONGEST = 2_000
"""Characters of one text that are kept."""

_LOOSE_AT = re.compile(r"\s?(?:@|%40|&#64;|\\x40|\\u0040)\s?", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"\n]{1,64}"@')
_WORD = re.compile(r"\S+")
_PHONE = re.compile(r"[+(]?\d(?:[^0-9A-Za-z]{0,3}\d){6,}")


def scrub(text: str) -> str:
    """Cut out whatever looks like an e-mail address or a telephone number.

    Compatibility forms (full-width signs, other scripts' digits) are folded before looking, and
    a text too long is cut, so that the effort is bounded.
    """
    folded = "".join(_plain(sign) for sign in unicodedata.normalize("NFKC", text[:LONGEST]))
    joined = _QUOTED.sub(f"{MASK}@", _LOOSE_AT.sub("@", folded))
    words = _WORD.sub(lambda word: MASK if "@" in word[0] else word[0], joined)
    return "".join(_visible(sign) for sign in _PHONE.sub(MASK, words))


def _plain(sign: str) -> str:
    """A digit of any script as 0 to 9; nothing for signs that can not be seen."""
    if unicodedata.category(sign) == "Cf":
        return ""
    digit = unicodedata.digit(sign, None)
    return sign if digit is None else str(digit)


def _visible(sign: str) -> str:
    """A line break or an escape, as one would write it: nobody forges a second log line."""
    return sign if sign.isprintable() else ascii(sign)[1:-1]


def configure(settings: Settings) -> None:
    """Send the logs of the hub and its libraries to standard error. Safe to repeat."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = Discreet(sys.stderr)
    handler.setFormatter(_formatter(settings, shared))
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    logging.captureWarnings(capture=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.root.level))


class Discreet(logging.StreamHandler[TextIO]):
    """Where a line can not be made, says so without what the line was to be made of."""

    def handleError(self, record: logging.LogRecord) -> None:
        kind = type(sys.exception()).__name__
        self.stream.write(f"{record.pathname}:{record.lineno}: a log line was lost: {kind}\n")


def _formatter(settings: Settings, shared: Sequence[Processor]) -> logging.Formatter:
    aloud = settings.log_level == "debug"
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            lambda _logger, _name, event: fenced(event, aloud=aloud),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _json if settings.log_format == "json" else _text,
        ],
    )


def fenced(event: EventDict, *, aloud: bool = False) -> dict[str, Any]:
    """What of a log line may be written. `aloud` lets the messages of foreign errors through."""
    error = _error(event.get("exc_info"))
    undeclared = sorted(scrub(str(key)) for key in event if key not in {*FIELDS, *OURS})
    kept = {
        **{key: scrub(str(event[key])) for key in OURS[:-1] if key in event},
        **{key: _value(key, event[key]) for key in FIELDS if key in event},
    }
    return {
        **kept,
        **({"undeclared": " ".join(undeclared)} if undeclared else {}),
        **({"exception": retell(error, aloud=aloud)} if error else {}),
    }


def _value(key: str, value: object) -> object:
    if not isinstance(value, FIELDS[key]):
        return f"({type(value).__name__})"
    if isinstance(value, str | Path):
        return scrub(str(value))
    return value if isinstance(value, int | float) else str(value)


def _error(found: Any) -> BaseException | None:
    """The error that `exc_info` means: it may be one, a triple, or just true."""
    match found:
        case BaseException() as error:
            return error
        case (_, BaseException() as error, _):
            return error
        case _:
            return sys.exception() if found else None


def retell(error: BaseException, *, aloud: bool = False) -> str:
    """An error and what led to it: kinds and places, messages only where they are ours."""
    lines: list[str] = []
    while True:
        lines += [_sentence(error, aloud=aloud), *_frames(error)]
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None:
            return "\n".join(lines)
        lines.append("which came from")
        error = cause


def _sentence(error: BaseException, *, aloud: bool) -> str:
    kind = type(error).__name__
    if isinstance(error, HubError) or aloud:
        return f"{kind}: {scrub(str(error))}"
    return f"{kind}: {describe(error)}" if isinstance(error, PostgresError) else kind


def _frames(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} in {frame.name}"


def _json(_logger: object, _name: str, event: EventDict) -> str:
    return json.dumps(event, ensure_ascii=False)


def _text(_logger: object, _name: str, event: EventDict) -> str:
    spoken = {*OURS, "timestamp", "exception"}
    rest = {key: value for key, value in event.items() if key not in spoken}
    words = [str(event["timestamp"]), f"{event['level']:<7}", str(event["event"])]
    line = " ".join([*words, *(f"{key}={value}" for key, value in rest.items())])
    return f"{line}\n{event['exception']}" if "exception" in event else line
