"""`hub consent contact`: contact points that bounced, complained or unsubscribed."""

import click

from hub.cli.consent.words import EMAIL, PHONE, act, contact_of, transacted
from hub.consent import contacts
from hub.consent.contacts import STATUSES, Status
from hub.errors import BadInput


@click.command("contact")
@click.argument("status", type=click.Choice(STATUSES))
@EMAIL
@PHONE
def command(status: Status, *, email: str | None, phone: str | None) -> None:
    """Note how an address or number is, whoever holds it.

    \b
    Example:
      hub consent contact bounced --email - < address.txt
    """
    contact = contact_of(email, phone)
    if contact is None:
        raise BadInput("Say which contact point: --email - or --phone -.")
    by = act("consent contact")
    people = transacted(lambda c: contacts.mark(c, contact, status, by=by))
    click.echo(f"Noted; it is new for {len(people)} customers.")
