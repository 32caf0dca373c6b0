"""Closed lists of words that several subjects use."""

from enum import Enum

import strawberry


@strawberry.enum(description="A person's gender, as far as a source says.")
class Gender(Enum):
    FEMALE = strawberry.enum_value("female", description="Female.")
    MALE = strawberry.enum_value("male", description="Male.")
    OTHER = strawberry.enum_value("other", description="Neither of these.")


@strawberry.enum(description="How people met.")
class InteractionKind(Enum):
    CALL = strawberry.enum_value("call", description="A telephone call.")
    EMAIL = strawberry.enum_value("email", description="An e-mail.")
    MEETING = strawberry.enum_value("meeting", description="A meeting.")
    SMS = strawberry.enum_value("sms", description="A text message.")
    CHAT = strawberry.enum_value("chat", description="A conversation in a messenger.")
    VISIT = strawberry.enum_value("visit", description="A visit to a store or a site.")
    REVIEW = strawberry.enum_value("review", description="A review that was written.")


@strawberry.enum(description="Who began an interaction.")
class InteractionDirection(Enum):
    IN = strawberry.enum_value("in", description="The person came to the retailer.")
    OUT = strawberry.enum_value("out", description="The retailer came to the person.")


@strawberry.enum(description="What kind of identifier it is.")
class IdentifierType(Enum):
    EMAIL = strawberry.enum_value("email", description="An e-mail address.")
    PHONE = strawberry.enum_value("phone", description="A telephone number in E.164.")
    LOYALTY_CARD = strawberry.enum_value("loyalty_card", description="A loyalty card's number.")
    EXTERNAL = strawberry.enum_value(
        "external", description="An id in another system, written `source:id`."
    )


@strawberry.enum(description="What a person said of a purpose.")
class ConsentWord(Enum):
    GRANTED = strawberry.enum_value("granted", description="They agreed.")
    DENIED = strawberry.enum_value("denied", description="They were asked and did not agree.")
    WITHDRAWN = strawberry.enum_value("withdrawn", description="They agreed once, and no longer.")
    OBJECTED = strawberry.enum_value("objected", description="They object.")


@strawberry.enum(description="What people may ask for about their data.")
class PrivacyRequestKind(Enum):
    ACCESS = strawberry.enum_value("access", description="To have all that is held of them.")
    ERASURE = strawberry.enum_value("erasure", description="To be erased.")
    RESTRICTION = strawberry.enum_value(
        "restriction", description="To be kept, and used for nothing else."
    )
    OBJECTION = strawberry.enum_value(
        "objection", description="Not to be used for a purpose, or for several."
    )


@strawberry.enum(description="How far a request is, or how it ended.")
class PrivacyRequestState(Enum):
    RECEIVED = strawberry.enum_value("received", description="It waits for a worker.")
    RUNNING = strawberry.enum_value("running", description="It is under way.")
    WAITING = strawberry.enum_value(
        "waiting", description="The hub has done its part; a connected system has not."
    )
    DONE = strawberry.enum_value("done", description="It is answered.")
    FAILED = strawberry.enum_value("failed", description="It failed; it is tried again.")
    WITHDRAWN = strawberry.enum_value("withdrawn", description="The person took it back.")


@strawberry.enum(description="How far a request is at one holder.")
class PrivacyStepState(Enum):
    PENDING = strawberry.enum_value("pending", description="It is still to be done.")
    DONE = strawberry.enum_value("done", description="It is done.")
    BY_HAND = strawberry.enum_value("by_hand", description="A person has to do it there.")
    FAILED = strawberry.enum_value("failed", description="It failed.")


@strawberry.enum(description="What of a connected system is read.")
class SyncMode(Enum):
    INCREMENTAL = strawberry.enum_value("incremental", description="What changed since last time.")
    FULL = strawberry.enum_value("full", description="Everything.")
    RECONCILE = strawberry.enum_value(
        "reconcile", description="What changed, and what is gone: all ids are compared."
    )
    RETRY = strawberry.enum_value("retry", description="The items that were rejected, once more.")
    REMAP = strawberry.enum_value(
        "remap", description="Nothing: what was read before is mapped again."
    )


@strawberry.enum(description="How far a run is, or how it ended.")
class SyncState(Enum):
    QUEUED = strawberry.enum_value("queued", description="It waits for a worker.")
    RUNNING = strawberry.enum_value("running", description="It is under way.")
    DONE = strawberry.enum_value("done", description="It came to its end.")
    WAITING = strawberry.enum_value(
        "waiting", description="The system asked to wait; it goes on then."
    )
    FAILED = strawberry.enum_value("failed", description="It failed; a later run goes on.")
    RECONNECT = strawberry.enum_value(
        "reconnect", description="It was not let in: a person has to connect the system again."
    )
    STOPPED = strawberry.enum_value(
        "stopped", description="A person has to change something before another can go on."
    )
    CANCELLED = strawberry.enum_value("cancelled", description="A person ended it.")


@strawberry.enum(description="A kind of data about people.")
class DataCategory(Enum):
    IDENTITY = strawberry.enum_value("identity", description="Names, birth date, gender, city.")
    CONTACT = strawberry.enum_value("contact", description="Identifiers and addresses.")
    TRADE = strawberry.enum_value("trade", description="Orders.")
    BEHAVIOUR = strawberry.enum_value("behaviour", description="Interactions.")
    PROFILE = strawberry.enum_value("profile", description="Tags, attributes, what is computed.")
    CONSENT = strawberry.enum_value("consent", description="What they agreed to.")
    PROVENANCE = strawberry.enum_value("provenance", description="Source records and links.")
