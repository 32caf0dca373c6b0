"""People log in with a password, go on to what they came for, and out again."""

import pytest

from auth import users
from hub.db.connection import Connection
from hub.db.engine import Database
from tests.auth.people.browsing import NAME, Browser, action, onward
from tests.auth.people.colleagues import PASSWORD, colleague
from tests.auth.server.desk import Desk

NEW = "another river, 8 bends"


async def test_password_lets_in(database: Database, browser: Browser) -> None:
    await colleague(database)
    done = await browser.log_in()
    assert (done.status_code, done.headers["location"]) == (303, "/oauth/login")
    shown = await browser.get("/oauth/login")
    assert (shown.status_code, NAME in shown.text, "support" in shown.text) == (200, True, True)


async def test_person_goes_on_to_what_they_came_for(
    database: Database, browser: Browser, desk: Desk
) -> None:
    await colleague(database)
    app = await desk.app(title="Till")
    sent = await browser.asked(app)
    shown = await browser.http.get(sent.headers["location"])
    assert "<strong>Till</strong>" in shown.text
    done = await browser.fill(shown, name=NAME, password=PASSWORD)
    assert done.headers["location"] == f"/oauth/authorize?{onward(app)}"
    asked = await browser.http.get(done.headers["location"])
    assert asked.status_code == 200


@pytest.mark.parametrize(
    ("name", "password"),
    [(NAME, "wrong"), ("nobody@example.com", PASSWORD), (NAME, ""), ("", ""), ("a b", PASSWORD)],
)
async def test_wrong_pairs_are_told_alike(
    database: Database, browser: Browser, name: str, password: str
) -> None:
    await colleague(database)
    done = await browser.log_in(name, password)
    assert (done.status_code, "not right" in done.text) == (403, True)
    assert browser.settings.base_url.startswith("http://")
    assert "hub" not in browser.http.cookies


async def test_disabled_person_is_told_the_same(database: Database, browser: Browser) -> None:
    await colleague(database)
    async with database.transaction() as connection:
        await users.disable(connection, NAME)
    done = await browser.log_in()
    assert (done.status_code, "not right" in done.text) == (403, True)


async def test_first_password_has_to_change(
    database: Database, browser: Browser, desk: Desk
) -> None:
    await colleague(database, must_change=True)
    app = await desk.app()
    done = await browser.log_in(onward=onward(app))
    assert done.headers["location"].startswith("/oauth/password?next=")
    assert (await browser.asked(app)).headers["location"] == done.headers["location"]
    shown = await browser.http.get(done.headers["location"])
    done = await browser.fill(shown, password=PASSWORD, new=NEW, again=NEW)
    assert done.headers["location"] == f"/oauth/authorize?{onward(app)}"
    assert (await browser.http.get(done.headers["location"])).status_code == 200


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"password": "wrong", "new": NEW, "again": NEW}, "not right"),
        ({"password": PASSWORD, "new": NEW, "again": NEW + "!"}, "same way twice"),
        ({"password": PASSWORD, "new": "short", "again": "short"}, "easy to guess"),
        ({"password": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "easy to guess"),
        ({"password": PASSWORD, "new": None, "again": None}, "easy to guess"),
    ],
)
async def test_password_is_not_changed_lightly(
    database: Database, browser: Browser, fields: dict[str, str | None], sentence: str
) -> None:
    await colleague(database)
    await browser.log_in()
    done = await browser.fill(await browser.get("/oauth/password"), **fields)
    assert (done.status_code, sentence in done.text) == (403, True)


async def test_new_password_signs_others_out(
    database: Database, browser: Browser, connection: Connection
) -> None:
    await colleague(database)
    await browser.log_in()
    other = Browser(browser.app, browser.settings)
    async with other.http:
        await other.log_in()
        shown = await other.get("/oauth/password")
        await other.fill(shown, password=PASSWORD, new=NEW, again=NEW)
        assert NAME in (await other.get("/oauth/login")).text
    assert NAME not in (await browser.get("/oauth/login")).text
    assert await connection.fetchval("SELECT count(*) FROM user_session") == 1


async def test_log_out_ends_the_session(
    database: Database, browser: Browser, connection: Connection
) -> None:
    await colleague(database)
    await browser.log_in()
    cookie = browser.http.cookies["hub"]
    shown = await browser.get("/oauth/logout")
    assert action(shown) == "/oauth/logout"
    done = await browser.fill(shown)
    assert (done.status_code, "signed out" in done.text) == (200, True)
    assert await connection.fetchval("SELECT count(*) FROM user_session") == 0
    browser.http.cookies.set("hub", cookie)
    assert NAME not in (await browser.get("/oauth/login")).text


async def test_stranger_may_log_out(browser: Browser) -> None:
    shown = await browser.get("/oauth/logout")
    assert (shown.status_code, "signed out" in shown.text) == (200, True)


async def test_pages_speak_the_readers_language(browser: Browser) -> None:
    shown = await browser.http.get(
        "/oauth/login", headers={"accept-language": "de, ru-RU;q=0.8, en;q=0.5"}
    )
    assert '<html lang="ru">' in shown.text
    assert shown.headers["content-language"] == "ru"
    assert '<html lang="en">' in (await browser.get("/oauth/login")).text
