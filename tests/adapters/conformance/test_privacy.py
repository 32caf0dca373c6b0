"""Nothing of a person, and no secret, is in what a run logs; and erasure is spoken of."""

import logging
from contextlib import suppress

import pytest

from hub import registry
from hub.errors import Conflict
from tests.adapters.conformance.test_paging import filled
from tests.adapters.peer import PEERS, PEOPLE, House

PRIVATE = ("example.com", "7946", "Mill Lane", *(word for name in PEOPLE for word in name.split()))


async def test_logs_hold_nothing_personal(
    house: House, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    filled(house, 4)
    house.trouble(
        {"kind": "server_error", "after": 2},
        {"kind": "expire_sessions", "after": 3, "method": ""},
        {"kind": "error_inside_200", "after": 5, "times": 2, "method": ""},
    )
    await house.sync()
    with suppress(Conflict):  # a key that was refused can not be renewed
        await house.sync(mode="reconcile")
    written = caplog.text + "".join(capsys.readouterr())
    assert "vendor asked" in written
    secrets = [house.peer.settings[one.key] for one in house.adapter.settings if one.secret]
    assert [word for word in (*PRIVATE, *secrets) if word in written] == []


def test_erasure_is_spoken_of(key: str) -> None:
    privacy = registry.adapter(key).privacy
    assert privacy.holds
    assert len(privacy.by_hand.split()) > 4


def test_ours_have_peers(key: str) -> None:
    is_ours = registry.adapter(key).check.__module__.startswith("adapters.")
    assert key in PEERS or not is_ours, f"{key} needs a peer in tests/adapters/peer.py"


def test_consent_is_spoken_of(key: str) -> None:
    """Ours say what their statuses mean, or why none means anything."""
    adapter = registry.adapter(key)
    is_ours = adapter.check.__module__.startswith("adapters.")
    assert adapter.consents or not is_ours
