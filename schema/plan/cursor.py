"""Cursors: the order, the key and the id of an item, so that a page goes on where one ended."""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from hub.errors import BadInput

LONGEST = 4_000
"""Characters of a cursor; names may be long."""
DIGITS = 18
"""Of a number that every bigint can hold."""
WRONG = "This is not a cursor of this list in this order: use one that the same list gave."


def in_sql(order: str, key: str, id_: str) -> str:
    """The cursor of a row; `key` is SQL for text."""
    pair = f"json_build_array('{order}', {key}, {id_}::text)::text"
    return f"translate(encode(convert_to({pair}, 'UTF8'), 'base64'), E'\\n', '')"


def key(order: str, cast: str) -> Callable[[Any], Any]:
    """What reads the key out of a cursor."""
    return lambda cursor: _typed(_parts(cursor, order)[1], cast)


def id_(order: str, cast: str) -> Callable[[Any], UUID | int]:
    """What reads the id out of a cursor."""
    read = _uuid if cast == "uuid" else _number
    return lambda cursor: read(_parts(cursor, order)[2])


def _parts(cursor: Any, order: str) -> list[str]:
    if not isinstance(cursor, str) or len(cursor) > LONGEST:
        raise BadInput(WRONG)
    try:
        parts = msgspec.json.decode(base64.b64decode(cursor, validate=True), type=list[str])
    except (binascii.Error, ValueError, UnicodeError):
        raise BadInput(WRONG) from None
    if len(parts) != 3 or parts[0] != order or "\0" in parts[1]:
        raise BadInput(WRONG)
    return parts


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadInput(WRONG) from None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS):
        raise BadInput(WRONG)
    return int(text)


def _typed(text: str, cast: str) -> Any:
    if cast != "timestamptz":
        return text
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(WRONG) from None
    if read.tzinfo is None:
        raise BadInput(WRONG)
    return read
