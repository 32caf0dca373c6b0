"""How many people a purpose does not see: told by reason, to whoever may read consents."""

from hub.clock import new_id
from schema.request import Request
from tests.shop import Shop

WITHHELD = "{ purposes { key withheld { reason customers } } }"
REFUSED = "INSERT INTO customer (id, founder_id, refused) VALUES ($1, $1, 2)"


async def withheld(shop: Shop, purpose: str) -> dict[str, int | None]:
    """What is told of analytics, under whichever purpose."""
    for found in (await shop.data(WITHHELD, purpose=purpose))["purposes"]:
        if found["key"] == "analytics":
            return {one["reason"]: one["customers"] for one in found["withheld"]}
    raise LookupError


async def test_purposes_tell_whom_they_do_not_see(shop: Shop) -> None:
    nobody = {"ERASED": None, "RESTRICTED": None, "REFUSED": None}
    assert await withheld(shop, "customer_service") == nobody
    await shop.database.owner.executemany(REFUSED, [(new_id(),) for _ in range(20)])
    for purpose in ("customer_service", "email_marketing", "data_subject_rights"):
        assert await withheld(shop, purpose) == {**nobody, "REFUSED": 21}


async def test_it_takes_a_scope(shop: Shop) -> None:
    assert await shop.code(WITHHELD, without=["consents:read"]) == "FORBIDDEN"


async def test_counting_everybody_costs(shop: Shop) -> None:
    (told, bare) = [
        shop.engine.prepared(Request(query=text), shop.caller()).cost
        for text in (WITHHELD, "{ purposes { key } }")
    ]
    assert told > bare + 1_000
