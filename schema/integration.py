"""Connected systems, and the adapters that systems can be connected by."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from strawberry import UNSET

from hub import models, registry
from hub.adapter import Adapter as Declared
from hub.adapter import Setting
from schema.conditions import RejectedRecordWhere, SyncRunWhere
from schema.connection import After, Before, Connection, First, Last
from schema.orderings import RejectedRecordOrder, SyncRunOrder
from schema.plan.mapping import Many, Page, column, entity, field, global_id, listed, word
from schema.source import Source, of_source
from schema.syncing import RejectedRecord, StreamState, SyncRun

SCOPE = "integrations:read"
OWN = '{n}."integration_id" = {t}."id"'
REJECTED = '{n}."source_id" = {t}."source_id" AND {n}."stream" IS NOT NULL'


@strawberry.enum(description="How a connected system is.")
class IntegrationState(Enum):
    ACTIVE = strawberry.enum_value("active", description="It is read.")
    PAUSED = strawberry.enum_value("paused", description="A person paused it.")
    RECONNECT = strawberry.enum_value(
        "reconnect", description="Its credentials no longer work: a person has to connect it again."
    )
    STOPPED = strawberry.enum_value(
        "stopped", description="A person has to change something; the message says what."
    )


@entity(models.Integration, "A connected system.", scope=SCOPE)
class Integration:
    id: strawberry.ID = global_id("Its id in the hub.")
    name: str = column(models.Integration.name, "Its name, which is its source's key as well.")
    adapter: str = column(models.Integration.adapter, "The key of its adapter.")
    state: IntegrationState = word(models.Integration.state, "How it is.")
    code: str = column(
        models.Integration.code, "What went wrong last, such as `VENDOR_AWAY`; empty if nothing."
    )
    message: str = column(models.Integration.message, "The same for people: what to do.")
    source: Source = of_source("Where its records come from.")
    every_seconds: int | None = column(
        models.Integration.every_seconds, "How often it is read; null: only on demand."
    )
    next_sync_at: datetime | None = column(
        models.Integration.next_sync_at, "When it is read next, if that is planned."
    )
    hold_until: datetime | None = column(
        models.Integration.hold_until, "Until when its vendor asked to be left alone."
    )
    created_at: datetime = column(models.Integration.created_at, "When it was connected.")
    streams: list[StreamState] = field(
        Many(OWN, '{n}."stream"'), "How far its streams are read, those that were begun."
    )

    @listed(Page("runs", OWN), "Its runs; the latest 200 are remembered.")
    def runs(
        self,
        where: SyncRunWhere | None = UNSET,
        order_by: SyncRunOrder = SyncRunOrder.NEWEST,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[SyncRun]: ...

    @listed(
        Page("rejectedRecords", REJECTED),
        "Items that could not be taken as they were, each once. `isResolved: false` chooses those"
        " that wait to be mended; the others are remembered for 30 days.",
    )
    def rejected_records(
        self,
        where: RejectedRecordWhere | None = UNSET,
        order_by: RejectedRecordOrder = RejectedRecordOrder.NEWEST,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[RejectedRecord]: ...


@strawberry.type(description="Something that is said when a system is connected.")
class AdapterSetting:
    key: str = strawberry.field(description="Its name in commands.")
    title: str = strawberry.field(description="Its name for people.")
    help: str = strawberry.field(description="What to write, and where to find it.")
    is_secret: bool = strawberry.field(description="Whether it is sealed and never shown.")
    default: str | None = strawberry.field(
        description="What holds when nothing is said; null: it has to be said."
    )


@strawberry.type(description="One kind of thing that a system is asked for.")
class AdapterStream:
    key: str = strawberry.field(description="Its name in commands and in `syncIntegration`.")
    title: str = strawberry.field(description="What the system calls it.")
    kind: str = strawberry.field(description="What it becomes, such as `customer` or `order`.")


@strawberry.type(description="What systems of one make can be connected by.")
class Adapter:
    key: str = strawberry.field(description="Its name in commands.")
    title: str = strawberry.field(description="The system's name.")
    family: str = strawberry.field(description="What kind of system it is, such as `erp`.")
    docs: str = strawberry.field(description="Where the system's own documentation is.")
    settings: list[AdapterSetting] = strawberry.field(description="What has to be said.")
    streams: list[AdapterStream] = strawberry.field(description="What is read, in this order.")
    erasure: str = strawberry.field(description="How a person is erased there.")


def adapters(_: object) -> Sequence[Mapping[str, Any]]:
    """The installed adapters by their GraphQL names."""
    return [_adapter(adapter) for adapter in registry.adapters().values()]


def _adapter(adapter: Declared) -> Mapping[str, Any]:
    return {
        "key": adapter.key,
        "title": adapter.title,
        "family": adapter.family,
        "docs": adapter.docs,
        "settings": [_setting(setting) for setting in adapter.settings],
        "streams": [
            {"key": stream.key, "title": stream.title, "kind": stream.kind.__name__.lower()}
            for stream in adapter.streams
        ],
        "erasure": adapter.privacy.by_hand,
    }


def _setting(setting: Setting) -> Mapping[str, Any]:
    return {
        "key": setting.key,
        "title": setting.title,
        "help": setting.help,
        "isSecret": setting.secret,
        "default": setting.default,
    }
