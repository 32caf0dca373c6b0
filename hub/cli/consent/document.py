"""`hub consent document`: what people are shown, to the letter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hub.cli.consent.words import AS_JSON, act, show_json, transacted
from hub.cli.words import words
from hub.config import settings
from hub.consent import documents
from hub.consent.documents import Document, Wording
from hub.errors import BadFile

NAME = click.argument("name")
VERSION = click.option("--version", default="", help="Which version; all of them if not given.")
LANGUAGE = click.option("--language", default="", help="In which language; all if not given.")


@click.group("document")
def command() -> None:
    """What people are shown, to the letter: published once, and never changed."""


@command.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What it is called, whatever its version.")
@click.option("--version", required=True, help="Its version, such as 2026-03.")
@click.option("--language", required=True, help="Its language, such as ru.")
@click.option("--purpose", "purposes", multiple=True, required=True, callback=words)
@click.option("--controller", default="", help="Who answers for the data: name and address.")
@click.option("--jurisdiction", default="", help="Whose law applies.")
@click.option("--storage", default="", help="Where the data is kept.")
@click.option("--retention", default="", help="How long it is kept.")
@click.option("--recipient", "recipients", multiple=True, help="Whom it may go to.")
@click.option("--withdrawal", default="", help="How a person takes their consent back.")
def publish(path: Path, *, purposes: Sequence[str], recipients: Sequence[str], **told: Any) -> None:
    """Publish the text in PATH (UTF-8). The same again changes nothing.

    \b
    Example:
      hub consent document publish newsletter.ru.txt --name newsletter --version 2026-03 \\
        --language ru --purpose email_marketing --withdrawal "the link in every mail"
    """
    lists = {"purposes": tuple(purposes), "recipients": tuple(recipients)}
    wording = Wording(text=_text(path), **lists, **told)
    made = transacted(
        lambda c: documents.publish(
            c,
            wording,
            is_shared=settings().consent_shared_documents,
            by=act("consent document publish", purposes[0]),
        )
    )
    click.echo(f"Published, SHA-256 {made.hash.hex()}")


@command.command("list")
@click.option("--all", "with_retired", is_flag=True, help="Also those that are retired.")
@AS_JSON
def list_(*, with_retired: bool, as_json: bool) -> None:
    """All documents."""
    found = transacted(lambda c: documents.listed(c, with_retired=with_retired))
    if as_json:
        show_json([_told(document) for document in found])
        return
    for document in found:
        one = document.wording
        state = "in use" if document.retired_at is None else "retired"
        purposes = ", ".join(one.purposes)
        click.echo(f"{one.name} {one.version} {one.language}  {purposes}  {state}")


@command.command("show")
@NAME
@VERSION
@LANGUAGE
@AS_JSON
def show_(name: str, version: str, language: str, *, as_json: bool) -> None:
    """The text of a document; the newest in use, unless told."""
    found = transacted(lambda c: documents.find(c, name, version, language))
    if as_json:
        show_json({**_told(found), "text": found.wording.text})
        return
    click.echo(found.wording.text, nl=not found.wording.text.endswith("\n"))


@command.command()
@NAME
@VERSION
@LANGUAGE
def retire(name: str, version: str, language: str) -> None:
    """Let nobody agree to a document any more. What was agreed to stands."""
    by = act("consent document retire")
    retired = transacted(lambda c: documents.retire(c, name, version, language, by=by))
    click.echo(f"Retired: {', '.join(' '.join(one) for one in retired)}")


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadFile(f"{path} can not be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not in UTF-8: write it so.") from error


def _told(document: Document) -> dict[str, Any]:
    """A document without its text."""
    one = document.wording
    return {
        "id": document.id,
        "name": one.name,
        "version": one.version,
        "language": one.language,
        "purposes": one.purposes,
        "sha256": document.hash.hex(),
        "controller": one.controller,
        "jurisdiction": one.jurisdiction,
        "storage": one.storage,
        "retention": one.retention,
        "recipients": one.recipients,
        "withdrawal": one.withdrawal,
        "published_at": document.published_at,
        "retired_at": document.retired_at,
    }
