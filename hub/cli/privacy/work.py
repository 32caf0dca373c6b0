"""How these commands do their work and tell: with an entry in the audit trail, and as JSON."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub import audit
from hub.cli.consent.words import Said, said_at
from hub.cli.integration.work import moment, print_json, within
from hub.config import settings
from hub.db.connection import Connection
from hub.privacy.requests import Request, Step

T = TypeVar("T")

BY = "command"
"""Who asks, as requests and the audit trail keep it: a user's name is personal."""
RECEIVED = click.option(
    "--received",
    type=Said(),
    help="When the person asked, if not just now; the deadline counts from then.",
)


def zone() -> tzinfo:
    """The time zone of the deployment's calendar."""
    return ZoneInfo(settings().timezone)


def at(received: date | None, *, refuses: bool = False) -> datetime | None:
    """The time that was given, if one was (`said_at`)."""
    return None if received is None else said_at(received, refuses=refuses)


def decided(
    action: str, work: Callable[[Connection], Awaitable[tuple[T, Sequence[UUID], str]]]
) -> T:
    """Do something about people in a transaction, with an audit entry for each of them.

    The work returns its result, whom it was about, and what to note of it.
    """

    async def done(connection: Connection) -> T:
        result, people, detail = await work(connection)
        act = audit.Act("decided", f"privacy {action}", BY)
        await audit.draft(connection, audit.each(act, people, detail))
        return result

    return within(done)


def facts(request: Request) -> Mapping[str, Any]:
    """A request for programs."""
    return {
        "id": request.id,
        "kind": request.kind,
        "customer": request.customer_id,
        "purpose": request.purpose,
        "state": request.state,
        "overdue": request.is_overdue,
        "requested_by": request.requested_by,
        "received_at": request.received_at,
        "due_at": request.due_at,
        "extended_for": request.extended_for,
        "started_at": request.started_at,
        "finished_at": request.finished_at,
        "available_until": request.available_until,
        "lifted_at": request.lifted_at,
        "records": request.records,
        "message": request.message,
    }


def print_steps(steps: Sequence[Step]) -> None:
    """What the request comes to at each holder."""
    table = Table("holder", "state", "since", "what to do")
    table.columns[3].overflow = "fold"
    for step in steps:
        table.add_row(*map(Text, (step.holder, step.state, moment(step.updated_at), step.message)))
    Console().print(table)


def tell(request: Request, *, as_json: bool) -> None:
    """What became of a request that was made just now."""
    if as_json:
        print_json(facts(request))
        return
    click.echo(f"Request {request.id}: {request.state}, due {moment(request.due_at)}.")
    if request.state == "received":
        click.echo(f"A worker does it; `hub privacy run {request.id}` does it now.")
