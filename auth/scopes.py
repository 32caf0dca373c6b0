"""Scopes: what a client may touch, and which of them opens which category of data."""

from collections.abc import Mapping

from hub.models.base import Category

SCOPES: Mapping[str, str] = {
    "customers:read": "Read who people are: names, birth date, gender, locale, city.",
    "contacts:read": "Read how people are reached: identifiers and addresses.",
    "orders:read": "Read what people bought: orders and their lines, deals, loyalty.",
    "interactions:read": "Read what people did: interactions and answers to campaigns.",
    "profiles:read": "Read what is said about people: metrics, segments, tags, attributes.",
    "consents:read": "Read consents, their history and decisions that rest on them.",
    "sources:read": "Read where facts come from: source records and their links.",
    "products:read": "Read products; they say nothing about a person.",
    "stores:read": "Read stores; they say nothing about a person.",
    "integrations:read": "Read which systems are connected, and how reading them went.",
    "customers:write": "Record customers, their orders and their interactions.",
    "consents:write": "Record and withdraw consents.",
    "identity:decide": "Merge and split customers, and decide who is the same person.",
    "segments:write": "Make, change and delete segments.",
    "audiences:run": "Make audiences and send them to ad platforms.",
    "integrations:manage": "Connect, run and disconnect integrations.",
    "webhooks:manage": "Make, change and delete webhook endpoints, and repeat deliveries.",
    "privacy:manage": "Answer people's requests about their data.",
    "privacy:self": "Make requests about the data of the person the token is bound to.",
    "customers:exchange": "Exchange a token for one that is bound to a customer.",
    "audit:read": "Read the audit trail.",
    "admin": "Manage clients, users, roles and purposes.",
}

READS: Mapping[Category, str] = {
    "identity": "customers:read",
    "contact": "contacts:read",
    "trade": "orders:read",
    "behaviour": "interactions:read",
    "profile": "profiles:read",
    "consent": "consents:read",
    "provenance": "sources:read",
}
"""The scope that opens a category of personal data; `open` has one per table (`OPEN`)."""

OPEN: Mapping[str, str] = {
    "product": "products:read",
    "store": "stores:read",
    "integration": "integrations:read",
    "stream_state": "integrations:read",
    "sync_run": "integrations:read",
    "rejected_record": "integrations:read",
}
"""The scope that opens a table of category `open`; the others, such as purposes, need none."""
