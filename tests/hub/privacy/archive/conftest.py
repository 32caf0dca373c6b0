"""The shop, in which somebody is named in every table that can name anybody."""

import io
import json
import zipfile
from typing import Any
from uuid import UUID

import pytest

from hub import clock
from hub.config import Settings
from hub.crypto import Keyring
from hub.privacy import duty, requests
from hub.privacy.archive import fetching, making
from tests.shop import Shop

MORE = """
WITH r AS (
    SELECT r.id, r.source_id, r.external_id FROM source_record r
     WHERE r.type = 'customer' AND r.external_id = 'anna'
), v AS (
    SELECT v.id FROM identifier_value v WHERE v.value = 'anna@example.com'
), document AS (
    INSERT INTO consent_document (id, name, version, language, purposes, text, hash, controller)
    VALUES (gen_random_uuid(), 'terms', '2', 'en', '{email_marketing}', 'We write.', '\\x01',
            'Shop Ltd')
    RETURNING id
), asked AS (
    INSERT INTO consent_request (id, token_hash, record_id, customer_id, purpose, contact_point_id,
                                 document_id, requested_by, expires_at)
    SELECT gen_random_uuid(), '\\x02', r.id, $1, 'email_marketing', v.id, document.id, 'command',
           now() FROM r, v, document
), attested AS (
    INSERT INTO consent_attestation (id, attester, source_id, purpose, document_id, given_at,
                                     evidence)
    SELECT gen_random_uuid(), 'Somebody of the staff', r.source_id, 'email_marketing', document.id,
           now(), 'the contract' FROM r, document
    RETURNING id
), entry AS (
    INSERT INTO consent_entry (id, statement_id, record_id, customer_id, purpose, state, channel,
                               method, document, version, evidence, given_at, attestation_id)
    SELECT gen_random_uuid(), attested.id, r.id, $1, 'email_marketing', 'granted', '',
           'attestation', 'terms', '2', '', now(), attested.id FROM r, attested
), item AS (
    INSERT INTO source_item (source_id, stream, external_id, record_id, item)
    SELECT r.source_id, 'people', 'anna', r.id, '{"mail": "anna@example.com"}' FROM r
), rejected AS (
    INSERT INTO rejected_record (source_id, stream, external_id, field, reason)
    SELECT r.source_id, 'people', 'anna', 'birth_date', 'is no date' FROM r
), export AS (
    INSERT INTO export_run (id, purpose, requested_by, recipient, columns)
    VALUES (gen_random_uuid(), 'email_marketing', 'Somebody of the staff', 'Letters Ltd', 'email')
    RETURNING id
), disclosed AS (
    INSERT INTO disclosure (customer_id, purpose, kind, recipient, grounds, categories, export_id)
    SELECT $1, 'email_marketing', 'file', 'Letters Ltd', 'consent', 'contact', export.id FROM export
), client AS (
    INSERT INTO oauth_client (id, name, scopes, purposes)
    VALUES (gen_random_uuid(), 'front', '{}', '{}') RETURNING id
), leave AS (
    INSERT INTO oauth_grant (id, client_id, customer_id, scopes, purposes, expires_at)
    SELECT gen_random_uuid(), client.id, $1, '{}', '{}', now() + interval '1 h' FROM client
), chain AS (
    INSERT INTO audit_chain (id, mentioned) VALUES (gen_random_uuid(), 1) RETURNING id
), seen AS (
    INSERT INTO audit_entry (chain_id, number, at, kind, action, actor, purpose, people, detail,
                             hash)
    SELECT chain.id, n, now(), 'read', 'customer', 'client:front', 'customer_service',
           uuid_send($2) || uuid_send($1), 'detail of the staff', '\\x03'
      FROM chain, generate_series(1, 2) AS n
), mention AS (
    INSERT INTO audit_mention (customer_id, chain_id, number) SELECT $1, chain.id, 1 FROM chain
), waiting AS (
    INSERT INTO audit_draft (kind, action, actor, people)
    VALUES ('changed', 'recordConsent', 'command', uuid_send($1))
), blocked AS (
    INSERT INTO blocked_identifier (type, pattern) VALUES ('email', 'anna@example.com')
)
SELECT 1
"""
STEP = "INSERT INTO privacy_step (request_id, holder) VALUES ($1, 'hub')"


class Archive:
    """An archive that was fetched."""

    def __init__(self, content: bytes) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(content))
        self.names = self._zip.namelist()

    def text(self, name: str) -> str:
        return self._zip.read(name).decode()

    def json(self, name: str) -> Any:
        return json.loads(self._zip.read(name))

    @property
    def whole(self) -> str:
        """Every word of it."""
        return "\n".join(self.text(name) for name in self.names)


@pytest.fixture
async def named(shop: Shop) -> UUID:
    """Anna, who is named in every table."""
    anna, boris = await shop.id("anna"), await shop.id("boris")
    await shop.database.owner.fetchval(MORE, anna, boris)
    return anna


async def made(shop: Shop, keyring: Keyring, chosen: Settings, customer: UUID) -> Archive:
    """Ask for an archive, make it, and fetch it."""

    async def work(connection: Any) -> UUID:
        asked = await requests.ask(connection, "access", customer, by="command", at=clock.now())
        await connection.execute(STEP, asked.id)
        return asked.id

    request = await shop.database.retrying(work)
    async with shop.database.transaction() as connection:
        await connection.execute(duty.SNAPSHOT)
        await making.make(connection, keyring, chosen, request, customer)
    parts = await shop.database.retrying(lambda c: fetching.count(c, request))
    pieces = [p async for p in fetching.opened(shop.database, keyring, request, parts)]
    return Archive(b"".join(pieces))
