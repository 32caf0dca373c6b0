"""A token is as good as what stands behind it: client, grant, person, customer."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from auth import clients, roles, users
from auth.clients import Client
from auth.epoch import Epoch
from auth.keys import Signing
from auth.principal import Principal
from auth.tokens import Said, Tokens, sign
from hub import clock
from hub.crypto import Keyring
from hub.db.engine import Database
from hub.errors import Unauthenticated
from tests.auth.conftest import HERE, Issue, outlast
from tests.auth.people.colleagues import colleague

GRANT = """
INSERT INTO oauth_grant (id, client_id, user_id, customer_id, scopes, purposes, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, now() + interval '1 hour')
"""
CUSTOMER = "INSERT INTO customer (id, founder_id) VALUES ($1, $1)"
READS = ("customers:read",)
SERVICE = ("customer_service", "analytics")
OWN = {"scopes": ("privacy:self",), "purposes": ("data_subject_rights",)}


class Signer:
    """Signs tokens with grants behind them."""

    def __init__(self, database: Database, keyring: Keyring, client: Client) -> None:
        self.database, self.client = database, client
        self._signing = Signing(database, keyring)

    async def sign(self, said: Said) -> str:
        return sign(*await self._signing.current(), said, base_url=HERE)[0]

    async def granted(self, said: Said) -> Said:
        """With a grant that says the same."""
        id_ = clock.new_id()
        about = (said.user_id, said.customer_id, said.scopes, said.purposes)
        await self.database.owner.execute(GRANT, id_, said.client, *about)
        return replace(said, grant_id=id_)

    async def of_person(self, user: UUID) -> str:
        return await self.sign(
            await self.granted(Said(self.client.id, READS, SERVICE, user_id=user))
        )


@pytest.fixture
def signer(database: Database, keyring: Keyring, client: Client) -> Signer:
    return Signer(database, keyring, client)


@pytest.fixture
async def bound(database: Database, signer: Signer) -> Said:
    """What a token of one customer's says."""
    id_ = clock.new_id()
    await database.owner.execute(CUSTOMER, id_)
    await database.owner.execute(
        "UPDATE oauth_client SET scopes = scopes || '{customers:exchange}'::text[]"
    )
    return await signer.granted(Said(signer.client.id, customer_id=id_, **OWN))


async def refused(known: Tokens, token: str, match: str) -> None:
    with pytest.raises(Unauthenticated, match=match):
        await known.principal(token)


async def test_person_gives_what_their_roles_have(
    database: Database, signer: Signer, known: Tokens
) -> None:
    user = await colleague(database, roles=["support"])
    principal = await known.principal(await signer.of_person(user.id))
    assert (principal.user_id, principal.user) == (user.id, user.name)
    assert (principal.scopes, principal.purposes) == ({*READS}, ("customer_service",))


async def test_taken_role_counts_at_once(
    database: Database, signer: Signer, known: Tokens, epoch: Epoch
) -> None:
    user = await colleague(database, roles=["support", "reader"])
    token = await signer.of_person(user.id)
    assert (await known.principal(token)).purposes == SERVICE
    for taken, left in (("reader", ("customer_service",)), ("support", ())):
        number = epoch.number
        await database.owner.execute("DELETE FROM user_role WHERE role_key = $1", taken)
        await epoch.beyond(number, seconds=30)
        assert known.known(token) is None
        assert (await known.principal(token)).purposes == left


async def test_claimed_role_counts(database: Database, signer: Signer, known: Tokens) -> None:
    user = await colleague(database, roles=[])
    token = await signer.of_person(user.id)
    assert (await known.principal(token)).scopes == frozenset()
    await database.owner.execute("""UPDATE "user" SET claimed_roles = '{reader}'""")
    fresh = Tokens(database)
    assert (await fresh.principal(token)).scopes == {*READS}


async def test_disabled_person_is_refused(
    database: Database, signer: Signer, known: Tokens
) -> None:
    user = await colleague(database)
    token = await signer.of_person(user.id)
    await database.owner.execute("""UPDATE "user" SET disabled_at = now()""")
    await refused(known, token, "person who gave")


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE oauth_grant SET ended_at = now()",
        "UPDATE oauth_grant SET expires_at = now()",
        "DELETE FROM oauth_grant",
        "UPDATE oauth_grant SET user_id = NULL",
    ],
)
async def test_ended_grant_is_refused(
    database: Database, signer: Signer, known: Tokens, end: str
) -> None:
    user = await colleague(database)
    token = await signer.of_person(user.id)
    assert await known.principal(token)
    await database.owner.execute(end)
    await refused(Tokens(database), token, "has ended")


async def test_token_expires_with_its_grant(
    database: Database, signer: Signer, known: Tokens
) -> None:
    user = await colleague(database)
    token = await signer.of_person(user.id)
    ends = await database.owner.fetchval(
        "UPDATE oauth_grant SET expires_at = now() + interval '1 minute' RETURNING expires_at"
    )
    assert (await known.principal(token)).expires_at == ends


async def test_narrowed_grant_narrows(database: Database, signer: Signer, known: Tokens) -> None:
    user = await colleague(database)
    token = await signer.of_person(user.id)
    await database.owner.execute("UPDATE oauth_grant SET scopes = '{}'")
    assert (await known.principal(token)).scopes == frozenset()


async def test_person_without_a_grant_is_refused(
    database: Database, signer: Signer, known: Tokens
) -> None:
    user = await colleague(database)
    said = Said(signer.client.id, READS, SERVICE, user_id=user.id)
    await refused(known, await signer.sign(said), "has ended")
    theirs = replace(await signer.granted(said), user_id=None)
    await refused(known, await signer.sign(theirs), "has ended")


async def test_grant_of_another_client_is_refused(
    database: Database, signer: Signer, known: Tokens
) -> None:
    other = await clients.create(
        database.owner, "other", scopes=["customers:read"], purposes=["analytics"]
    )
    said = await signer.granted(Said(signer.client.id, READS, SERVICE))
    await refused(known, await signer.sign(replace(said, client=other.id)), "has ended")


async def test_revoked_token_is_refused(
    database: Database, issue: Issue, known: Tokens, epoch: Epoch
) -> None:
    token, other = await issue(), await issue()
    principal, number = await known.principal(token), epoch.number
    await database.owner.execute(
        "INSERT INTO revoked_token VALUES ($1, now() + interval '1 hour')", principal.token_id
    )
    await epoch.beyond(number, seconds=30)
    await refused(known, token, "revoked")
    assert await known.principal(other)


async def test_expired_client_is_refused(database: Database, issue: Issue, known: Tokens) -> None:
    """Of that nobody tells: it is a matter of time."""
    token = await issue()
    await database.owner.execute("UPDATE oauth_client SET expires_at = now() + interval '1 second'")
    assert await known.principal(token)
    with pytest.raises(Unauthenticated, match="has expired"):
        await outlast(known, token)


async def test_bound_token_is_its_customers(signer: Signer, known: Tokens, bound: Said) -> None:
    principal = await known.principal(await signer.sign(bound))
    assert principal.customer_id == bound.customer_id
    assert principal.scopes == {"privacy:self"}
    assert principal.purposes == ("data_subject_rights",)


@pytest.mark.parametrize(
    ("end", "match"),
    [
        ("UPDATE customer SET status = 'merged'", "no longer there|has ended"),
        ("UPDATE customer SET erased_at = now()", "no longer there|has ended"),
        ("DELETE FROM customer", "no longer there|has ended"),
        ("UPDATE oauth_client SET scopes = '{customers:read}'", "act for customers"),
    ],
)
async def test_bound_token_ends(
    database: Database, signer: Signer, known: Tokens, bound: Said, end: str, match: str
) -> None:
    await database.owner.execute(end)
    await refused(known, await signer.sign(bound), match)


async def test_bound_token_of_somebody_else_is_refused(
    database: Database, signer: Signer, known: Tokens, bound: Said
) -> None:
    other = clock.new_id()
    await database.owner.execute(CUSTOMER, other)
    for said in (replace(bound, customer_id=other), replace(bound, grant_id=None)):
        await refused(known, await signer.sign(said), "has ended")


async def test_restricted_customer_keeps_their_token(
    database: Database, signer: Signer, known: Tokens, bound: Said
) -> None:
    await database.owner.execute("UPDATE customer SET restricted_at = now()")
    assert await known.principal(await signer.sign(bound))


@pytest.mark.parametrize("scopes", [("privacy:self",), READS])
async def test_rights_of_people_want_a_scope(
    database: Database, signer: Signer, known: Tokens, scopes: tuple[str, ...]
) -> None:
    """Who is bound to nobody may not act for a customer, whatever the client has."""
    await database.owner.execute(
        "UPDATE oauth_client SET scopes = $1, purposes = '{data_subject_rights}'", list(scopes)
    )
    said = Said(signer.client.id, scopes, ("data_subject_rights",))
    principal = await known.principal(await signer.sign(said))
    assert (principal.scopes, principal.purposes) == ({*scopes} - {"privacy:self"}, ())


async def test_limits_of_a_client_are_told(database: Database, issue: Issue, known: Tokens) -> None:
    await database.owner.execute(
        "UPDATE oauth_client SET cost_per_second = 7, requests_per_second = 0"
    )
    principal = await known.principal(await issue())
    assert (principal.cost_per_second, principal.requests_per_second) == (7, 0)


async def test_many_are_looked_up_at_once(
    database: Database, signer: Signer, known: Tokens, client: Client
) -> None:
    user = await colleague(database)
    good = [await signer.of_person(user.id) for _ in range(20)]
    bad = [await signer.sign(Said(uuid4(), READS, SERVICE)) for _ in range(20)]
    answers = await asyncio.gather(
        *(known.principal(token) for pair in zip(good, bad, strict=True) for token in pair),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [Principal, Unauthenticated] * 20


async def test_seen_token_is_not_verified_again(
    database: Database, issue: Issue, known: Tokens, epoch: Epoch
) -> None:
    token = await issue()
    await known.principal(token)
    number = epoch.number
    await database.owner.execute("UPDATE oauth_client SET purposes = '{analytics}'")
    await epoch.beyond(number, seconds=30)
    assert (await known.principal(token)).purposes == ("analytics",)
    assert known.figures()["tokens_verified"] == 1


async def test_token_that_ends_is_told(
    database: Database, signer: Signer, known: Tokens, epoch: Epoch
) -> None:
    user = await colleague(database, roles=["support", "reader"])
    principals = [await known.principal(await signer.of_person(user.id)) for _ in range(2)]
    ends = [asyncio.create_task(known.ended(principal)) for principal in principals]
    await database.owner.execute("UPDATE role SET title = 'x'")
    done, _ = await asyncio.wait(ends, timeout=0.5)
    assert not done
    await database.owner.execute(
        "UPDATE oauth_grant SET ended_at = now() WHERE id = $1", principals[0].grant_id
    )
    await asyncio.wait_for(ends[0], 30)
    assert not ends[1].done()
    await database.owner.execute("DELETE FROM user_role WHERE role_key = 'reader'")
    await asyncio.wait_for(ends[1], 30)


async def test_token_whose_limits_change_is_told(
    database: Database, issue: Issue, known: Tokens
) -> None:
    ending = asyncio.create_task(known.ended(await known.principal(await issue())))
    await database.owner.execute("UPDATE oauth_client SET cost_per_second = 10")
    await asyncio.wait_for(ending, 30)


async def test_claims_are_read_alone(
    database: Database, issue: Issue, known: Tokens, client: Client
) -> None:
    token = await issue()
    await database.owner.execute("DELETE FROM oauth_client")
    said = await known.claims(token)
    assert (said.client_id, said.exp - said.iat) == (client.id, timedelta(minutes=10).seconds)


async def test_roles_agree_with_those_of_people(
    database: Database, signer: Signer, known: Tokens, client: Client
) -> None:
    """The look-up says of a person what `users.rights` says of them."""
    wide = [role.key for role in await roles.listed(database.owner)]
    user = await colleague(database, roles=wide[:2])
    await database.owner.execute("""UPDATE "user" SET claimed_roles = $1""", wide[2:4])
    theirs = await users.rights(database.owner, user.id)
    await database.owner.execute(
        "UPDATE oauth_client SET scopes = $1, purposes = $2",
        list(theirs.scopes),
        list(theirs.purposes),
    )
    said = Said(client.id, theirs.scopes, theirs.purposes, user_id=user.id)
    principal = await known.principal(await signer.sign(await signer.granted(said)))
    assert principal.scopes == frozenset(theirs.unbound().scopes)
    assert principal.purposes == theirs.unbound().purposes
