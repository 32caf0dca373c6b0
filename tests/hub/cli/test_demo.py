"""`hub demo`: sales out of a data set become books, in a folder that one demo has at a time."""

import json
import signal
import stat
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest

from adapters.sandbox import cast
from adapters.sandbox.shop import Book
from adapters.sandbox.tryton import Tryton
from auth import users
from hub.app import App
from hub.cli.demo import access, books, place
from hub.cli.demo.access import CLIENT, USER
from hub.cli.demo.place import Facts, Place
from hub.cli.demo.queries import CARD, QUERIES
from hub.cli.demo.retail import PACKAGE, Retail
from hub.config import Settings
from hub.db.engine import Database
from hub.errors import BadSettings, Conflict, NotFound
from tests import retail

YESTERDAY = date(2026, 3, 1)
HERE = "http://127.0.0.1:8000"
ADDRESSES = f"{HERE}/graphql", f"{HERE}/oauth/token"
FACTS = Facts(*ADDRESSES, CLIENT, "secret", "token", USER, "first", 1)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path of imports, with the data set."""
    monkeypatch.syspath_prepend(retail.install(tmp_path / "packages"))
    return tmp_path / "packages"


def rows(folder: Path, model: str) -> list[dict[str, Any]]:
    """What Tryton's book holds."""
    with closing(Book(folder / "tryton.sqlite")) as book:
        return json.loads(Tryton(book, password="").everything(model))


def amount(value: Mapping[str, str]) -> Decimal:
    return Decimal(value["decimal"])


def moments(sold: Retail) -> list[datetime]:
    return [datetime.fromtimestamp(basket.at / 1e6, UTC) for basket in sold.baskets()]


@pytest.mark.usefixtures("packages")
def test_last_sale_was_yesterday() -> None:
    times = moments(Retail("full", YESTERDAY))
    assert max(times).date() == YESTERDAY
    assert max(times).time() == (retail.LAST.replace(hour=3)).time()
    assert (max(times) - min(times)).days == 23 * 7 + retail.HOUSEHOLDS // 24 - 1


@pytest.mark.usefixtures("packages")
def test_people_are_the_same_in_every_size() -> None:
    sizes = [Retail(size, YESTERDAY) for size in ("small", "default", "full")]
    assert [len(it.people) for it in sizes] == [200, retail.HOUSEHOLDS, retail.HOUSEHOLDS]
    assert [it.lines for it in sizes] == [400, 480, 560]
    small, usual, full = ({(it.number, it.person) for it in one.baskets()} for one in sizes)
    assert small < usual < full


@pytest.mark.usefixtures("packages")
def test_book_has_every_sale(tmp_path: Path) -> None:
    folder = tmp_path / "books"
    contents = books.write(folder, Retail("default", YESTERDAY), "default")
    assert books.read(folder) == contents
    lines, sales = rows(folder, "sale.line"), rows(folder, "sale.sale")
    assert (len(sales), len(lines)) == (contents.baskets, contents.lines) == (240, 480)
    assert sum(amount(it["amount"]) for it in lines) == Decimal("928.80")
    assert sum(amount(it["total_amount"]) for it in sales) == Decimal("928.80")
    corrections = [it for it in lines if it["quantity"] == 0]
    assert len(corrections) == 240
    assert all(it["description"].startswith("Correction: ") for it in corrections)
    assert {it["unit_price"] for it in corrections} == {None}


@pytest.mark.usefixtures("packages")
def test_some_are_known_twice(tmp_path: Path) -> None:
    folder = tmp_path / "books"
    contents = books.write(folder, Retail("small", YESTERDAY), "small")
    parties = rows(folder, "party.party")
    assert len(parties) == 200 + contents.twice
    names = {it["name"] for it in parties}
    assert {cast.person(9).name, cast.respelt(cast.person(9)).name} <= names
    assert contents.twice == 10
    assert 0.1 < contents.known / contents.people < 0.3


@pytest.mark.usefixtures("packages")
def test_books_are_whole_or_not_there(tmp_path: Path) -> None:
    class Torn(Retail):
        def products(self) -> Iterator[Any]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        books.write(tmp_path / "books", Torn("small", YESTERDAY), "small")
    assert books.read(tmp_path / "books") is None
    assert books.write(tmp_path / "books", Retail("small", YESTERDAY), "small").people == 200


def test_missing_package_is_told() -> None:
    with pytest.raises(BadSettings, match="make demo"):
        Retail("small", YESTERDAY, package="no-such-package")


def test_demo_has_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUB_DATA_DIR", raising=False)
    assert place.settings(Settings()).data_dir.name == "customer-hub-demo"
    given = place.settings(Settings(data_dir=tmp_path, host="0.0.0.0"))  # noqa: S104
    assert (given.data_dir, given.host) == (tmp_path, "127.0.0.1")
    with pytest.raises(BadSettings, match="HUB_DATABASE_URL"):
        place.settings(Settings.model_validate({"database_url": "postgresql://db/hub"}))


def test_folder_of_another_hub_is_refused(data_dir: Path) -> None:
    with pytest.raises(BadSettings, match="data of its own"), Place(data_dir).held():
        pass
    assert not (data_dir / "demo").exists()


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    here, again = Place(tmp_path), Place(tmp_path)
    with here.held():
        with pytest.raises(Conflict, match="being prepared"), again.held():
            pass
        with here.told(FACTS), pytest.raises(Conflict, match="runs already"), again.held():
            pass
    with again.held():
        pass


def test_facts_are_for_the_owner_only(tmp_path: Path) -> None:
    here = Place(tmp_path)
    with here.held(), here.told(FACTS):
        assert stat.S_IMODE(here.file.stat().st_mode) == 0o600
        assert here.facts() == FACTS
    assert [it.name for it in tmp_path.iterdir()] == ["demo"]
    with pytest.raises(NotFound, match="make demo"):
        here.facts()


async def test_whoever_may_ask_stays_the_same(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    app, here = App(settings, database), Place(tmp_path)
    with here.held():
        first, again = [await (await access.given(app, here)).facts() for _ in range(2)]
        assert (first.client_secret, first.password) == (again.client_secret, again.password)
        async with database.transaction() as connection:
            admin = await users.named(connection, first.user)
            await users.set_password(connection, admin.id, "another", must_change=False)
        assert (await access.given(app, here)).password == ""
    assert {stat.S_IMODE(it.stat().st_mode) for it in here.folder.iterdir()} == {0o600}


def test_what_a_killed_demo_said_goes(tmp_path: Path) -> None:
    here = Place(tmp_path)
    with here.held():
        here.tell(FACTS)
    assert here.file.exists()
    with here.held():
        assert not here.file.exists()


def test_extra_and_requirements_name_one_package() -> None:
    about = tomllib.loads(Path("pyproject.toml").read_text())
    (extra,) = about["project"]["optional-dependencies"]["demo"]
    assert [extra] == about["dependency-groups"]["demo"]
    assert Path("requirements/demo.txt").read_text().startswith(f"{extra} \\\n")
    assert extra.startswith(f"{PACKAGE}==")


def test_readme_shows_the_queries() -> None:
    readme = Path("README.md").read_text()
    assert all(f"```graphql\n{query}\n```\n\n```json\n" in readme for query in QUERIES.values())
    assert cast.person(9).mail in CARD


def test_follower_ends_with_its_parent() -> None:
    words = ("-m", "hub.cli.demo.follower", "http.server", "0", "--bind", "127.0.0.1")
    with subprocess.Popen([sys.executable, *words], stdin=subprocess.PIPE) as process:
        assert process.poll() is None
        assert process.stdin
        process.stdin.close()
        assert process.wait(30) == -signal.SIGTERM


@pytest.mark.slow
def test_children_die_with_a_killed_demo(packages: Path, empty_dir: Path) -> None:
    with retail.demo(packages, empty_dir) as demo:
        demo.ready()
        children = psutil.Process(demo.process.pid).children(recursive=True)
        demo.process.kill()
        _, alive = psutil.wait_procs(children, timeout=30)
    assert len(children) >= 2
    assert not alive
    with retail.demo(packages, empty_dir) as again:
        assert again.ask("{ orders { totalCount } }") == {"orders": {"totalCount": 200}}
        assert again.end() == 0
    assert not again.users()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.5, 2, 4, 6, 9])
def test_interrupted_start_goes_on_later(packages: Path, empty_dir: Path, seconds: float) -> None:
    with retail.demo(packages, empty_dir) as demo:
        time.sleep(seconds)  # any moment will do
        family = demo.family()
        assert demo.end() in (0, 128 + signal.SIGINT, -signal.SIGINT, 1)
    psutil.wait_procs(family, timeout=10)
    assert not [it for it in (*family, *demo.users()) if retail.lives(it)]
    with retail.demo(packages, empty_dir, "--seed-only") as again:
        assert again.process.wait(120) == 0
    assert not again.users()
