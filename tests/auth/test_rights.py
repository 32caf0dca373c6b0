"""What is asked for, within what there is."""

import pytest

from auth.rights import Rights
from hub.errors import Forbidden

HAD = Rights.of(["customers:read", "orders:read"], ["customer_service", "analytics"])


def test_words_say_both() -> None:
    words = "customers:read orders:read purpose:customer_service purpose:analytics"
    assert HAD.words == words
    assert Rights.said(words) == HAD
    assert Rights.said("") == Rights()


def test_nothing_named_is_all() -> None:
    assert HAD.narrowed(None) == HAD.narrowed("") == HAD.narrowed("  ") == HAD
    assert HAD.narrowed("orders:read").purposes == HAD.purposes
    assert HAD.narrowed("purpose:analytics").scopes == HAD.scopes


@pytest.mark.parametrize("words", ["admin", "purpose:", "purpose:profiling", "orders:read x"])
def test_more_is_refused(words: str) -> None:
    with pytest.raises(Forbidden, match="leave scope out"):
        HAD.narrowed(words)


def test_rights_purpose_needs_its_scope() -> None:
    officer = Rights.of(["customers:read", "privacy:manage"], ["data_subject_rights", "analytics"])
    assert officer.narrowed("customers:read").purposes == ("analytics",)
    assert officer.within(HAD) == Rights(("customers:read",), ("analytics",))
    with pytest.raises(Forbidden):
        officer.narrowed("customers:read purpose:data_subject_rights")


def test_bound_scope_is_nobody_elses() -> None:
    front = Rights.of(["privacy:self"], ["data_subject_rights"])
    assert front.unbound() == Rights()
    assert front.unbound().are_none
