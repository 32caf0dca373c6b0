"""The engine that reads integrations, joined from the hub's rooms for the commands that need it."""

import contextlib
from collections.abc import AsyncGenerator

from auth.vault import Vault
from hub import integrations
from hub.adapter import Adapter, Values
from hub.app import App
from hub.crypto import Keyring
from hub.intake import Defaults
from hub.net import Line, Target
from hub.pace import Pace
from hub.sync import Engine
from hub.sync.claim import Integration


def engine(app: App) -> Engine:
    """Reads over lines of its own, with the credentials of this hub's vault."""
    settings = app.settings
    vault = Vault(app.database, Keyring.of(settings))

    @contextlib.asynccontextmanager
    async def opening(
        integration: Integration, adapter: Adapter, values: Values
    ) -> AsyncGenerator[Line]:
        limits = integrations.limits(adapter, integration.settings)
        pace = Pace(app.database, integration.id, limits, deadline=adapter.seconds)
        target = Target(integration.id, adapter, values)
        line = Line(target, credentials=vault, pace=pace, networks=settings.allowed_networks)
        try:
            yield line
        finally:
            await line.close()

    return Engine(
        database=app.database,
        opening=opening,
        defaults=Defaults.of(settings),
    )
