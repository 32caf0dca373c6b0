"""The schema as text: written to schema.graphql, and compared with what it was.

`python -m schema.sdl` writes it, `--check` fails where it is not up to date, `--since REF` names
the breaking changes since a commit, and fails where the changelog does not name them.
"""

import subprocess
import sys
from pathlib import Path

import click
from graphql import GraphQLSchema, build_schema, find_breaking_changes

from schema.build import build

FILE = Path(__file__).with_name("schema.graphql")
CHANGELOG = FILE.parents[1] / "CHANGELOG.md"


def text() -> str:
    """The schema of this code."""
    return build().as_str().strip() + "\n"


def breaking(old: str, new: str) -> list[str]:
    """What a client of the old schema may stumble over in the new one."""
    schemas: list[GraphQLSchema] = [build_schema(old), build_schema(new)]
    return sorted(change.description for change in find_breaking_changes(*schemas))


def _at(reference: str) -> str | None:
    """The schema at a commit; None where there was none."""
    command = ["git", "show", f"{reference}:schema/{FILE.name}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=FILE.parent, check=False)  # noqa: S603
    return done.stdout if done.returncode == 0 else None


@click.command(help=__doc__)
@click.option("--check", is_flag=True, help="Fail where the file is not up to date.")
@click.option("--since", metavar="REF", help="Name the breaking changes since a commit.")
def command(check: bool, since: str | None) -> None:
    """Write the schema, or compare it."""
    new = text()
    if not check and since is None:
        FILE.write_text(new)
    if check and (not FILE.exists() or FILE.read_text() != new):
        sys.exit(f"{FILE.name} is not what the code says: run `make fix` and read the difference.")
    old = _at(since) if since else None
    if old is not None:
        _tell(breaking(old, new))


def _tell(changes: list[str]) -> None:
    told = CHANGELOG.read_text()
    for change in changes:
        click.echo(f"breaking: {change}")
    untold = [change for change in changes if change not in told]
    if untold:
        sys.exit("CHANGELOG.md does not name every breaking change: add the lines above to it.")


if __name__ == "__main__":
    command()
