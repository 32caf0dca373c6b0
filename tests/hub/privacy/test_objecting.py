"""An objection refuses a purpose, or all that can be objected to."""

from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from hub.errors import RejectedRecord
from hub.intake import Defaults
from hub.privacy import objecting
from hub.privacy.objecting import Objection
from tests.shop import Shop

SHOWN = 'SELECT EXISTS (SELECT FROM "for_{}".customer WHERE id = $1)'
SAID = """
SELECT purpose, method, evidence, recorded_by FROM consent_entry
 WHERE customer_id = $1 AND state = 'objected' AND superseded_at IS NULL ORDER BY purpose
"""


async def objected(shop: Shop, who: UUID, purpose: str | None = None) -> Objection:
    zone = ZoneInfo("Europe/Moscow")
    return await shop.database.retrying(
        lambda c: objecting.object_to(c, who, purpose, by="command", defaults=Defaults(), zone=zone)
    )


async def shown(shop: Shop, who: UUID, purpose: str) -> bool:
    return await shop.database.owner.fetchval(SHOWN.format(purpose), who)


async def test_objection_refuses_the_purpose(shop: Shop) -> None:
    anna = await shop.id("anna")
    assert await shown(shop, anna, "analytics")
    made = await objected(shop, anna, "analytics")
    assert made.purposes == ["analytics"]
    assert (made.request.state, made.request.records) == ("done", 1)
    assert not await shown(shop, anna, "analytics")
    assert await shown(shop, anna, "email_marketing")


async def test_objection_to_all_leaves_what_is_no_marketing(shop: Shop) -> None:
    anna = await shop.id("anna")
    made = await objected(shop, anna)
    assert {"analytics", "email_marketing", "ads_audiences"} <= set(made.purposes)
    assert not {"customer_service", "profiling", "data_subject_rights"} & set(made.purposes)
    assert not await shown(shop, anna, "email_marketing")
    assert await shown(shop, anna, "customer_service")
    assert await shown(shop, anna, "profiling")


async def test_ledger_names_the_request(shop: Shop) -> None:
    anna = await shop.id("anna")
    made = await objected(shop, anna, "analytics")
    (row,) = await shop.database.owner.fetch(SAID, anna)
    assert tuple(row) == ("analytics", "privacy request", str(made.request.id), "command")


@pytest.mark.parametrize("purpose", ["customer_service", "data_subject_rights", "nonsense"])
async def test_nobody_objects_to_a_contract(shop: Shop, purpose: str) -> None:
    with pytest.raises(RejectedRecord):
        await objected(shop, await shop.id("anna"), purpose)
    assert await shop.database.owner.fetchval("SELECT count(*) FROM privacy_request") == 0
