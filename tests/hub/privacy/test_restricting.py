"""A restriction hides a person at once, goes with their records, and ends when it is lifted."""

from uuid import UUID

import pytest

from hub.db.connection import Connection
from hub.db.engine import Database
from hub.errors import Conflict
from hub.identity import decisions
from hub.privacy import restricting
from hub.records import Customer, Identifier
from tests.overtaking import overtaking
from tests.shop import Shop, said

SHOWN = 'SELECT EXISTS (SELECT FROM "for_{}".customer WHERE id = $1)'
EVENTS = "SELECT type FROM event WHERE customer_id = $1 AND cause = 'privacy' ORDER BY seq"


async def restrict(database: Database, customer: UUID, by: str = "command") -> UUID:
    made = await database.retrying(lambda c: restricting.restrict(c, customer, by=by))
    return made.id


async def lift(database: Database, customer: UUID, by: str = "command") -> list[UUID]:
    found = await database.retrying(lambda c: restricting.lift(c, customer, by=by))
    return [one.id for one in found]


async def shown(database: Database, customer: UUID, purpose: str = "customer_service") -> bool:
    return await database.owner.fetchval(SHOWN.format(purpose), customer)


async def merged(database: Database, left: UUID, right: UUID) -> tuple[UUID, UUID]:
    """The decision, and who they are together."""
    return await database.retrying(lambda c: decisions.merge(c, left, right, by="test", limit=50))


async def undo(database: Database, decision: UUID) -> None:
    await database.retrying(lambda c: decisions.undo(c, decision, by="test", limit=50))


async def test_restricted_are_shown_to_the_law_alone(shop: Shop) -> None:
    anna = await shop.id("anna")
    await restrict(shop.database, anna)
    assert not await shown(shop.database, anna)
    assert not await shown(shop.database, anna, "email_marketing")
    assert await shown(shop.database, anna, "data_subject_rights")


async def test_lifting_shows_them_again(shop: Shop) -> None:
    anna = await shop.id("anna")
    made = await restrict(shop.database, anna)
    assert await lift(shop.database, anna) == [made]
    assert await shown(shop.database, anna)
    found = [row["type"] for row in await shop.database.owner.fetch(EVENTS, anna)]
    assert found == ["customer.restricted", "customer.unrestricted"]


async def test_twice_is_once(shop: Shop) -> None:
    anna = await shop.id("anna")
    assert await restrict(shop.database, anna) == await restrict(shop.database, anna)
    await lift(shop.database, anna)
    assert await lift(shop.database, anna) == []
    assert len(await shop.database.owner.fetch(EVENTS, anna)) == 2


async def test_person_does_not_lift_what_others_asked(shop: Shop) -> None:
    anna = await shop.id("anna")
    await restrict(shop.database, anna)
    with pytest.raises(Conflict, match="ask the retailer"):
        await lift(shop.database, anna, by="person")
    assert not await shown(shop.database, anna)


async def test_restricted_restricts_whom_they_become(shop: Shop) -> None:
    anna, boris = await shop.id("anna"), await shop.id("boris")
    await restrict(shop.database, boris)
    decision, both = await merged(shop.database, anna, boris)
    assert not await shown(shop.database, both)
    await undo(shop.database, decision)
    assert await shown(shop.database, await shop.id("anna"))
    assert not await shown(shop.database, await shop.id("boris"))


async def test_lifted_while_they_were_one(shop: Shop) -> None:
    """Whoever comes apart again is not what they were before."""
    anna, boris = await shop.id("anna"), await shop.id("boris")
    await restrict(shop.database, boris)
    decision, both = await merged(shop.database, anna, boris)
    await lift(shop.database, both)
    await undo(shop.database, decision)
    assert await shown(shop.database, await shop.id("anna"))
    assert await shown(shop.database, await shop.id("boris"))


async def test_both_halves_of_a_restricted_stay_so(shop: Shop) -> None:
    anna, boris = await shop.id("anna"), await shop.id("boris")
    decision, both = await merged(shop.database, anna, boris)
    await restrict(shop.database, both)
    await undo(shop.database, decision)
    assert not await shown(shop.database, await shop.id("anna"))
    assert not await shown(shop.database, await shop.id("boris"))


async def test_asked_again_of_both_restricts_both_halves(shop: Shop) -> None:
    anna, boris = await shop.id("anna"), await shop.id("boris")
    await restrict(shop.database, anna)
    decision, both = await merged(shop.database, anna, boris)
    assert await restrict(shop.database, both) == await restrict(shop.database, both)
    await undo(shop.database, decision)
    assert not await shown(shop.database, await shop.id("anna"))
    assert not await shown(shop.database, await shop.id("boris"))


async def test_lifting_one_half_leaves_the_other(shop: Shop) -> None:
    anna, boris = await shop.id("anna"), await shop.id("boris")
    decision, both = await merged(shop.database, anna, boris)
    await restrict(shop.database, both)
    await undo(shop.database, decision)
    await lift(shop.database, await shop.id("anna"))
    assert await shown(shop.database, await shop.id("anna"))
    assert not await shown(shop.database, await shop.id("boris"))
    await lift(shop.database, await shop.id("boris"))
    assert await shown(shop.database, await shop.id("boris"))


async def test_new_record_of_a_restricted_is_restricted(shop: Shop) -> None:
    boris = await shop.id("boris")
    await restrict(shop.database, boris)
    mail = Identifier(type="email", value="boris@example.org")
    await said(shop.database, [Customer(external_id="b2", identifiers=(mail,))], "erp")
    assert await shop.id("b2") == boris
    assert not await shown(shop.database, boris)


async def test_restricted_while_they_are_merged(shop: Shop) -> None:
    pair = {await shop.id("anna"), await shop.id("boris")}

    async def late(connection: Connection) -> None:
        (gone,) = pair - {both}
        await restricting.restrict(connection, gone, by="command")

    async with overtaking(shop.database, late) as connection:
        _, both = await decisions.merge(connection, *pair, by="test", limit=50)
    assert not await shown(shop.database, both)


async def test_lifted_while_they_are_merged(shop: Shop) -> None:
    pair = {await shop.id("anna"), await shop.id("boris")}
    for one in pair:
        await restrict(shop.database, one)

    async def late(connection: Connection) -> None:
        (gone,) = pair - {both}
        await restricting.lift(connection, gone, by="command")

    async with overtaking(shop.database, late) as connection:
        _, both = await decisions.merge(connection, *pair, by="test", limit=50)
    assert await shown(shop.database, both)
