"""People withdraw at random while others page, follow and export: no answer and no chunk whose
check began after a withdrawal was committed holds whoever withdrew.

Two things tell. A withdrawal is known to be committed when its answer has come, so whatever is
asked later must not hold the person. And who has withdrawn moves at once to a city of their own:
whatever shows them there was read after they withdrew, however close it was.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from bench import store
from bench.installation import Installation
from bench.serving import Served
from hub import clock
from hub.db.engine import Database
from hub.exports import people
from hub.exports.people import Wanted
from schema.scalars import global_id
from tests.events import numbered, running
from tests.proofs.conftest import Install, Tell

pytestmark = pytest.mark.slow

PEOPLE = 600
LEAVING = 300
READERS = 8
CHUNK = 25
PURPOSE = "email_marketing"
HERE, GONE = "Kazan", "Nowhere"
SEED = 20261122

PAGE = """query ($after: String) { customers(first: 40, after: $after) {
    nodes { id city } pageInfo { hasNextPage endCursor } } }"""
CARD = "query ($email: String!) { customer(by: {email: $email}) { id city } }"
CHANGES = "subscription { customerChanged { type customerId customer { id city } } }"
WITHDRAW = """mutation ($id: ID!) {
    withdrawConsent(input: {customer: $id, purpose: "email_marketing"}) {
        outcome errors { message } } }"""
MOVE = """mutation ($input: RecordCustomersInput!) {
    recordCustomers(input: $input) { results { outcome } } }"""


@dataclass
class Course:
    """What happened, and what somebody was shown that they must not be."""

    email: Mapping[str, str]
    withdrawn: dict[str, float] = field(default_factory=dict[str, float])
    shown: list[str] = field(default_factory=list[str])
    answers: int = 0
    overtaken: int = 0

    def look(self, where: str, began: float, told: list[dict[str, Any]]) -> None:
        """Look at what was told by an answer that was asked for at a time."""
        self.answers += 1
        for one in told:
            until = self.withdrawn.get(one["id"])
            if one["city"] == GONE or (until is not None and until < began):
                self.shown.append(f"{where} at {began:.4f} told of {one['id']}, gone at {until}")
            self.overtaken += until is not None and until >= began

    @property
    def is_over(self) -> bool:
        return len(self.withdrawn) == LEAVING


Ask = Callable[..., Coroutine[Any, Any, Any]]


@asynccontextmanager
async def asking(served: Served, headers: Mapping[str, str]) -> AsyncGenerator[Ask]:
    """A client with a connection of its own."""
    url = f"http://127.0.0.1:{served.port}/graphql"
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:

        async def ask(query: str, **variables: Any) -> Any:
            answer = await client.post(url, json={"query": query, "variables": variables})
            told = answer.json()
            assert "errors" not in told, told
            return told["data"]

        yield ask


async def page(course: Course, ask: Ask) -> list[str]:
    """Everybody whom the purpose shows, page by page."""
    after, found = None, list[str]()
    while True:
        began = time.monotonic()
        told = (await ask(PAGE, after=after))["customers"]
        course.look("page", began, told["nodes"])
        found += [one["id"] for one in told["nodes"]]
        if not told["pageInfo"]["hasNextPage"]:
            return found
        after = told["pageInfo"]["endCursor"]


async def paging(course: Course, ask: Ask, number: int) -> None:
    """Every other reader asks for single people between its pages."""
    chance = random.Random(SEED + number)
    while not course.is_over:
        await page(course, ask)
        for email in chance.sample(sorted(course.email.values()), 20 * (number % 2)):
            began = time.monotonic()
            told = (await ask(CARD, email=email))["customer"]
            course.look("card", began, [told] if told else [])


@asynccontextmanager
async def listening(
    course: Course, served: Served, headers: Mapping[str, str]
) -> AsyncGenerator[list[Any]]:
    """Somebody who follows changes; gives what they heard."""
    heard: list[Any] = []
    url = f"ws://127.0.0.1:{served.port}/graphql"
    async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        token = {"authorization": headers["Authorization"]}
        await socket.send(json.dumps({"type": "connection_init", "payload": token}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        subscribed = {"id": "1", "type": "subscribe", "payload": {"query": CHANGES}}
        await socket.send(json.dumps(subscribed))

        async def listen() -> None:
            async for message in socket:
                told = json.loads(message)
                assert told["type"] in {"next", "ping"}, told
                if told["type"] == "next":
                    heard.append(told["payload"]["data"]["customerChanged"])

        async with running(listen()):
            yield heard


class Stamped(BytesIO):
    """A file that looks at each chunk; its check began after the one before was written."""

    def __init__(self, course: Course) -> None:
        super().__init__()
        self._course = course
        self._written = time.monotonic()

    def write(self, data: Any) -> int:
        lines = [json.loads(line) for line in data.splitlines()]
        told = [{**one, "id": global_id("Customer", one["id"])} for one in lines]
        self._course.look("chunk", self._written, told)
        count = super().write(data)
        self._written = time.monotonic()
        return count


async def exporting(course: Course, database: Database) -> None:
    """One file after the other, in small chunks."""
    wanted = Wanted(PURPOSE, "Letters Ltd", "command", ("id", "city", "email"), chunk=CHUNK)
    while not course.is_over:
        file = Stamped(course)
        done = await people.write(database, wanted, file, format="jsonl")
        assert await undisclosed(database, file, done.run_id) == set()


async def undisclosed(database: Database, file: BytesIO, run: Any) -> set[str]:
    """Whom a file holds though nothing says that they left."""
    rows = await database.owner.fetch(
        "SELECT customer_id FROM disclosure WHERE export_id = $1", run
    )
    held = {json.loads(line)["id"] for line in file.getvalue().splitlines()}
    return held - {str(row["customer_id"]) for row in rows}


async def leaving(course: Course, ask: Ask, numbers: Mapping[str, int]) -> None:
    """One after the other withdraws and moves away; one of those who stay changes meanwhile."""
    chance = random.Random(SEED)
    going = chance.sample(sorted(course.email), LEAVING)
    staying = sorted(set(course.email) - set(going))
    for one in going:
        told = (await ask(WITHDRAW, id=one))["withdrawConsent"]
        course.withdrawn[one] = time.monotonic()
        assert told == {"outcome": "CREATED", "errors": []}
        await move(course, ask, one, numbers, GONE)
        await move(course, ask, chance.choice(staying), numbers, HERE)
        await asyncio.sleep(chance.random() / 50)


async def move(course: Course, ask: Ask, id_: str, numbers: Mapping[str, int], city: str) -> None:
    record = {
        "externalId": str(numbers[id_]),
        "observedAt": clock.now().isoformat(),
        "city": city,
        "middleName": f"M{time.monotonic_ns()}",
        "identifiers": [{"type": "EMAIL", "value": course.email[id_]}],
    }
    told = await ask(MOVE, input={"source": "crm", "customers": [record]})
    assert told["recordCustomers"]["results"][0]["outcome"] == "UPDATED", told


def brought_in(installation: Installation, folder: Path) -> None:
    """So many people, who all want letters."""
    given = "2026-03-01T00:00:00Z"
    lines = {
        "customers.csv": ["external_id,city,email"]
        + [f"{n},{HERE},person{n}@example.com" for n in range(PEOPLE)],
        "consents.csv": ["external_id,customer,purpose,state,given_at"]
        + [f"c{n},{n},{PURPOSE},granted,{given}" for n in range(PEOPLE)],
    }
    for name, rows in lines.items():
        path = folder / name
        path.write_text("\n".join(rows), encoding="utf-8")
        installation.bring_in(path, "crm")


NUMBERS = """
SELECT l.customer_id, r.external_id::int AS number FROM identity_link l
  JOIN source_record r ON r.id = l.record_id JOIN source s ON s.id = r.source_id
 WHERE r.type = 'customer' AND s.key = 'crm' AND l.unlinked_at IS NULL
"""


async def test_nobody_is_shown_after_they_withdrew(
    install: Install, tmp_path: Path, tell: Tell
) -> None:
    installation = install()
    brought_in(installation, tmp_path)
    reading, writing = (installation.headers(one) for one in (PURPOSE, "customer_service"))
    async with await Database.open(store.settings(installation.data_dir)) as database:
        rows = await database.owner.fetch(NUMBERS)
        numbers = {global_id("Customer", row["customer_id"]): row["number"] for row in rows}
        course = Course({one: f"person{n}@example.com" for one, n in numbers.items()})
        with Served("hub", installation.data_dir) as served:
            await numbered(database)
            async with listening(course, served, reading) as heard, asyncio.TaskGroup() as all_of:
                for number in range(READERS):
                    all_of.create_task(_with(served, reading, paging, course, number))
                all_of.create_task(exporting(course, database))
                all_of.create_task(_with(served, writing, leaving, course, numbers))
            async with asking(served, reading) as ask:
                left = await page(course, ask)
    assert course.shown == []
    assert sorted(left) == sorted(set(course.email) - set(course.withdrawn))
    assert [one for one in heard if one["type"] == "consent.recorded"] == []
    assert {one["customer"]["city"] for one in heard if one["customer"]} == {HERE}
    assert course.overtaken > 0
    tell(
        f"{course.answers:,} answers and chunks, {len(heard)} changes heard, {LEAVING} withdrawals;"
        f" {course.overtaken} were shown in answers that had begun before"
    )


async def _with(
    served: Served, headers: Mapping[str, str], act: Callable[..., Any], course: Course, given: Any
) -> None:
    async with asking(served, headers) as ask:
        await act(course, ask, given)
