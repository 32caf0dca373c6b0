"""Adapters are found by entry point, and a broken one stops no other."""

from pathlib import Path

import pytest

from hub import registry
from hub.adapter import CONTRACT
from hub.errors import NotFound
from tests.adapters.installed import installed, shopfront

OTHER = """
from dataclasses import replace
from adapters.erp.odoo import ADAPTER as ODOO
ADAPTER = replace(ODOO, key="other", contract={contract})
TWIN = ODOO
NONE = {{"key": "none"}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package whose adapter was written against another contract, among other mistakes."""
    (tmp_path / "outside_other.py").write_text(OTHER.format(contract=CONTRACT + 1))
    (tmp_path / "outside_broken.py").write_text("raise RuntimeError('at home it works')")
    return tmp_path


def why(folder: Path, target: str) -> str:
    with installed(folder, {"theirs": target}):
        assert list(registry.adapters()) == ["odoo", "tryton"]
        return registry.faulty()["theirs"]


def test_ours_are_there() -> None:
    assert list(registry.adapters()) == ["odoo", "tryton"]
    assert registry.faulty() == {}
    assert registry.adapter("tryton").title == "Tryton"


def test_example_is_found_by_entry_point(tmp_path: Path) -> None:
    with shopfront(tmp_path):
        assert list(registry.adapters()) == ["odoo", "shopfront", "shopfront_oauth", "tryton"]
        assert registry.adapter("shopfront").base == "{url}"
    assert "shopfront" not in registry.adapters()


def test_unknown_adapter_names_the_known() -> None:
    with pytest.raises(NotFound, match="'oddo' is not installed; there are odoo, tryton"):
        registry.adapter("oddo")


def test_module_that_fails_is_told_of(folder: Path) -> None:
    assert why(folder, "outside_broken:ADAPTER") == (
        "outside_broken:ADAPTER does not load (RuntimeError): look at its package"
    )


def test_missing_module_is_told_of(folder: Path) -> None:
    assert "(ModuleNotFoundError)" in why(folder, "outside_missing:ADAPTER")


def test_missing_name_is_told_of(folder: Path) -> None:
    assert "(AttributeError)" in why(folder, "outside_other:ADAPTR")


def test_other_contract_is_told_of(folder: Path) -> None:
    assert f"against contract {CONTRACT + 1}" in why(folder, "outside_other:ADAPTER")


def test_no_adapter_is_told_of(folder: Path) -> None:
    assert "is no hub.adapter.Adapter" in why(folder, "outside_other:NONE")


def test_second_of_a_key_is_told_of(folder: Path) -> None:
    assert "has the key 'odoo'" in why(folder, "outside_other:TWIN")
