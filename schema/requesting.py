"""Double opt-in: a customer is asked by mail, and agrees on a page or does not."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import strawberry
from strawberry import UNSET

from hub.consent import confirming
from hub.consent.confirming import Requested, Wanted
from hub.consent.links import links
from hub.crypto import Keyring
from hub.db.connection import Connection
from hub.errors import Conflict, NotFound, RejectedRecord
from hub.records import Identifier
from schema.inputs import taken
from schema.plan.types import Info
from schema.recording import IdentifierInput
from schema.scalars import raw_id
from schema.unit import Context, Found, unit
from schema.writing import UserError, payload, user_error

said = strawberry.field
PLACES = {"contact_point": "contactPoint"}


@taken("Whom to ask for a consent, and what they are shown.")
class RequestConsentInput:
    customer: strawberry.ID = said(description="The customer's id, or one merged into it.")
    purpose: str = said(description="The purpose's key; it rests on consent.")
    contact_point: IdentifierInput = said(
        description="The customer's e-mail address that they are asked at."
    )
    document: str = said(description="The published document that they are shown.")
    version: str | None = said(default=UNSET, description="Its version, where there are several.")
    language: str | None = said(
        default=UNSET, description="In which language, where there are several."
    )


@payload("That a customer is asked.")
class RequestConsentPayload:
    request_id: strawberry.ID | None = said(
        default=None, description="The id of the request; null where there are errors."
    )
    is_new: bool = said(
        default=False,
        description="Whether they are asked now. The same question, while it waits for its answer,"
        " is asked once.",
    )
    expires_at: datetime | None = said(
        default=None, description="Until when they can answer: 48 hours after they were asked."
    )
    errors: list[UserError] = said(description="Why they can not be asked.")


async def request_consent(info: Info, input: RequestConsentInput) -> RequestConsentPayload:
    context: Context = info.context
    settings = context.settings
    if settings.smtp_url is None:
        return _refused(user_error(Conflict("This hub has no mail server: set HUB_SMTP_URL.")))
    keyring, wanted = Keyring.of(settings), _wanted(input)

    async def work(connection: Connection) -> tuple[Requested, Collection[UUID]]:
        made = await links(connection, keyring)
        region = settings.phone_region
        requested = await confirming.ask(
            connection, wanted, keyring, made, by=context.by, region=region
        )
        return requested, ()

    def told(requested: Requested, _: Found) -> RequestConsentPayload:
        return RequestConsentPayload(
            request_id=strawberry.ID(str(requested.id)),
            is_new=requested.is_new,
            expires_at=requested.expires_at,
            errors=[],
        )

    try:
        return await unit(info, work, told)
    except (Conflict, NotFound) as error:
        return _refused(user_error(error, "customer"))
    except RejectedRecord as error:
        return _refused(user_error(error, PLACES.get(error.field, error.field)))


def _wanted(input: RequestConsentInput) -> Wanted:
    point = input.contact_point
    assert isinstance(point, Identifier)  # noqa: S101 - it has been read into the hub's own by now
    return Wanted(
        customer=raw_id(input.customer, "Customer"),
        purpose=input.purpose,
        contact_point=point,
        document=input.document,
        version=input.version or "",
        language=input.language or "",
    )


def _refused(error: UserError) -> RequestConsentPayload:
    return RequestConsentPayload(errors=[error])
