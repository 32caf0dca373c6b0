"""Who may ask: clients and people, what each was given, and the keys that sign their tokens."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Double, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hub.models.base import Base, Merge, hashed, key, sealed

NONE = text("'{}'")
"""An empty list."""


class OauthClient(Base):
    """A program that asks: what it may touch (`scopes`) and what for (`purposes`, by key).

    `auth_method` says how it proves who it is: `none` (an app on somebody's device, PKCE instead),
    `secret`, or `private_key_jwt` by its `jwks`. A secret is kept as a keyed hash; while it is
    being exchanged for another the former one counts until `old_secret_until`. An `is_own` client
    is the deployment's own, whose people are not asked for their leave. What it may cost in a
    second is the settings' business unless it is said here.
    """

    __tablename__ = "oauth_client"
    merge = Merge.KEEP

    id: Mapped[UUID] = key()
    name: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str] = mapped_column(server_default="")
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    purposes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    auth_method: Mapped[str] = mapped_column(server_default="secret")
    secret_hash: Mapped[bytes | None] = mapped_column(info=hashed(until=None))
    old_secret_hash: Mapped[bytes | None] = mapped_column(info=hashed(until="old_secret_until"))
    old_secret_until: Mapped[datetime | None]
    jwks: Mapped[dict[str, Any] | None]
    grant_types: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=NONE)
    redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=NONE)
    is_own: Mapped[bool] = mapped_column(server_default=text("false"))
    cost_per_second: Mapped[int | None]
    requests_per_second: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
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
    private_key: Mapped[bytes | None] = mapped_column(info=sealed("signing_key/{id}"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    retired_at: Mapped[datetime | None]


class Role(Base):
    """What a kind of colleague may do. `claims`: the values of the provider's claim that give it.

    A shipped role is not a person's to delete, but to change.
    """

    __tablename__ = "role"
    merge = Merge.KEEP

    key: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    purposes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    claims: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=NONE)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class User(Base):
    """A colleague who logs in: at the company's provider (`issuer`, `subject`), or here, with a
    password (Argon2id). `name` is what they are called by, an e-mail address where they were
    invited by one. `claimed_roles` are those that the provider's claim gave when they last came.
    """

    __tablename__ = "user"
    __table_args__ = (Index("uq_user_issuer_subject", "issuer", "subject", unique=True),)
    merge = Merge.KEEP

    id: Mapped[UUID] = key()
    name: Mapped[str] = mapped_column(unique=True)
    issuer: Mapped[str | None]
    subject: Mapped[str | None]
    password: Mapped[str | None]
    must_change: Mapped[bool] = mapped_column(server_default=text("false"))
    claimed_roles: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=NONE)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_login_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class UserRole(Base):
    """A role that somebody was given by command."""

    __tablename__ = "user_role"
    merge = Merge.KEEP

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    role_key: Mapped[str] = mapped_column(
        ForeignKey("role.key", ondelete="CASCADE"), primary_key=True
    )


class UserSession(Base):
    """A browser in which somebody logged in, by the hash of its cookie."""

    __tablename__ = "user_session"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))
    merge = Merge.KEEP

    id: Mapped[bytes] = mapped_column(primary_key=True, info=hashed())
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]


class OauthGrant(Base):
    """What a client was given on somebody's behalf: a colleague's (`user_id`), or to act for one
    customer (`customer_id`). Its tokens end when it does; `ended_for` says why it did.
    """

    __tablename__ = "oauth_grant"
    __table_args__ = (
        Index(None, "client_id"),
        Index(None, "user_id"),
        Index(
            "ix_oauth_grant_of_customer",
            "customer_id",
            postgresql_where=text("customer_id IS NOT NULL AND ended_at IS NULL"),
        ),
        Index(None, "expires_at"),
    )
    merge = Merge.KEEP

    id: Mapped[UUID] = key()
    client_id: Mapped[UUID] = mapped_column(ForeignKey("oauth_client.id", ondelete="CASCADE"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    customer_id: Mapped[UUID | None]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    purposes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_for: Mapped[str] = mapped_column(server_default="")


class OauthCode(Base):
    """An authorization code by its hash. A used one stays until it expires: whoever brings it
    again ends the grant that came of it."""

    __tablename__ = "oauth_code"
    __table_args__ = (Index(None, "expires_at"),)
    merge = Merge.KEEP

    hash: Mapped[bytes] = mapped_column(primary_key=True, info=hashed())
    client_id: Mapped[UUID] = mapped_column(ForeignKey("oauth_client.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    redirect_uri: Mapped[str]
    is_redirect_said: Mapped[bool] = mapped_column(server_default=text("true"))
    challenge: Mapped[str]
    scope: Mapped[str]
    grant_id: Mapped[UUID | None] = mapped_column(ForeignKey("oauth_grant.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class OauthToken(Base):
    """A refresh token by its hash. A used one stays as a tombstone: whoever brings it again ends
    the grant, for one of the two who have it is a thief."""

    __tablename__ = "oauth_token"
    __table_args__ = (Index(None, "grant_id"), Index(None, "expires_at"))
    merge = Merge.KEEP

    hash: Mapped[bytes] = mapped_column(primary_key=True, info=hashed())
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("oauth_grant.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RevokedToken(Base):
    """An access token that no longer counts, by its `jti`, until it would have expired."""

    __tablename__ = "revoked_token"
    __table_args__ = (Index(None, "expires_at"),)
    merge = Merge.KEEP

    id: Mapped[UUID] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]


class ClientAssertion(Base):
    """A signed assertion by which a client proved who it is: each counts once."""

    __tablename__ = "client_assertion"
    __table_args__ = (Index(None, "expires_at"),)
    merge = Merge.KEEP

    client_id: Mapped[UUID] = mapped_column(
        ForeignKey("oauth_client.id", ondelete="CASCADE"), primary_key=True
    )
    jti: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]


class Throttle(Base):
    """How often somebody failed to prove who they are, by the hash of an account or address."""

    __tablename__ = "throttle"
    __table_args__ = (Index(None, "failed_at"),)
    merge = Merge.KEEP

    id: Mapped[bytes] = mapped_column(primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[datetime]
    until: Mapped[datetime]


class RateBudget(Base):
    """What a client may still ask for, in all processes together, as of `at`."""

    __tablename__ = "rate_budget"
    merge = Merge.KEEP

    client_id: Mapped[UUID] = mapped_column(
        ForeignKey("oauth_client.id", ondelete="CASCADE"), primary_key=True
    )
    cost_left: Mapped[float] = mapped_column(Double)
    requests_left: Mapped[float] = mapped_column(Double)
    at: Mapped[datetime]
