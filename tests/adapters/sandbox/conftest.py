"""Somebody who is signed in at the sandbox's Tryton."""

import pytest

from tests.adapters.erp.tryton_server import Client
from tests.adapters.sandboxed import TOKEN, Sandbox


@pytest.fixture
def tryton(sandbox: Sandbox) -> Client:
    client = Client(sandbox.url, TOKEN, context={"language": "en"})
    client.login()
    return client
