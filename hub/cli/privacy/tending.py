"""`hub privacy run`, `extend`, `done` and `withdraw`: what becomes of requests."""

from collections.abc import Sequence
from uuid import UUID

import click

from hub.app import App
from hub.cli import tell as say
from hub.cli.integration.work import AS_JSON, print_json, with_hub
from hub.cli.privacy.work import decided, facts, tell, zone
from hub.db.connection import Connection
from hub.errors import AlreadyRunning, HubError
from hub.privacy import duty, requests
from hub.privacy.duty import Desk
from hub.privacy.requests import LATER, Request


@click.command()
@click.argument("request", type=click.UUID, required=False)
@AS_JSON
def run(request: UUID | None, *, as_json: bool) -> None:
    """Do REQUEST now, or all that wait, instead of leaving them to a worker.

    \b
    Example:
      hub privacy run
    """

    async def work(app: App) -> Sequence[Request]:
        desk = Desk(app.database, app.settings)
        if request is not None:
            return [await desk.do(request)]
        return [one for one in [await _tried(app, desk, id_) for id_ in await _open(app)] if one]

    done = with_hub(work)
    if as_json:
        print_json([facts(one) for one in done])
    elif done:
        for one in done:
            click.echo(f"{one.kind} {one.id}: {one.state}")
    else:
        click.echo("Nothing waits for the hub.")


async def _open(app: App) -> Sequence[UUID]:
    """What a worker would do."""
    found = await app.database.retrying(
        lambda c: requests.listed(c, kinds=list(LATER), first=10_000)
    )
    return [one.id for one in found if one.state != "waiting"]


async def _tried(app: App, desk: Desk, request: UUID) -> Request | None:
    """One of several: what fails is noted, told, and stops none of the others."""
    try:
        return await desk.do(request)
    except AlreadyRunning:
        say(f"{request} is being done by a worker.")
    except HubError as error:
        await duty.fail(app.database, request, error)
        say(f"{request}: {error}")
    return None


@click.command()
@click.argument("request", type=click.UUID)
@click.option("--months", type=click.IntRange(1, 2), default=2, show_default=True)
@click.option("--reason", required=True, help="Why; the person is told. Name nobody in it.")
@AS_JSON
def extend(request: UUID, months: int, reason: str, *, as_json: bool) -> None:
    """Give REQUEST up to two months more, within the first one, for a reason.

    \b
    Example:
      hub privacy extend 0198c5b2-6f0a-7cc3-9d5e-2f7f6f6f6f6f --months 1 \\
          --reason "The records of three systems have to be gone through."
    """

    async def work(connection: Connection) -> tuple[Request, Sequence[UUID], str]:
        found = await requests.extend(
            connection, request, months=months, reason=reason, zone=zone()
        )
        return found, [found.customer_id], f"request {request}: {months} months"

    tell(decided("extend", work), as_json=as_json)


@click.command("done")
@click.argument("request", type=click.UUID)
@click.argument("holder")
@AS_JSON
def done_(request: UUID, holder: str, *, as_json: bool) -> None:
    """Note that what REQUEST asks was done by hand at HOLDER, a connected system.

    \b
    Example:
      hub privacy done 0198c5b2-6f0a-7cc3-9d5e-2f7f6f6f6f6f erp
    """

    async def work(connection: Connection) -> tuple[Request, Sequence[UUID], str]:
        found = await requests.done_by_hand(connection, request, holder)
        return found, [found.customer_id], f"request {request}: {holder}"

    tell(decided("done", work), as_json=as_json)


@click.command()
@click.argument("request", type=click.UUID)
@AS_JSON
def withdraw(request: UUID, *, as_json: bool) -> None:
    """The person takes REQUEST back, before it was begun.

    \b
    Example:
      hub privacy withdraw 0198c5b2-6f0a-7cc3-9d5e-2f7f6f6f6f6f
    """

    async def work(connection: Connection) -> tuple[Request, Sequence[UUID], str]:
        found = await requests.withdraw(connection, request)
        return found, [found.customer_id], f"request {request}"

    tell(decided("withdraw", work), as_json=as_json)
