"""Invented people for tests: few names, mailboxes and numbers, so that they collide."""

from datetime import UTC, date, datetime

from hypothesis import strategies as st

from hub.intake import Incoming
from hub.records import Customer, Identifier

SOURCES = ("crm", "erp", "web")
GIVEN = ("", "Anna", "Boris", "Клара", "Klara", "Анна")
FAMILY = ("", "Ivanova", "Petrov", "Smith")
DATES = (None, date(1980, 5, 17), date(1991, 11, 3))
MAILS = tuple(f"person{n}@example.com" for n in range(4))
PHONES = tuple(f"+7 900 123-45-{n:02}" for n in range(3))
MOMENTS = tuple(datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 6))

identifiers = st.lists(
    st.one_of(
        st.sampled_from(MAILS).map(lambda mail: Identifier(type="email", value=mail)),
        st.sampled_from(PHONES).map(lambda phone: Identifier(type="phone", value=phone)),
        st.sampled_from(("erp:1", "crm:2")).map(lambda id_: Identifier(type="external", value=id_)),
    ),
    max_size=3,
    unique=True,
).map(tuple)


def customers(observed_at: st.SearchStrategy[datetime | None]) -> st.SearchStrategy[Customer]:
    """One version of one of a few records of a source."""
    return st.builds(
        Customer,
        external_id=st.sampled_from(("1", "2", "3", "4")),
        observed_at=observed_at,
        given_name=st.sampled_from(GIVEN),
        family_name=st.sampled_from(FAMILY),
        birth_date=st.sampled_from(DATES),
        city=st.sampled_from(("", "Kazan", "Leeds")),
        identifiers=identifiers,
    )


statements = st.lists(
    st.tuples(st.sampled_from(SOURCES), customers(st.sampled_from((None, *MOMENTS)))),
    max_size=14,
    unique_by=lambda said: (said[0], said[1].external_id, said[1].observed_at),
)
"""What sources say: versions of records, no two of one record with the same time."""


def incoming(records: list[Customer]) -> list[Incoming]:
    return [Incoming(record, row) for row, record in enumerate(records, 1)]
