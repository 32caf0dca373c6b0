"""What is sealed is sealed anew with the first key, beside whatever else goes on."""

import asyncio
from datetime import timedelta
from uuid import UUID

from sqlalchemy import LargeBinary

from hub import clock, resealing
from hub.crypto import Keyring, Sealed
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.models import Base
from hub.resealing import BATCH, Place

OLD, NEW, STRANGE = b"o" * 32, b"n" * 32, b"s" * 32
BEFORE, AFTER = Keyring([OLD]), Keyring([NEW, OLD])

PLAIN = {
    "audit_checkpoint": {"key_id", "previous", "signature"},
    "audit_draft": {"document", "people"},
    "audit_entry": {"document", "hash", "people"},
    "awaited_refusal": {"hash"},
    "consent_document": {"hash"},
    "consent_entry": {"document_hash"},
    "import_run": {"fingerprint", "mapping_hash"},
    "source_item": {"item", "mark"},
    "source_record": {"hash"},
    "suppression": {"hash"},
    "sync_listing": {"mark"},
    "throttle": {"id"},
}
"""Bytes that HUB_SECRET_KEY has no part in; those of `throttle` begin anew with another key."""


def test_all_bytes_say_whether_the_key_is_in_them() -> None:
    tables = Base.metadata.sorted_tables
    found = [(t.name, c) for t in tables for c in t.columns if isinstance(c.type, LargeBinary)]
    unsaid = {
        (table, column.name)
        for table, column in found
        if not {"sealed", "hashed"} & set(column.info) and column.name not in PLAIN.get(table, ())
    }
    assert unsaid == set()


def test_places_name_keys_of_their_table() -> None:
    for place in resealing.sealed_places():
        said = (place.words or "").format(**dict.fromkeys(place.keys, "*"))
        assert said.startswith(f"{place.table}/*")


async def archived(connection: Connection, ring: Keyring, parts: int) -> UUID:
    """Sealed parts of an archive: the table that has most rows and two keys."""
    request = clock.new_id()
    await connection.execute(
        "INSERT INTO privacy_request (id, kind, customer_id, requested_by, received_at, due_at)"
        " VALUES ($1, 'access', $1, 'command', now(), now())",
        request,
    )
    sealed = [
        ring.seal(b"part %d" % n, place=f"privacy_archive/{request}/{n}").data for n in range(parts)
    ]
    await connection.execute(
        "INSERT INTO privacy_archive (request_id, part, sealed, expires_at)"
        " SELECT $1, o - 1, s, now() FROM unnest($2::bytea[]) WITH ORDINALITY AS u (s, o)",
        request,
        sealed,
    )
    return request


async def opened(connection: Connection, ring: Keyring, request: UUID) -> list[bytes]:
    rows = await connection.fetch(
        "SELECT part, sealed FROM privacy_archive WHERE request_id = $1 ORDER BY part", request
    )
    places = [(row, f"privacy_archive/{request}/{row['part']}") for row in rows]
    return [ring.open(Sealed(row["sealed"]), place=place) for row, place in places]


async def test_every_kind_is_sealed_anew(database: Database, connection: Connection) -> None:
    request = await archived(connection, BEFORE, 2 * BATCH + 3)
    await connection.execute(
        "INSERT INTO sealed_key (name, sealed) VALUES ('a', $1)",
        BEFORE.seal(b"key", place="sealed_key/a").data,
    )
    await connection.execute(
        "INSERT INTO signing_key (id, algorithm, public_jwk, private_key)"
        " VALUES ('k', 'ES256', '{}', $1), ('gone', 'ES256', '{}', NULL)",
        BEFORE.seal(b"private", place="signing_key/k").data,
    )
    done = await resealing.reseal(database, AFTER)
    assert (done.count, done.damaged) == (2 * BATCH + 5, [])
    assert await opened(connection, Keyring([NEW]), request) == [
        b"part %d" % n for n in range(2 * BATCH + 3)
    ]
    assert await resealing.needs(connection, AFTER) == []
    assert (await resealing.reseal(database, AFTER)).count == 0


async def test_damaged_and_strange_values_are_told(
    database: Database, connection: Connection
) -> None:
    for name, sealed in (
        ("moved", BEFORE.seal(b"key", place="sealed_key/other")),
        ("strange", Keyring([STRANGE]).seal(b"key", place="sealed_key/strange")),
        ("fine", BEFORE.seal(b"key", place="sealed_key/fine")),
    ):
        await connection.execute(
            "INSERT INTO sealed_key (name, sealed) VALUES ($1, $2)", name, sealed.data
        )
    done = await resealing.reseal(database, AFTER)
    assert (done.count, done.damaged) == (1, ["sealed_key/moved"])
    needs = await resealing.needs(connection, AFTER)
    assert {(n.table, n.key, n.count) for n in needs} == {
        ("sealed_key", 2, 1),
        ("sealed_key", None, 1),
    }


async def test_hashes_tell_which_key_they_need(database: Database, connection: Connection) -> None:
    until = clock.now() + timedelta(hours=3)
    await connection.execute(
        "INSERT INTO oauth_client (id, name, scopes, purposes, secret_hash)"
        " VALUES ($1, 'shop', '{}', '{}', $2)",
        clock.new_id(),
        BEFORE.hashed("client secret", "x"),
    )
    user = clock.new_id()
    await connection.execute('INSERT INTO "user" (id, name) VALUES ($1, $2)', user, "a")
    for cookie, ends in (("a", until), ("b", clock.now() - timedelta(hours=1))):
        await connection.execute(
            "INSERT INTO user_session (id, user_id, expires_at) VALUES ($1, $2, $3)",
            BEFORE.hashed("session", cookie),
            user,
            ends,
        )
    found = {n.table: n for n in await resealing.needs(connection, AFTER)}
    assert (found["oauth_client"].count, found["oauth_client"].until) == (1, None)
    assert (found["user_session"].count, found["user_session"].until) == (1, until)
    assert await resealing.needs(connection, BEFORE) == []


async def test_value_that_changes_meanwhile_is_kept(
    database: Database, connection: Connection
) -> None:
    """Others write new values, with the new key or the old, all the while."""
    request = await archived(connection, BEFORE, 10 * BATCH)
    place = next(p for p in resealing.sealed_places() if p.table == "privacy_archive")
    assert place == Place("privacy_archive", "sealed", ("request_id", "part"), place.words)

    async def rewrite(ring: Keyring, parts: range) -> None:
        async with database.owner.acquire() as own:
            for n in parts:
                sealed = ring.seal(b"new %d" % n, place=f"privacy_archive/{request}/{n}")
                await own.execute(
                    "UPDATE privacy_archive SET sealed = $1 WHERE request_id = $2 AND part = $3",
                    sealed.data,
                    request,
                    n,
                )

    third = range(0, 10 * BATCH, 3)
    await asyncio.gather(
        resealing.reseal(database, AFTER), rewrite(AFTER, third), rewrite(BEFORE, third[1:])
    )
    await resealing.reseal(database, AFTER)
    texts = await opened(connection, Keyring([NEW]), request)
    assert [t for n, t in enumerate(texts) if n in third] == [b"new %d" % n for n in third]
    assert [t for n, t in enumerate(texts) if n not in third] == [
        b"part %d" % n for n in range(10 * BATCH) if n not in third
    ]
