"""Connected systems as people deal with them: nothing half said is taken, nothing is lost."""

from datetime import timedelta
from typing import Any

import pytest

from hub import integrations
from hub.adapter import Limit
from hub.db.connection import Connection
from hub.errors import AddressRefused, BadInput, BadMapping, Conflict, NotFound
from hub.intake import Incoming, record
from hub.integrations import Added, add, listed, named
from hub.records import Customer
from tests.schema.connected import ERP, GIVEN, NOON, STATE, connect, run

HOUR = timedelta(hours=1)


async def added(connection: Connection, given: Any = GIVEN, **more: Any) -> Added:
    return await add(connection, "shop", ERP, given, **more)


async def column(connection: Connection, name: str) -> Any:
    return await connection.fetchval(f"SELECT {name} FROM integration WHERE name = 'shop'")


async def test_new_integration_is_read_at_once(connection: Connection) -> None:
    made = await added(connection)
    assert (made.is_new, made.secrets) == (True, {"password": "secret"})
    known = await named(connection, "shop")
    assert (known.id, known.state, known.every) == (made.id, "active", timedelta(minutes=15))
    assert known.settings == {"url": "https://erp.example.com"}
    assert known.reconcile == timedelta(days=1)
    assert await column(connection, "next_sync_at <= now()")


async def test_secrets_show_nowhere(connection: Connection) -> None:
    made = await added(connection)
    assert "secret" not in repr(made)
    row = await connection.fetchrow("SELECT i::text FROM integration i")
    assert "secret" not in row[0]


async def test_what_is_given_changes_the_rest_stays(connection: Connection) -> None:
    await added(connection, every=HOUR, limit=Limit(10, 1))
    again = await added(connection, {"user": "reader"})
    assert (again.is_new, again.secrets) == (False, {})
    known = await named(connection, "shop")
    assert known.settings == {
        "url": "https://erp.example.com",
        "user": "reader",
        "calls": "10",
        "seconds": "1",
    }
    assert known.every == HOUR


async def test_limits_are_the_vendors_and_ones_own(connection: Connection) -> None:
    await added(connection, limit=Limit(10, 0.5))
    settings = (await named(connection, "shop")).settings
    assert integrations.limits(ERP, settings) == (Limit(10, 0.5),)
    await added(connection, {}, limit=None)
    assert integrations.limits(ERP, (await named(connection, "shop")).settings) == ()


async def test_off_is_never_due(connection: Connection) -> None:
    await added(connection, every=None, reconcile=None)
    assert await column(connection, "next_sync_at") is None
    assert await column(connection, "next_reconcile_at") is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"password": "secret"}, r"missing: url \(such as https://erp.example.com\)\."),
        ({"url": "https://erp.example.com"}, r"missing: password \(Password\)\."),
        ({}, r"missing: url \(.+\), password \(Password\)\."),
        ({**GIVEN, "url": "file:///etc"}, "url can not be that: such as"),
        ({**GIVEN, "colour": "red"}, "has no setting colour; there are url, user, password"),
        ({**GIVEN, "password": "sec\nret"}, "password can not be that"),
        ({**GIVEN, "user": "x" * 2001}, "user can not be that"),
        ({**GIVEN, "user": "\udcff"}, "user can not be that"),
    ],
)
async def test_unfit_settings_are_refused(connection: Connection, given: Any, told: str) -> None:
    with pytest.raises(BadInput, match=told) as refused:
        await added(connection, given)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://hub:secret@erp.example.com", "https://erp/?key=secret"])
async def test_address_holds_no_secret(connection: Connection, url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        await added(connection, {**GIVEN, "url": url})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "error"), [("Shop 1", BadInput), ("", BadInput), ("hub", BadInput), ("crm", Conflict)]
)
async def test_unfit_names_are_refused(
    connection: Connection, name: str, error: type[Exception]
) -> None:
    await connection.execute("INSERT INTO source (key, kind) VALUES ('crm', 'file')")
    with pytest.raises(error):
        await add(connection, name, ERP, GIVEN)


@pytest.mark.parametrize("span", [timedelta(seconds=1), timedelta(days=4000)])
async def test_unfit_rhythm_is_refused(connection: Connection, span: timedelta) -> None:
    with pytest.raises(BadInput, match="every lies between"):
        await added(connection, every=span)


async def test_another_adapter_is_refused(connection: Connection) -> None:
    await added(connection)
    await connection.execute("UPDATE integration SET adapter = 'other'")
    with pytest.raises(Conflict, match="is connected by other"):
        await added(connection)


@pytest.mark.parametrize("name", ["none", "", "a\0", "\udcff"])
async def test_unknown_name_is_not_found(connection: Connection, name: str) -> None:
    with pytest.raises(NotFound, match="There is no integration"):
        await named(connection, name)


async def test_paused_one_is_not_due_until_resumed(connection: Connection) -> None:
    await added(connection)
    await integrations.pause(connection, "shop")
    await added(connection, {"user": "reader"})
    assert await column(connection, "(state, next_sync_at)") == ("paused", None)
    await integrations.resume(connection, "shop")
    assert await column(connection, "state") == "active"
    assert await column(connection, "next_sync_at <= now()")
    with pytest.raises(Conflict, match="is not paused, but active"):
        await integrations.resume(connection, "shop")


STOP = """
UPDATE integration SET state = 'stopped', code = 'VENDOR_REFUSED', message = 'Do something.',
       failures = 3, hold_until = now() + interval '1 day', next_sync_at = NULL
"""
STREAMS = """
INSERT INTO stream_state (integration_id, stream, since)
SELECT id, s, now() FROM integration, unnest('{customers,orders}'::text[]) s
"""


KEPT = """
INSERT INTO source_item (source_id, stream, external_id, item) VALUES ($1, 'customers', '1', $2)
"""
REFUSED = """
INSERT INTO rejected_record (source_id, stream, external_id, field, reason, recorded, resolved_at)
VALUES ($1, 'customers', '7', 'name', 'is no text', false, NULL),
       ($1, 'customers', '9', '', 'has no id', false, now()),
       ($1, 'orders', '8', 'phone', 'is no number', true, NULL)
"""


async def test_change_lifts_what_stopped_it(connection: Connection) -> None:
    await added(connection)
    await connection.execute(STOP)
    await added(connection, {"user": "reader"})
    assert await column(connection, "(state, code, message)") == ("active", "", "")


async def test_secrets_go_nowhere_else(connection: Connection) -> None:
    await added(connection)
    with pytest.raises(BadInput, match=r"anew for a new address: password \(P"):
        await added(connection, {"url": "https://new.example.com"})
    again = await added(connection, {**GIVEN, "url": "https://new.example.com"})
    assert again.secrets == {"password": "secret"}


async def test_reconcile_is_not_put_off(connection: Connection) -> None:
    await added(connection)
    before = await column(connection, "next_reconcile_at")
    await added(connection)
    assert await column(connection, "next_reconcile_at") == before
    await added(connection, reconcile=HOUR)
    assert await column(connection, "next_reconcile_at") < before


async def test_reset_forgets_places_and_ends_the_run(connection: Connection) -> None:
    made = await added(connection)
    await connection.execute(STOP)
    await connection.execute(STREAMS)
    await run(connection, made.id, "running")
    await integrations.reset(connection, "shop", ERP)
    assert await connection.fetchval("SELECT count(*) FROM stream_state") == 0
    assert await connection.fetchval("SELECT state FROM sync_run") == "cancelled"
    assert await column(connection, "(state, message, failures, hold_until)") == (
        *("active", "", 0),
        None,
    )


async def test_reset_of_a_stream_leaves_the_others(connection: Connection) -> None:
    await added(connection)
    await connection.execute(STREAMS)
    await integrations.reset(connection, "shop", ERP, streams=["orders"])
    assert await connection.fetchval("SELECT stream FROM stream_state") == "customers"
    with pytest.raises(BadInput, match="has no stream deals"):
        await integrations.reset(connection, "shop", ERP, streams=["deals"])


async def test_reset_does_not_resume(connection: Connection) -> None:
    await added(connection)
    await integrations.pause(connection, "shop")
    await integrations.reset(connection, "shop", ERP)
    assert await column(connection, "(state, next_sync_at)") == ("paused", None)


async def test_mapping_is_kept(connection: Connection) -> None:
    await added(connection)
    await connection.execute(
        "INSERT INTO attribute_definition (key, type) VALUES ('level', 'text')"
    )
    said = {"customers": {"fields": {"city": "town"}, "attributes": {"level": "x_level"}}}
    await integrations.configure(connection, "shop", ERP, said)
    assert (await named(connection, "shop")).mapping == said


async def test_bad_mapping_leaves_the_old(connection: Connection) -> None:
    await added(connection)
    with pytest.raises(BadMapping, match=r"attributes\.level: no such attribute is declared"):
        await integrations.configure(
            connection, "shop", ERP, {"customers": {"attributes": {"level": "x"}}}
        )
    assert (await named(connection, "shop")).mapping == {}


async def test_mapping_declares_what_it_fills(connection: Connection) -> None:
    await added(connection)
    said = {"customers": {"attributes": {"level": "x_level"}}}
    declared = {"attributes": {"level": {"type": "number", "category": "trade"}}}
    await integrations.configure(connection, "shop", ERP, {**declared, **said})
    assert (await named(connection, "shop")).mapping == said
    row = await connection.fetchrow("SELECT type, category FROM attribute_definition")
    assert tuple(row) == ("number", "trade")
    other = {"attributes": {"level": {"type": "text"}}}
    with pytest.raises(BadMapping, match="level is declared already, as number"):
        await integrations.configure(connection, "shop", ERP, {**other, **said})


async def test_field_that_nothing_has_is_unread(connection: Connection) -> None:
    await added(connection)
    said = {"customers": {"fields": {"city": "name", "locale": "lang.code"}, "tags": ["groups"]}}
    await integrations.configure(connection, "shop", ERP, said)
    known = await named(connection, "shop")
    assert await integrations.unread(connection, known, ERP) == []
    await connection.execute(KEPT, known.source_id, b'{"id": 1, "name": "A", "lang.": null}')
    assert await integrations.unread(connection, known, ERP) == ["groups"]


async def test_streams_and_runs_tell_how_far_it_is(connection: Connection) -> None:
    made = await added(connection)
    counts = b'{"orders": {"read": 3, "rejected": 1}}'
    await run(connection, made.id, "failed", mode="full")
    await run(connection, made.id, "done", counts=counts)
    known = await named(connection, "shop")
    await connection.execute(STATE, known.id, NOON)
    await connection.execute(KEPT, known.source_id, b"{}")
    await connection.execute(REFUSED, known.source_id)
    customers, orders = await integrations.streams(connection, known, ["customers", "orders"])
    assert (customers.since, customers.kept, customers.rejected) == (NOON, 0, 1)
    assert (orders.since, orders.read_at) == (None, None)
    last, first = await integrations.runs(connection, known, 5)
    assert (last.state, last.counts) == ("done", {"orders": {"read": 3, "rejected": 1}})
    assert (first.state, first.mode) == ("failed", "full")
    assert await integrations.runs(connection, known, 1) == [last]


async def test_rejected_are_those_not_resolved(connection: Connection) -> None:
    await added(connection)
    known = await named(connection, "shop")
    await connection.execute(REFUSED, known.source_id)
    found = await integrations.rejected(connection, known, first=1)
    assert (found.total, [one.external_id for one in found.rejected]) == (2, ["8"])
    rest = await integrations.rejected(connection, known, first=1, after=found.after)
    assert [(one.stream, one.reason) for one in rest.rejected] == [("customers", "is no text")]
    assert rest.after is None
    orders = await integrations.rejected(connection, known, streams=["orders"], first=5)
    assert (orders.total, orders.rejected[0].is_recorded) == (1, True)


AGAIN = "UPDATE rejected_record SET created_at = clock_timestamp() WHERE external_id = $1"


async def test_page_goes_on_where_one_ended(connection: Connection) -> None:
    """Also when what was shown, or what comes, is rejected once more meanwhile."""
    await added(connection)
    known = await named(connection, "shop")
    for number in range(5):
        await connection.execute(REJECTED_ALONE, known.source_id, str(number))
    first = await integrations.rejected(connection, known, first=2)
    await connection.execute(AGAIN, "4")
    rest = await integrations.rejected(connection, known, first=5, after=first.after)
    shown = [*first.rejected, *rest.rejected]
    assert [one.external_id for one in shown] == ["4", "3", "2", "1", "0"]


REJECTED_ALONE = """
INSERT INTO rejected_record (source_id, stream, external_id, field, reason, created_at)
VALUES ($1, 'customers', $2, 'name', 'is no text', clock_timestamp())
"""


@pytest.mark.parametrize(
    "after", ["", "x", "17", "x+00:00/17", "2026-03-01T12:00:00/17", "2026-03-01T12:00:00+00:00/-1"]
)
async def test_place_is_one_that_was_told(connection: Connection, after: str) -> None:
    await added(connection)
    known = await named(connection, "shop")
    with pytest.raises(BadInput, match="the page before told"):
        await integrations.rejected(connection, known, first=1, after=after)


async def test_overview_counts(connection: Connection) -> None:
    made = await added(connection)
    await connect(connection, "empty")
    await run(connection, made.id, "done", mode="full")
    await run(connection, made.id, "failed", mode="incremental")
    async with connection.transaction():
        batch = [Incoming(Customer(external_id="1"), 1)]
        await record(connection, batch, source="shop", cause="sync")
    empty, shop = await listed(connection)
    assert (empty.integration.name, empty.records, empty.run_state) == ("empty", 0, None)
    assert (shop.records, shop.rejected) == (1, 0)
    assert (shop.run_state, shop.run_mode) == ("failed", "incremental")


async def test_records_keep_their_integration(connection: Connection) -> None:
    await added(connection)
    async with connection.transaction():
        batch = [Incoming(Customer(external_id="1"), 1)]
        await record(connection, batch, source="shop", cause="sync")
    with pytest.raises(Conflict, match="There are records of shop"):
        await integrations.remove(connection, "shop")
    await integrations.remove(connection, "shop", keep_records=True)
    assert await connection.fetchval("SELECT count(*) FROM source_record") == 1
    assert (await added(connection)).is_new


OF_A_FILE = """
INSERT INTO rejected_record (source_id, row_number, field, reason) VALUES ($1, 3, 'email', 'no')
"""


async def test_rejections_go_with_their_integration(connection: Connection) -> None:
    """Those of a file with the same source stay."""
    await added(connection)
    known = await named(connection, "shop")
    await connection.execute(REFUSED, known.source_id)
    await connection.execute(OF_A_FILE, known.source_id)
    await integrations.remove(connection, "shop", keep_records=True)
    assert await connection.fetchval("SELECT count(*) FROM rejected_record") == 1
    await added(connection)
    again = await integrations.rejected(connection, await named(connection, "shop"), first=5)
    assert (again.total, again.rejected, again.after) == (0, [], None)
