"""What the authorization server says about itself (RFC 8414), and its public keys."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from auth import keys
from auth.clients import GRANT_TYPES
from auth.scopes import SCOPES
from auth.server.assertion import ALGORITHMS
from hub.config import Settings
from hub.db.connection import Connection

WELL_KNOWN = "/.well-known/oauth-authorization-server"
CONFIDENTIAL = ("client_secret_basic", "client_secret_post", "private_key_jwt")
PURPOSES = "SELECT key FROM purpose WHERE retired_at IS NULL ORDER BY key"


def paths(settings: Settings) -> Sequence[str]:
    """Where the description lies: behind the host, for an issuer with a path before that path."""
    path = urlsplit(settings.base_url).path
    return [WELL_KNOWN, WELL_KNOWN + path] if path else [WELL_KNOWN]


async def described(connection: Connection, settings: Settings) -> Mapping[str, Any]:
    """The description, with the purposes of today among the scopes."""
    issuer = settings.base_url
    purposes = [row["key"] for row in await connection.fetch(PURPOSES)]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "scopes_supported": [*SCOPES, *(f"purpose:{key}" for key in purposes)],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*CONFIDENTIAL, "none"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": [*CONFIDENTIAL, "none"],
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": list(CONFIDENTIAL),
        "introspection_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "ui_locales_supported": ["en", "ru"],
    }


async def key_set(connection: Connection) -> Mapping[str, Any]:
    """The public halves of all keys that may have signed a token that still counts."""
    rows = await connection.fetch(keys.VERIFYING, keys.ALGORITHM, keys.NEEDED)
    return {
        "keys": [
            {
                **msgspec.json.decode(row["public_jwk"], type=dict[str, Any]),
                **{"kid": row["id"], "alg": keys.ALGORITHM, "use": "sig"},
            }
            for row in rows
        ]
    }
