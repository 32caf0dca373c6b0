"""Every table says what an erasure does to it: a new one fails here until it has its place."""

from hub.models import Base
from hub.privacy import scrubbing

DELETED = {
    *("address", "attribute", "consent_request", "consent_state", "decision_record", "identifier"),
    *("identifier_value", "identity_decision", "identity_link", "interaction"),
    *("interaction_participant", "order", "order_line", "personal_details", "privacy_archive"),
    *("rejected_record", "source_item", "source_record", "tag"),
}
"""Rows of the person go; of what is shared their part does."""
EMPTIED = {"consent_entry", "customer", "event", "export_run", "privacy_request"}
"""Rows stay, with ids, purposes and times; what else they told goes."""
IDS = {
    *("audit_draft", "audit_entry", "audit_mention", "awaited_refusal", "customer_alias"),
    *("disclosure", "oauth_grant", "privacy_step", "suppression"),
}
"""They tell of the person by ids and keyed hashes alone."""
PASSING = {"call_slot", "connection_request", "stream_state", "sync_listing"}
"""They hold how far a vendor was read, as long as it is."""
NOBODY = {
    *("attribute_definition", "audit_chain", "audit_checkpoint", "blocked_identifier"),
    *("client_assertion", "consent_attestation", "consent_document", "credential"),
    *("import_chunk", "import_run", "integration", "journal_timeline", "oauth_client"),
    *("oauth_code", "oauth_token", "product", "purpose", "rate_budget", "release"),
    *("revoked_token", "role", "sealed_key", "signing_key", "source", "store", "sync_run"),
    *("throttle", "user", "user_role", "user_session"),
}
"""They are about no customer: about goods, clients, colleagues, runs and keys."""


def test_every_table_has_its_place() -> None:
    placed = [DELETED, EMPTIED, IDS, PASSING, NOBODY]
    assert set().union(*placed) == Base.metadata.tables.keys()
    assert sum(map(len, placed)) == len(Base.metadata.tables)


def test_nobody_follows_a_customer() -> None:
    for name in NOBODY | PASSING:
        columns = Base.metadata.tables[name].columns
        assert not {"customer_id", "record_id"} & {column.name for column in columns}, name


def test_scrub_rewrites_what_holds_people() -> None:
    rewritten = {name.rpartition(".")[2].strip('"') for name in scrubbing.tables()}
    assert DELETED | EMPTIED - {"privacy_request"} <= rewritten
