"""The views that a statement reads: whole ones, or no more of them than what is one customer's own.

Every name of a view in a statement comes from here, by `views[table]`, so that no statement of
somebody bound reaches beyond what is theirs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.conditions import Views
from hub.errors import Forbidden
from schema.plan.values import Slot

__all__ = ["CUSTOMER", "ME", "Narrowed", "Views", "Whole"]

CUSTOMER = "#customer"
"""What the customer's id is bound as, who somebody bound is: no variable has such a name."""
ME = Slot((CUSTOMER,))

HANGS_ON = 't."customer_id" = {me}'
OWN: Mapping[str, str] = {
    "customer": 't."id" = {me}',
    "customer_alias": HANGS_ON,
    "identity_link": HANGS_ON,
    "personal_details": HANGS_ON,
    "identifier": HANGS_ON,
    "address": HANGS_ON,
    "tag": HANGS_ON,
    "attribute": HANGS_ON,
    "order": HANGS_ON,
    "order_line": HANGS_ON,
    "interaction_participant": HANGS_ON,
    "consent_entry": HANGS_ON,
    "consent_state": HANGS_ON,
    "source_record": (
        'coalesce(t."about_id", t."id") IN (SELECT l."record_id" FROM {v}."identity_link" l'
        ' WHERE l."customer_id" = {me} AND l."unlinked_at" IS NULL)'
    ),
    "interaction": (
        't."id" IN (SELECT p."interaction_id" FROM {v}."interaction_participant" p'
        ' WHERE p."customer_id" = {me})'
    ),
    "event": (
        't."customer_id" IN (SELECT {me} UNION ALL SELECT a."alias_id"'
        ' FROM {v}."customer_alias" a WHERE a."customer_id" = {me})'
    ),
    "disclosure": (
        't."customer_id" IN (SELECT {me} UNION ALL SELECT a."alias_id"'
        ' FROM {v}."customer_alias" a WHERE a."customer_id" = {me})'
    ),
    "privacy_request": (
        't."customer_id" IN (SELECT {me} UNION ALL SELECT a."alias_id"'
        ' FROM {v}."customer_alias" a WHERE a."customer_id" = {me})'
    ),
    "privacy_step": (
        't."request_id" IN (SELECT r."id" FROM {v}."privacy_request" r'
        ' WHERE r."customer_id" IN (SELECT {me} UNION ALL SELECT a."alias_id"'
        ' FROM {v}."customer_alias" a WHERE a."customer_id" = {me}))'
    ),
    "product": (
        't."id" IN (SELECT l."product_id" FROM {v}."order" o JOIN {v}."order_line" l'
        ' ON l."order_id" = o."id" WHERE o."customer_id" = {me})'
    ),
    "store": 't."id" IN (SELECT o."store_id" FROM {v}."order" o WHERE o."customer_id" = {me})',
}
"""Which rows `t` of a view are the customer's own, or are led to by those."""
COLUMNS: Mapping[str, str] = {
    "identity_link": (
        't."record_id", t."customer_id", t."method", NULL::text AS "decided_by",'
        ' t."rule_version", t."linked_at", t."unlinked_at"'
    ),
}
"""Of which tables not all columns are the customer's own: who decided is one of the staff."""
OPEN = frozenset({"attribute_definition", "purpose", "source"})
"""What is the same for everybody and says nothing of anybody: what data is called and is for, and
where it came from, as people are told of their own."""


@dataclass(frozen=True, slots=True)
class Whole:
    """The views as they are."""

    schema: str

    def __getitem__(self, table: str) -> str:
        return f'"{self.schema}"."{table}"'


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What is the own of one customer, whose id `me` binds."""

    schema: str
    me: Callable[[], str]

    def __getitem__(self, table: str) -> str:
        """Raises Forbidden for what is nobody's own: a table that nobody thought of is not read."""
        view = f'"{self.schema}"."{table}"'
        if table in OPEN:
            return view
        if table not in OWN:
            raise Forbidden("A token that is bound to a customer has only what is their own.")
        own = OWN[table].format(me=self.me(), v=f'"{self.schema}"')
        return f"(SELECT {COLUMNS.get(table, 't.*')} FROM {view} t WHERE {own})"
