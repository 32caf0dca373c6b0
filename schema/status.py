"""Which HTTP status says how a request ended. There are two opinions; HUB_GRAPHQL_STATUS chooses.

`audits` is what today's clients and the npm audits of `graphql-http` expect: plain JSON hides
errors of a document behind 200, `application/graphql-response+json` shows them as 400. `2026` is
the text of GraphQL over HTTP of that year, for both forms: 422 for a document that can not be run,
294 for an answer with errors beside its data.
"""

from collections.abc import Mapping
from typing import Literal

from schema.media import Media
from schema.request import Outcome

Profile = Literal["audits", "2026"]
Statuses = Mapping[Outcome, int]

ALWAYS: Statuses = {
    Outcome.OK: 200,
    Outcome.PARTIAL: 200,
    Outcome.BAD_REQUEST: 400,
    Outcome.METHOD_NOT_ALLOWED: 405,
    Outcome.FORBIDDEN: 403,
    Outcome.RATE_LIMITED: 429,
    Outcome.UNAVAILABLE: 503,
    Outcome.FAILED: 500,
}
HIDDEN: Statuses = ALWAYS | {
    Outcome.PARSE_FAILED: 200,
    Outcome.VALIDATION_FAILED: 200,
    Outcome.COERCION_FAILED: 200,
    Outcome.NOT_FOUND: 200,
    Outcome.TOO_LARGE: 200,
}
SHOWN: Statuses = ALWAYS | {
    Outcome.PARSE_FAILED: 400,
    Outcome.VALIDATION_FAILED: 400,
    Outcome.COERCION_FAILED: 400,
    Outcome.NOT_FOUND: 404,
    Outcome.TOO_LARGE: 400,
}
STRICT: Statuses = SHOWN | {
    Outcome.PARTIAL: 294,
    Outcome.VALIDATION_FAILED: 422,
    Outcome.COERCION_FAILED: 422,
    Outcome.TOO_LARGE: 422,
}


def statuses(profile: Profile) -> Mapping[Media, Statuses]:
    """The status of every outcome, for each form of an answer."""
    if profile == "2026":
        return {Media.JSON: STRICT, Media.RESPONSE: STRICT}
    return {Media.JSON: HIDDEN, Media.RESPONSE: SHOWN}
