"""Who saw, changed, sent or decided what of whom: a chain of entries per process, and checkpoints
that join the chains."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Identity, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from hub.models.base import Base, Merge


class AuditEntry(Base):
    """One thing that was done. It names ids, never values.

    `kind` is read, sent, changed or decided; `action` says what in the words of the interface;
    `document` is the hash of the GraphQL document without its literals; `people` are the ids of
    the customers, 16 bytes each; `actor` is `client:NAME` or `command`. `hash` is made of the one
    before it in the chain and of all that the entry says.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "at"),)
    merge = Merge.KEEP

    chain_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    kind: Mapped[str]
    action: Mapped[str]
    actor: Mapped[str]
    client_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    purpose: Mapped[str]
    document: Mapped[bytes | None]
    people: Mapped[bytes]
    detail: Mapped[str]
    hash: Mapped[bytes]


class AuditDraft(Base):
    """An entry that was written with the change it speaks of, and waits to be put in a chain."""

    __tablename__ = "audit_draft"
    merge = Merge.KEEP

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    kind: Mapped[str]
    action: Mapped[str]
    actor: Mapped[str]
    client_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    purpose: Mapped[str] = mapped_column(server_default="")
    document: Mapped[bytes | None]
    people: Mapped[bytes]
    detail: Mapped[str] = mapped_column(server_default="")


class AuditCheckpoint(Base):
    """The heads of the chains that went on since the checkpoint before (`{chain: [number, hash]}`),
    and that checkpoint's hash, signed with Ed25519."""

    __tablename__ = "audit_checkpoint"
    merge = Merge.KEEP

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    heads: Mapped[dict[str, Any]] = mapped_column(JSONB)
    previous: Mapped[bytes]
    key_id: Mapped[bytes]
    signature: Mapped[bytes]


class AuditMention(Base):
    """Where in the chains a customer is named; made of the entries a little later."""

    __tablename__ = "audit_mention"
    merge = Merge.KEEP

    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    chain_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class AuditChain(Base):
    """One process's chain: up to where its entries' people are looked up by `audit_mention`, and up
    to where a checkpoint has signed it."""

    __tablename__ = "audit_chain"
    merge = Merge.KEEP

    id: Mapped[UUID] = mapped_column(primary_key=True)
    began_at: Mapped[datetime] = mapped_column(server_default=func.now())
    mentioned: Mapped[int] = mapped_column(server_default="0")
    sealed: Mapped[int] = mapped_column(server_default="0")
