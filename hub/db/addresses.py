"""Where the database answers: the addresses of its three doors, and how to name one in public."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import SecretStr

from hub.config import Settings
from hub.errors import BadSettings


@dataclass(frozen=True, slots=True)
class Addresses:
    """What asyncpg connects to. `direct` is the owner past any pooler; they may hold passwords."""

    owner: str = field(repr=False)
    direct: str = field(repr=False)
    reader: str | None = field(repr=False)


def configured(settings: Settings) -> Addresses | None:
    """The addresses of a PostgreSQL server, or None where the embedded one is meant."""
    if settings.database_url is None:
        return None
    owner = _checked(settings.database_url, "HUB_DATABASE_URL")
    direct = settings.database_direct_url
    reader = settings.database_reader_url
    return Addresses(
        owner=owner,
        direct=_checked(direct, "HUB_DATABASE_DIRECT_URL") if direct else owner,
        reader=_checked(reader, "HUB_DATABASE_READER_URL") if reader else None,
    )


def _checked(secret: SecretStr, name: str) -> str:
    url = secret.get_secret_value()
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"postgresql", "postgres"} and bool(parts.username)
    except ValueError:
        fits = False
    if not fits:
        raise BadSettings(
            f"{name} must look like postgresql://role:password@host:5432/database"
            " (characters such as @ / : in a password are percent-encoded)."
        )
    return url


def role(url: str) -> str:
    """The login role of an address."""
    return unquote(urlsplit(url).username or "")


def place(url: str) -> str:
    """Host, port and database of an address: fit for messages, for it never holds a password."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    host = parts.netloc.rpartition("@")[2] or ",".join(query.get("host", ["localhost"]))
    return f"{host}{parts.path}"
