"""The page at /graphiql as a client: registered where it is shown, and gone where it is not."""

import structlog

from auth.clients import CODE, EXCHANGE_SCOPE, GRAPHIQL, REFRESH
from auth.rights import BOUND_SCOPE
from auth.scopes import SCOPES
from hub import clock
from hub.config import Settings
from hub.db.connection import Connection
from hub.web.graphiql import is_wanted

log = structlog.get_logger(__name__)

TITLE = "GraphiQL"
EVERY_SCOPE = [scope for scope in SCOPES if scope not in (BOUND_SCOPE, EXCHANGE_SCOPE)]
"""All that a colleague could have: what each of them gets is what their roles give."""

REGISTER = """
INSERT INTO oauth_client AS c
  (id, name, title, scopes, purposes, auth_method, grant_types, redirect_uris, is_own)
SELECT $1, $2, $3, $4, array_agg(key ORDER BY bit), 'none', $5, ARRAY[$6::text], true
  FROM purpose WHERE retired_at IS NULL
ON CONFLICT (name) DO UPDATE
   SET scopes = excluded.scopes, purposes = excluded.purposes,
       redirect_uris = excluded.redirect_uris
 WHERE c.is_own AND c.auth_method = 'none'
   AND (c.scopes, c.purposes, c.redirect_uris)
    IS DISTINCT FROM (excluded.scopes, excluded.purposes, excluded.redirect_uris)
"""
IS_OURS = "SELECT is_own AND auth_method = 'none' FROM oauth_client WHERE name = $1"
FORGET = "DELETE FROM oauth_client WHERE name = $1 AND is_own AND auth_method = 'none'"


async def settle(connection: Connection, settings: Settings) -> None:
    """Have the page's client be as the settings want it. Again is harmless.

    One that somebody disabled stays so.
    """
    if not is_wanted(settings):
        await connection.execute(FORGET, GRAPHIQL)
        return
    back = f"{settings.base_url}/graphiql/"
    given = (EVERY_SCOPE, [CODE, REFRESH], back)
    await connection.execute(REGISTER, clock.new_id(), GRAPHIQL, TITLE, *given)
    if not await connection.fetchval(IS_OURS, GRAPHIQL):
        log.warning("another client has the name of the page GraphiQL, which can not sign in")
