"""What workers do besides reading integrations: a line for each subject."""

from collections.abc import Sequence

from hub.app import App
from hub.consent import expiry, mailing
from hub.crypto import Keyring
from hub.jobs import Duties
from hub.journal.keeping import Keeper
from hub.privacy import duty as privacy


def duties(app: App) -> Sequence[Duties]:
    """The jobs and rounds of every subject."""
    journal = Duties(rounds=[Keeper(app.database).run])
    mails = mailing.duties(app.database, Keyring.of(app.settings))
    return [
        journal,
        expiry.duties(app.database),
        mails,
        privacy.duties(app.database, app.settings),
    ]
