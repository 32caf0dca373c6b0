"""Erased by command: nowhere is anything of the person left, and no import brings them back."""

import json
import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.installation import COMMAND, Installation
from hub.records import (
    Address,
    AnyRecord,
    Consent,
    Customer,
    Detail,
    Identifier,
    Interaction,
    Order,
    OrderLine,
    Participant,
    Person,
)
from tests.everywhere import found_in_files, found_in_tables
from tests.proofs.conftest import Install, Tell

MAIL, PHONE = "zinaida.quirke@example.com", "+79001112233"
SAID = (MAIL, PHONE, PHONE[1:], "Zinaida", "Quirke", "Zinnia Lane", "quirke-card-1")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHE = Person(external_id="z1")
BY_PHONE = Person(identifier=Identifier(type="phone", value=PHONE))

THEIRS: Sequence[AnyRecord] = (
    Customer(
        external_id="z1",
        given_name="Zinaida",
        family_name="Quirke",
        identifiers=(
            Identifier(type="email", value=MAIL),
            Identifier(type="phone", value="8 (900) 111-22-33"),
            Identifier(type="loyalty_card", value="QUIRKE-CARD-1"),
        ),
        addresses=(Address(street="Zinnia Lane 5", text="Quirke, Zinnia Lane 5"),),
        tags=("Zinaida likes tea",),
    ),
    Detail(external_id="d1", customer="z1", tags=("Quirke family",)),
    Order(external_id="o1", ordered_at=NOON, customer=SHE, lines=(OrderLine(name="To Zinaida"),)),
    Interaction(
        external_id="c1",
        kind="call",
        started_at=NOON,
        text="Quirke asks",
        participants=(Participant(person=BY_PHONE, role="caller"),),
    ),
    Consent(
        external_id="a1",
        customer=SHE,
        purpose="email_marketing",
        state="granted",
        given_at=NOON,
        contact_point=Identifier(type="email", value=MAIL),
        evidence="Form signed by Zinaida Quirke",
    ),
)
"""All of it hers; `meeting` is hers and somebody else's."""


def others(count: int) -> Sequence[AnyRecord]:
    people = [
        Customer(
            external_id=f"p{n}",
            given_name="Ivan",
            family_name=f"Petrov{n}",
            identifiers=(Identifier(type="email", value=f"person{n}@example.org"),),
        )
        for n in range(count)
    ]
    meeting = Interaction(
        external_id="m1",
        kind="meeting",
        started_at=NOON,
        subject="Zinaida and Ivan",
        text="Quirke agreed",
        participants=(Participant(person=SHE), Participant(person=Person(external_id="p0"))),
    )
    return [*people, meeting]


def write(path: Path, records: Sequence[AnyRecord]) -> Path:
    path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in records))
    return path


def said(hub: Installation, *arguments: str, read: str = "") -> Sequence[str]:
    """What a command said on its two outputs, when this was its input."""
    done = subprocess.run(
        [COMMAND, *arguments],
        env={**os.environ, "HUB_DATA_DIR": str(hub.data_dir)},
        input=read,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def erased(hub: Installation) -> Sequence[str]:
    """Erase her as an officer would; all that the commands said of it."""
    asked = said(hub, "privacy", "erase", "--email", "-", "--yes", "--json", read=MAIL + "\n")
    request = json.loads(asked[0])["id"]
    done = said(hub, "privacy", "run", request)
    assert done[0].strip() == f"erasure {request}: done"
    return [*asked, *done, *said(hub, "privacy", "show", request)]


@pytest.mark.slow
async def test_nothing_is_left_anywhere(install: Install, tmp_path: Path, tell: Tell) -> None:
    hub = install(HUB_LOG_LEVEL="info")
    file = write(tmp_path / "people.jsonl", [*THEIRS, *others(500)])
    hub.bring_in(file, "crm")
    async with hub.connection() as connection:
        await connection.execute("ANALYZE")
        assert len(await found_in_tables(connection, SAID)) > 15
        before = await _others(connection)
    spoken = erased(hub)
    async with hub.connection() as connection:
        assert await found_in_tables(connection, SAID) == set()
        assert await _others(connection) == before
    again = hub.bring_in(file, "crm")
    assert _suppressed(again.summary) == {
        "customer": 1, "detail": 1, "order": 1, "interaction": 2, "consent": 1
    }  # fmt: skip
    async with hub.connection() as connection:
        assert await found_in_tables(connection, SAID) == set()
        assert await _others(connection) == before
    pages = ("base", "pg_wal", "global")
    assert found_in_files(hub.data_dir, SAID, apart_from=pages) == set()
    assert not any(text.lower() in line.lower() for line in spoken for text in SAID)
    _, rewritten = said(hub, "privacy", "scrub", "--yes")
    assert "source_record" in rewritten
    async with hub.connection() as connection:
        assert await _others(connection) == before
    said(hub, "stop", "--force")
    assert found_in_files(hub.data_dir, SAID, apart_from=("pg_wal",)) == set()
    tell(f"{len(rewritten.splitlines())} tables rewritten, none of her in any page")


OTHERS = """
SELECT c.id, c.display_name, c.updated_at, array_agg(i.value ORDER BY i.value) AS values
  FROM customer c LEFT JOIN identifier i ON i.customer_id = c.id
 WHERE c.status = 'active' AND c.family_name <> 'Quirke' GROUP BY c.id ORDER BY c.id
"""


async def _others(connection: Any) -> Sequence[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(OTHERS)]


def _suppressed(summary: Any) -> dict[str, int]:
    records = summary["counts"]["records"]
    return {kind: n for kind, fates in records.items() if (n := fates.get("suppressed"))}
