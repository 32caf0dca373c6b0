"""Requests that mean harm: documents and variables made to take long, or to get where none may."""

from collections.abc import Mapping
from typing import Any

SQL = "x'; DROP TABLE customer; --"
TEXT = '"a" '
TREE = "id"
for _ in range(4):
    TREE = " ".join([f"orders {{ nodes {{ customer {{ {TREE} }} }} }}"] * 3)


def people(selection: str, arguments: str = "") -> str:
    return f"{{ customers{arguments} {{ nodes {{ {selection} }} }} }}"


def many(template: str, count: int) -> str:
    return " ".join(template.replace("#", str(n)) for n in range(count))


def web(size: int) -> str:
    """Fragments each of which spreads all that come after it."""
    return " ".join(
        f"fragment F{n} on Customer {{ {many('...F#', size)[len(many('...F#', n + 1)) :]} id }}"
        for n in range(size)
    )


DOCUMENTS: Mapping[str, str] = {
    "deep": "{ a " * 50 + "}" * 50,
    "deep and right": people("orders { nodes { customer { " * 16 + "id" + " } } }" * 16),
    "very deep": "{a" * 5_000 + "}" * 5_000,
    "deep list": people("id", f"(where: {{id: {{in: {'[' * 500}{']' * 500}}}}})"),
    "deep condition": people("id", f"(where: {'{not: ' * 150}{{}}{'}' * 150})"),
    "aliases": "{ " + many("a#: viewer { client }", 10_000) + " }",
    "some aliases": "{ " + many("a#: customers { nodes { id } }", 20) + " }",
    "all that is allowed": "{ "
    + many("a#: customers { nodes { id displayName city gender locale } }", 20)
    + " }",
    "counts": "{ " + many("a#: customers { totalCount hasMore }", 20) + " }",
    "fragment bomb": people("...F0")
    + many("fragment F# on Customer { a: orders { nodes { customer { ...G# ...G# } } } }", 20)
    + many("fragment G# on Customer { ...F1 ...F1 }", 20),
    "doubling fragments": people("...F0")
    + " ".join(
        f"fragment F{n} on Customer {{ x{n}: orders {{ nodes {{ customer {{ ...F{n + 1} }} }} }}"
        f" y{n}: orders {{ nodes {{ customer {{ ...F{n + 1} }} }} }} }}"
        for n in range(12)
    )
    + " fragment F12 on Customer { id }",
    "circular fragments": people("...A")
    + "fragment A on Customer { ...B } fragment B on Customer { ...A }",
    "fragment web": people("...F0") + web(28),
    "fragments": people(many("...F#", 40)) + many("fragment F# on Customer { id city }", 40),
    "unused fragments": "{ viewer { client } }" + many("fragment F# on Customer { id }", 40),
    "overlapping": people(" ".join(["... { " + "id " * 19 + "}"] * 45)),
    "overlapping objects": people(
        " ".join(["... { " + "orders(first: 1) { __typename } " * 18 + "}"] * 7)
    ),
    "overlapping tree": people(TREE),
    "tokens": "{ viewer { " + "client " * 150_000 + "} }",
    "comments": "#" * 1_000_000 + "\n{ viewer { client } }",
    "commas": "," * 19_000 + "{ viewer { client } }",
    "long text": people("id", f'(where: {{search: "{"a" * 19_000}"}})'),
    "long block": people("id", f'(where: {{search: """{chr(10) + " a" * 6_000}"""}})'),
    "long name": people("x" * 19_000),
    "long type": people(f"... on {'C' * 19_000} {{ id }}"),
    "unknown fields": people(many("displayNam#", 900)),
    "unknown arguments": people("id", f"({many('firs#: 1', 350)})"),
    "unknown keys": people("id", f"(where: {{{many('cit#: 1', 350)}}})"),
    "unknown enum words": "{ " + many("a#: customers(orderBy: NEWES#) { hasMore }", 20) + " }",
    "unknown directives": people("id " + "@includ " * 550),
    "directives": people("id " + "@include(if: true) " * 190),
    "many directives": people("id @skip(if: true) " * 19),
    "unused variables": f"query ({many('$v#: Int', 280)}) {{ viewer {{ client }} }}",
    "unknown types": f"query ({many('$v#: Custome#', 280)}) {{ viewer {{ client }} }}",
    "variables": f"query ({many('$v#: ID! = 1', 190)}) "
    + people("id", f"(where: {{id: {{in: [{many('$v#', 190)}]}}}})"),
    "undefined variables": people("id", f"(where: {{id: {{in: [{many('$v#', 560)}]}}}})"),
    "same variables": f"query ({'$v: Int ' * 280}) {{ viewer {{ client }} }}",
    "same arguments": people("id", f"({'first: 1 ' * 380})"),
    "values": people(
        "id", f"(where: {{email: {{in: [{chr(34) + 'a' + chr(34) + ' '}]}}}})"
    ).replace('"a"', '"a" ' * 1_100),
    "operations": many("query q# { customers { nodes { id } } }", 20),
    "more operations": many("query q# { viewer { client } }", 200),
    "types": "type A { a: Int } " * 160,
    "a batch": "[" + "{ viewer { client } }" * 50 + "]",
    "a huge page": people("id", "(first: 1000000)"),
    "a negative page": people("id", "(first: -1)"),
    "huge lists": people(
        "id orders(first: 200) { nodes { lines(first: 500) { name } } }", "(first: 200)"
    ),
    "deep introspection": "{ __schema { types { fields { type { fields { type { fields { type"
    " { fields { name } } } } } } } } }",
    "introspection": "{ "
    + many("a#: __schema { types { fields { name args { name type { name } } } } }", 20)
    + " }",
    "wide introspection": "{ __schema { types { "
    + many("a#: fields { b: args { c: type { d: name } e: defaultValue } }", 40)
    + " } } }",
    "types by name": "{ " + many('a#: __type(name: "Customer") { fields { name } }', 55) + " }",
    "nothing": "",
    "noise": "\ufeff\x00\x01{{{{",
    "lone surrogate": '{ customers(where: {search: "\\ud800"}) { hasMore } }',
}

WHERE = "query ($v: CustomerWhere) { customers(where: $v) { hasMore } }"
BY = "query ($v: CustomerBy!) { customer(by: $v) { id } }"
FIRST = "query ($v: Int) { customers(first: $v) { nodes { id } } }"
NESTED: Any = {}
for _ in range(900):
    NESTED = {"not": NESTED}

VARIABLES: Mapping[str, tuple[str, Any]] = {
    "deep": (WHERE, NESTED),
    "deep list": (BY, {"email": NESTED}),
    "a million ids": (WHERE, {"id": {"in": ["x"] * 1_000_000}}),
    "a million branches": (WHERE, {"or": [{}] * 1_000_000}),
    "many branches": (WHERE, {"or": [{"city": {"eq": str(n)}} for n in range(300)]}),
    "many wrong ones": (WHERE, {"or": [{"city": {"eq": n}} for n in range(500)]}),
    "not a number": (FIRST, float("nan")),
    "infinity": (FIRST, float("inf")),
    "a huge number": (FIRST, 10**400),
    "a long number": (FIRST, 2**31),
    "wrong type": (FIRST, {"a": [1]}),
    "a long text": (WHERE, {"search": "a " * 1_000_000}),
    "a long mail": (BY, {"email": "a" * 1_000_000 + "@example.com"}),
    "a long phone": (BY, {"phone": "+" + "1" * 1_000_000}),
    "a long id": (BY, {"id": "A" * 1_000_000}),
    "spaces": (WHERE, {"search": " " * 199 + "\t"}),
    "quotes": (WHERE, {"search": "'\\\"&|!():*<->" * 15}),
    "nul": (WHERE, {"city": {"eq": "\0"}}),
    "surrogate": (WHERE, {"search": "\ud800"}),
    "surrogate mail": (BY, {"email": "\ud800@example.com"}),
    "surrogate id": (BY, {"id": "\ud800"}),
    "an early day": (WHERE, {"hasOrderSince": "0001-01-01T00:00:00+23:59"}),
    "a late day": (WHERE, {"createdAt": {"lt": "9999-12-31T23:59:59-23:59"}}),
    "exponents": (
        "query ($v: Decimal!) { orders(where: {total: {gt: $v}}) { hasMore } }",
        "1e999999999",
    ),
    "a nan": ("query ($v: Decimal!) { orders(where: {total: {gt: $v}}) { hasMore } }", "NaN"),
    "json": (WHERE, {"attribute": {"key": "points", "eq": {"a": [1] * 1_000}}}),
    "json numbers": (WHERE, {"attribute": {"key": "points", "gt": 1e308}}),
    **{
        f"SQL as {name}": (query, value)
        for name, query, value in [
            ("search", WHERE, {"search": SQL}),
            ("city", WHERE, {"city": {"eq": SQL}}),
            ("tag", WHERE, {"tag": {"in": [SQL]}}),
            ("key", WHERE, {"attribute": {"key": SQL, "eq": SQL}}),
            ("id", BY, {"id": SQL}),
            ("email", BY, {"email": SQL}),
            ("phone", BY, {"phone": SQL}),
            ("card", BY, {"loyaltyCard": SQL}),
            ("source", BY, {"external": {"source": SQL, "externalId": SQL}}),
            ("cursor", "query ($v: String) { customers(after: $v) { nodes { id } } }", SQL),
            ("node", "query ($v: ID!) { node(id: $v) { id } }", SQL),
            (
                "order",
                "query ($v: OrderWhere) { orders(where: $v) { hasMore } }",
                {"number": {"eq": SQL}},
            ),
            ("type", "query ($v: String!) { __type(name: $v) { name } }", SQL),
        ]
    },
}
