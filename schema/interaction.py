"""What people did: calls, mails, meetings, and who took part."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry import UNSET

from hub import models
from schema.connection import Most, Node
from schema.plan.mapping import Many, One, back_to, column, entity, field, global_id, listed, word
from schema.source import Source, SourceRecord, of_source, told_by
from schema.words import InteractionDirection, InteractionKind


@entity(models.InteractionParticipant, "A person on an interaction.")
class Participant:
    role: str = column(models.InteractionParticipant.role, "What they did in it, such as `caller`.")
    customer: Any = field(
        One('{n}."id" = {t}."customer_id"'),
        "Who it was; null when nobody is known.",
        graphql_type=back_to("Customer", "schema.customer"),
    )


@entity(
    models.Interaction,
    "A call, a mail, a meeting…",
    people=(
        "(SELECT string_agg(uuid_send(x.\"customer_id\"), ''::bytea)"
        ' FROM {v[interaction_participant]} x WHERE x."interaction_id" = {t}."id")'
    ),
)
class Interaction(Node):
    id: strawberry.ID = global_id("Its id in the hub.")
    external_id: str = column(models.Interaction.external_id, "Its id at its source.")
    kind: InteractionKind = word(models.Interaction.kind, "How people met.")
    direction: InteractionDirection | None = word(
        models.Interaction.direction, "Who began, if known."
    )
    started_at: datetime = column(models.Interaction.started_at, "When it began.")
    ended_at: datetime | None = column(models.Interaction.ended_at, "When it ended.")
    subject: str = column(models.Interaction.subject, "What it was about.")
    text: str = column(models.Interaction.text, "What was said or written.")
    source: Source = of_source()
    source_record: SourceRecord | None = told_by()

    @listed(
        Many('{n}."interaction_id" = {t}."id"', '{n}."position"'), "Who took part, by position."
    )
    def participants(self, first: Most = UNSET) -> list[Participant]: ...
