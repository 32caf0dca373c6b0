"""Double opt-in from the asking to the answer, over a real mail server and the real pages."""

import asyncio
import re
from base64 import b64decode
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import date, timedelta
from email import message_from_bytes
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from auth.consent import routes
from hub import clock
from hub.consent import confirming
from hub.consent.confirming import Requested, Wanted
from hub.consent.links import Leaving, links
from hub.consent.mailing import Postman
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Conflict, NotFound, RejectedRecord
from hub.intake import Defaults, direct
from hub.intake.direct import Statement
from hub.jobs import Worker
from hub.net.letter import Sender
from hub.net.mail import WAITS, Mailer, Server
from hub.records import ConsentWord, Customer, Identifier, Order, Person
from tests.asked import GIVEN, NAME, PURPOSE, VERSION, customer, person, publish, record
from tests.events import running
from tests.postbox import Postbox, postbox
from tests.vendor import HERE

MAIL = Identifier(type="email", value="Person1@Example.com")
ASKED = "SELECT * FROM consent_request"
ENTRY = "SELECT * FROM consent_entry ORDER BY recorded_at DESC, id DESC LIMIT 1"


@dataclass
class Desk:
    """Asks, sends, and opens what was sent."""

    database: Database
    keyring: Keyring
    box: Postbox
    http: httpx.AsyncClient

    async def ask(self, **said: Any) -> Requested:
        async def work(connection: Connection) -> Requested:
            known: dict[str, Any] = {
                "purpose": PURPOSE,
                "contact_point": MAIL,
                "document": NAME,
            }
            if "customer" not in said:
                known["customer"] = await customer(connection, 1)
            made = await links(connection, self.keyring)
            wanted = Wanted(**known | said)
            return await confirming.ask(
                connection, wanted, self.keyring, made, by="client:shop", region="RU"
            )

        return await self.database.retrying(work)

    @property
    def postman(self) -> Postman:
        mailer = Mailer(Server.of(self.box.url), Sender("", "news@example.com"), networks=HERE)
        return Postman(self.database, self.database.settings, self.keyring, mailer)

    async def send(self, request: UUID) -> None:
        await self.postman.work(request.bytes, asyncio.Event())

    async def mailed(self) -> str:
        """The path of the page that somebody is asked on."""
        requested = await self.ask()
        await self.send(requested.id)
        return self.link

    @property
    def text(self) -> str:
        payload = message_from_bytes(self.box.mails[-1]).get_payload()
        return b64decode(str(payload)).decode()

    @property
    def link(self) -> str:
        found = re.search(r"http://[^/]+(/consent/\S+)", self.text)
        assert found
        return found[1]

    @property
    def leaving(self) -> str:
        header = message_from_bytes(self.box.mails[-1])["list-unsubscribe"]
        return "/" + header.strip("<>").split("/", 3)[3]

    async def row(self, sql: str) -> Any:
        async with self.database.transaction() as connection:
            return await connection.fetchrow(sql)

    async def run(self, sql: str) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(sql)

    async def tell(self, state: ConsentWord, **said: Any) -> None:
        """What the person says otherwise."""

        async def work(connection: Connection) -> None:
            statement = Statement(PURPOSE, state, clock.now(), **said)
            whose = await customer(connection, 1)
            await direct.declare(
                connection, whose, statement, by="client:shop", defaults=Defaults()
            )

        await self.database.retrying(work)

    async def state(self) -> str | None:
        row = await self.row(f"SELECT state FROM consent_state WHERE purpose = '{PURPOSE}'")
        return None if row is None else row["state"]


@pytest.fixture
async def desk(database: Database, keyring: Keyring) -> AsyncGenerator[Desk]:
    await publish(database)
    await record(database, person(1))
    app = Starlette(routes=routes.routes(database, keyring))
    transport = httpx.ASGITransport(app=app)
    async with (
        postbox() as box,
        httpx.AsyncClient(transport=transport, base_url="http://hub.example.com") as http,
    ):
        yield Desk(database, keyring, box, http)


async def test_person_is_asked_and_confirms(desk: Desk) -> None:
    link = await desk.mailed()
    assert "Подтвердите" in desk.text or "подтвердите" in desk.text
    page = await desk.http.get(link)
    assert page.status_code == 200
    assert "Я согласен получать рассылку &lt;b&gt;" in page.text
    assert await desk.state() is None
    done = await desk.http.post(link, data={"decision": "confirm"})
    assert done.status_code == 200
    assert await desk.state() == "granted"


async def test_entry_proves_it(desk: Desk) -> None:
    link = await desk.mailed()
    await desk.http.post(link, data={"decision": "confirm"})
    entry, asked = await desk.row(ENTRY), await desk.row(ASKED)
    assert (entry["method"], entry["document"], entry["version"]) == (
        "double opt-in",
        NAME,
        VERSION,
    )
    assert (entry["language"], entry["recorded_by"]) == ("ru", "person")
    assert str(asked["id"]) in entry["evidence"]
    assert entry["contact_point_id"] == asked["contact_point_id"]
    assert entry["document_hash"]
    assert asked["state"] == "confirmed"


async def test_opening_confirms_nothing(desk: Desk) -> None:
    link = await desk.mailed()
    for _ in range(3):
        await desk.http.get(link)
        await desk.http.head(link)
    assert await desk.state() is None
    assert (await desk.row(ASKED))["state"] == "sent"


async def test_link_answers_once(desk: Desk) -> None:
    link = await desk.mailed()
    await desk.http.post(link, data={"decision": "confirm"})
    again = await desk.http.post(link, data={"decision": "deny"})
    assert "уже был получен" in again.text
    assert await desk.state() == "granted"
    assert "уже был получен" in (await desk.http.get(link)).text


async def test_no_is_kept(desk: Desk) -> None:
    link = await desk.mailed()
    await desk.http.post(link, data={"decision": "deny"})
    assert (await desk.row(ENTRY))["state"] == "denied"
    assert (await desk.row(ASKED))["state"] == "denied"


async def test_late_answer_changes_nothing(desk: Desk) -> None:
    link = await desk.mailed()
    await desk.run("UPDATE consent_request SET expires_at = now() - interval '1 second'")
    assert (await desk.http.get(link)).status_code == 410
    assert (await desk.http.post(link, data={"decision": "confirm"})).status_code == 410
    assert await desk.state() is None
    await desk.postman.look()
    assert (await desk.row(ASKED))["state"] == "expired"


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 5000, "%00", "..%2fx"])
async def test_strange_link_opens_nothing(desk: Desk, token: str) -> None:
    for path in ("consent", "unsubscribe"):
        for method in ("GET", "POST"):
            data = {"decision": "confirm"} if method == "POST" else None
            answer = await desk.http.request(method, f"/{path}/{token}", data=data)
            assert answer.status_code == 404


async def test_half_an_answer_is_none(desk: Desk) -> None:
    link = await desk.mailed()
    for data in ({}, {"decision": "maybe"}):
        assert (await desk.http.post(link, data=data)).status_code == 400
    json = await desk.http.post(link, json={"decision": "confirm"})
    assert json.status_code == 400
    assert await desk.state() is None


async def test_page_is_guarded(desk: Desk) -> None:
    page = await desk.http.get(await desk.mailed())
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["content-language"] == "ru"
    assert "<script" not in page.text
    assert "set-cookie" not in page.headers


async def test_token_is_not_kept(desk: Desk) -> None:
    link = await desk.mailed()
    token = link.rpartition("/")[2]
    row = await desk.row(ASKED)
    assert len(token) >= 22
    assert token.encode() not in row["token_hash"]
    assert (
        await desk.row("SELECT * FROM jobs.pgqueuer WHERE payload::text LIKE '%example%'") is None
    )


async def test_same_question_is_asked_once(desk: Desk) -> None:
    first, second = await desk.ask(), await desk.ask()
    assert (first.id, first.is_new, second.is_new) == (second.id, True, False)
    await desk.send(first.id)
    await desk.send(first.id)
    assert len(desk.box.mails) == 1


async def test_worker_sends_what_was_asked(desk: Desk) -> None:
    postman = desk.postman
    worker = Worker(desk.database, {confirming.JOB: postman.work}, rounds=[postman.look])
    async with running(worker.run()):
        await desk.ask()
        await desk.box.arrived.wait()
    assert desk.box.recipients == ["person1@example.com"]


async def test_busy_server_is_tried_again(desk: Desk) -> None:
    desk.box.refusal = "451 Later"
    requested = await desk.ask()
    await desk.send(requested.id)
    row = await desk.row(ASKED)
    assert (row["state"], row["attempts"]) == ("asked", 1)
    assert row["due_at"] - row["created_at"] > timedelta(seconds=WAITS.whole)
    desk.box.refusal = ""
    await desk.send(requested.id)  # it is not due yet
    assert not desk.box.mails
    await desk.run("UPDATE consent_request SET due_at = now()")
    await desk.send(requested.id)
    assert len(desk.box.mails) == 1


async def test_refused_mailbox_is_given_up(desk: Desk) -> None:
    desk.box.refusal = "550 No such user"
    await desk.send((await desk.ask()).id)
    assert (await desk.row(ASKED))["state"] == "failed"


@pytest.mark.parametrize("change", ["restricted_at = now()", "status = 'erased'"])
async def test_nobody_is_written_to_who_is_no_more(desk: Desk, change: str) -> None:
    requested = await desk.ask()
    await desk.run(f"UPDATE customer SET {change}")
    await desk.send(requested.id)
    assert not desk.box.mails


@pytest.mark.parametrize("table", ["purpose", "consent_document"])
async def test_nobody_is_asked_what_is_over(desk: Desk, table: str) -> None:
    requested = await desk.ask()
    await desk.run(f"UPDATE {table} SET retired_at = now()")
    await desk.send(requested.id)
    assert not desk.box.mails


async def test_relay_that_refuses_is_tried_again(desk: Desk) -> None:
    desk.box.refusal = "554 5.7.1 Relay access denied"
    await desk.send((await desk.ask()).id)
    row = await desk.row(ASKED)
    assert (row["state"], row["attempts"]) == ("asked", 1)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"customer": UUID(int=7)}, NotFound),
        ({"purpose": "nothing"}, RejectedRecord),
        ({"purpose": "customer_service"}, RejectedRecord),
        ({"purpose": "sms_marketing"}, RejectedRecord),
        ({"document": "nothing"}, RejectedRecord),
        ({"language": "en"}, RejectedRecord),
        ({"contact_point": Identifier(type="email", value="other@example.com")}, RejectedRecord),
        ({"contact_point": Identifier(type="phone", value="+7 900 123-45-67")}, RejectedRecord),
    ],
)
async def test_impossible_question_is_refused(
    desk: Desk, said: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await desk.ask(**said)
    assert await desk.row(ASKED) is None


async def test_complained_mailbox_is_left_alone(desk: Desk) -> None:
    await desk.run("UPDATE identifier SET status = 'complained' WHERE type = 'email'")
    with pytest.raises(Conflict):
        await desk.ask()


async def test_one_click_unsubscribes(desk: Desk) -> None:
    link = await desk.mailed()
    await desk.http.post(link, data={"decision": "confirm"})
    leaving = desk.leaving
    body = {"List-Unsubscribe": "One-Click"}
    answer = await desk.http.post(leaving, data=body)
    assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
    entry = await desk.row(ENTRY)
    assert (entry["state"], entry["purpose"], entry["method"]) == (
        "withdrawn",
        PURPOSE,
        "unsubscribe link",
    )
    assert (await desk.row("SELECT refused FROM identifier WHERE type = 'email'"))["refused"]


async def test_mere_contact_point_is_not_the_one_asked(desk: Desk) -> None:
    """It is nobody's any more once two people hold the address."""
    await shared(desk)
    row = await desk.row(
        f"SELECT r.type FROM ({ASKED}) q JOIN source_record r ON r.id = q.record_id"
    )
    assert row["type"] == "customer"
    await desk.http.post(desk.link, data={"decision": "confirm"})
    assert await desk.state() == "granted"


async def test_link_of_what_is_nobodys_leaves_for_all_who_hold_it(desk: Desk) -> None:
    await shared(desk)
    async with desk.database.transaction() as connection:
        point = await connection.fetchrow(CONTACT_RECORD)
        made = await links(connection, desk.keyring)
    token = made.leaving(Leaving(point["record_id"], PURPOSE, point["point_id"]))
    for _ in range(2):
        assert (await desk.http.post(f"/unsubscribe/{token}")).status_code == 200
    said = await desk.row(REFUSED)
    assert tuple(said) == (2, 2)


async def shared(desk: Desk) -> None:
    """The second person is asked by an address that was known before, then somebody else has it."""
    mail = Identifier(type="email", value="person2@example.com")
    buyer = Person(identifier=mail)
    await record(desk.database, Order(external_id="o", ordered_at=GIVEN, customer=buyer))
    await record(desk.database, person(2, given_name="Anna", birth_date=date(1980, 5, 17)))
    async with desk.database.transaction() as connection:
        second = await customer(connection, 2)
    await desk.send((await desk.ask(customer=second, contact_point=mail)).id)
    other = Customer(
        external_id="3", given_name="Boris", birth_date=date(1991, 11, 3), identifiers=(mail,)
    )
    await record(desk.database, other)


CONTACT_RECORD = """
SELECT r.id AS record_id, v.id AS point_id
  FROM source_record r JOIN identifier_value v ON v.type || ':' || v.value = r.external_id
 WHERE r.type = 'contact'
   AND NOT EXISTS (SELECT FROM identity_link WHERE record_id = r.id AND unlinked_at IS NULL)
"""
REFUSED = (
    "SELECT count(DISTINCT customer_id), count(*) FROM consent_entry WHERE state = 'withdrawn'"
)


async def test_second_click_changes_nothing(desk: Desk) -> None:
    await desk.mailed()
    leaving = desk.leaving
    for _ in range(3):
        assert (await desk.http.post(leaving, content=b"anything")).status_code == 200
    assert (await desk.row("SELECT count(*) FROM consent_entry"))["count"] == 1


async def test_opening_does_not_unsubscribe(desk: Desk) -> None:
    await desk.mailed()
    page = await desk.http.get(desk.leaving, headers={"accept-language": "ru"})
    assert "Отписаться" in page.text
    assert await desk.row(ENTRY) is None
    english = await desk.http.get(desk.leaving, headers={"accept-language": "en"})
    assert "Unsubscribe" in english.text


async def test_links_outlive_the_secret_key(desk: Desk) -> None:
    """The key of links is sealed with HUB_SECRET_KEY, and is not it."""
    await desk.mailed()
    async with desk.database.transaction() as connection:
        sealed = await connection.fetchval(
            "SELECT sealed FROM sealed_key WHERE name = $1", "unsubscribe"
        )
        old = await links(connection, desk.keyring)
        both = Keyring([b"n" * 32, b"k" * 32])
        assert await links(connection, both) == old
    assert sealed


async def test_link_of_a_retired_purpose_still_answers(desk: Desk) -> None:
    await desk.mailed()
    await desk.run(f"UPDATE purpose SET retired_at = now() WHERE key = '{PURPOSE}'")
    answer = await desk.http.post(desk.leaving, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert await desk.state() is None


async def test_who_withdrew_can_come_back(desk: Desk) -> None:
    """Then it is that mailbox alone, whatever was granted before they withdrew."""
    await record(desk.database, SECOND)
    await desk.tell("granted", contact_point=Identifier(type="email", value="second@example.com"))
    await desk.tell("granted")
    await desk.tell("withdrawn")
    assert await desk.state() == "withdrawn"
    await desk.http.post(await desk.mailed(), data={"decision": "confirm"})
    assert await desk.state() == "granted"
    async with desk.database.transaction() as connection:
        rows = await connection.fetch(REACHED)
    assert [row["value"] for row in rows] == ["person1@example.com"]


async def test_other_refusals_stand(desk: Desk) -> None:
    await record(desk.database, SECOND)
    await desk.tell("denied", contact_point=Identifier(type="email", value="second@example.com"))
    await desk.tell("withdrawn")
    await desk.http.post(await desk.mailed(), data={"decision": "confirm"})
    refused = "SELECT refused <> 0 AS is_so FROM identifier WHERE value = 'second@example.com'"
    assert (await desk.row(refused))["is_so"]


SECOND = Customer(
    external_id="1",
    identifiers=(MAIL, Identifier(type="email", value="second@example.com")),
)
REACHED = "SELECT DISTINCT value FROM for_email_marketing.identifier"
