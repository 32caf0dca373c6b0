"""Trusted documents: from a manifest, registered by their hash, or none others at all."""

import hashlib

import pytest

from schema.plan.document import Faulty
from schema.request import Request
from schema.trusted import Mode, Trusted

TEXT = "{ viewer { client } }"
HASH = hashlib.sha256(TEXT.encode()).hexdigest()


def persisted(query: str | None = None, id_: str = HASH) -> Request:
    return Request(query=query, extensions={"persistedQuery": {"version": 1, "sha256Hash": id_}})


def code(trusted: Trusted, request: Request) -> str:
    with pytest.raises(Faulty) as caught:
        trusted.text(request)
    return caught.value.code


def test_document_is_registered_when_it_was_missed() -> None:
    trusted = Trusted("allow", {})
    assert code(trusted, persisted()) == "PERSISTED_QUERY_NOT_FOUND"
    assert trusted.text(persisted(TEXT)) == TEXT
    assert trusted.text(persisted()) == TEXT


def test_wrong_hash_registers_nothing() -> None:
    trusted = Trusted("allow", {})
    assert code(trusted, persisted("{ viewer { purpose } }")) == "BAD_REQUEST"
    assert code(trusted, persisted()) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize("mode", ["allow", "only"])
def test_manifest_is_asked_by_id(mode: Mode) -> None:
    trusted = Trusted(mode, {"viewer": TEXT})
    assert trusted.text(Request(document_id="viewer")) == TEXT
    assert trusted.text(Request(query=TEXT)) == TEXT


def test_only_means_only() -> None:
    trusted = Trusted("only", {"viewer": TEXT})
    assert code(trusted, Request(query="{ viewer { purpose } }")) == "DOCUMENT_NOT_TRUSTED"
    assert code(trusted, persisted(TEXT)) == "PERSISTED_QUERY_NOT_FOUND"


def test_misses_are_not_remembered() -> None:
    trusted = Trusted("allow", {})
    for n in range(1_000):
        assert code(trusted, persisted(id_=str(n))) == "PERSISTED_QUERY_NOT_FOUND"
    assert trusted.text(persisted(TEXT)) == TEXT
