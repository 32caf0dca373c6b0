"""Connected systems as they are asked for, and asked to be read."""

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from hub import registry
from hub.integrations import pause
from schema.request import Outcome
from schema.scalars import global_id, raw_id
from tests.properties.test_both_ways import compared
from tests.schema.connected import NOON, connect_all
from tests.shop import Shop, caller

RUN = (
    "id mode state code message stream streams counts requestedBy createdAt startedAt finishedAt"
    " __typename"
)
PAGE = """
  totalCount hasMore pageInfo { startCursor endCursor hasNextPage hasPreviousPage } __typename
"""
WHOLE = f"""
  id name adapter state code message source {{ key kind }} everySeconds nextSyncAt holdUntil
  createdAt __typename streams {{ stream since readAt reconciledAt __typename }}
  runs {{ nodes {{ {RUN} }} {PAGE} }} last: runs(first: 1) {{ nodes {{ state }} }}
  rejectedRecords {{ {PAGE} edges {{ cursor node {{
    stream externalId field reason isRecorded createdAt resolvedAt __typename }} }} }}
"""
ADAPTERS = """{ adapters { key title family docs erasure __typename
  settings { key title help isSecret default __typename } streams { key title kind }
  s: settings { k: key } } }"""


@pytest.fixture
async def connected(shop: Shop) -> Shop:
    await connect_all(shop.database)
    return shop


async def test_integration_tells_of_itself(connected: Shop) -> None:
    query = f'{{ integration(name: "office") {{ {WHOLE} }} }}'
    found = (await connected.data(query))["integration"]
    assert (found["adapter"], found["state"], found["everySeconds"]) == ("erp", "ACTIVE", 900)
    assert found["source"] == {"key": "office", "kind": "integration"}
    assert [one["stream"] for one in found["streams"]] == ["customers", "orders"]
    assert [run["state"] for run in found["runs"]["nodes"]] == ["RUNNING", "DONE"]
    assert found["last"] == {"nodes": [{"state": "RUNNING"}]}
    rejected = found["rejectedRecords"]
    assert [edge["node"]["externalId"] for edge in rejected["edges"]] == ["9", "7"]
    assert (rejected["totalCount"], rejected["pageInfo"]["hasNextPage"]) == (2, False)


async def test_run_tells_what_it_did(connected: Shop) -> None:
    query = f'{{ integration(name: "office") {{ runs {{ nodes {{ {RUN} }} }} }} }}'
    _, run = (await connected.data(query))["integration"]["runs"]["nodes"]
    assert run["counts"] == {"orders": {"read": 3, "created": 2, "rejected": 1}}
    assert (run["mode"], run["streams"], run["requestedBy"]) == ("FULL", ["orders"], "schedule")
    assert run["finishedAt"] == NOON.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def test_integrations_are_listed_by_name(connected: Shop) -> None:
    query = "query ($n: Int) { integrations(first: $n) { name } }"
    both = [{"name": "office"}, {"name": "works"}]
    assert (await connected.data(query))["integrations"] == both
    assert (await connected.data(query, {"n": 1}))["integrations"] == both[:1]


async def test_unknown_integration_is_null(connected: Shop) -> None:
    assert await connected.data('{ integration(name: "none") { id } }') == {"integration": None}


async def test_adapters_are_those_installed(shop: Shop) -> None:
    found = (await shop.data(ADAPTERS))["adapters"]
    assert [one["key"] for one in found] == list(registry.adapters())
    for one, adapter in zip(found, registry.adapters().values(), strict=True):
        assert one["s"] == [{"k": setting.key} for setting in adapter.settings]
        assert one["erasure"] == adapter.privacy.by_hand


@pytest.mark.parametrize(
    "query",
    [
        f"{{ integrations {{ {WHOLE} }} }}",
        f'query ($name: String = "works") {{ integration(name: $name) {{ {WHOLE} }} }}',
        f'{{ integration(name: "office") {{ {WHOLE} }} a: integration(name: "x") {{ name }} }}',
        """query ($n: Int = 1, $is: Boolean = false) { integrations { name
          runs(last: $n, where: {state: {in: [DONE, RUNNING]}, mode: {eq: FULL}}) {
            edges { cursor node { mode state } } pageInfo { startCursor hasPreviousPage } }
          rejectedRecords(first: $n, orderBy: OLDEST, where: {or: [{isResolved: $is},
            {stream: {eq: "orders"}}]}) { nodes { stream } pageInfo { endCursor } totalCount } } }
        """,
        ADAPTERS,
    ],
)
async def test_both_ways_agree(connected: Shop, query: str) -> None:
    assert await compared(connected, query, None, caller()) is Outcome.OK


@pytest.mark.parametrize(
    "query",
    ["{ integrations { name } }", '{ integration(name: "office") { id } }', "{ adapters { key } }"],
)
async def test_integrations_need_their_scope(connected: Shop, query: str) -> None:
    assert await connected.code(query, without=["integrations:read"]) == "FORBIDDEN"
    assert await connected.data(query, purpose="email_marketing")


REJECTED = """
{ integration(name: "office") { rejectedRecords { nodes { stream reason externalId } } } }
"""


async def test_whose_item_was_rejected_is_provenance(connected: Shop) -> None:
    assert await connected.code(REJECTED, without=["sources:read"]) == "FORBIDDEN"
    assert await connected.code(REJECTED, purpose="analytics") == "PURPOSE_NOT_ALLOWED"
    nobody = REJECTED.replace("externalId", "")
    assert await connected.data(nobody, purpose="analytics", without=["sources:read"])


async def test_unresolved_rejection_outlives_its_run(connected: Shop) -> None:
    await connected.database.owner.execute("DELETE FROM sync_run")
    found = (await connected.data(REJECTED))["integration"]["rejectedRecords"]["nodes"]
    assert {one["externalId"] for one in found} == {"7", "9"}


MANY = """
INSERT INTO rejected_record
       (source_id, stream, external_id, field, reason, created_at, resolved_at)
SELECT source_id, (ARRAY['customers', 'orders'])[1 + n % 2], 'x' || n, 'name', 'is no text',
       $1::timestamptz + n / 10 * interval '1 min', CASE WHEN n % 5 = 0 THEN now() END
  FROM integration, generate_series(1, 60) n WHERE name = 'works'
"""
LISTED = """query ($where: RejectedRecordWhere, $order: RejectedRecordOrder! = NEWEST,
    $first: Int, $last: Int, $after: String, $before: String) { integration(name: "works") {
  rejectedRecords(where: $where, orderBy: $order, first: $first, last: $last, after: $after,
    before: $before) { nodes { externalId } totalCount
    pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } }"""
RUNS_OF = """query ($where: SyncRunWhere, $first: Int, $after: String) {
  integration(name: "office") { runs(where: $where, first: $first, after: $after) {
    nodes { state mode } totalCount pageInfo { endCursor hasNextPage } } } }"""


@pytest.fixture
async def rejecting(connected: Shop) -> Shop:
    """`works` has sent much that could not be taken, ten items at a time."""
    await connected.database.owner.execute(MANY, NOON)
    return connected


async def rejections(shop: Shop, **said: Any) -> Any:
    return (await shop.data(LISTED, said))["integration"]["rejectedRecords"]


def ids(page: Any) -> list[int]:
    return [int(node["externalId"][1:]) for node in page["nodes"]]


async def test_rejections_come_page_by_page(rejecting: Shop) -> None:
    """Among those of one moment, too."""
    found: list[int] = []
    page: Any = {"pageInfo": {"hasNextPage": True, "endCursor": None}}
    while page["pageInfo"]["hasNextPage"]:
        page = await rejections(rejecting, first=7, after=page["pageInfo"]["endCursor"])
        found += ids(page)
    assert found == list(range(60, 0, -1))
    assert page["totalCount"] == 60


async def test_rejections_go_back(rejecting: Shop) -> None:
    whole = await rejections(rejecting, order="OLDEST", first=60)
    end = await rejections(rejecting, order="OLDEST", last=7)
    before = end["pageInfo"]["startCursor"]
    assert end["pageInfo"]["hasPreviousPage"]
    back = await rejections(rejecting, order="OLDEST", last=53, before=before)
    assert ids(back) + ids(end) == ids(whole) == list(range(1, 61))
    assert not back["pageInfo"]["hasPreviousPage"]


@pytest.mark.parametrize(
    ("where", "are"),
    [
        ({"isResolved": False}, lambda n: n % 5),
        ({"isResolved": True}, lambda n: n % 5 == 0),
        ({"stream": {"eq": "orders"}}, lambda n: n % 2),
        ({"stream": {"in": ["customers"]}, "isResolved": False}, lambda n: n % 2 == 0 and n % 5),
        ({"createdAt": {"gte": "2026-03-01T12:05:00Z"}}, lambda n: n >= 50),
        ({"stream": {"eq": "none"}}, lambda _: False),
    ],
)
async def test_rejections_are_chosen(
    rejecting: Shop, where: Any, are: Callable[[int], bool]
) -> None:
    page = await rejections(rejecting, where=where, first=60)
    assert ids(page) == [n for n in range(60, 0, -1) if are(n)]
    assert page["totalCount"] == len(ids(page))


@pytest.mark.parametrize("id_", ["x", "-1", "9" * 19, "٣", ""])
async def test_cursor_has_a_number(rejecting: Shop, id_: str) -> None:
    cursor = json.dumps(["NEWEST", "2026-03-01T12:00:00.000000Z", id_])
    told = await rejecting.ask(LISTED, {"after": base64.b64encode(cursor.encode()).decode()})
    assert b"This is not a cursor of this list" in told.body


async def test_runs_are_chosen_page_by_page(connected: Shop) -> None:
    first = (await connected.data(RUNS_OF, {"first": 1}))["integration"]["runs"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (2, True)
    after = {"first": 1, "after": first["pageInfo"]["endCursor"]}
    rest = (await connected.data(RUNS_OF, after))["integration"]["runs"]
    assert [one["nodes"][0]["state"] for one in (first, rest)] == ["RUNNING", "DONE"]
    where = {"where": {"state": {"in": ["DONE", "FAILED"]}, "mode": {"eq": "FULL"}}}
    chosen = (await connected.data(RUNS_OF, where))["integration"]["runs"]
    assert chosen["nodes"] == [{"state": "DONE", "mode": "FULL"}]


async def test_long_lists_cost(connected: Shop) -> None:
    query = "{ integrations(first: 100) { rejectedRecords(first: 200) { nodes { field } } } }"
    assert b"COST_TOO_HIGH" in (await connected.ask(query)).body


@pytest.mark.parametrize("column", ["settings", "mapping", "place", "leased_until"])
async def test_views_hold_nothing_of_how(connected: Shop, column: str) -> None:
    query = "SELECT count(*) FROM information_schema.columns WHERE table_schema = $1"
    tables = "AND table_name IN ('integration', 'stream_state', 'sync_run')"
    whole = f"{query} {tables} AND column_name = $2"
    assert await connected.database.owner.fetchval(whole, "for_analytics", column) == 0


SYNC = """mutation ($input: SyncIntegrationInput!) {
  syncIntegration(input: $input) { runId state errors { code field message } } }"""
JOBS = "SELECT count(*) FROM jobs.pgqueuer"
RUNS = "SELECT count(*) FROM sync_run WHERE state = 'queued'"


async def asked(shop: Shop, **said: Any) -> Any:
    variables = {"input": {"integration": "works", **said}}
    return (await shop.data(SYNC, variables))["syncIntegration"]


async def test_sync_is_asked_for_with_its_job(connected: Shop) -> None:
    owner = connected.database.owner
    told = await asked(connected, mode="FULL", allowDeletions=True)
    assert (told["state"], told["errors"]) == ("QUEUED", [])
    row = await owner.fetchrow("SELECT * FROM sync_run WHERE state = 'queued'")
    assert told["runId"] == global_id("SyncRun", row["id"])
    assert (row["mode"], row["requested_by"]) == ("full", "client:test")
    assert row["allow_deletions"]
    assert await owner.fetchval(JOBS) == 1


async def test_default_mode_is_incremental(connected: Shop) -> None:
    await asked(connected, since="2026-03-01T12:00:00Z")
    query = "SELECT mode, since FROM sync_run WHERE state = 'queued'"
    assert tuple(await connected.database.owner.fetchrow(query)) == ("incremental", NOON)


async def test_document_may_hold_it_all(connected: Shop) -> None:
    query = 'mutation { syncIntegration(input: {integration: "works", mode: REMAP}) { state } }'
    assert await connected.data(query) == {"syncIntegration": {"state": "QUEUED"}}


async def test_same_again_is_the_same_run(connected: Shop) -> None:
    first, again = await asked(connected), await asked(connected)
    assert first["runId"] == again["runId"]
    assert isinstance(raw_id(first["runId"], "SyncRun"), UUID)
    assert await connected.database.owner.fetchval(RUNS) == 1


async def test_unknown_name_is_an_error(connected: Shop) -> None:
    told = await asked(connected, integration="none")
    assert told["runId"] is None
    assert told["errors"][0]["code"] == "NOT_FOUND"


async def test_name_is_not_repeated_at_length(connected: Shop) -> None:
    body = (await connected.ask(SYNC, {"input": {"integration": "x" * 10_000}})).body
    assert b"BAD_USER_INPUT" in body
    assert len(body) < 1_000


async def test_paused_one_is_not_read(connected: Shop) -> None:
    async with connected.database.transaction() as connection:
        await pause(connection, "works")
    (error,) = (await asked(connected))["errors"]
    assert (error["code"], error["field"]) == ("CONFLICT", "integration")
    assert await connected.database.owner.fetchval(JOBS) == 0


@pytest.mark.parametrize("said", [{"streams": ["x"] * 3 + [str(n) for n in range(60)]}])
async def test_too_many_streams_are_refused(connected: Shop, said: Any) -> None:
    variables = {"input": {"integration": "works", **said}}
    body = (await connected.ask(SYNC, variables)).body
    assert b"Name up to 50 streams." in body
    assert await connected.database.owner.fetchval(RUNS) == 0


async def test_since_goes_with_what_changed(connected: Shop) -> None:
    said = {"integration": "works", "mode": "FULL", "since": "2026-03-01T12:00:00Z"}
    body = (await connected.ask(SYNC, {"input": said})).body
    assert b"BAD_USER_INPUT" in body


async def test_sync_needs_its_scope(connected: Shop) -> None:
    variables = {"input": {"integration": "works"}}
    without = ["integrations:manage"]
    assert await connected.code(SYNC, variables, without=without) == "FORBIDDEN"
    assert await connected.database.owner.fetchval(JOBS) == 0


FAILING = """
CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE CONSTRAINT TRIGGER failing AFTER INSERT ON sync_run
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.fail();
"""


async def test_run_and_job_are_one_transaction(connected: Shop) -> None:
    owner = connected.database.owner
    await owner.execute(FAILING)
    body = (await connected.ask(SYNC, {"input": {"integration": "works"}})).body
    assert b"INTERNAL_SERVER_ERROR" in body
    assert (await owner.fetchval(RUNS), await owner.fetchval(JOBS)) == (0, 0)
