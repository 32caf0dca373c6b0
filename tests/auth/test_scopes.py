"""Every category of the models has a scope that opens it."""

from auth.scopes import OPEN, READS, SCOPES
from hub.models import CATEGORIES, Base


def test_every_category_has_a_scope() -> None:
    assert set(READS) == set(CATEGORIES) - {"open"}
    assert len(set(READS.values())) == len(READS)


def test_open_tables_with_a_scope_are_tables() -> None:
    models = [mapper.class_ for mapper in Base.registry.mappers]
    assert set(OPEN) <= {model.__tablename__ for model in models if model.category == "open"}


def test_scopes_are_known_and_explained() -> None:
    assert {*READS.values(), *OPEN.values()} <= set(SCOPES)
    assert [scope for scope, told in SCOPES.items() if not told.endswith(".")] == []
