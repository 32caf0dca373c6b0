"""The cookies of people's browsers: for this host alone, unseen by scripts, not sent by others."""

from starlette.responses import Response


class Cookies:
    """Their names and ways, for the address the hub is known by.

    With TLS the prefix `__Host-` keeps other hosts of the same domain from planting one.
    """

    def __init__(self, base_url: str) -> None:
        self._is_secure = base_url.startswith("https://")
        prefix = "__Host-hub" if self._is_secure else "hub"
        self.session = prefix
        self.stranger = f"{prefix}-stranger"
        self.attempt = f"{prefix}-attempt"
        self.known = f"{prefix}-known"

    def put(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """Without `seconds` it goes when the browser is closed."""
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="lax",
        )

    def drop(self, response: Response, name: str) -> None:
        self.put(response, name, "", seconds=0)
