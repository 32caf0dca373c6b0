"""A person is told in words what an app asks for, and what they decide is what happens."""

import re
from html import unescape

import httpx
import pytest

from auth import users
from auth.clients import Client
from auth.pages import words
from auth.scopes import SCOPES
from hub.db.connection import Connection
from hub.db.engine import Database
from tests.auth.people.browsing import NAME, Browser, action, hidden
from tests.auth.people.colleagues import colleague
from tests.auth.server.desk import BACK, Desk, returned


@pytest.fixture
async def till(desk: Desk, browser: Browser) -> Client:
    """An app of somebody else's; a supporter sits at the browser."""
    await colleague(desk.database)
    await browser.log_in()
    return await desk.app("till", title="Till <b>& Co</b>")


def told(shown: httpx.Response) -> list[str]:
    return [unescape(one) for one in re.findall(r"<li>(.*?)</li>", shown.text)]


async def test_app_is_let_in(till: Client, browser: Browser, desk: Desk) -> None:
    done = await browser.fill(await browser.asked(till), decision="allow")
    assert done.status_code == 303
    said = returned(done.headers["location"])
    assert (said["state"], said["iss"]) == ("s1", browser.settings.base_url)
    answer = (await desk.redeem(till, said["code"])).json()
    assert set(answer["scope"].split()) >= {"customers:read", "purpose:customer_service"}
    assert await desk.is_good(answer["access_token"])


async def test_app_is_turned_away(till: Client, browser: Browser, connection: Connection) -> None:
    done = await browser.fill(await browser.asked(till), decision="deny")
    location = done.headers["location"]
    assert location.startswith(f"{BACK}?")
    assert returned(location)["error"] == "access_denied"
    assert returned(location)["iss"] == browser.settings.base_url
    assert await connection.fetchval("SELECT count(*) FROM oauth_code") == 0


async def test_question_is_in_words(till: Client, browser: Browser) -> None:
    shown = await browser.asked(till)
    assert told(shown) == [
        "see who customers are: names, birth dates, city",
        "see what customers bought: orders, deals, loyalty",
        "serving customers",
    ]
    assert "Till &lt;b&gt;&amp; Co&lt;/b&gt;" in shown.text
    assert "https://app.example.com" in shown.text
    assert NAME in shown.text


async def test_question_is_in_russian(till: Client, browser: Browser) -> None:
    browser.http.headers["accept-language"] = "ru"
    shown = await browser.asked(till, scope="orders:read")
    assert told(shown) == [
        "видеть, что клиенты купили: заказы, сделки, баллы",
        "обслуживание клиентов",
    ]


async def test_own_purpose_has_its_title(
    till: Client, browser: Browser, connection: Connection
) -> None:
    await connection.execute(
        "INSERT INTO purpose (key, title, basis, bit, may_return)"
        " VALUES ('surveys', 'Asking how it was', 'consent', 40, '{trade}')"
    )
    await connection.execute("UPDATE oauth_client SET purposes = purposes || 'surveys'::text")
    await connection.execute("UPDATE role SET purposes = purposes || 'surveys'::text")
    assert "Asking how it was" in told(await browser.asked(till))


async def test_own_app_is_not_asked_about(till: Client, browser: Browser, desk: Desk) -> None:
    own = await desk.app("own", is_own=True)
    done = await browser.asked(own)
    assert done.status_code == 303
    assert (await desk.redeem(own, returned(done.headers["location"])["code"])).status_code == 200


@pytest.mark.parametrize("place", ["com.example.app:/back", "http://127.0.0.1:5173/back"])
async def test_own_app_on_a_device_is_asked_about(
    till: Client, browser: Browser, desk: Desk, place: str
) -> None:
    """Another program there can take such an address for itself."""
    own = await desk.app("own", is_own=True, redirect_uris=[place])
    shown = await browser.asked(own, redirect_uri=place)
    assert (shown.status_code, "decision" in shown.text) == (200, True)


async def test_own_page_of_the_hub_is_not_asked_about(
    till: Client, browser: Browser, desk: Desk
) -> None:
    page = f"{browser.settings.base_url}/graphiql/"
    own = await desk.app("own", is_own=True, redirect_uris=[page])
    assert (await browser.asked(own, redirect_uri=page)).status_code == 303


async def test_more_than_was_shown_is_not_given(
    till: Client, browser: Browser, desk: Desk, connection: Connection
) -> None:
    shown = await browser.asked(till)
    wider = "UPDATE oauth_client SET scopes = scopes || '{contacts:read,consents:read}'"
    await connection.execute(wider)
    done = await browser.fill(shown, decision="allow")
    answer = (await desk.redeem(till, returned(done.headers["location"])["code"])).json()
    given = {"customers:read", "orders:read", "purpose:customer_service"}
    assert set(answer["scope"].split()) == given


@pytest.mark.parametrize(("decision", "said"), [("allow", "code"), ("deny", "error")])
async def test_long_request_is_answered(
    till: Client, browser: Browser, connection: Connection, decision: str, said: str
) -> None:
    """What was shown is asked for by name, which makes it longer."""
    await connection.execute("UPDATE oauth_client SET scopes = $1", list(SCOPES))
    shown = await browser.asked(till, state="s" * 1900)
    done = await browser.fill(shown, decision=decision)
    assert (done.status_code, said in returned(done.headers["location"])) == (303, True)


async def test_stranger_is_sent_to_log_in(desk: Desk, browser: Browser) -> None:
    done = await browser.asked(await desk.app())
    assert done.status_code == 303
    assert done.headers["location"].startswith("/oauth/login?next=response_type%3Dcode")


async def test_person_without_role_can_give_nothing(
    till: Client, browser: Browser, connection: Connection
) -> None:
    await users.take(connection, NAME, ["support"])
    done = await browser.asked(till)
    assert returned(done.headers["location"])["error"] == "access_denied"


async def test_role_taken_meanwhile_counts(
    till: Client, browser: Browser, connection: Connection, database: Database
) -> None:
    shown = await browser.asked(till)
    await users.take(connection, NAME, ["support"])
    done = await browser.fill(shown, decision="allow")
    assert returned(done.headers["location"])["error"] == "access_denied"


@pytest.mark.parametrize("decision", ["", "yes", None])
async def test_unclear_answer_gives_nothing(
    till: Client, browser: Browser, connection: Connection, decision: str | None
) -> None:
    done = await browser.fill(await browser.asked(till), decision=decision)
    assert done.status_code == 400
    assert await connection.fetchval("SELECT count(*) FROM oauth_code") == 0


async def test_answer_counts_for_its_question_only(
    till: Client, browser: Browser, desk: Desk, connection: Connection
) -> None:
    mild = await browser.asked(till, scope="orders:read")
    wide = await browser.asked(till)
    form = {"csrf": hidden(mild), "decision": "allow"}
    done = await browser.http.post(action(wide), data=form)
    assert done.status_code == 403
    assert await connection.fetchval("SELECT count(*) FROM oauth_code") == 0


async def test_policy_lets_the_answer_lead_back(till: Client, browser: Browser) -> None:
    policy = (await browser.asked(till)).headers["content-security-policy"]
    assert policy.endswith("form-action 'self' https://app.example.com")


@pytest.mark.parametrize("language", words.LANGUAGES)
async def test_every_scope_and_purpose_has_words(language: str, connection: Connection) -> None:
    spoken = words.LANGUAGES[language]
    keys = {row["key"] for row in await connection.fetch("SELECT key FROM purpose")}
    assert set(spoken.scopes) == set(SCOPES)
    assert set(spoken.purposes) == keys
