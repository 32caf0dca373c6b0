"""A client's secret is kept by the present key from its next use on."""

from auth.hashes import new_secret
from auth.server.client_proof import SECRET
from hub.crypto import Keyring
from hub.db.engine import Database
from tests.auth.server.desk import Desk

OLD, NEW = b"o" * 32, b"n" * 32
HASH = "SELECT secret_hash FROM oauth_client WHERE name = 'shop'"


async def test_secret_is_kept_anew_at_its_next_use(database: Database) -> None:
    partner = await Desk(database, Keyring([OLD])).partner()
    desk = Desk(database, Keyring([NEW, OLD]))
    assert (await desk.credentials(partner)).status_code == 200
    kept = await database.owner.fetchval(HASH)
    assert kept == Keyring([NEW]).hashed(SECRET, partner.secret)
    assert (await Desk(database, Keyring([NEW])).credentials(partner)).status_code == 200


async def test_wrong_secret_changes_nothing(database: Database) -> None:
    partner = await Desk(database, Keyring([OLD])).partner()
    before = await database.owner.fetchval(HASH)
    desk = Desk(database, Keyring([NEW, OLD]))
    wrong = (partner.auth[0], new_secret())
    assert (await desk.token(wrong, grant_type="client_credentials")).status_code == 401
    assert await database.owner.fetchval(HASH) == before
