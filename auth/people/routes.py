"""The pages of people, joined: who may log in here, and what they let apps do."""

import contextlib
from collections.abc import AsyncGenerator, Sequence

from starlette.routing import BaseRoute

from auth.people import account, company_login, consent_page, login
from auth.people.cookies import Cookies
from auth.people.entrance import Entrance
from auth.people.passwords import Passwords
from auth.people.provider import Provider
from auth.server.endpoints import AuthorizationServer
from auth.throttle import Throttle
from hub.config import Settings
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.net.wire import Wire


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, database: Database, keyring: Keyring, server: AuthorizationServer
) -> AsyncGenerator[Sequence[BaseRoute]]:
    """Their routes, until the block ends. Raises BadSettings."""
    async with contextlib.AsyncExitStack() as stack:
        wire = Wire(settings.allowed_networks)
        stack.push_async_callback(wire.aclose)
        passwords = Passwords()
        stack.callback(passwords.close)
        yield routes(
            Entrance(
                settings=settings,
                database=database,
                keyring=keyring,
                server=server,
                throttle=Throttle(database, keyring),
                passwords=passwords,
                provider=Provider.of(settings, wire),
                cookies=Cookies(settings.base_url),
            )
        )


def routes(entrance: Entrance) -> Sequence[BaseRoute]:
    return [
        *login.routes(entrance),
        *company_login.routes(entrance),
        *account.routes(entrance),
        *consent_page.routes(entrance),
    ]
