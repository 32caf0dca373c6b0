"""Start the small demo with make, ask what the README asks, end it with Ctrl-C: nothing is left."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = re.compile(r"```graphql\n(?P<query>.*?)\n```\s+```json\n(?P<answer>.*?)\n```", re.DOTALL)
QUERIES = 3
READY_SECONDS = 600
"""Long enough for packages to be fetched; the demo says itself how long it took."""
END_SECONDS = 60


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="hub-demo-"))
    folder.chmod(0o711)  # the database of root's hub runs as somebody else, and has to pass
    try:
        check(folder / "data")
    finally:
        shutil.rmtree(folder)
    say("The demo does what the README says.")


def check(data: Path) -> None:
    with started(data) as make:
        told = ready(make, data / "demo.json")
        family = psutil.Process(make.pid).children(recursive=True)
        for query, answer in examples():
            compare(query, ask(told, token(told), query), answer)
        say("The README's answers have the shape of those that came.")
        ask(told, told["token"], "{ viewer { client } }")
        welcome(told)
        os.kill(told["pid"], signal.SIGINT)
        code = make.wait(END_SECONDS)
    demand(code == 0, f"it ended with {code}")
    demand(not (data / "demo.json").exists(), "demo.json is still there")
    left = [process for process in (*family, *users(data)) if lives(process)]
    demand(not left, f"processes are left: {left}")


@contextlib.contextmanager
def started(data: Path) -> Generator["subprocess.Popen[bytes]"]:
    """`make demo`, in a session of its own; whatever happens, it does not stay."""
    begun = time.monotonic()
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    make = subprocess.Popen(
        ["make", "--no-print-directory", "demo", "ARGS=--small --port 0"],  # noqa: S607
        cwd=ROOT,
        env={**ours, "HUB_DATA_DIR": str(data)},
        start_new_session=True,
    )
    try:
        yield make
    finally:
        if make.poll() is None:
            os.killpg(make.pid, signal.SIGTERM)
            make.wait(END_SECONDS)
        say(f"From start to end it took {time.monotonic() - begun:.0f} s.")


def ready(make: "subprocess.Popen[bytes]", file: Path) -> dict[str, Any]:
    """What demo.json says, once it is there: it is written last."""
    until = time.monotonic() + READY_SECONDS
    while not file.exists():
        demand(make.poll() is None, "it ended before it was ready")
        demand(time.monotonic() < until, f"it is not ready after {READY_SECONDS} s")
        time.sleep(0.1)
    demand(file.stat().st_mode & 0o777 == 0o600, "others may read demo.json")
    return json.loads(file.read_text())


def examples() -> Iterator[tuple[str, Any]]:
    """The README's queries, each with the answer below it."""
    found = list(EXAMPLE.finditer((ROOT / "README.md").read_text()))
    demand(len(found) == QUERIES, f"the README has {len(found)} queries with an answer")
    for example in found:
        yield example["query"], json.loads(example["answer"])


def token(told: dict[str, Any]) -> str:
    """Another one each time, as the README has it."""
    client = (told["client_id"], told["client_secret"])
    form = {"grant_type": "client_credentials"}
    answer = httpx.post(told["token_endpoint"], data=form, auth=client, timeout=30)
    demand(answer.status_code == 200, f"no token: {answer.status_code}: {answer.text}")
    return answer.json()["access_token"]


def welcome(told: dict[str, Any]) -> None:
    """The page to sign in at is there, and its administrator has a first password."""
    page = told["graphql"].replace("/graphql", "/graphiql/")
    login = told["graphql"].replace("/graphql", "/oauth/login")
    demand(httpx.get(page, timeout=30).status_code == 200, "GraphiQL is not there")
    demand('name="password"' in httpx.get(login, timeout=30).text, "nobody can log in")
    demand(bool(told["user"] and told["password"]), "the administrator has no first password")


def ask(told: dict[str, Any], token: str, query: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(told["graphql"], json={"query": query}, headers=headers, timeout=30)
    demand(answer.status_code == 200, f"{answer.status_code}: {answer.text}")
    return answer.json()


def compare(query: str, came: Any, expected: Any) -> None:
    came.pop("extensions", None)
    same = shape(came) == shape(expected)
    demand(same, f"another shape than in the README:\n{query}\n{json.dumps(came, indent=2)}")


def shape(value: Any) -> Any:
    """Which keys and kinds of values it has; the members of a list have one shape."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def users(data: Path) -> Iterator[psutil.Process]:
    """Processes that have the folder in their words, as its database does."""
    for process in psutil.process_iter(["cmdline"]):
        if any(str(data) in word for word in process.info["cmdline"] or ()):
            yield process


def lives(process: psutil.Process) -> bool:
    """Not one that has ended and that whoever adopted it has not looked at yet."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def demand(holds: bool, complaint: str) -> None:
    if not holds:
        sys.exit(f"The demo does not do what the README says: {complaint}")


def say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    main()
