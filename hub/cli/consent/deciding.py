"""`hub consent decide` and `history`: what may be done, and what a person said."""

from datetime import datetime

import click

from hub import audit
from hub.cli.consent.words import (
    AS_JSON,
    EMAIL,
    PHONE,
    Time,
    contact_of,
    show,
    show_json,
    transacted,
)
from hub.consent import history as histories
from hub.consent.decision import Decision, Question, may_one
from hub.consent.history import Said
from hub.db.connection import Connection
from hub.identity import explain

CUSTOMER = click.argument("customer")
SHOWN = ("given_at", "purpose", "state", "contact_type", "valid_until", "document", "recorded_by")


@click.command()
@CUSTOMER
@click.argument("purpose")
@EMAIL
@PHONE
@click.option("--to", "destination", default="", help="To whom the data would go.")
@click.option("--at", type=Time(), help="When it would be used; now if not given.")
@AS_JSON
@click.pass_context
def decide(
    context: click.Context,
    customer: str,
    purpose: str,
    *,
    email: str | None,
    phone: str | None,
    destination: str,
    at: datetime | None,
    as_json: bool,
) -> None:
    """Whether PURPOSE may use the data of CUSTOMER, and why. Exits with 1 where it may not.

    \b
    Example:
      hub consent decide erp:C-104 email_marketing --email - < address.txt
    """
    contact = contact_of(email, phone)

    async def work(connection: Connection) -> Decision:
        whose = await explain.customer_of(connection, customer)
        act = audit.Act("read", "consent decide", "command", purpose)
        await audit.draft(connection, audit.each(act, [whose]))
        return await may_one(connection, Question(whose, purpose, contact, destination, at))

    found = transacted(work)
    if as_json:
        show_json(
            {
                "allowed": found.is_allowed,
                "reason": found.reason,
                "entry": found.entry_id,
                "until": found.until,
            }
        )
    else:
        entry = f" (entry {found.entry_id})" if found.entry_id else ""
        click.echo(f"{'Yes' if found.is_allowed else 'No'}: {found.reason}{entry}")
    context.exit(0 if found.is_allowed else 1)


@click.command()
@CUSTOMER
@click.option("--purpose", default="", help="Of this purpose alone.")
@click.option("--first", type=click.IntRange(1, 10_000), default=100, show_default=True)
@AS_JSON
def history(customer: str, *, purpose: str, first: int, as_json: bool) -> None:
    """What CUSTOMER said, newest first, with what they were shown and who entered it."""

    async def work(connection: Connection) -> list[Said]:
        whose = await explain.customer_of(connection, customer)
        act = audit.Act("read", "consent history", "command")
        await audit.draft(connection, audit.each(act, [whose]))
        return await histories.history(connection, whose, purpose=purpose, first=first)

    found = transacted(work)
    show_json(found) if as_json else show(found, SHOWN)
