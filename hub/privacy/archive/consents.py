"""A person's consents as records of ISO/IEC TS 27560:2023: what it says has to be there."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from hub.db.connection import Connection
from hub.privacy.archive.reading import Person

SCHEMA = "ISO/IEC TS 27560:2023"
STATES: Mapping[str, str] = {
    "granted": "consent given",
    "denied": "consent refused",
    "withdrawn": "consent withdrawn",
    "objected": "consent refused",
    "invalidated": "consent invalidated",
}
"""The event's state in the standard's words."""
UNSAID = "not stated"

ENTRIES = """
SELECT e.id, e.purpose, e.state, e.channel, e.method, e.document, e.version, e.language,
       encode(e.document_hash, 'hex') AS hash, e.evidence, e.recorded_by, e.given_at,
       e.valid_until, e.recorded_at, e.superseded_at, v.type AS contact_type, v.value AS contact,
       p.title, p.basis, p.may_return, p.contact_types, s.key AS source, d.controller,
       d.jurisdiction, d.storage, d.retention, d.recipients, d.withdrawal
  FROM consent_entry e
  JOIN purpose p ON p.key = e.purpose
  LEFT JOIN identifier_value v ON v.id = e.contact_point_id
  LEFT JOIN source_record r ON r.id = e.record_id
  LEFT JOIN source s ON s.id = r.source_id
  LEFT JOIN LATERAL (SELECT * FROM consent_document d
                      WHERE d.name = e.document AND d.version = e.version
                        AND (e.language = '' OR d.language = e.language)
                      ORDER BY d.language LIMIT 1) d ON true
 WHERE e.record_id = ANY($1) OR e.customer_id = ANY($2)
 ORDER BY e.given_at, e.id
"""


async def consents(
    connection: Connection, whose: Person, customer: UUID
) -> Sequence[Mapping[str, Any]]:
    """Everything the person said of purposes, one record for each, the oldest first."""
    rows = await connection.fetch(ENTRIES, whose.people, whose.customers)
    return [_record(row, customer) for row in rows]


def _record(row: Any, customer: UUID) -> Mapping[str, Any]:
    controller = row["controller"] or UNSAID
    return {
        "header": {
            "schema_version": SCHEMA,
            "record_id": row["id"],
            "pii_principal_id": customer,
        },
        "processing": {
            "privacy_notice": _notice(row),
            "language": row["language"] or UNSAID,
            "purposes": [_purpose(row, controller)],
        },
        "party_identification": [
            {
                "party_id": "controller",
                "party_name": controller,
                "party_address": UNSAID,
                "party_contact": row["withdrawal"] or UNSAID,
                "party_type": "organisation",
                "party_role": "controller",
            }
        ],
        "events": [_event(row)],
    }


def _notice(row: Any) -> Mapping[str, Any]:
    return {
        "document": row["document"] or UNSAID,
        "version": row["version"] or UNSAID,
        "sha256": row["hash"],
    }


def _purpose(row: Any, controller: str) -> Mapping[str, Any]:
    return {
        "purpose": row["title"],
        "purpose_type": row["purpose"],
        "lawful_basis": row["basis"],
        "pii_information": [{"pii_type": category} for category in row["may_return"]],
        "pii_controllers": [controller],
        "collection_method": row["method"] or UNSAID,
        "storage_locations": row["storage"] or UNSAID,
        "retention_period": row["retention"] or UNSAID,
        "jurisdiction": row["jurisdiction"] or UNSAID,
        "recipient_third_parties": row["recipients"] or [],
        "withdrawal_method": row["withdrawal"] or UNSAID,
        "service": row["channel"] or None,
        "contact_point": row["contact"] and {"type": row["contact_type"], "value": row["contact"]},
    }


def _event(row: Any) -> Mapping[str, Any]:
    return {
        "event_time": row["given_at"],
        "event_type": "expressed consent",
        "event_state": STATES[row["state"]],
        "validity_duration": row["valid_until"] or "until it is withdrawn",
        "entity_id": row["recorded_by"] or row["source"] or UNSAID,
        "evidence": row["evidence"] or None,
        "recorded_at": row["recorded_at"],
        "superseded_at": row["superseded_at"],
    }
