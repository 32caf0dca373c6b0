"""How far the journal of refusals, restrictions and erasures goes, and whether the hub may speak.

The journal itself lies in files beside the database, since it is for the day on which the database
is put back to what it was.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func, text
from sqlalchemy.orm import Mapped, mapped_column

from hub.models.base import Base, Merge, key


class JournalTimeline(Base):
    """One life of this database, from its making or a restore to the next.

    Positions of events are counted anew from where a backup was taken, so an entry of the journal
    names its timeline too. `start` is the position before its first event, `position` up to which
    event the journal was written; of a timeline that has ended, up to which its entries are in this
    database. One that is `replayed` was never this database's own: it is known from the journal.
    """

    __tablename__ = "journal_timeline"
    merge = Merge.KEEP

    id: Mapped[UUID] = key()
    start: Mapped[int] = mapped_column(server_default="0")
    position: Mapped[int] = mapped_column(server_default="0")
    replayed: Mapped[bool] = mapped_column(server_default=text("false"))
    began_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AwaitedRefusal(Base):
    """What somebody took back who is not in the backup that was restored: by the hash of a record
    of theirs, until that record comes again. `state` is a word of the ledger, or `restricted`.
    """

    __tablename__ = "awaited_refusal"
    merge = Merge.KEEP

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    statement_id: Mapped[UUID]
    purpose: Mapped[str]
    state: Mapped[str]
    channel: Mapped[str]
    given_at: Mapped[datetime]


class Release(Base):
    """That the hub may give data out, in which timeline, and why.

    There is one row. Backups leave it out: a hub that was restored is held until what was taken
    back since the backup has been applied again.
    """

    __tablename__ = "release"
    merge = Merge.KEEP

    timeline_id: Mapped[UUID] = mapped_column(ForeignKey("journal_timeline.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(server_default="")
    released_at: Mapped[datetime] = mapped_column(server_default=func.now())
