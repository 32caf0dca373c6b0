"""What people did: calls, mails, meetings, visits, and who took part."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hub.models.base import Base, Merge, categorised


class Interaction(Base):
    """One call, mail, meeting… The people on it are its participants.

    What was said is everybody's: it is shown only where every customer on it may be seen, and
    where there is one.
    """

    __tablename__ = "interaction"
    __table_args__ = (
        Index(None, "started_at", "id"),
        Index(None, "kind", "started_at", "id"),
        Index(None, "direction", "started_at", "id"),
    )
    merge = Merge.KEEP
    category = "behaviour"
    reach = (
        "(SELECT bool_and({customer}) FROM public.interaction_participant p"
        " JOIN public.customer c ON c.id = p.customer_id WHERE p.interaction_id = t.id)"
    )

    id: Mapped[UUID] = mapped_column(
        ForeignKey("source_record.id", ondelete="CASCADE"), primary_key=True
    )
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    external_id: Mapped[str]
    kind: Mapped[str]
    direction: Mapped[str | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    subject: Mapped[str]
    text: Mapped[str]


class InteractionParticipant(Base):
    """A person on an interaction; without `customer_id` nobody is known by the contact point."""

    __tablename__ = "interaction_participant"
    __table_args__ = (Index(None, "record_id"), Index(None, "customer_id"))
    merge = Merge.FOLLOW
    category = "behaviour"

    interaction_id: Mapped[UUID] = mapped_column(
        ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    record_id: Mapped[UUID] = mapped_column(
        ForeignKey("source_record.id"), info=categorised("provenance")
    )
    customer_id: Mapped[UUID | None]
    role: Mapped[str]
