"""A first day with the hub, typed as a new user would: import, look, decide, undo, export."""

import json
from pathlib import Path

from tests.trips.conftest import Hub

CRM = """external_id,given_name,family_name,email,phone
1,Anna,Ivanova,anna@example.com,+7 900 123-45-01
2,Boris,Ivanov,boris@example.com,8 (900) 123-45-01
"""
SHOP = """external_id,given_name,email,city
77,Анна,Anna@Example.com,Kazan
78,Clara,clara@example.com,Leeds
"""

AS_CUSTOMERS = ("--type", "customers", "--workers", "1")


def imported(hub: Hub) -> None:
    for source, text in (("crm", CRM), ("shop", SHOP)):
        Path(f"customers-{source}.csv").write_text(text, encoding="utf-8")
        hub(
            "import",
            f"customers-{source}.csv",
            "--source",
            source,
            "--type",
            "customers",
            "--workers",
            "1",
        )


def records(hub: Hub) -> dict[str, str]:
    """Which customer each record belongs to."""
    lines = hub("export", "links").splitlines()[1:]
    return {":".join(line.split(",")[0:3:2]): line.split(",")[3] for line in lines}


def test_records_become_people(hub: Hub) -> None:
    imported(hub)
    of = records(hub)
    assert of["crm:1"] == of["shop:77"]
    assert len(set(of.values())) == 3
    assert "people with different names" in hub("identity", "explain", "crm:1", "crm:2")
    assert "They are one customer" in hub("identity", "explain", "crm:1", "shop:77")


def test_a_decision_is_made_and_undone(hub: Hub) -> None:
    imported(hub)
    before = hub("export", "customers", "--recipient", "tester")
    told = hub("identity", "merge", "crm:2", "shop:78", "--by", "tester")
    assert records(hub)["crm:2"] == records(hub)["shop:78"]
    assert "merge" in hub("identity", "decisions")
    hub("identity", "undo", told.split()[-1])
    assert hub("export", "customers", "--recipient", "tester") == before


def test_a_card_and_a_report_show_no_values(hub: Hub) -> None:
    imported(hub)
    card = hub("identity", "show", "crm:1")
    assert "Kazan" in card
    assert "anna@" not in card.lower()
    report = json.loads(hub("identity", "report", "--json"))
    assert report["totals"]["customers"] == 3
    assert "45-01" not in str(report)


def test_errors_say_what_to_do(hub: Hub) -> None:
    imported(hub)
    assert "give a customer's id" in hub("identity", "show", "crm:404", code=1)
    assert "there are crm, shop" in hub("identity", "sources", "erp", code=1)
    hub("export", "links", "--output", "links.csv")
    assert "is there already" in hub("export", "links", "-o", "links.csv", code=1)
