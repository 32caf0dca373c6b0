"""Which rows of which table are about a person: every table is named here, or named as nobody's.

A table that is in neither list fails a test; so does a column that is neither given nor left out
for a reason. In SQL a row is `t`, `$1` are the customer's ids (with those merged into it), `$2` the
ids of their records, `$3` those and the ids of all records that speak of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Column, LargeBinary

from hub.models import Base

STAFF = "a colleague's name"
OTHERS = "says of other people, not of this one"
SECRET = "proves or seals something, and says nothing"  # noqa: S105 - a reason

TOOK_PART = (
    "IN (SELECT p.interaction_id FROM interaction_participant p WHERE p.record_id = ANY($2))"
)
IS_SHARED = (
    "EXISTS (SELECT FROM interaction_participant p"
    " WHERE p.interaction_id = {id} AND NOT p.record_id = ANY($2))"
)
"""Other people's addresses and numbers are in what a source sent of a call or a mail with them."""
STATED = "t.record_id = ANY($2)"
NAMED = "t.customer_id = ANY($1)"
IN_PEOPLE = (
    "EXISTS (SELECT FROM unnest($1) AS me (id)"
    " WHERE position(uuid_send(me.id) IN t.people) % 16 = 1)"
)


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of a table that are a person's; `leaves_out` says why a column is not given,
    `instead` what is given in a column's place."""

    where: str
    leaves_out: Mapping[str, str] = field(default_factory=dict[str, str])
    instead: Mapping[str, str] = field(default_factory=dict[str, str])


SECTIONS: Mapping[str, Section] = {
    "customer": Section("t.id = ANY($1)"),
    "customer_alias": Section(NAMED),
    "personal_details": Section(STATED),
    "identifier": Section(STATED),
    "identifier_value": Section(
        "EXISTS (SELECT FROM identifier i"
        " WHERE i.record_id = ANY($2) AND i.type = t.type AND i.value = t.value)",
        {"holders": OTHERS, "blocked": OTHERS},
    ),
    "blocked_identifier": Section(
        "EXISTS (SELECT FROM identifier i"
        " WHERE i.record_id = ANY($2) AND i.type = t.type AND i.value = t.pattern)"
    ),
    "address": Section(STATED),
    "tag": Section(STATED),
    "attribute": Section(STATED),
    "order": Section(STATED),
    "order_line": Section('t.order_id IN (SELECT o.id FROM "order" o WHERE o.record_id = ANY($2))'),
    "interaction": Section(f"t.id {TOOK_PART}"),
    "interaction_participant": Section(STATED),
    "consent_entry": Section(
        f"{STATED} OR {NAMED}",
        instead={"document_hash": "encode(t.document_hash, 'hex')"},
    ),
    "consent_state": Section(NAMED),
    "consent_request": Section(STATED, {"token_hash": SECRET}),
    "consent_attestation": Section(
        "t.id IN (SELECT e.attestation_id FROM consent_entry e WHERE e.customer_id = ANY($1))",
        {"attester": STAFF, "undone_by": STAFF, "people": OTHERS, "reached": OTHERS},
    ),
    "consent_document": Section(
        "EXISTS (SELECT FROM consent_entry e WHERE e.customer_id = ANY($1)"
        " AND e.document = t.name AND e.version = t.version)"
        " OR t.id IN (SELECT q.document_id FROM consent_request q WHERE q.record_id = ANY($2))",
        instead={"hash": "encode(t.hash, 'hex')"},
    ),
    "source_record": Section(
        "t.id = ANY($3)",
        {"hash": SECRET},
        {"payload": f"CASE WHEN NOT {IS_SHARED.format(id='t.id')} THEN t.payload END"},
    ),
    "source_item": Section(
        "t.record_id = ANY($3)",
        {"mark": SECRET},
        {
            "item": f"CASE WHEN NOT {IS_SHARED.format(id='t.record_id')}"
            " THEN convert_from(t.item, 'UTF8')::json END"
        },
    ),
    "rejected_record": Section(
        "EXISTS (SELECT FROM source_item i WHERE i.record_id = ANY($3)"
        " AND i.source_id = t.source_id AND i.stream = t.stream AND i.external_id = t.external_id)"
        " OR EXISTS (SELECT FROM source_record r WHERE r.id = ANY($3)"
        " AND r.run_id = t.run_id AND r.run_row = t.row_number)"
    ),
    "identity_link": Section(STATED, {"decided_by": STAFF}),
    "identity_decision": Section(
        "t.id IN (SELECT d.decision_id FROM decision_record d WHERE d.record_id = ANY($2))",
        {"decided_by": STAFF, "revoked_by": STAFF},
    ),
    "decision_record": Section(STATED),
    "event": Section(f"{NAMED} OR t.customer_id IS NULL AND t.record_id = ANY($3)"),
    "privacy_request": Section(NAMED),
    "privacy_step": Section(
        "t.request_id IN (SELECT r.id FROM privacy_request r WHERE r.customer_id = ANY($1))"
    ),
    "disclosure": Section(NAMED),
    "export_run": Section(
        "t.id IN (SELECT d.export_id FROM disclosure d WHERE d.customer_id = ANY($1))",
        {"requested_by": STAFF, "reason": STAFF, "people": OTHERS},
    ),
    "audit_entry": Section(
        "(t.chain_id, t.number) IN (SELECT m.chain_id, m.number FROM audit_mention m"
        " WHERE m.customer_id = ANY($1))"
        " OR t.number > (SELECT c.mentioned FROM audit_chain c WHERE c.id = t.chain_id)"
        f" AND {IN_PEOPLE}",
        {"people": OTHERS, "document": SECRET, "hash": SECRET, "user_id": STAFF, "detail": STAFF},
    ),
    "audit_draft": Section(
        IN_PEOPLE, {"people": OTHERS, "document": SECRET, "user_id": STAFF, "detail": STAFF}
    ),
    "oauth_grant": Section(NAMED, {"user_id": STAFF}),
}

NOBODY: Mapping[str, str] = {
    "attribute_definition": "what attributes are called",
    "audit_chain": "how far chains of entries are looked up",
    "audit_checkpoint": "signatures over chains of entries",
    "audit_mention": "where audit_entry names them, which is given itself",
    "awaited_refusal": "hashes of people who are not in the hub",
    "call_slot": "how often vendors are called",
    "client_assertion": "proofs of programs",
    "connection_request": "colleagues on their way to a vendor",
    "credential": "secrets of integrations",
    "import_chunk": "how far files were read",
    "import_run": "files of many people, none of which is named",
    "integration": "connected systems",
    "journal_timeline": "where the journal begins",
    "oauth_client": "programs that ask",
    "oauth_code": "codes of colleagues",
    "oauth_token": "hashes of tokens; the grant that they are of is given",
    "privacy_archive": "archives like this one",
    "product": "what is sold",
    "purpose": "what data is for, of everybody; it is told apart in purposes.json",
    "rate_budget": "what programs spent",
    "release": "which release made the database",
    "revoked_token": "ids of tokens",
    "role": "what colleagues may do",
    "sealed_key": "keys",
    "signing_key": "keys",
    "source": "where records come from; it is told apart in sources.json",
    "store": "where things are sold",
    "stream_state": "how far vendors were read",
    "suppression": "keyed hashes of the erased, of whom nothing else is left to tell who they were",
    "sync_listing": "ids for the length of a run, the same as in source_item",
    "sync_run": "when vendors were read",
    "throttle": "hashes of addresses that failed to log in",
    "user": "colleagues",
    "user_role": "colleagues",
    "user_session": "colleagues",
}
"""Tables that say nothing of customers, and why."""


def columns(model: type[Base], section: Section) -> Mapping[str, str]:
    """The columns that are given, each with its SQL."""
    return {
        name: section.instead.get(name, f't."{name}"')
        for name, column in model.__table__.columns.items()
        if name not in section.leaves_out and column.computed is None
    }


def is_bytes(column: "Column[object]") -> bool:
    """Whether a column can not be given as it is."""
    return isinstance(column.type, LargeBinary)


def models() -> Mapping[str, type[Base]]:
    """Every table's model."""
    return {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
