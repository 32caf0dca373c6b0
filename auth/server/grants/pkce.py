"""PKCE (RFC 7636), for every client, with S256 alone."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7636 import CodeChallenge


def matches(verifier: str, challenge: str) -> bool:
    """Whether a verifier is the one that a challenge was made of."""
    made = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=")
    return compare_digest(made, challenge.encode())


class S256(CodeChallenge):
    """Authlib wants a challenge of public clients only, and would take `plain`: not so here."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 - Authlib's form
    CODE_CHALLENGE_METHODS = {"S256": matches}  # noqa: RUF012

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        form = grant.asking.form
        if "code_challenge" not in form or form.get("code_challenge_method") != "S256":
            raise InvalidRequestError(
                "Every client uses PKCE: send code_challenge and code_challenge_method=S256."
            )
        super().validate_code_challenge(grant, redirect_uri)  # type: ignore[misc]  # an open stub

    def get_authorization_code_challenge(self, authorization_code: Any) -> str:
        return authorization_code.row.challenge

    def get_authorization_code_challenge_method(self, authorization_code: Any) -> str:
        return "S256"
