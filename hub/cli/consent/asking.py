"""`hub consent ask`: a person is asked by mail, and answers on a page."""

import click

from hub.cli.consent.words import EMAIL, contact_of, transacted
from hub.config import settings
from hub.consent import confirming
from hub.consent.confirming import Requested, Wanted
from hub.consent.links import links
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.errors import BadInput, RejectedRecord
from hub.identity import explain
from hub.net.mail import Mailer
from hub.records import Identifier


@click.command()
@click.argument("customer")
@click.argument("purpose")
@EMAIL
@click.option("--document", required=True, help="What they are shown, as it is published.")
@click.option("--version", default="", help="Its version, where there are several.")
@click.option("--language", default="", help="In which language, where there are several.")
def ask(
    customer: str,
    purpose: str,
    *,
    email: str | None,
    document: str,
    version: str,
    language: str,
) -> None:
    """Ask CUSTOMER by mail whether they agree to PURPOSE. A worker sends it.

    The mail leads to a page with the document; only a button there answers, within 48 hours.

    \b
    Example:
      echo anna@example.com | hub consent ask erp:C-104 email_marketing --email - \\
          --document newsletter
    """
    given = settings()
    if Mailer.of(given) is None:
        raise BadInput("There is no mail server: set HUB_SMTP_URL and HUB_MAIL_FROM.")
    contact = contact_of(email, None)
    if contact is None:
        raise click.UsageError("--email has to be said")
    keyring = Keyring.of(given)
    point = Identifier(type=contact.type, value=contact.value)

    async def work(connection: Connection) -> Requested:
        whose = await explain.customer_of(connection, customer)
        wanted = Wanted(whose, purpose, point, document, version, language)
        made = await links(connection, keyring)
        return await confirming.ask(
            connection, wanted, keyring, made, by="command", region=given.phone_region
        )

    try:
        requested = transacted(work)
    except RejectedRecord as error:
        raise BadInput(f"{error.field or 'customer'}: {error}") from error
    word = "Asked" if requested.is_new else "Asked already"
    click.echo(f"{word}: request {requested.id}, open until {requested.expires_at:%Y-%m-%d %H:%M}")
