"""Where anything of somebody is left: in every column of every table, plain, encoded or hashed."""

import base64
import hashlib
import io
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from hub.db.connection import Connection

TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY 1
"""
SAMPLED = "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname IN ('public', 'jobs')"
STATISTICS = "SELECT * FROM pg_stats WHERE tablename = '{table}'"
DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "blake2s", "sha3_256")


def needles(said: Collection[str]) -> Sequence[bytes]:
    """All that gives one of these away, in lower case: itself, and what is made of it alone."""
    return [needle.lower() for text in said for needle in _made_of(text)]


def _made_of(text: str) -> Iterator[bytes]:
    for spelled in {text, text.lower(), text.upper()}:
        plain = spelled.encode()
        yield from (plain, plain.hex().encode(), plain[::-1], base64.b64encode(plain).rstrip(b"="))
        for name in DIGESTS:
            digest = hashlib.new(name, plain).digest()
            yield from (digest.hex().encode(), base64.b64encode(digest).rstrip(b"="))
        short = hashlib.blake2b(plain, digest_size=16).digest()
        yield from (short.hex().encode(), base64.b64encode(short).rstrip(b"="))


async def tables(connection: Connection) -> Sequence[str]:
    """Every table there is, those of the queue among them."""
    return [row[0] for row in await connection.fetch(TABLES)]


async def _sampled(connection: Connection) -> Sequence[str]:
    """The tables and indexes of which the planner has samples."""
    return [row[0] for row in await connection.fetch(SAMPLED)]


async def found_in_tables(connection: Connection, said: Collection[str]) -> set[str]:
    """The tables, and what the planner samples of them, that hold any of what was said."""
    wanted = needles(said)
    places = {name: f"SELECT * FROM {name}" for name in await tables(connection)}
    for name in await _sampled(connection):
        places[f"statistics of {name}"] = STATISTICS.format(table=name)
    return {
        name for name, query in places.items() if _holds(await _copied(connection, query), wanted)
    }


async def _copied(connection: Connection, query: str) -> bytes:
    out = io.BytesIO()
    await connection.copy_from_query(query, output=out)
    return out.getvalue()


def _holds(content: bytes, wanted: Sequence[bytes]) -> bool:
    folded = content.lower()
    return any(needle in folded for needle in wanted)


def found_in_files(folder: Path, said: Collection[str], *, apart_from: Collection[str]) -> set[str]:
    """The files below a folder that hold any of it, but those below folders of these names."""
    wanted = needles(said)
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and not set(path.relative_to(folder).parts) & set(apart_from)
        and _holds(path.read_bytes(), wanted)
    }
