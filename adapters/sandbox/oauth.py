"""A pretend vendor's own OAuth 2: a page where somebody gives leave, and tokens that take turns.

Written from RFC 6749, 6819, 7009, 7636 and 9207. One client is known; it has to use PKCE, every
token that renews is good once, and one that comes twice ends all that was given with it.
"""

import json
import time
from base64 import b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from secrets import compare_digest, token_urlsafe
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from adapters.sandbox.door import Answer, Asked

AUTHORIZE, TOKEN, REVOKE = "/oauth/authorize", "/oauth/token", "/oauth/revoke"
CODE_SECONDS = 60
ASKED = ("client_id", "redirect_uri", "response_type", "code_challenge", "code_challenge_method")
PAGE = """\
<!doctype html>
<title>Give leave</title>
<p>{client} wants to read your shop.</p>
<form method="post" action="{action}">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>
"""

Said = Mapping[str, str]


@dataclass
class Leave:
    """What somebody gave once, and all that came of it."""

    is_over: bool = False
    used: set[str] = field(default_factory=set[str])


@dataclass(frozen=True)
class Code:
    """What a code may be exchanged with."""

    leave: Leave
    back: str
    challenge: str
    until: float


class Refused(Exception):
    """An error in OAuth's words."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


class OAuth:
    """The authorization server of one pretend vendor, with one client. Tokens last `seconds`."""

    def __init__(self, client: str, secret: str, *, seconds: int = 3600) -> None:
        self._client = client
        self._secret = secret
        self._seconds = seconds
        self._codes: dict[str, Code] = {}
        self._renewing: dict[str, Leave] = {}
        self._tokens: dict[str, tuple[Leave, float]] = {}
        self._doors: Mapping[str, Callable[[Asked], Answer]] = {
            AUTHORIZE: self._page,
            TOKEN: self._token,
            REVOKE: self._revoke,
        }

    def has(self, path: str) -> bool:
        return path in self._doors

    def answer(self, asked: Asked) -> Answer:
        try:
            return self._doors[asked.path](asked)
        except Refused as refused:
            return _json(refused.status, {"error": refused.error})

    def lets_in(self, header: str) -> bool:
        """Whether a header `Authorization` carries a token that counts."""
        leave, until = self._tokens.get(header.removeprefix("Bearer "), (None, 0.0))
        return leave is not None and not leave.is_over and until > time.time()

    def expel(self) -> None:
        """Every token is over; what renews them is not."""
        self._tokens.clear()

    def empty(self) -> None:
        self._codes.clear()
        self._renewing.clear()
        self._tokens.clear()

    def _page(self, asked: Asked) -> Answer:
        """The page, and the way back from it. An address that was not told is not led to."""
        said = asked.query
        if said.get("client_id") != self._client or not _is_address(said.get("redirect_uri", "")):
            return Answer(400, b"This client is not known here.", {"Content-Type": "text/plain"})
        if asked.method == "GET":
            action = escape(f"{AUTHORIZE}?{urlencode(said)}")
            page = PAGE.format(client=escape(self._client), action=action)
            return Answer(200, page.encode(), {"Content-Type": "text/html"})
        back = {"state": said.get("state", ""), "iss": f"http://{asked.headers.get('host', '')}"}
        told = {**back, **self._decided(said, dict(_form(asked)).get("decision", ""))}
        return Answer(303, b"", {"Location": f"{said['redirect_uri']}?{urlencode(told)}"})

    def _decided(self, said: Said, decision: str) -> Said:
        is_plain = all(said.get(name) for name in ASKED) and said["response_type"] == "code"
        if not is_plain or said["code_challenge_method"] != "S256":
            return {"error": "invalid_request"}
        if decision != "allow":
            return {"error": "access_denied"}
        code, until = token_urlsafe(24), time.time() + CODE_SECONDS
        self._codes[code] = Code(Leave(), said["redirect_uri"], said["code_challenge"], until)
        return {"code": code}

    def _token(self, asked: Asked) -> Answer:
        said = self._known(asked)
        match said.get("grant_type"):
            case "authorization_code":
                return self._given(self._redeemed(said))
            case "refresh_token":
                return self._given(self._renewed(said))
            case "client_credentials":
                return self._given(Leave(), is_renewed=False)
            case _:
                raise Refused("unsupported_grant_type")

    def _redeemed(self, said: Said) -> Leave:
        code = self._codes.get(said.get("code", ""))
        if code is None or code.leave.is_over or code.until < time.time():
            raise Refused("invalid_grant")
        if said["code"] in code.leave.used:
            code.leave.is_over = True
            raise Refused("invalid_grant")
        digest = sha256(said.get("code_verifier", "").encode()).digest()
        is_same = urlsafe_b64encode(digest).rstrip(b"=").decode() == code.challenge
        if not is_same or said.get("redirect_uri") != code.back:
            raise Refused("invalid_grant")
        code.leave.used.add(said["code"])
        return code.leave

    def _renewed(self, said: Said) -> Leave:
        token = said.get("refresh_token", "")
        leave = self._renewing.get(token)
        if leave is None or leave.is_over:
            raise Refused("invalid_grant")
        if token in leave.used:
            leave.is_over = True
            raise Refused("invalid_grant")
        leave.used.add(token)
        return leave

    def _given(self, leave: Leave, *, is_renewed: bool = True) -> Answer:
        token, refresh = token_urlsafe(24), token_urlsafe(24)
        self._tokens[token] = (leave, time.time() + self._seconds)
        told = {"access_token": token, "token_type": "Bearer", "expires_in": self._seconds}
        if is_renewed:
            self._renewing[refresh] = leave
            told["refresh_token"] = refresh
        return _json(200, told)

    def _revoke(self, asked: Asked) -> Answer:
        token = self._known(asked).get("token", "")
        leave = self._renewing.get(token) or self._tokens.get(token, (None,))[0]
        if leave is not None:
            leave.is_over = True
        return _json(200, {})

    def _known(self, asked: Asked) -> Said:
        """What a client says, once it has shown that it is the one."""
        said = dict(_form(asked))
        name, secret = _basic(asked) or (said.get("client_id", ""), said.get("client_secret", ""))
        if name != self._client or not compare_digest(secret.encode(), self._secret.encode()):
            raise Refused("invalid_client", 401)
        return said


def _form(asked: Asked) -> list[tuple[str, str]]:
    return parse_qsl(asked.body.decode("latin-1"))


def _basic(asked: Asked) -> tuple[str, str] | None:
    """Name and secret of a header, as RFC 6749 writes them."""
    kind, _, pair = asked.headers.get("authorization", "").partition(" ")
    if kind != "Basic":
        return None
    try:
        name, _, secret = b64decode(pair, validate=True).decode().partition(":")
    except (Error, UnicodeDecodeError):
        return None
    return unquote_plus(name), unquote_plus(secret)


def _is_address(text: str) -> bool:
    """Whether somebody can be led there."""
    url = urlsplit(text)
    return url.scheme in ("http", "https") and bool(url.netloc) and not url.fragment


def _json(status: int, told: object) -> Answer:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Answer(status, json.dumps(told).encode(), headers)
