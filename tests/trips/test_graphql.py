"""From a file to an answer: import, a client and its token, a server that is asked and told."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.trips.conftest import Hub

ADDRESS = re.compile(r"The hub serves at (http://127\.0\.0\.1:\d+);")
CRM = """external_id,given_name,family_name,email
1,Anna,Ivanova,anna@example.com
2,Boris,Petrov,boris@example.org
"""
SCOPES = "customers:read,contacts:read,orders:read,customers:write"
CARD = """query ($email: String!) {
    customer(by: {email: $email}) { displayName orders(first: 5) { nodes { number } } } }"""
SELL = """mutation ($input: RecordOrdersInput!) {
    recordOrders(input: $input) { results { outcome customer { displayName } } } }"""
CHANGES = "subscription { customerChanged { type customer { displayName } } }"
TEA = {
    "externalId": "o-1",
    "number": "A-1",
    "orderedAt": "2026-03-01T12:00:00Z",
    "customer": {"externalId": "1"},
    "lines": [{"name": "Green tea", "total": "3.50"}],
}
SALE = {"source": "crm", "orders": [TEA]}


@contextmanager
def serving() -> Generator[str]:
    """`hub serve` at work, told to end as an operator does; gives its address."""
    command = [sys.executable, "-m", "hub", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            found = ADDRESS.match(process.stderr.readline())
            assert found, process.stderr.read()
            yield found[1]
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 128 + signal.SIGTERM
            assert process.stderr.read() == ""
        finally:
            process.kill()


@contextmanager
def following(address: str, token: str) -> Generator[ClientConnection]:
    """A WebSocket on which changes of customers are told."""
    url = address.replace("http", "ws") + "/graphql"
    with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        payload = {"authorization": f"Bearer {token}"}
        socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(socket.recv(20)) == {"type": "connection_ack"}
        asked = {"id": "1", "type": "subscribe", "payload": {"query": CHANGES}}
        socket.send(json.dumps(asked))
        socket.send(json.dumps({"type": "ping"}))
        assert json.loads(socket.recv(20)) == {"type": "pong"}
        yield socket


def ask(http: httpx.Client, query: str, **variables: Any) -> Any:
    answer = http.post("/graphql", json={"query": query, "variables": variables})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert "errors" not in told, told
    return told["data"]


def test_file_becomes_answers_and_events(hub: Hub) -> None:
    Path("customers.csv").write_text(CRM, encoding="utf-8")
    hub("import", "customers.csv", "--source", "crm", "--type", "customers", "--workers", "1")
    hub("client", "create", "desk", "--scope", SCOPES, "--purpose", "customer_service")
    token = hub("client", "token", "desk").strip()
    with serving() as address, httpx.Client(base_url=address, timeout=30) as http:
        assert http.get("/readyz").json() == {"state": "ready"}
        assert http.get("/healthz").json() == {"state": "alive"}
        assert http.post("/graphql", json={"query": CARD}).status_code == 401
        http.headers["authorization"] = f"Bearer {token}"
        before = ask(http, CARD, email="ANNA@example.com")["customer"]
        assert before == {"displayName": "Anna Ivanova", "orders": {"nodes": []}}
        with following(address, token) as socket:
            (sold,) = ask(http, SELL, input=SALE)["recordOrders"]["results"]
            event = json.loads(socket.recv(20))["payload"]["data"]["customerChanged"]
        anna = {"displayName": "Anna Ivanova"}
        assert sold == {"outcome": "CREATED", "customer": anna}
        assert event == {"type": "order.recorded", "customer": anna}
        after = ask(http, CARD, email="anna@example.com")["customer"]
        assert after["orders"]["nodes"] == [{"number": "A-1"}]
        shown = http.get("/metrics").text
    assert 'hub_requests_total{door="http",kind="query",outcome="ok"} 2.0' in shown
    assert 'hub_requests_total{door="http",kind="mutation",outcome="ok"} 1.0' in shown
    assert 'hub_requests_total{door="http",kind="none",outcome="unauthenticated"} 1.0' in shown
    assert 'door="socket",kind="subscription"' in shown
