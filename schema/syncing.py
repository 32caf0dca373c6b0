"""Reading connected systems: how far it is, what became of it, and asking for it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
import strawberry
from strawberry import UNSET

from hub import integrations, models, registry
from hub.db.connection import Connection
from hub.errors import BadInput, Conflict, NotFound
from hub.sync import asking, claim
from hub.sync.claim import Mode, Requested, Wanted
from schema.inputs import taken
from schema.plan.mapping import Watch, column, entity, global_id, word
from schema.plan.types import Info
from schema.scalars import Json
from schema.scalars import global_id as made_global
from schema.unit import Context, Found, unit
from schema.words import SyncMode, SyncState
from schema.writing import UserError, payload, user_error

SCOPE = "integrations:read"
MOST_STREAMS = 50
LONGEST_NAME = 200
said = strawberry.field


@entity(models.StreamState, "How far a stream is read.", scope=SCOPE)
class StreamState:
    stream: str = column(models.StreamState.stream, "The stream's key.")
    since: datetime | None = column(
        models.StreamState.since, "Changes are read from here on; null: it was never read whole."
    )
    read_at: datetime | None = column(models.StreamState.read_at, "When it was last read.")
    reconciled_at: datetime | None = column(
        models.StreamState.reconciled_at, "When it was last seen what is gone."
    )


@entity(models.SyncRun, "One reading of a connected system.", scope=SCOPE)
class SyncRun:
    id: strawberry.ID = global_id("Its id in the hub.")
    mode: SyncMode = word(models.SyncRun.mode, "What is read.")
    state: SyncState = word(models.SyncRun.state, "How far it is, or how it ended.")
    code: str = column(
        models.SyncRun.code, "What went wrong, such as `VENDOR_AWAY`; empty if nothing."
    )
    message: str = column(models.SyncRun.message, "The same for people: what to do.")
    stream: str = column(models.SyncRun.stream, "The stream that is being read; else empty.")
    streams: list[str] = column(models.SyncRun.streams, "What it is about; empty: all streams.")
    counts: Json = column(
        models.SyncRun.counts,
        "What became of items so far: by stream, how many were `read`, `created`, `changed`,"
        " `unchanged`, `skipped`, `rejected`, `deleted`.",
    )
    requested_by: str = column(
        models.SyncRun.requested_by, "Who wanted it: `schedule`, `command` or `client:NAME`."
    )
    created_at: datetime = column(models.SyncRun.created_at, "When it was asked for.")
    started_at: datetime | None = column(models.SyncRun.started_at, "When it began.")
    finished_at: datetime | None = column(models.SyncRun.finished_at, "When it ended.")


@entity(models.RejectedRecord, "An item that could not be taken as it is.", scope=SCOPE)
class RejectedRecord:
    stream: str | None = column(models.RejectedRecord.stream, "The stream that it is of.")
    external_id: str | None = column(
        models.RejectedRecord.external_id, "Its id in the system: whose record it is."
    )
    field: str = column(models.RejectedRecord.field, "Where in the record something is wrong.")
    reason: str = column(models.RejectedRecord.reason, "What is wrong; never the value itself.")
    is_recorded: bool = column(
        models.RejectedRecord.recorded, "Whether it was taken, without the value in `field`."
    )
    created_at: datetime = column(models.RejectedRecord.created_at, "When it was last rejected.")
    resolved_at: datetime | None = column(
        models.RejectedRecord.resolved_at, "Since when it is fine, or gone."
    )


PROGRESS = Watch(
    argument="integration",
    on=('{t}."integration_id" = (SELECT i."id" FROM {v[integration]} i WHERE i."name" = {a})'),
    alive="{t}.\"state\" IN ('queued', 'running')",
    over='{t}."finished_at" > {since}',
    order='{t}."state" <> \'running\', {t}."created_at", {t}."id"',
    known='EXISTS (SELECT FROM {v[integration]} i WHERE i."name" = {a})',
    unknown="There is no integration of this name: `integrations` lists them.",
)
"""The run that is under way, else the one that is next."""


@taken("How a connected system is to be read.")
class SyncIntegrationInput:
    integration: str = said(description="The integration's name.")
    mode: SyncMode = said(default=SyncMode.INCREMENTAL, description="What to read.")
    streams: list[str] | None = said(
        default=UNSET, description="The keys of streams; all if not given."
    )
    since: datetime | None = said(
        default=UNSET,
        description="Only what changed since then, with `INCREMENTAL`; if not given, since last"
        " time.",
    )
    allow_deletions: bool | None = said(
        default=UNSET,
        description="Whether it is meant that much is gone: unless this is true, a run that finds"
        " more than a fifth of a stream gone stops.",
    )


@payload("The run that was asked for.")
class SyncIntegrationPayload:
    run_id: strawberry.ID | None = said(
        default=None,
        description="The run's id; of a run that waits already for the same, that one's. Null where"
        " there are errors.",
    )
    state: SyncState | None = said(default=None, description="How far it is.")
    errors: list[UserError] = said(description="Why it was not asked for.")


async def sync_integration(info: Info, input: SyncIntegrationInput) -> SyncIntegrationPayload:
    wanted = _wanted(input)
    context: Context = info.context

    async def work(connection: Connection) -> tuple[Requested, Collection[UUID]]:
        known = await integrations.named(connection, input.integration)
        if wanted.streams:
            asking.chosen(registry.adapter(known.adapter), wanted.streams)
        return await claim.request(connection, known.name, wanted, by=context.by), ()

    def told(run: Requested, _: Found) -> SyncIntegrationPayload:
        run_id = strawberry.ID(made_global("SyncRun", run.run_id))
        return SyncIntegrationPayload(run_id=run_id, state=SyncState(run.state), errors=[])

    try:
        return await unit(info, work, told)
    except (Conflict, NotFound) as error:
        return SyncIntegrationPayload(errors=[user_error(error, "integration")])
    except BadInput as error:
        return SyncIntegrationPayload(errors=[user_error(error, "streams")])


def _wanted(input: SyncIntegrationInput) -> Wanted:
    """What is asked for. Raises BadInput."""
    streams = tuple(dict.fromkeys(input.streams or ()))
    if len(streams) > MOST_STREAMS or any(len(key) > LONGEST_NAME for key in streams):
        raise BadInput(f"Name up to {MOST_STREAMS} streams.")
    if len(input.integration) > LONGEST_NAME:
        raise BadInput("That is longer than any integration's name.")
    since = input.since or None
    if since is not None and input.mode is not SyncMode.INCREMENTAL:
        raise BadInput("`since` goes with the mode INCREMENTAL: leave it out.")
    return Wanted(
        mode=msgspec.convert(input.mode.value, Mode),
        streams=streams,
        since=since,
        allow_deletions=input.allow_deletions or False,
    )
