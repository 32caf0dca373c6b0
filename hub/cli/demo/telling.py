"""What a demo says while it is made ready: each step with the time it took, and a bar meanwhile."""

import contextlib
import os
import shlex
import sys
from collections.abc import Generator, Mapping
from time import monotonic

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from hub.cli import tell
from hub.cli.demo.access import PURPOSE
from hub.cli.demo.place import Facts, Place
from hub.cli.demo.queries import QUERIES
from hub.config import settings
from hub.sync import Progress
from hub.sync.passing import Report


class Teller:
    """Counts the seconds from its making on."""

    def __init__(self) -> None:
        self._begun = monotonic()

    def __call__(self, sentence: str) -> None:
        tell(f"{monotonic() - self._begun:6.1f} s  {sentence}")

    @contextlib.contextmanager
    def reading(self, total: int) -> Generator[Report]:
        """A bar over so many records; a sync reports to what it gives."""
        console = Console(stderr=True)
        columns = (TextColumn("         {task.description}"), BarColumn(), MofNCompleteColumn())
        with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("", total=total)

            def report(progress: Progress) -> None:
                bar.update(task, description=progress.stream, completed=read(progress.counts))

            yield report


def read(counts: Mapping[str, Mapping[str, int]]) -> int:
    """How many items a run has read, over all streams."""
    return sum(fates.get("read", 0) for fates in counts.values())


def listed(counts: Mapping[str, Mapping[str, int]]) -> str:
    """What was read, in words: 8 products, 5 customers and 7 orders."""
    words = [f"{fates['read']:,} {stream}" for stream, fates in counts.items() if fates.get("read")]
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def show(place: Place, facts: Facts) -> None:
    """Everything to know of a demo that is ready."""
    page = facts.graphql.replace("/graphql", "/graphiql")
    person = f"{facts.user}, password {facts.password}" if facts.password else facts.user
    click.echo(f"""
The hub is ready.

  GraphiQL   {page}
             sign in as {person}{_hint(facts)}
  GraphQL    {facts.graphql}, for programs
  client     {facts.client_id}, secret {facts.client_secret}
             for the purpose {PURPOSE}; {place.file} has all this

A token for ten minutes; the same line gives the next one:

  curl {facts.token_endpoint} -u {facts.client_id}:{facts.client_secret} \\
    -d grant_type=client_credentials

`{_words("demo --token")}` prints one for an hour:

  curl {facts.graphql} -H "Authorization: Bearer $({_words("demo --token")})" \\
    -H 'Content-Type: application/json' -d '{{"query": "{{ viewer {{ client purpose }} }}"}}'
""")
    for number, (title, text) in enumerate(QUERIES.items(), 1):
        click.echo(f"{number}. {title}\n\n{text}\n")
    click.echo("Ctrl-C ends it.")


def _hint(facts: Facts) -> str:
    return ", and choose another" if facts.password else " with the password you chose"


def _words(arguments: str) -> str:
    """How this program is called from here."""
    given = settings()
    is_set = "data_dir" in given.model_fields_set
    folder = f"HUB_DATA_DIR={shlex.quote(str(given.data_dir))} " if is_set else ""
    return f"{folder}{shlex.quote(os.path.relpath(sys.argv[0]))} {arguments}"
