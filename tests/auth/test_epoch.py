"""A process hears of every change of rights at once, or knows that it may have missed one."""

import asyncio
import time
from uuid import uuid4

import pytest

from auth import clients
from auth import epoch as epochs
from auth.clients import Client
from auth.epoch import Epoch
from auth.tokens import Tokens
from hub.db.engine import Database
from hub.errors import Unauthenticated
from tests.auth.conftest import Issue
from tests.events import running

CUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND query ~ $1 AND pid <> pg_backend_pid()
"""
LISTENS = "SELECT 1$"
CHANGES = {
    "client": "UPDATE oauth_client SET scopes = '{customers:read}'",
    "client disabled": "UPDATE oauth_client SET disabled_at = now()",
    "client removed": "DELETE FROM oauth_client",
    "token revoked": "INSERT INTO revoked_token VALUES (gen_random_uuid(), now())",
    "role": "UPDATE role SET scopes = '{}' WHERE key = 'reader'",
    "grant": "UPDATE oauth_grant SET ended_at = now()",
    "person": """UPDATE "user" SET disabled_at = now()""",
    "role taken": "DELETE FROM user_role",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_change_is_heard(
    database: Database, epoch: Epoch, client: Client, change: str
) -> None:
    number = epoch.number
    await database.owner.execute(CHANGES[change])
    assert await epoch.beyond(number, seconds=30) == number + 1


async def test_use_is_no_change(database: Database, epoch: Epoch, client: Client) -> None:
    number = epoch.number
    await database.owner.execute("UPDATE oauth_client SET last_used_at = now()")
    await epoch.ask("SELECT 1")
    assert await epoch.beyond(number, seconds=0.1) == number


async def test_disabled_client_stops_everywhere_at_once(
    database: Database, issue: Issue, client: Client
) -> None:
    token, epochs = await issue(), [Epoch(database) for _ in range(3)]
    several = [Tokens(database, epoch) for epoch in epochs]
    async with running(*(epoch.run() for epoch in epochs)):
        assert all([await epoch.beyond(0, seconds=30) for epoch in epochs])
        assert all([await known.principal(token) for known in several])
        await clients.disable(database.owner, client.name)
        await asyncio.gather(*(epoch.beyond(1, seconds=30) for epoch in epochs))
        assert [known.known(token) for known in several] == [None] * 3
        for known in several:
            with pytest.raises(Unauthenticated, match="disabled"):
                await known.principal(token)


async def test_what_was_missed_counts_as_a_change(database: Database, epoch: Epoch) -> None:
    number = epoch.number
    async with asyncio.timeout(30):
        while not await database.owner.fetchval(CUT, LISTENS):
            await asyncio.sleep(0.01)
        assert await epoch.beyond(number, seconds=30) == number + 1


async def test_nothing_is_believed_for_long_unheard(database: Database, issue: Issue) -> None:
    known, token = Tokens(database), await issue()
    began = time.monotonic()
    await known.principal(token)
    async with asyncio.timeout(30):
        while known.known(token):
            await asyncio.sleep(0.01)
    assert time.monotonic() - began >= 0.9


async def test_nothing_is_believed_for_long_when_the_line_falls_silent(
    database: Database, issue: Issue
) -> None:
    epoch, token = Epoch(database), await issue()
    known = Tokens(database, epoch)
    async with running(epoch.run()):
        await epoch.beyond(0, seconds=30)
        principal = await known.principal(token)
    assert known.known(token) is None, "losing the line counts as a change"
    ending = asyncio.create_task(known.ended(principal))
    await database.owner.execute("DELETE FROM oauth_client")
    await asyncio.wait_for(ending, 30)
    with pytest.raises(Unauthenticated, match="removed"):
        await known.principal(token)


async def test_heard_token_is_believed_for_longer(
    database: Database, epoch: Epoch, issue: Issue
) -> None:
    known, token = Tokens(database, epoch), await issue()
    await known.principal(token)
    await asyncio.sleep(1.2)
    await epoch.ask("SELECT 1")
    assert known.known(token)


async def test_change_while_looking_up_is_not_missed(
    database: Database, epoch: Epoch, issue: Issue, client: Client
) -> None:
    """Whatever the order: a token that was seen before a change is looked up again after it."""
    known, token = Tokens(database, epoch), await issue()
    for _ in range(20):
        looking = asyncio.create_task(known.principal(token))
        await database.owner.execute("UPDATE oauth_client SET purposes = purposes")
        await looking
    number = epoch.number
    await clients.disable(database.owner, client.name)
    await epoch.beyond(number, seconds=30)
    assert known.known(token) is None


async def test_question_is_answered_without_a_line(database: Database) -> None:
    (row,) = await Epoch(database).ask("SELECT $1::uuid AS id", (id_ := uuid4()))
    assert row["id"] == id_


async def test_question_on_a_broken_line_is_answered(database: Database, epoch: Epoch) -> None:
    await database.owner.fetchval(CUT, LISTENS)
    (row,) = await epoch.ask("SELECT 1 AS one")
    assert row["one"] == 1


class Deaf(Epoch):
    """Behind a pooler that swallows what is told."""

    def _hear(self, *_: object) -> None:
        pass


async def test_line_on_which_nothing_arrives_is_not_believed(
    database: Database, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "ANSWER_SECONDS", 0.1)
    epoch, token = Deaf(database), await issue()
    known = Tokens(database, epoch)
    async with running(epoch.run()):
        await asyncio.sleep(0.5)
        await known.principal(token)
        async with asyncio.timeout(30):
            while known.known(token):
                await asyncio.sleep(0.01)
    assert epoch.heard_at == float("-inf")


async def test_probes_of_others_are_no_changes(database: Database, epoch: Epoch) -> None:
    number = epoch.number
    await database.owner.execute("NOTIFY hub_access, 'somebody'")
    await epoch.ask("SELECT 1")
    assert await epoch.beyond(number, seconds=0.1) == number
