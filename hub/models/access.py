"""Who may ask: the clients, and the keys that sign their tokens."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hub.models.base import Base, Merge, key


class OauthClient(Base):
    """A program that asks: what it may touch (`scopes`) and what for (`purposes`, by key)."""

    __tablename__ = "oauth_client"
    merge = Merge.KEEP

    id: Mapped[UUID] = key()
    name: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    purposes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    disabled_at: Mapped[datetime | None]


class SigningKey(Base):
    """A key that signs tokens, by its thumbprint (`kid`).

    `private_key` is sealed. A retired key has none: it signs nothing more, and its public half
    stays for the tokens that are still out.
    """

    __tablename__ = "signing_key"
    merge = Merge.KEEP

    id: Mapped[str] = mapped_column(primary_key=True)
    algorithm: Mapped[str]
    public_jwk: Mapped[dict[str, Any]]
    private_key: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    retired_at: Mapped[datetime | None]
