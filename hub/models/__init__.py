"""The tables, by subject. Importing this package registers every one of them."""

from hub.models.access import OauthClient, SigningKey
from hub.models.base import CATEGORIES, Base, Category, Merge
from hub.models.behaviour import Interaction, InteractionParticipant
from hub.models.consent import ConsentEntry, ConsentState, Purpose
from hub.models.event import Event
from hub.models.identity import (
    NEVER,
    NEVER_SQL,
    Address,
    Attribute,
    AttributeDefinition,
    BlockedIdentifier,
    Customer,
    CustomerAlias,
    DecisionRecord,
    Identifier,
    IdentifierValue,
    IdentityDecision,
    IdentityLink,
    PersonalDetails,
    Tag,
)
from hub.models.integration import (
    CallSlot,
    Credential,
    Integration,
    SourceItem,
    StreamState,
    SyncListing,
    SyncRun,
)
from hub.models.source import ImportChunk, ImportRun, RejectedRecord, Source, SourceRecord
from hub.models.trade import Order, OrderLine, Product, Store

__all__ = [
    "CATEGORIES",
    "NEVER",
    "NEVER_SQL",
    "Address",
    "Attribute",
    "AttributeDefinition",
    "Base",
    "BlockedIdentifier",
    "CallSlot",
    "Category",
    "ConsentEntry",
    "ConsentState",
    "Credential",
    "Customer",
    "CustomerAlias",
    "DecisionRecord",
    "Event",
    "Identifier",
    "IdentifierValue",
    "IdentityDecision",
    "IdentityLink",
    "ImportChunk",
    "ImportRun",
    "Integration",
    "Interaction",
    "InteractionParticipant",
    "Merge",
    "OauthClient",
    "Order",
    "OrderLine",
    "PersonalDetails",
    "Product",
    "Purpose",
    "RejectedRecord",
    "SigningKey",
    "Source",
    "SourceItem",
    "SourceRecord",
    "Store",
    "StreamState",
    "SyncListing",
    "SyncRun",
    "Tag",
]
