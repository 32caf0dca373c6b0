"""Who may have what, as the design's table says it: written down, and not asked of the code."""

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass

SCOPE_OF: Mapping[str, str] = {
    "identity": "customers:read",
    "contact": "contacts:read",
    "trade": "orders:read",
    "behaviour": "interactions:read",
    "profile": "profiles:read",
    "consent": "consents:read",
    "provenance": "sources:read",
}
EVERYTHING = frozenset(SCOPE_OF)
MARKETING = frozenset({"identity", "contact", "trade", "profile"})


@dataclass(frozen=True)
class Rule:
    """A purpose: its basis, what it may return, and whether only contact points of one kind."""

    basis: str
    returns: Set[str]
    is_narrow: bool = False


PURPOSES: Mapping[str, Rule] = {
    "customer_service": Rule("contract", EVERYTHING - {"profile"}),
    "analytics": Rule("legitimate interest", {"trade", "behaviour", "profile"}),
    "profiling": Rule("consent", {"trade", "behaviour", "profile"}),
    "email_marketing": Rule("consent", MARKETING, is_narrow=True),
    "sms_marketing": Rule("consent", MARKETING, is_narrow=True),
    "phone_marketing": Rule("consent", MARKETING, is_narrow=True),
    "ads_audiences": Rule("consent", {"identity", "contact"}),
    "ads_personalization": Rule("consent", {"identity", "contact"}),
    "partner_sharing": Rule("consent", MARKETING),
    "data_subject_rights": Rule("legal obligation", EVERYTHING),
}
SCOPES = (
    *SCOPE_OF.values(),
    *("products:read", "stores:read", "integrations:read"),
    *("customers:write", "consents:write", "identity:decide", "segments:write", "audiences:run"),
    *("integrations:manage", "webhooks:manage", "privacy:manage", "privacy:self"),
    *("customers:exchange", "audit:read", "admin"),
)
ALL = frozenset(SCOPES)
LAW = "data_subject_rights"
MANAGE, SELF = "privacy:manage", "privacy:self"
PROFILING = frozenset({"trade", "behaviour", "profile"})
"""By which nobody is chosen under consent, unless it is to profiling too."""
DEPLOYMENT = "integrations:read"
"""The scope of what is not about people or what they have to do with."""


@dataclass(frozen=True)
class Need:
    """What something takes: categories of data that are returned, categories that people are
    chosen by, and scopes of their own. Postal addresses are not for purposes of one kind of contact
    point; declared attributes are of whichever category they are declared, row by row. What is the
    law's is for purposes of legal obligation alone, what is of all for nobody who is bound.
    """

    returns: Set[str] = frozenset()
    chooses: Set[str] = frozenset()
    scopes: Set[str] = frozenset()
    is_postal: bool = False
    is_declared: bool = False
    is_laws: bool = False
    is_of_all: bool = False

    def __or__(self, other: "Need") -> "Need":
        return Need(
            self.returns | other.returns,
            self.chooses | other.chooses,
            self.scopes | other.scopes,
            self.is_postal or other.is_postal,
            self.is_declared or other.is_declared,
            self.is_laws or other.is_laws,
            self.is_of_all or other.is_of_all,
        )


def returned(*categories: str) -> Need:
    return Need(returns=frozenset(categories))


def chosen(*categories: str) -> Need:
    return Need(chooses=frozenset(categories))


def scoped(*scopes: str) -> Need:
    return Need(scopes=frozenset(scopes))


NOTHING = Need()
IDENTITY, CONTACT, TRADE = returned("identity"), returned("contact"), returned("trade")
BEHAVIOUR, PROFILE, CONSENT = returned("behaviour"), returned("profile"), returned("consent")
PROVENANCE = returned("provenance")
POSTAL = Need(returns=frozenset({"contact"}), is_postal=True)
DECLARED = Need(scopes=frozenset({"profiles:read"}), is_declared=True)
LAWS = Need(is_laws=True)
ASKED = scoped(MANAGE) | LAWS
WITHHELD = Need(scopes=frozenset({"consents:read"}), is_of_all=True)
AUDIT = Need(scopes=frozenset({"audit:read"}), is_of_all=True)
PRODUCTS, STORES, INTEGRATIONS = scoped("products:read"), scoped("stores:read"), scoped(DEPLOYMENT)


def faults(need: Need, purpose: str, scopes: Collection[str]) -> set[str]:
    """Why a client with these scopes may not have something for a purpose: one of them is told."""
    rule, found = PURPOSES[purpose], set[str]()
    wanted = {*need.scopes, *(SCOPE_OF[c] for c in need.returns | need.chooses)}
    if wanted - set(scopes) or (purpose == LAW and MANAGE not in scopes):
        found.add("FORBIDDEN")
    profiled = PROFILING if is_apart(purpose) else frozenset[str]()
    if need.returns - rule.returns or need.chooses - rule.returns - profiled:
        found.add("PURPOSE_NOT_ALLOWED")
    if (need.is_postal and rule.is_narrow) or (need.is_laws and purpose != LAW):
        found.add("PURPOSE_NOT_ALLOWED")
    return found


def is_apart(purpose: str) -> bool:
    """Whether who is chosen by what they did or are thought of agreed to profiling as well."""
    return PURPOSES[purpose].basis == "consent" and purpose != "profiling"


def faults_of_bound(need: Need, purpose: str, scopes: Collection[str]) -> set[str]:
    """The same for a token that is bound to a customer."""
    found = set[str]()
    if purpose != LAW:
        found.add("PURPOSE_NOT_ALLOWED")
    if SELF not in scopes or DEPLOYMENT in need.scopes or need.is_of_all:
        found.add("FORBIDDEN")
    return found


@dataclass(frozen=True)
class Place:
    """A type: a document that leads to it, what that takes, and what each of its fields takes."""

    path: str
    need: Need
    fields: Mapping[str, Need]


def alike(need: Need, names: str) -> Mapping[str, Need]:
    return dict.fromkeys(names.split(), need)


PAGE = alike(NOTHING, "edges nodes pageInfo totalCount hasMore")
EDGE = alike(NOTHING, "cursor node")
WHO = 'customer(by: {id: "00000000-0000-7000-8000-000000000000"})'
DECIDED = 'customer: "00000000-0000-7000-8000-000000000000", purpose: "analytics"'
ARGUMENTS: Mapping[str, str] = {
    "Query.customer": '(by: {id: "00000000-0000-7000-8000-000000000000"})',
    "Query.consentDecision": f"({DECIDED})",
    "Query.integration": '(name: "works")',
    "Query.node": '(id: "Q3VzdG9tZXI6MDAwMDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAw")',
    "Subscription.syncProgress": '(integration: "works")',
}


def of_customer(inner: str) -> str:
    return f"{{ {WHO} {{ {inner} }} }}"


PLACES: Mapping[str, Place] = {
    "Query": Place(
        "{ %s }",
        NOTHING,
        {
            **alike(NOTHING, "viewer customer customers purposes node"),
            "orders": chosen("trade") | TRADE,
            "interactions": chosen("behaviour") | BEHAVIOUR,
            "products": PRODUCTS,
            "consentDecision": CONSENT,
            "auditEntries": AUDIT,
            "privacyRequests": ASKED,
            **alike(INTEGRATIONS, "integrations integration adapters"),
        },
    ),
    "Subscription": Place(
        "subscription { %s }",
        NOTHING,
        {"customerChanged": NOTHING, "syncProgress": INTEGRATIONS},
    ),
    "CustomerChange": Place(
        "subscription { customerChanged { %s } }",
        NOTHING,
        alike(NOTHING, "position type cause at customerId customer"),
    ),
    "Viewer": Place(
        "{ viewer { %s } }",
        NOTHING,
        alike(NOTHING, "client user customer scopes purpose purposes budget expiresAt"),
    ),
    "Budget": Place(
        "{ viewer { budget { %s } } }",
        NOTHING,
        alike(NOTHING, "costPerSecond costLeft requestsPerSecond requestsLeft"),
    ),
    "Customer": Place(
        of_customer("%s"),
        NOTHING,
        {
            **alike(NOTHING, "id createdAt updatedAt"),
            **alike(IDENTITY, "displayName givenName familyName middleName birthDate gender"),
            **alike(IDENTITY, "locale city"),
            "identifiers": CONTACT,
            "addresses": POSTAL,
            **alike(TRADE, "orders lastOrderedAt"),
            "interactions": BEHAVIOUR,
            "tags": PROFILE,
            "attributes": DECLARED,
            **alike(CONSENT, "consents consentHistory"),
            "disclosures": CONSENT | LAWS,
            "sourceRecords": PROVENANCE,
        },
    ),
    "Identifier": Place(
        of_customer("identifiers { %s }"),
        CONTACT,
        {**alike(CONTACT, "type value verified status"), "sourceRecord": PROVENANCE},
    ),
    "Address": Place(
        of_customer("addresses { %s }"),
        POSTAL,
        {
            **alike(POSTAL, "kind text street city region postcode country"),
            "sourceRecord": PROVENANCE,
        },
    ),
    "Tag": Place(of_customer("tags { %s }"), PROFILE, {"tag": PROFILE, "sourceRecord": PROVENANCE}),
    "Attribute": Place(
        of_customer("attributes { %s }"),
        DECLARED,
        {**alike(DECLARED, "key title value"), "sourceRecord": PROVENANCE},
    ),
    "Consent": Place(
        of_customer("consents { %s }"), CONSENT, alike(CONSENT, "purpose state until")
    ),
    "ConsentEntry": Place(
        of_customer("consentHistory { %s }"),
        CONSENT,
        {
            **alike(CONSENT, "purpose state channel method document version evidence givenAt"),
            **alike(CONSENT, "validUntil recordedAt supersededAt language documentHash"),
            **alike(PROVENANCE, "sourceRecord recordedBy"),
        },
    ),
    "ConsentDecision": Place(
        f"{{ consentDecision({DECIDED}) {{ %s }} }}",
        CONSENT,
        alike(CONSENT, "allowed reason entryId until"),
    ),
    "Purpose": Place(
        "{ purposes { %s } }",
        NOTHING,
        {
            **alike(
                NOTHING, "key title basis mayReturn contactTypes channels validMonths retiredAt"
            ),
            "withheld": WITHHELD,
        },
    ),
    "Withheld": Place(
        "{ purposes { withheld { %s } } }", WITHHELD, alike(NOTHING, "reason customers")
    ),
    "Disclosure": Place(
        of_customer("disclosures { %s }"),
        CONSENT | LAWS,
        alike(CONSENT, "at purpose kind recipient basis consent categories"),
    ),
    "AuditEntries": Place("{ auditEntries { %s } }", AUDIT, alike(AUDIT, "nodes pageInfo")),
    "AuditEntry": Place(
        "{ auditEntries { nodes { %s } } }",
        AUDIT,
        {
            **alike(AUDIT, "chain number at kind action actor userId purpose document customers"),
            **alike(AUDIT, "customerCount detail"),
        },
    ),
    "PrivacyRequestConnection": Place("{ privacyRequests { %s } }", ASKED, PAGE),
    "PrivacyRequestEdge": Place("{ privacyRequests { edges { %s } } }", ASKED, EDGE),
    "PrivacyRequest": Place(
        "{ privacyRequests { nodes { %s } } }",
        ASKED,
        {
            **alike(ASKED, "id kind customerId purpose state isOverdue requestedBy receivedAt"),
            **alike(ASKED, "dueAt extendedFor finishedAt message records liftedAt archivePath"),
            **alike(ASKED, "archiveUntil steps"),
        },
    ),
    "PrivacyStep": Place(
        "{ privacyRequests { nodes { steps { %s } } } }",
        ASKED,
        alike(ASKED, "holder state message updatedAt"),
    ),
    "SourceRecord": Place(
        of_customer("sourceRecords { %s }"),
        PROVENANCE,
        {
            **alike(PROVENANCE, "id source type externalId observedAt deletedAt createdAt"),
            **alike(PROVENANCE, "updatedAt link subject"),
        },
    ),
    "Link": Place(
        of_customer("sourceRecords { link { %s } }"),
        PROVENANCE,
        alike(PROVENANCE, "method linkedAt decidedBy ruleVersion"),
    ),
    "Source": Place(
        of_customer("sourceRecords { source { %s } }"), PROVENANCE, alike(NOTHING, "key kind")
    ),
    "CustomerConnection": Place("{ customers { %s } }", NOTHING, PAGE),
    "CustomerEdge": Place("{ customers { edges { %s } } }", NOTHING, EDGE),
    "PageInfo": Place(
        "{ customers { pageInfo { %s } } }",
        NOTHING,
        alike(NOTHING, "hasNextPage hasPreviousPage startCursor endCursor"),
    ),
    "OrderConnection": Place(of_customer("orders { %s }"), TRADE, PAGE),
    "OrderEdge": Place(of_customer("orders { edges { %s } }"), TRADE, EDGE),
    "Order": Place(
        of_customer("orders { nodes { %s } }"),
        TRADE,
        {
            **alike(TRADE, "id externalId number status channel orderedAt total lines"),
            **alike(TRADE, "customer source"),
            "store": STORES,
            "sourceRecord": PROVENANCE,
        },
    ),
    "OrderLine": Place(
        of_customer("orders { nodes { lines { %s } } }"),
        TRADE,
        {**alike(TRADE, "position name quantity unitPrice discount total"), "product": PRODUCTS},
    ),
    "Money": Place(
        of_customer("orders { nodes { total { %s } } }"), TRADE, alike(TRADE, "amount currency")
    ),
    "Store": Place(
        of_customer("orders { nodes { store { %s } } }"),
        TRADE | STORES,
        alike(STORES, "id externalId name city address source"),
    ),
    "ProductConnection": Place("{ products { %s } }", PRODUCTS, PAGE),
    "ProductEdge": Place("{ products { edges { %s } } }", PRODUCTS, EDGE),
    "Product": Place(
        "{ products { nodes { %s } } }",
        PRODUCTS,
        alike(PRODUCTS, "id externalId name sku brand category price source"),
    ),
    "InteractionConnection": Place(of_customer("interactions { %s }"), BEHAVIOUR, PAGE),
    "InteractionEdge": Place(of_customer("interactions { edges { %s } }"), BEHAVIOUR, EDGE),
    "Interaction": Place(
        of_customer("interactions { nodes { %s } }"),
        BEHAVIOUR,
        {
            **alike(BEHAVIOUR, "id externalId kind direction startedAt endedAt subject text"),
            **alike(BEHAVIOUR, "source participants"),
            "sourceRecord": PROVENANCE,
        },
    ),
    "Participant": Place(
        of_customer("interactions { nodes { participants { %s } } }"),
        BEHAVIOUR,
        alike(BEHAVIOUR, "role customer"),
    ),
    "Adapter": Place(
        "{ adapters { %s } }",
        INTEGRATIONS,
        alike(NOTHING, "key title family docs settings streams erasure"),
    ),
    "AdapterSetting": Place(
        "{ adapters { settings { %s } } }",
        INTEGRATIONS,
        alike(NOTHING, "key title help isSecret default"),
    ),
    "AdapterStream": Place(
        "{ adapters { streams { %s } } }", INTEGRATIONS, alike(NOTHING, "key title kind")
    ),
    "Integration": Place(
        "{ integrations { %s } }",
        INTEGRATIONS,
        {
            **alike(INTEGRATIONS, "id name adapter state code message source everySeconds"),
            **alike(INTEGRATIONS, "nextSyncAt holdUntil createdAt streams runs rejectedRecords"),
        },
    ),
    "StreamState": Place(
        "{ integrations { streams { %s } } }",
        INTEGRATIONS,
        alike(INTEGRATIONS, "stream since readAt reconciledAt"),
    ),
    "SyncRunConnection": Place("{ integrations { runs { %s } } }", INTEGRATIONS, PAGE),
    "SyncRunEdge": Place("{ integrations { runs { edges { %s } } } }", INTEGRATIONS, EDGE),
    "SyncRun": Place(
        "{ integrations { runs { nodes { %s } } } }",
        INTEGRATIONS,
        {
            **alike(INTEGRATIONS, "id mode state code message stream streams counts"),
            **alike(INTEGRATIONS, "requestedBy createdAt startedAt finishedAt"),
        },
    ),
    "RejectedRecordConnection": Place(
        "{ integrations { rejectedRecords { %s } } }", INTEGRATIONS, PAGE
    ),
    "RejectedRecordEdge": Place(
        "{ integrations { rejectedRecords { edges { %s } } } }", INTEGRATIONS, EDGE
    ),
    "RejectedRecord": Place(
        "{ integrations { rejectedRecords { nodes { %s } } } }",
        INTEGRATIONS,
        {
            **alike(INTEGRATIONS, "stream field reason isRecorded createdAt resolvedAt"),
            "externalId": PROVENANCE,
        },
    ),
}
"""Every type that can be read."""

SOLD, DONE = chosen("trade") | TRADE, chosen("behaviour") | BEHAVIOUR
CHOICES: Mapping[str, Need] = {
    "customers(where: {id: {in: []}})": NOTHING,
    'customers(where: {search: "x"})': chosen("identity"),
    'customers(where: {email: {eq: "x@example.com"}})': chosen("contact"),
    'customers(where: {phone: {in: ["+79001234567"]}})': chosen("contact"),
    'customers(where: {loyaltyCard: {eq: "7"}})': chosen("contact"),
    'customers(where: {city: {eq: "x"}})': chosen("identity"),
    "customers(where: {gender: {eq: MALE}})": chosen("identity"),
    "customers(where: {birthDate: {isNull: true}})": chosen("identity"),
    'customers(where: {createdAt: {gt: "2026-01-01T00:00:00Z"}})': NOTHING,
    'customers(where: {updatedAt: {gt: "2026-01-01T00:00:00Z"}})': NOTHING,
    "customers(where: {lastOrderedAt: {isNull: true}})": chosen("trade"),
    'customers(where: {hasOrderSince: "2026-01-01T00:00:00Z"})': chosen("trade"),
    'customers(where: {tag: {eq: "x"}})': chosen("profile"),
    'customers(where: {attribute: {key: "x"}})': chosen("profile"),
    'customers(where: {or: [{not: {tag: {in: ["x"]}}}, {city: {eq: "x"}}]})': chosen(
        "profile", "identity"
    ),
    "customers(orderBy: NEWEST)": NOTHING,
    "customers(orderBy: OLDEST)": NOTHING,
    "customers(orderBy: RECENTLY_UPDATED)": NOTHING,
    "customers(orderBy: NAME)": chosen("identity"),
    "customers(orderBy: LAST_ORDER)": chosen("trade"),
    'orders(where: {status: {eq: "x"}})': SOLD,
    'orders(where: {channel: {eq: "x"}})': SOLD,
    'orders(where: {number: {eq: "x"}})': SOLD,
    'orders(where: {orderedAt: {gt: "2026-01-01T00:00:00Z"}})': SOLD,
    "orders(where: {total: {gt: 1}})": SOLD,
    "orders(where: {store: {in: []}})": SOLD,
    "orders(where: {customer: {in: []}})": SOLD,
    'orders(where: {source: {eq: "x"}})': SOLD,
    "orders(orderBy: NEWEST)": SOLD,
    "orders(orderBy: OLDEST)": SOLD,
    'products(where: {search: "x"})': PRODUCTS,
    'products(where: {sku: {eq: "x"}})': PRODUCTS,
    'products(where: {brand: {eq: "x"}})': PRODUCTS,
    'products(where: {category: {eq: "x"}})': PRODUCTS,
    'products(where: {name: {eq: "x"}})': PRODUCTS,
    "products(orderBy: NAME)": PRODUCTS,
    "interactions(where: {kind: {eq: CALL}})": DONE,
    "interactions(where: {direction: {eq: IN}})": DONE,
    'interactions(where: {startedAt: {gt: "2026-01-01T00:00:00Z"}})': DONE,
    "interactions(where: {customer: {in: []}})": DONE,
    "interactions(orderBy: NEWEST)": DONE,
    "interactions(orderBy: OLDEST)": DONE,
    "privacyRequests(where: {kind: {eq: ACCESS}})": ASKED,
    "privacyRequests(where: {state: {eq: DONE}})": ASKED,
    'privacyRequests(where: {customer: {eq: "00000000-0000-7000-8000-000000000001"}})': ASKED,
    "privacyRequests(where: {isOverdue: true})": ASKED,
    'privacyRequests(where: {receivedAt: {gt: "2026-01-01T00:00:00Z"}})': ASKED,
    "privacyRequests(orderBy: NEWEST)": ASKED,
    "privacyRequests(orderBy: OLDEST)": ASKED,
    'customer(by: {email: "x@example.com"})': chosen("contact"),
    'customer(by: {phone: "+79001234567"})': chosen("contact"),
    'customer(by: {loyaltyCard: "7"})': chosen("contact"),
    'customer(by: {external: {source: "a", externalId: "b"}})': chosen("contact"),
}
"""Every way of choosing and ordering."""


@dataclass(frozen=True)
class Writing:
    """A mutation: the scope it needs, input that writes nothing, whether it answers with a customer
    and where, and whether a customer may do it for themselves."""

    scope: str
    input: str
    customer: str = ""
    is_own: bool = False


NOBODY = '"00000000-0000-7000-8000-000000000000"'
WRITES: Mapping[str, Writing] = {
    "recordCustomers": Writing(
        "customers:write", 'source: "x", customers: []', "results { customer { displayName } }"
    ),
    "recordOrders": Writing(
        "customers:write", 'source: "x", orders: []', "results { customer { displayName } }"
    ),
    "recordInteractions": Writing("customers:write", 'source: "x", interactions: []'),
    "recordConsent": Writing(
        "consents:write",
        f'customer: {NOBODY}, purpose: "analytics", state: GRANTED',
        "customer { displayName }",
        is_own=True,
    ),
    "withdrawConsent": Writing(
        "consents:write",
        f'customer: {NOBODY}, purpose: "analytics"',
        "customer { displayName }",
        is_own=True,
    ),
    "requestConsent": Writing(
        "consents:write",
        f'customer: {NOBODY}, purpose: "email_marketing", document: "nothing", contactPoint:'
        ' {type: EMAIL, value: "x@example.com"}',
    ),
    "createPurpose": Writing("admin", 'key: "", title: "", basis: CONSENT, mayReturn: []'),
    "updatePurpose": Writing("admin", 'key: "nothing"'),
    "retirePurpose": Writing("admin", 'key: "nothing"'),
    **{
        name: Writing(MANAGE, f"customer: {NOBODY}{more}", "customer { displayName }", is_own=True)
        for name, more in (
            ("requestAccess", ""),
            ("requestErasure", ""),
            ("restrictProcessing", ", isRestricted: true"),
            ("objectToProcessing", ""),
        )
    },
    "mergeCustomers": Writing("identity:decide", "customers: []", "customer { displayName }"),
    "splitCustomer": Writing(
        "identity:decide", f"customer: {NOBODY}, records: []", "apart { displayName }"
    ),
    "neverLink": Writing("identity:decide", "customers: []"),
    "undoDecision": Writing("identity:decide", f"decision: {NOBODY}"),
    "syncIntegration": Writing("integrations:manage", 'integration: "nothing"'),
}
PAYLOADS = frozenset(
    {
        *("RecordPayload", "RecordResult", "RecordCounts", "UserError", "ConsentPayload"),
        *("MergeCustomersPayload", "SplitCustomerPayload", "NeverLinkPayload", "PurposePayload"),
        *("UndoDecisionPayload", "SyncIntegrationPayload", "RequestConsentPayload"),
        "PrivacyPayload",
    }
)
"""What mutations answer with: it takes what the mutation takes, but for the customers in it."""
