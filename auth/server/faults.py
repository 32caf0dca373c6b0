"""What Authlib has no word for, or only one that repeats what was sent."""

from authlib.oauth2 import OAuth2Error


class InvalidTarget(OAuth2Error):
    """A token is wanted for a place that is not ours to give tokens for (RFC 8707)."""

    error = "invalid_target"


class StrangeGrantType(OAuth2Error):
    error = "unsupported_grant_type"


class StrangeResponseType(OAuth2Error):
    error = "unsupported_response_type"
