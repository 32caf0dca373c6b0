"""JSON as bytes: what the database says is passed on, not parsed and written again."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncpg

JSONB_VERSION = b"\x01"
"""What precedes the text of a `jsonb` value on the wire."""


async def install(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Let `json` and `jsonb` come and go as bytes on this connection."""
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=_bytes, decoder=bytes, format="binary"
    )
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _to_jsonb(value: bytes | str) -> bytes:
    return JSONB_VERSION + _bytes(value)


def _from_jsonb(value: bytes) -> bytes:
    return value[1:]
