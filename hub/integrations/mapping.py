"""An integration's own mapping, given and taken away."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.adapter import Adapter
from hub.db.connection import Connection
from hub.errors import BadMapping
from hub.integrations.known import Integration, locked
from hub.sync import mapping as own
from hub.sync import remap
from hub.sync.mapping import OwnMapping
from hub.transfer import attributes
from hub.transfer.mapping import AttributeMap

DECLARATIONS = "attributes"
"""The part of a mapping that is about no stream: it declares attributes, as that of a file does."""

MAP = "UPDATE integration SET mapping = $2, updated_at = now() WHERE id = $1"
DECLARED = "SELECT key FROM attribute_definition"


async def configure(
    connection: Connection, name: str, adapter: Adapter, mapping: Mapping[str, Any]
) -> OwnMapping:
    """Give an integration its own mapping, in place of the one it had.

    It counts for what is read from now on. Raises BadMapping that names the place.
    """
    known = await locked(connection, name)
    made = _decoded({key: part for key, part in mapping.items() if key != DECLARATIONS})
    await attributes.declare(connection, _declarations(mapping.get(DECLARATIONS, {})))
    declared = {row["key"] for row in await connection.fetch(DECLARED)}
    own.check(adapter, made, declared=declared)
    await connection.execute(MAP, known.id, msgspec.json.encode(made))
    return made


def _decoded(said: Mapping[str, Any]) -> OwnMapping:
    """Stream by stream, since what is wrong with one does not name it."""
    made: OwnMapping = {}
    for stream, part in said.items():
        try:
            made |= own.decoded({stream: part})
        except BadMapping as error:
            raise BadMapping(f"{stream}: {error}") from error
    return made


async def unread(connection: Connection, known: Integration, adapter: Adapter) -> Sequence[str]:
    """The vendor fields of the own mapping that nothing which is kept has: only a full run reads
    them."""
    found: list[str] = []
    for stream in adapter.streams:
        made = own.own(adapter, stream, known.mapping)
        found += await remap.unread(connection, known.source_id, stream.key, made)
    return found


def _declarations(said: object) -> Mapping[str, AttributeMap]:
    try:
        return msgspec.convert(said, dict[str, AttributeMap])
    except msgspec.ValidationError as error:
        raise BadMapping(f"{DECLARATIONS} can not be read: {error}") from error
