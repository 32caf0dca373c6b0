"""Purposes as an administrator changes them; what follows is done in the same transaction."""

from collections.abc import Awaitable
from enum import Enum

import strawberry
from strawberry import UNSET

from hub.consent import purposes
from hub.consent.purposes import Change, Purpose
from hub.errors import BadInput, Conflict, NotFound
from schema.consent import LegalBasis
from schema.inputs import taken
from schema.noting import act
from schema.plan.types import Info
from schema.unit import Context
from schema.words import DataCategory, IdentifierType
from schema.writing import UserError, payload, user_error

said = strawberry.field


MONTHS = "For how many months a grant holds that says nothing of its end"
CONTACTS = "The contact points it is of alone, such as e-mail addresses"


@taken("A purpose that is new.")
class CreatePurposeInput:
    key: str = said(description="Its key: a-z, 0-9 and _, a letter first. It is never used again.")
    title: str = said(description="Its name for people.")
    basis: LegalBasis = said(description="Why it is lawful.")
    may_return: list[DataCategory] = said(description="What of a person it may return.")
    contact_types: list[IdentifierType] | None = said(
        default=UNSET, description=f"{CONTACTS}; any if not given."
    )
    channels: list[str] | None = said(
        default=UNSET,
        description="What it works through, such as `sms`: a grant for another channel grants"
        " nothing. If not given, it follows from the contact points.",
    )
    valid_months: int | None = said(
        default=UNSET, description=f"{MONTHS}; until it is taken back if not given."
    )


@taken("What is to be different of a purpose; what is left out stays.")
class UpdatePurposeInput:
    key: str = said(description="The purpose's key.")
    title: str | None = said(default=UNSET, description="Its name for people.")
    basis: LegalBasis | None = said(default=UNSET, description="Why it is lawful.")
    may_return: list[DataCategory] | None = said(
        default=UNSET, description="What of a person it may return."
    )
    contact_types: list[IdentifierType] | None = said(
        default=UNSET, description=f"{CONTACTS}; an empty list stands for any."
    )
    valid_months: int | None = said(
        default=UNSET,
        description=f"{MONTHS}; 0 stands for until it is taken back. For grants to come.",
    )


@taken("A purpose that nobody is to use any more.")
class RetirePurposeInput:
    key: str = said(description="The purpose's key.")


@payload("What became of a change of purposes.")
class PurposePayload:
    key: str | None = said(default=None, description="The purpose's key; null if there are errors.")
    errors: list[UserError] = said(description="Why it was not changed.")


async def create_purpose(info: Info, input: CreatePurposeInput) -> PurposePayload:
    made = Purpose(
        key=input.key,
        title=input.title,
        basis=_word(input.basis),
        may_return=_words(input.may_return),
        contact_types=_words(input.contact_types or ()) or None,
        channels=tuple(word.lower() for word in input.channels or ()) or None,
        valid_months=input.valid_months or None,
    )
    context = await _begun(info)
    by = act("changed", "createPurpose", context.caller, context.operation)
    return await _done(purposes.create(context.database, made, by=by))


async def update_purpose(info: Info, input: UpdatePurposeInput) -> PurposePayload:
    types = input.contact_types
    change = Change(
        title=input.title or None,
        basis=_word(input.basis) if input.basis else None,
        may_return=None if input.may_return in (None, UNSET) else _words(input.may_return or ()),
        contact_types=_words(types) if types else None,
        with_any_contact=types == [],
        valid_months=input.valid_months or None,
        is_endless=input.valid_months == 0,
    )
    context = await _begun(info)
    by = act("changed", "updatePurpose", context.caller, context.operation)
    return await _done(purposes.update(context.database, input.key, change, by=by))


async def retire_purpose(info: Info, input: RetirePurposeInput) -> PurposePayload:
    context = await _begun(info)
    by = act("changed", "retirePurpose", context.caller, context.operation)
    return await _done(purposes.retire(context.database, input.key, by=by))


async def _begun(info: Info) -> Context:
    context: Context = info.context
    await context.take(1)
    return context


async def _done(work: Awaitable[Purpose]) -> PurposePayload:
    try:
        return PurposePayload(key=(await work).key, errors=[])
    except (BadInput, Conflict, NotFound) as error:
        return PurposePayload(errors=[user_error(error)])


def _words(given: "list[DataCategory] | list[IdentifierType] | tuple[()]") -> tuple[str, ...]:
    return tuple(dict.fromkeys(_word(one) for one in given))


def _word(given: Enum) -> str:
    return given.value
