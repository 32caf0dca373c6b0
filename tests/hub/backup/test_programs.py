"""The programs that fit a server, and what they are told of it."""

import pytest

from hub.backup import programs
from hub.db.embedded import binaries
from hub.errors import BadSettings


def test_programs_of_the_wheel_fit_its_server() -> None:
    found = programs.for_server(binaries.MAJOR)
    assert found.major == binaries.MAJOR
    assert all(found[name].exists() for name in programs.NEEDED)


def test_no_program_is_older_than_the_server() -> None:
    assert programs.for_server(15).major >= 15
    assert programs.for_server(15, at_least=binaries.MAJOR).major >= binaries.MAJOR
    with pytest.raises(BadSettings, match="postgresql-client-99"):
        programs.for_server(99)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "postgresql://owner:p%40ss@db.example.com:6432/hub?sslmode=verify-full",
            {
                "PGHOST": "db.example.com",
                "PGPORT": "6432",
                "PGUSER": "owner",
                "PGPASSWORD": "p@ss",
                "PGDATABASE": "hub",
                "PGSSLMODE": "verify-full",
            },
        ),
        (
            "postgresql://hub_owner@/hub?host=%2Frun%2Fcustomer-hub-1&port=5432",
            {
                "PGHOST": "/run/customer-hub-1",
                "PGPORT": "5432",
                "PGUSER": "hub_owner",
                "PGDATABASE": "hub",
            },
        ),
        (
            "postgresql://o@a.example.com,b.example.com:6000/hub",
            {
                "PGHOST": "a.example.com,b.example.com",
                "PGPORT": "5432,6000",
                "PGUSER": "o",
                "PGDATABASE": "hub",
            },
        ),
        (
            "postgresql://o@[::1]:6000/hub",
            {"PGHOST": "::1", "PGPORT": "6000", "PGUSER": "o", "PGDATABASE": "hub"},
        ),
    ],
)
def test_address_becomes_the_environment(url: str, said: dict[str, str]) -> None:
    told = programs.environment(url)
    assert {name: value for name, value in told.items() if name.startswith("PG")} == {
        **said,
        "PGCONNECT_TIMEOUT": "30",
    }


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"psql:<stdin>:7: ERROR:  23505\n", "ERROR:  23505"),
        (b'COPY customer, line 3: "anna@example.com"', "it ended without a word"),
        (
            b'pg_dump: error: connection to server failed: no "secret"',
            "error: connection to server",
        ),
    ],
)
def test_complaint_quotes_no_data(said: bytes, told: str) -> None:
    assert told in programs.complaint(said)
    assert "anna" not in programs.complaint(said)
