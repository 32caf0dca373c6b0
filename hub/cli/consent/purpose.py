"""`hub consent purpose`: what data may be used for."""

from collections.abc import Sequence

import click

from hub.cli.consent.words import AS_JSON, act, opening, show, show_json, transacted
from hub.cli.words import words
from hub.consent import purposes
from hub.consent.purposes import BASES, CONTACT_TYPES, RETURNED, Change, Purpose

KEY = click.argument("key")
SHOWN = ("key", "basis", "may_return", "contact_types", "valid_months", "retired_at")
TITLE = click.option("--title", help="What it is called.")
BASIS = click.option("--basis", type=click.Choice(BASES), help="Why it is lawful.")
RETURNS = click.option(
    "--returns",
    multiple=True,
    callback=words,
    help=f"What of a person it may return: {', '.join(RETURNED)}.",
)
CONTACTS = click.option(
    "--contact",
    "contacts",
    multiple=True,
    callback=words,
    help=f"The contact points that it is of alone: {', '.join(CONTACT_TYPES)}.",
)
MONTHS = click.option(
    "--months", type=click.IntRange(0, 1200), help="How long a grant holds; 0: until taken back."
)


@click.group("purpose")
def command() -> None:
    """What data may be used for. Whoever reads, reads for one purpose."""


@command.command("list")
@click.option("--all", "with_retired", is_flag=True, help="Also those that are retired.")
@AS_JSON
def list_(*, with_retired: bool, as_json: bool) -> None:
    """All purposes.

    \b
    Example:
      hub consent purpose list
    """
    found = transacted(lambda c: purposes.listed(c, with_retired=with_retired))
    show_json(found) if as_json else show(found, SHOWN)


@command.command()
@KEY
@TITLE
@BASIS
@RETURNS
@CONTACTS
@click.option(
    "--channel", "channels", multiple=True, callback=words, help="What it works through: sms, call…"
)
@MONTHS
def create(
    key: str,
    title: str | None,
    basis: str | None,
    *,
    returns: Sequence[str],
    contacts: Sequence[str],
    channels: Sequence[str],
    months: int | None,
) -> None:
    """Add a purpose. A person who said nothing of it does not agree to it.

    \b
    Example:
      hub consent purpose create post_marketing --title "Letters" --basis consent \\
        --returns identity,contact --months 24
    """
    made = Purpose(
        key=key,
        title=title or key.replace("_", " ").capitalize(),
        basis=basis or "consent",
        may_return=tuple(returns),
        contact_types=tuple(contacts) or None,
        channels=tuple(word.lower() for word in channels) or None,
        valid_months=months or None,
    )
    opening(lambda database: purposes.create(database, made, by=act("consent purpose create", key)))
    click.echo(f"Made. Give it to who is to use it: hub client create … --purpose {key}")


@command.command()
@KEY
@TITLE
@BASIS
@RETURNS
@CONTACTS
@click.option("--any-contact", is_flag=True, help="It is of any contact point from now on.")
@MONTHS
def update(
    key: str,
    title: str | None,
    basis: str | None,
    *,
    returns: Sequence[str],
    contacts: Sequence[str],
    any_contact: bool,
    months: int | None,
) -> None:
    """Change a purpose: what is not named stays. It holds for the next thing anybody reads.

    How long a grant holds is settled when it is entered: --months is for those to come.

    \b
    Example:
      hub consent purpose update email_marketing --basis legitimate_interest
    """
    change = Change(
        title=title,
        basis=basis,
        may_return=tuple(returns) or None,
        contact_types=tuple(contacts) or None,
        with_any_contact=any_contact,
        valid_months=months or None,
        is_endless=months == 0,
    )
    by = act("consent purpose update", key)
    show([opening(lambda database: purposes.update(database, key, change, by=by))], SHOWN)


@command.command()
@KEY
@click.confirmation_option(prompt="Nobody can use this purpose any more, nor its key again. Go on?")
def retire(key: str) -> None:
    """Let nobody use a purpose any more. What people said of it stays in the ledger.

    \b
    Example:
      hub consent purpose retire partner_sharing
    """
    by = act("consent purpose retire", key)
    opening(lambda database: purposes.retire(database, key, by=by))
    click.echo("Retired.")
