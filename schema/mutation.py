"""What can be written."""

import strawberry

from schema.consenting import (
    ConsentPayload,
    RecordConsentInput,
    WithdrawConsentInput,
    record_consent,
    withdraw_consent,
)
from schema.deciding import (
    MergeCustomersInput,
    MergeCustomersPayload,
    NeverLinkInput,
    NeverLinkPayload,
    SplitCustomerInput,
    SplitCustomerPayload,
    UndoDecisionInput,
    UndoDecisionPayload,
    merge_customers,
    never_link,
    split_customer,
    undo_decision,
)
from schema.privacy import (
    ObjectToProcessingInput,
    PrivacyPayload,
    RequestAccessInput,
    RequestErasureInput,
    RestrictProcessingInput,
    object_to_processing,
    request_access,
    request_erasure,
    restrict_processing,
)
from schema.purposes import (
    CreatePurposeInput,
    PurposePayload,
    RetirePurposeInput,
    UpdatePurposeInput,
    create_purpose,
    retire_purpose,
    update_purpose,
)
from schema.recording import (
    RecordCustomersInput,
    RecordInteractionsInput,
    RecordOrdersInput,
    RecordPayload,
    record_customers,
    record_interactions,
    record_orders,
)
from schema.requesting import RequestConsentInput, RequestConsentPayload, request_consent
from schema.syncing import SyncIntegrationInput, SyncIntegrationPayload, sync_integration
from schema.writing import written

AGAIN = " The same again changes nothing."


@strawberry.type(description="What can be written. Each field is one transaction with its answer.")
class Mutation:
    @written(record_customers, "customers:write", "Record up to 500 customers of a source." + AGAIN)
    def record_customers(self, input: RecordCustomersInput) -> RecordPayload | None: ...

    @written(record_orders, "customers:write", "Record up to 500 orders of a source." + AGAIN)
    def record_orders(self, input: RecordOrdersInput) -> RecordPayload | None: ...

    @written(
        record_interactions,
        "customers:write",
        "Record up to 500 interactions of a source." + AGAIN,
    )
    def record_interactions(self, input: RecordInteractionsInput) -> RecordPayload | None: ...

    @written(
        record_consent,
        "consents:write",
        "Enter what a customer tells the hub of a purpose. A grant takes the place of whatever was"
        " said of that purpose before, by whichever source.",
        is_own=True,
    )
    def record_consent(self, input: RecordConsentInput) -> ConsentPayload | None: ...

    @written(
        withdraw_consent,
        "consents:write",
        "Enter that a customer no longer agrees.",
        is_own=True,
    )
    def withdraw_consent(self, input: WithdrawConsentInput) -> ConsentPayload | None: ...

    @written(create_purpose, "admin", "Add a purpose. Whoever said nothing of it does not agree.")
    def create_purpose(self, input: CreatePurposeInput) -> PurposePayload | None: ...

    @written(update_purpose, "admin", "Change a purpose, for the next thing that anybody reads.")
    def update_purpose(self, input: UpdatePurposeInput) -> PurposePayload | None: ...

    @written(
        retire_purpose,
        "admin",
        "Let nobody use a purpose any more. What people said of it stays in the ledger.",
    )
    def retire_purpose(self, input: RetirePurposeInput) -> PurposePayload | None: ...

    @written(
        request_consent,
        "consents:write",
        "Ask a customer by mail for a consent, which they give on a page or not (double opt-in).",
    )
    def request_consent(self, input: RequestConsentInput) -> RequestConsentPayload | None: ...

    @written(merge_customers, "identity:decide", "Decide that customers are one person.")
    def merge_customers(self, input: MergeCustomersInput) -> MergeCustomersPayload | None: ...

    @written(
        split_customer, "identity:decide", "Decide that records of a customer are somebody else."
    )
    def split_customer(self, input: SplitCustomerInput) -> SplitCustomerPayload | None: ...

    @written(never_link, "identity:decide", "Decide that two customers never become one.")
    def never_link(self, input: NeverLinkInput) -> NeverLinkPayload | None: ...

    @written(undo_decision, "identity:decide", "Undo a decision about identity.")
    def undo_decision(self, input: UndoDecisionInput) -> UndoDecisionPayload | None: ...

    @written(
        request_access,
        "privacy:manage",
        "Have an archive made of everything that is held of a customer: a worker does it in a"
        " moment, and `privacyRequests` tells where it is. One that is open already is not asked"
        " for twice.",
        is_own=True,
    )
    def request_access(self, input: RequestAccessInput) -> PrivacyPayload | None: ...

    @written(
        request_erasure,
        "privacy:manage",
        "Have a customer erased for good: a worker does it in a moment. Nothing brings them back"
        " but an act of their own.",
        is_own=True,
    )
    def request_erasure(self, input: RequestErasureInput) -> PrivacyPayload | None: ...

    @written(
        restrict_processing,
        "privacy:manage",
        "Keep a customer's data and use it for nothing but what the law wants, or lift that.",
        is_own=True,
    )
    def restrict_processing(self, input: RestrictProcessingInput) -> PrivacyPayload | None: ...

    @written(
        object_to_processing,
        "privacy:manage",
        "Enter that a customer objects to a purpose, or to everything that rests on the retailer's"
        " interest, and to marketing.",
        is_own=True,
    )
    def object_to_processing(self, input: ObjectToProcessingInput) -> PrivacyPayload | None: ...

    @written(
        sync_integration,
        "integrations:manage",
        "Have a connected system read: a worker does it in a moment. What waits already for the"
        " same is not asked for twice.",
    )
    def sync_integration(self, input: SyncIntegrationInput) -> SyncIntegrationPayload | None: ...
