"""`hub consent record`: what a person told a colleague, entered into the ledger."""

from datetime import date
from typing import Any, get_args

import click

from hub import audit, clock
from hub.cli.consent.words import EMAIL, PHONE, Said, Time, act, contact_of, said_at, transacted
from hub.config import settings
from hub.db.connection import Connection
from hub.errors import BadInput, NotFound
from hub.identity import explain
from hub.intake import Defaults, direct
from hub.intake.direct import Declared, Statement
from hub.records import ConsentWord, Identifier


@click.command()
@click.argument("customer")
@click.argument("purpose")
@click.argument("state", type=click.Choice(get_args(ConsentWord)))
@EMAIL
@PHONE
@click.option(
    "--given-at",
    type=Said(),
    help="When they said it; now if not given. Of a day alone a grant is of its beginning, anything"
    " else of its end.",
)
@click.option("--until", "valid_until", type=Time(), help="Until when it holds.")
@click.option("--channel", default="", help="Of which channel alone, where it is narrower.")
@click.option("--method", default="", help="How they said it: by telephone, on paper…")
@click.option("--document", default="", help="What they were shown.")
@click.option("--version", default="", help="Its version.")
@click.option("--language", default="", help="In which language.")
@click.option("--evidence", default="", help="Where the proof lies: a letter's or call's number.")
def record(
    customer: str,
    purpose: str,
    state: ConsentWord,
    *,
    email: str | None,
    phone: str | None,
    given_at: date | None,
    **told: Any,
) -> None:
    """Enter that CUSTOMER granted, denied, withdrew or objected to PURPOSE.

    A grant needs --method or --document: it has to be shown how it was given.

    \b
    Example:
      hub consent record erp:C-104 phone_marketing withdrawn --method "by telephone"
    """
    contact = contact_of(email, phone)
    if state == "granted" and not (told["method"] or told["document"]):
        raise BadInput("Say how the consent was given: --method, or --document and --version.")
    statement = Statement(
        purpose=purpose,
        state=state,
        given_at=said_at(given_at, refuses=state != "granted") if given_at else clock.now(),
        contact_point=Identifier(type=contact.type, value=contact.value) if contact else None,
        **told,
    )

    async def work(connection: Connection) -> Declared:
        whose, defaults = await explain.customer_of(connection, customer), Defaults.of(settings())
        point = statement.contact_point
        if point and not await direct.holds(connection, whose, point, defaults=defaults):
            raise NotFound("The contact point is not one of the customer's own: look for a typo.")
        made = await direct.declare(connection, whose, statement, by="command", defaults=defaults)
        by = act("consent record", purpose)
        await audit.draft(connection, audit.each(by, [made.customer_id], str(made.entry_id)))
        return made

    made = transacted(work)
    click.echo(f"Entry {made.entry_id}: {made.fate}, in the place of {made.superseded} others.")
