"""The pages that mails lead to, joined."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route

from auth.consent.confirming import Confirming
from auth.consent.leaving import Leaving
from hub.crypto import Keyring
from hub.db.engine import Database


def routes(database: Database, keyring: Keyring) -> Sequence[BaseRoute]:
    confirming, leaving = Confirming(database, keyring), Leaving(database, keyring)
    return [
        Route("/consent/{token}", confirming.show),
        Route("/consent/{token}", confirming.decide, methods=["POST"]),
        Route("/unsubscribe/{token}", leaving.show),
        Route("/unsubscribe/{token}", leaving.leave, methods=["POST"]),
    ]
