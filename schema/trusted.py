"""Trusted documents: those known beforehand, asked for by id, and how far others are let in."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from hub.errors import BadSettings
from schema.plan.cache import Cache
from schema.plan.document import fault
from schema.request import Request

Mode = Literal["off", "allow", "only"]
REMEMBERED = 2_000_000
"""Characters of documents that clients registered by their hash."""


class Trusted:
    """The documents of a manifest.

    `off`: there are none. `allow`: they may be asked for by id, and others in full. `only`: nothing
    else is answered. Ids are `documentId`, with or without `sha256:` before it, or Apollo's
    `extensions.persistedQuery.sha256Hash`, by which clients may also register documents (`allow`).
    """

    def __init__(self, mode: Mode, documents: Mapping[str, str]) -> None:
        self._mode: Mode = mode
        self._documents = documents
        self._known = frozenset(documents.values())
        self._registered: Cache[str] = Cache(REMEMBERED)

    @property
    def texts(self) -> Iterable[str]:
        return self._known

    def text(self, request: Request) -> str:
        """The document of a request. Raises Faulty where there is none that may be answered."""
        id_ = _id(request)
        if id_ is not None and self._mode != "off":
            return self._by_id(id_, request.query)
        if request.query is None:
            raise fault("BAD_REQUEST", "There is no document: send it as `query`.")
        if self._mode == "only" and request.query not in self._known:
            raise fault(
                "DOCUMENT_NOT_TRUSTED",
                "Only documents of the manifest are answered here: add this one to it.",
            )
        return request.query

    def _by_id(self, id_: str, query: str | None) -> str:
        if id_ in self._documents:
            return self._documents[id_]
        if self._mode == "allow":
            if query is not None:
                return self._register(id_, query)
            found = self._registered.kept(id_)
            if found is not None:
                return found
        raise fault(
            "PERSISTED_QUERY_NOT_FOUND",
            "No document has this id: add it to the manifest, or send it in full.",
        )

    def _register(self, id_: str, query: str) -> str:
        if hashlib.sha256(query.encode(errors="replace")).hexdigest() != id_:
            raise fault("BAD_REQUEST", "The document does not have the hash that is said of it.")
        return self._registered.found(id_, lambda: query, lambda text: len(text) + 100)


def load(mode: Mode, path: Path | None) -> Trusted:
    """The documents of a manifest file. Raises BadSettings when it can not be read."""
    if mode == "off":
        return Trusted("off", {})
    if path is None:
        raise BadSettings("Trusted documents need HUB_TRUSTED_DOCUMENTS_FILE, their manifest.")
    try:
        return Trusted(mode, dict(_entries(msgspec.json.decode(path.read_bytes()))))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadSettings(
            f"The manifest {path} can not be read: it is a JSON object of ids and documents, or a"
            " manifest as generate-persisted-query-manifest writes it."
        ) from error


def _entries(manifest: Any) -> Iterable[tuple[str, str]]:
    """Ids and texts of a plain object (codegen, Relay) or of Apollo's manifest."""
    if manifest.get("format") == "apollo-persisted-query-manifest":
        return [(_bare(entry["id"]), str(entry["body"])) for entry in manifest["operations"]]
    return [(_bare(str(id_)), str(text)) for id_, text in manifest.items()]


def _bare(id_: str) -> str:
    return id_.removeprefix("sha256:")


def _id(request: Request) -> str | None:
    if request.document_id is not None:
        return _bare(request.document_id)
    persisted = (request.extensions or {}).get("persistedQuery")
    found: Any = persisted.get("sha256Hash") if isinstance(persisted, dict) else None  # type: ignore[union-attr]  # of whatever
    return _bare(found) if isinstance(found, str) else None
