"""From rows to records: what a map says, and what a person is told when it does not fit."""

from decimal import Decimal
from pathlib import Path

import pytest

from hub.errors import BadFile, BadMapping
from hub.records import Consent, Customer, Detail, Identifier, Interaction, Order, Person, Product
from hub.transfer import mapping

EXAMPLES = Path(__file__).parents[3] / "examples" / "imports"

ORDERS = """
[order]
external_id = "order"
ordered_at = "day"
customer = "who"
[line]
product = "item"
total = "total"
"""
HEADER = "order,day,who,item,total"


def test_wide_russian_file(read):
    toml = (EXAMPLES / "sales.toml").read_text("utf-8")
    result = read(EXAMPLES / "sales.csv", toml)
    kinds = [type(record).__name__ for record in result.records]
    assert {kind: kinds.count(kind) for kind in sorted(set(kinds))} == {
        "Consent": 4,
        "Customer": 3,
        "Order": 4,
        "Product": 4,
        "Store": 2,
    }
    assert result.rejected == [(6, "customer.birth_date"), (8, "line.quantity"), (7, "order")]


def test_wide_row_in_full(read):
    toml = (EXAMPLES / "sales.toml").read_text("utf-8")
    records = read(EXAMPLES / "sales.csv", toml).records
    anna = next(record for record in records if isinstance(record, Customer))
    assert (anna.given_name, anna.family_name, anna.gender) == ("Анна", "Иванова", "female")
    assert anna.identifiers[1] == Identifier(type="phone", value="8 (900) 000-00-11")
    assert anna.attributes == {"level": "gold"}
    order = next(record for record in records if isinstance(record, Order))
    assert order.external_id == "M1-1001"
    assert [line.total for line in order.lines] == [Decimal("900.00"), Decimal("110.00")]
    assert order.customer == Person(external_id="К-001")


@pytest.mark.parametrize("name", ["customers.csv", "events.jsonl"])
def test_examples_without_a_map(read, name: str):
    result = read(EXAMPLES / name)
    assert result.records
    assert not result.rejections


def test_unknown_key_names_the_nearest(tmp_path: Path):
    (tmp_path / "m.toml").write_text('[customer]\nexternal_id = "a"\nfamly_name = "b"\n')
    with pytest.raises(BadMapping, match=r"customer\.famly_name: .*did you mean family_name"):
        mapping.load(tmp_path / "m.toml")


def test_unknown_key_deep_inside(tmp_path: Path):
    (tmp_path / "m.toml").write_text(
        '[customer]\nexternal_id = "a"\n[[customer.addresses]]\ntown = "b"\n'
    )
    with pytest.raises(BadMapping, match=r"addresses\[.*\]\.town: .*can be: city, country"):
        mapping.load(tmp_path / "m.toml")


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[customer", "not valid TOML"),
        ("[customer]\ngiven_name = 'a'", "customer: missing key external_id"),
        ("[line]\nproduct = 'a'", r"needs an \[order\]"),
        ("[store]\nexternal_id = {column = 'a', constant = 'b'}", "exactly one of"),
    ],
)
def test_broken_map_is_explained(tmp_path: Path, toml: str, said: str):
    (tmp_path / "m.toml").write_text(toml)
    with pytest.raises(BadMapping, match=said):
        mapping.load(tmp_path / "m.toml")


def test_missing_column_is_named(read, write):
    path = write("a.csv", [HEADER.replace("who", "whom"), "1,2025-01-01,C,A,1"])
    with pytest.raises(BadMapping) as error:
        read(path, ORDERS)
    assert str(error.value) == (
        f"{path}: the map's order.customer names the column 'who', which is not there; "
        "the columns are: order, day, whom, item, total"
    )


def test_column_twice_is_refused(read, write):
    with pytest.raises(BadMapping, match="twice"):
        read(write("a.csv", [HEADER.replace("item", "who"), "1,2025-01-01,C,A,1"]), ORDERS)


def test_rows_of_an_order_come_together(read, write):
    path = write("a.csv", [HEADER, "1,2025-01-01,C,A,1", "1,2025-01-01,C,B,2", "2,2025-01-02,,A,3"])
    first, second = read(path, ORDERS).records
    assert [line.product for line in first.lines] == ["A", "B"]
    assert second.customer is None


def test_bad_line_rejects_its_order(read, write):
    path = write(
        "a.csv", [HEADER, "1,2025-01-01,C,A,1", "1,2025-01-01,C,B,x", "2,2025-01-02,C,A,3"]
    )
    result = read(path, ORDERS)
    assert [order.external_id for order in result.records] == ["2"]
    assert result.rejected == [(3, "line.total"), (2, "order")]


def test_broken_row_rejects_its_order(read, write):
    path = write(
        "a.csv", [HEADER, '1,2025-01-01,C,"A,1', "1,2025-01-01,C,B,2", "2,2025-01-02,C,A,3"]
    )
    result = read(path, ORDERS)
    assert [order.external_id for order in result.records] == ["2"]
    assert [row for row, _ in result.rejected] == [2, 3]


def test_absurd_order_date_rejects_it(read, write):
    result = read(write("a.csv", [HEADER, "1,2055-01-01,C,A,1"]), ORDERS)
    assert result.reasons == "row 2: order.ordered_at: the date is in the future"


def test_empty_order_id_is_rejected(read, write):
    result = read(write("a.csv", [HEADER, ",2025-01-01,C,A,1"]), ORDERS)
    assert result.reasons == "row 2: order.external_id: is empty"


def test_endless_order_is_rejected(read, write):
    path = write("a.csv", [HEADER, *["1,2025-01-01,C,A,1"] * 20_500, "2,2025-01-01,C,A,1"])
    result = read(path, ORDERS)
    assert [order.external_id for order in result.records] == ["2"]
    assert len({row for row, _ in result.rejected}) == 20_500


def test_chunks_cover_every_row(read, write):
    rows = [f"{at // 3},2025-01-01,C,A,1" for at in range(9000)]
    result = read(write("a.csv", [HEADER, *rows]), ORDERS)
    assert [chunk.rows for chunk in result.chunks] == [3000, 3000, 3000]
    assert sum(len(order.lines) for order in result.records) == 9000


def test_same_id_twice_reaches_intake(read, write):
    path = write("customers.csv", ["external_id,city", "1,A", "1,B", "1,B", "2,"])
    assert [record.city for record in read(path).records] == ["A", "B", ""]


def test_wrong_encoding_of_the_whole_file(read, write):
    path = write("customers.csv", ["external_id,city", "1,Москва", "2,Тверь"], "cp1251")
    with pytest.raises(BadFile, match=r"none of the first 2 rows is valid utf-8.*cp1251"):
        read(path)


def test_wrong_encoding_of_one_row(read, write):
    path = write("customers.csv", b"external_id,city\n1,A\n2,\xcc\n")
    result = read(path)
    assert len(result.records) == 1
    assert result.reasons.startswith("row 3: : not valid utf-8 at byte 3; files from Windows")


def test_cp1251_is_read_when_told(read, write):
    path = write("customers.csv", ["external_id,city", "1,Москва"], "cp1251")
    assert read(path, encoding="cp1251").one(Customer).city == "Москва"


def test_no_value_in_any_reason(read, write):
    lines = ["external_id,birth_date,gender", "1,secret,secret", "2,31.12.2099,secret"]
    result = read(write("customers.csv", lines))
    assert len(result.rejections) == 4
    assert "secret" not in result.reasons


def test_stranger_among_columns(read, write):
    with pytest.raises(BadMapping, match="'town' is not a column of customers; these are"):
        read(write("customers.csv", ["external_id,town", "1,A"]))


def test_type_has_to_be_told(read, write):
    with pytest.raises(BadMapping, match="what is in it"):
        read(write("stuff.csv", ["external_id", "1"]))


def test_rejects_columns_are_ignored(read, write):
    path = write("customers.csv", ["external_id,_row,_field,_reason", "1,2,city,bad"])
    assert read(path).one(Customer) == Customer(external_id="1")


@pytest.mark.parametrize(
    ("type", "lines", "found"),
    [
        ("identifiers", ["customer,type,value,verified", "C,email,a@example.com,yes"], Detail),
        ("addresses", ["customer,city,country", "C,Tver,ru"], Detail),
        ("tags", ["customer,tag", "C,vip"], Detail),
        ("attributes", ["customer,key,value", "C,level,gold"], Detail),
        ("details", ["customer,email,attribute_level", "C,a@example.com,gold"], Detail),
        ("orders", ["external_id,ordered_at,line_product", "1,2025-01-01,A"], Order),
        ("products", ["external_id,name,price", "A,Tea,9.50"], Product),
        ("interactions", ["external_id,kind,started_at,phone", "1,call,2025-01-01,8"], Interaction),
        ("consents", ["customer,purpose,state,given_at", "C,analytics,no,2025-01-01"], Consent),
    ],
)
def test_plain_files(read, write, type: str, lines: list[str], found: type):
    assert read(write("a.csv", lines), type=type).one(found)


def test_verified_identifier(read, write):
    path = write("identifiers.csv", ["customer,type,value,verified", "C,Email,a@example.com,да"])
    (identifier,) = read(path).one(Detail).identifiers
    assert identifier == Identifier(type="email", value="a@example.com", verified=True)


def test_person_without_an_id(read, write):
    toml = ORDERS.replace('customer = "who"', 'phone = "who"')
    order = read(write("a.csv", [HEADER, "1,2025-01-01,89000000011,A,1"]), toml).one(Order)
    assert order.customer.identifier == Identifier(type="phone", value="89000000011")


def test_consent_ids_hold_no_contact(read, write):
    lines = ["email,purpose,state,given_at", "anna@example.com,analytics,yes,2025-01-01"]
    consent = read(write("consents.csv", lines)).one(Consent)
    assert "anna" not in consent.external_id
    assert consent.observed_at == consent.given_at


def test_observed_at_for_the_whole_file(read, write):
    path = write("customers.csv", ["external_id", "1"])
    record = read(path, observed_at={"constant": "2025-01-01"}).one(Customer)
    assert record.observed_at.isoformat() == "2024-12-31T21:00:00+00:00"


def test_undeclared_attribute_is_refused(read, write):
    toml = '[customer]\nexternal_id = "id"\nattributes.level = "x"\n'
    with pytest.raises(BadMapping, match=r"needs \[attributes\.level\]"):
        read(write("a.csv", ["id,x", "1,2"]), toml)
