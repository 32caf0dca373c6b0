"""`hub privacy access`, `erase`, `restrict`, `lift`, `object`: what a person may ask for."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import click

from hub.cli.integration.work import AS_JSON, print_json
from hub.cli.privacy.naming import Named, named
from hub.cli.privacy.work import BY, RECEIVED, at, decided, facts, tell, zone
from hub.config import settings
from hub.db.connection import Connection
from hub.intake import Defaults
from hub.privacy import objecting, requests, restricting
from hub.privacy.objecting import Objection
from hub.privacy.requests import Kind, Request

Given = str | None


@click.command()
@named
@RECEIVED
@AS_JSON
def access(received: date | None, *, as_json: bool, **whom: Given) -> None:
    """Have an archive made of everything that is held of CUSTOMER.

    \b
    Example:
      hub privacy access --email - < letter.txt
      hub privacy access erp:4711
    """
    tell(_ask("access", Named(**whom), received), as_json=as_json)


@click.command()
@named
@RECEIVED
@click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")
@AS_JSON
def erase(received: date | None, *, yes: bool, as_json: bool, **whom: Given) -> None:
    """Erase CUSTOMER for good: nothing brings them back but an act of their own.

    \b
    Example:
      hub privacy erase 0198c5b2-6f0a-7cc3-9d5e-2f7f6f6f6f6f
    """
    person = Named(**whom)
    if not yes:
        click.confirm("Erase this person for good?", abort=True, err=True)
    tell(_ask("erasure", person, received), as_json=as_json)


@click.command()
@named
@RECEIVED
@AS_JSON
def restrict(received: date | None, *, as_json: bool, **whom: Given) -> None:
    """Restrict CUSTOMER: they are kept, and used for nothing but what the law wants.

    \b
    Example:
      hub privacy restrict crm:77
    """
    person = Named(**whom)

    async def work(connection: Connection) -> tuple[Request, Sequence[UUID], str]:
        customer = await person.find(connection)
        made = await restricting.restrict(connection, customer, by=BY, at=at(received), zone=zone())
        return made, [customer], f"request {made.id}"

    tell(decided("restrict", work), as_json=as_json)


@click.command()
@named
@AS_JSON
def lift(*, as_json: bool, **whom: Given) -> None:
    """Lift all restrictions of CUSTOMER, who has to be told before.

    \b
    Example:
      hub privacy lift crm:77
    """
    person = Named(**whom)

    async def work(connection: Connection) -> tuple[Sequence[Request], Sequence[UUID], str]:
        customer = await person.find(connection)
        lifted = await restricting.lift(connection, customer, by=BY)
        return lifted, [customer], " ".join(["requests", *(str(one.id) for one in lifted)])

    lifted = decided("lift", work)
    if as_json:
        print_json([facts(one) for one in lifted])
    elif lifted:
        click.echo(f"Lifted: {', '.join(str(one.id) for one in lifted)}.")
    else:
        click.echo("Nothing was restricted.")


@click.command("object")
@named
@click.option("--purpose", help="The purpose's key; without it all that can be objected to.")
@RECEIVED
@AS_JSON
def object_(purpose: str | None, received: date | None, *, as_json: bool, **whom: Given) -> None:
    """Enter that CUSTOMER objects: to one purpose, or to the retailer's interests and marketing.

    \b
    Example:
      hub privacy object crm:77 --purpose analytics
    """
    person, chosen = Named(**whom), settings()
    defaults = Defaults.of(chosen)

    async def work(connection: Connection) -> tuple[Objection, Sequence[UUID], str]:
        customer = await person.find(connection)
        said = at(received, refuses=True)
        made = await objecting.object_to(
            connection, customer, purpose, by=BY, defaults=defaults, zone=zone(), at=said
        )
        return made, [customer], " ".join([f"request {made.request.id}:", *made.purposes])

    made = decided("object", work)
    if as_json:
        print_json({**facts(made.request), "purposes": made.purposes})
    else:
        click.echo(f"Request {made.request.id}: refused {', '.join(made.purposes)}.")


def _ask(kind: Kind, person: Named, received: date | None) -> Request:
    async def work(connection: Connection) -> tuple[Request, Sequence[UUID], str]:
        customer = await person.find(connection)
        made = await requests.ask(connection, kind, customer, by=BY, at=at(received), zone=zone())
        return made, [customer], f"request {made.id}"

    return decided(kind, work)
