"""The pretended Odoo's fields, and those that the adapter asks for, are Odoo's.

They are compared with what a running Odoo 19 told of its fields, which lies beside the repository
(`../shared/specs`) where the hub is developed, and is no part of it.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.erp.odoo import ADAPTER, QUOTATIONS, STATES
from adapters.sandbox.odoo_models import MODELS
from adapters.sandbox.odoo_rows import THROUGH
from hub.adapter import Ask, Call

FILE = Path(__file__).parents[4] / "shared" / "specs" / "odoo" / "odoo-19.0-fields_get.json"
NOT_STORED = {("product.template", "currency_id")}  # the company's, and the sandbox has no company
TODAY = datetime(2026, 11, 22, tzinfo=UTC)
DOMAINS: tuple[dict[str, Any], ...] = (
    {"after": "1"},
    {"ids": ("1",)},
    {"since": TODAY, "until": TODAY},
)
CHILDREN = [child for stream in ADAPTER.streams for child in stream.children]
ASKED = [
    *((one, said) for one in (*ADAPTER.streams, *CHILDREN) for said in DOMAINS),
    *((child, {"owners": ("1",)}) for child in CHILDREN),
]
CALLS = [one.ask(Ask(values={}, fields=one.fields, size=1, **said)) for one, said in ASKED]

Fields = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def real() -> dict[str, Fields]:
    """The fields of a real one, by model."""
    if not FILE.exists():
        pytest.skip(f"{FILE} is not here")
    return json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("model", MODELS)
def test_pretended_fields_are_real(model: str, real: dict[str, Fields]) -> None:
    known = real[model]
    pretended = {it.name: (it.type, it.relation) for it in MODELS[model].fields.values()}
    assert pretended == {
        name: (known[name]["type"], known[name].get("relation", ""))
        for name in pretended
        if name in known
    }


@pytest.mark.parametrize("model", MODELS)
def test_what_is_kept_is_stored(model: str, real: dict[str, Fields]) -> None:
    """A field that is read from another row changes without its own row's time."""
    kept = {name for name in MODELS[model].kept if (model, name) not in NOT_STORED}
    _, through = THROUGH.get(model, ("", {}))
    stored = {name for name in {*kept, *through} if real[model][name]["store"]}
    assert stored == kept


@pytest.mark.parametrize(("model", "name"), NOT_STORED)
def test_exceptions_are_needed(model: str, name: str, real: dict[str, Fields]) -> None:
    assert name in MODELS[model].kept
    assert not real[model][name]["store"]


@pytest.mark.parametrize("model", MODELS)
def test_children_lead_back(model: str, real: dict[str, Fields]) -> None:
    for field in MODELS[model].fields.values():
        if field.type == "one2many":
            assert real[field.relation][field.back]["relation"] == model


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.path)
def test_adapter_asks_for_real_fields(call: Call, real: dict[str, Fields]) -> None:
    model = call.path.split("/")[3]
    assert isinstance(call.body, dict)
    assert {*call.body["fields"]} <= {*real[model]}
    searched = [name for name, _, _ in call.body["domain"]]
    assert all(real[model][name]["store"] for name in searched)


@pytest.mark.parametrize("stream", ADAPTER.streams, ids=lambda stream: stream.key)
def test_parts_are_lists_of_children(stream: Any, real: dict[str, Fields]) -> None:
    model = stream.ask(Ask(values={}, fields=(), size=1)).path.split("/")[3]
    assert {*stream.parts} <= {*stream.fields}
    assert all(real[model][name]["type"] == "one2many" for name in stream.parts)


def test_states_are_real(real: dict[str, Fields]) -> None:
    states = {key for key, _ in real["sale.order"]["state"]["selection"]}
    assert states == {*QUOTATIONS, *STATES}
