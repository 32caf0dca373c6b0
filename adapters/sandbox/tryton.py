"""A pretend Tryton 8 over JSON-RPC, as strict as the real one.

Written from what a running server answered. It takes only operands of a field's own type (the real
one lets the database decide), and its default order is by name only for parties.
"""

import gzip
import json
import secrets
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from random import Random
from typing import Any

from adapters.sandbox.door import Answer, Asked
from adapters.sandbox.model import Model, Refused, is_list, is_object
from adapters.sandbox.shop import Book, Row
from adapters.sandbox.tryton_models import MODELS
from adapters.sandbox.tryton_rows import Rows
from adapters.sandbox.tryton_values import Malformed, plain
from adapters.sandbox.tryton_writing import BUTTONS, DESK, press

JSON = "application/json"
HTML = "text/html; charset=utf-8"
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
NOT_ALLOWED = "The method is not allowed for the requested URL."
FORBIDDEN = (
    "You don't have the permission to access the requested resource. It is either read-protected "
    "or not readable by the server."
)
WRONG_LOGIN = (
    "The server could not verify that you are authorized to access the URL requested. You either "
    "supplied the wrong credentials (e.g. a bad password), or your browser doesn't understand how "
    "to supply the credentials required."
)
TOO_MANY = "This user has exceeded an allotted request count. Try again later."
ENVELOPE = {"id", "method", "params"}
ZIPPED_FROM = 1400
ATTEMPTS = 6
PARAMETERS: dict[str, tuple[str, int, int]] = {
    "search": ("ModelSQL", 1, 6),
    "search_read": ("ModelStorage", 1, 5),
    "search_count": ("ModelSQL", 1, 3),
    "read": ("ModelSQL", 2, 2),
    "fields_get": ("Model", 0, 2),
    "create": ("ModelSQL", 1, 1),
    "write": ("ModelSQL", 2, 2),
    "delete": ("ModelSQL", 1, 1),
}
"""Whose method it is, and how many parameters it needs and takes."""


SCRIBBLED = {
    "party.party": "name",
    "party.contact_mechanism": "value",
    "product.product": "suffix_code",
    "product.template": "name",
    "sale.sale": "reference",
    "sale.line": "description",
}
"""What changes when rows are to change under a reader."""


class Status(Exception):
    """An answer that is a page of HTML."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers


class Tryton:
    """One database with one user."""

    def __init__(
        self, book: Book, *, password: str, database: str = "hub", user: str = "admin"
    ) -> None:
        self.book = book
        self._database = database
        self._user = user
        self._password = password
        self._wrong: Counter[str] = Counter()
        self._rows = Rows(book)

    # -- the door ------------------------------------------------------------------------------

    def name(self, asked: Asked) -> str:
        try:
            return str(json.loads(asked.body)["method"])
        except (ValueError, TypeError, KeyError):
            return ""

    def answer(self, asked: Asked) -> Answer:
        try:
            return self._routed(asked)
        except Status as said:
            return page(said.status, str(said), **said.headers)

    def broken(self, name: str) -> Answer:
        return reply(
            compact({"id": 1, "error": [name, ["The sandbox was told to.", "", None]]}), ""
        )

    def items(self, answer: Answer) -> list[object] | None:
        body = gzip.decompress(answer.body) if answer.body[:2] == b"\x1f\x8b" else answer.body
        try:
            found = json.loads(body)["result"]
        except (ValueError, TypeError, KeyError):
            return None
        return found if is_list(found) and all(is_object(one) for one in found) else None

    def listed(self, items: list[object]) -> Answer:
        return reply(compact({"id": 1, "result": items}), "")

    def expel(self) -> None:
        self.book.expel()

    def empty(self) -> None:
        self.book.empty()
        self._wrong.clear()

    def everything(self, model: str) -> str:
        rows = [*self.book.rows(model)]
        return self._rows.read(MODELS[model], rows, MODELS[model].kept, all_=True)

    def put(
        self, model: str, rows: Sequence[dict[str, Any]], gone: Sequence[int], at: int | None
    ) -> list[int]:
        with self.book.change(at) as change:
            return DESK.put(change, MODELS[model], plain([*rows]), gone)

    def disturb(self, name: str, count: int, chance: Random, *, is_gone: bool) -> None:
        model = MODELS.get(name.removeprefix("model.").rpartition(".")[0])
        if model is None or model.name not in SCRIBBLED:
            return
        rows = [*self.book.rows(model.name)]
        chosen = chance.sample(rows, min(count, len(rows)))
        with self.book.change() as change:
            DESK.disturb(change, model, chosen, SCRIBBLED[model.name], is_gone=is_gone)

    # -- protocol ------------------------------------------------------------------------------

    def _routed(self, asked: Asked) -> Answer:
        own = f"/{self._database}/rpc/"
        if asked.path + "/" in {own, "/rpc/"}:
            return self._moved(asked)
        if asked.method != "POST":
            raise Status(
                405, NOT_ALLOWED, Allow="OPTIONS, POST" if asked.path == own else "OPTIONS"
            )
        if asked.path not in {own, "/rpc/"}:
            raise Status(404, "The requested URL was not found on the server.")
        if not asked.headers.get("content-type", "").startswith(JSON):
            raise Status(400, "Not a RPC request")
        return self._called(asked, is_root=asked.path == "/rpc/")

    def _moved(self, asked: Asked) -> Answer:
        target = f"http://{asked.headers.get('host', '')}{asked.path}/"
        return page(308, f"You should be redirected to {target}", Location=target)

    def _called(self, asked: Asked, *, is_root: bool) -> Answer:
        said = self._parsed(asked.body)
        try:
            result = self._result(asked, said, is_root=is_root)
        except (AttributeError, TypeError, ValueError) as wrong:  # as the real one: the text of it
            return self._refused(asked, said, Refused(str(wrong)))
        except Refused as refused:
            return self._refused(asked, said, refused)
        if {*said} == ENVELOPE:
            result = f'{{"id":{compact(said["id"])},"result":{result}}}'
        return reply(result, asked.zipped)

    def _refused(self, asked: Asked, said: dict[str, Any], refused: Refused) -> Answer:
        if {*said} != ENVELOPE:
            raise Status(500, str(refused))
        words = [str(refused), "", None] if refused.kind == "UserError" else ""
        error = [refused.kind or str(refused), _login_words(refused) or words]
        return reply(compact({"id": said["id"], "error": error}), asked.zipped)

    def _parsed(self, body: bytes) -> dict[str, Any]:
        try:
            said = json.loads(body)
            params = plain(said.get("params"))
        except (ValueError, AttributeError, Malformed):
            raise Status(400, "Unable to get RPC method") from None
        if not isinstance(said.get("method"), str):
            raise Status(400, "Unable to get RPC method")
        if params is None:
            raise Status(400, "Unable to get RPC params")
        return {**said, "params": params}

    def _result(self, asked: Asked, said: dict[str, Any], *, is_root: bool) -> str:
        method, params = said["method"], said["params"]
        if is_root:
            known = {"common.server.version": '"8.2"', "common.db.list": f'["{self._database}"]'}
            if method not in known:
                raise Status(403, FORBIDDEN)
            return known[method]
        if method == "common.db.login":
            return self._login(params)
        if not self._is_admitted(asked.headers.get("authorization", "")):
            raise Status(401, "", **{"WWW-Authenticate": 'Basic realm="Tryton"'})
        return self._dispatched(method, params)

    def _login(self, params: list[Any]) -> str:
        user, given, *_ = params
        if self._wrong[user] >= ATTEMPTS:
            raise Status(429, TOO_MANY)
        if "password" not in given:
            raise Refused(f"Password for {user}", "LoginException")
        if (user, given["password"]) != (self._user, self._password):
            self._wrong[user] += 1
            raise Status(401, WRONG_LOGIN)
        del self._wrong[user]
        token = secrets.token_hex(32)
        self.book.admit(token, f"{user}:1")
        return compact([1, token, None])

    def _is_admitted(self, authorization: str) -> bool:
        scheme, _, word = authorization.partition(" ")
        try:
            said = b64decode(word).decode()
        except ValueError:
            return False
        if scheme.lower() == "basic":
            return said == f"{self._user}:{self._password}"
        login, _, token = said.rpartition(":")
        return scheme.lower() == "session" and self.book.is_admitted(token, login)

    def _dispatched(self, method: str, params: Any) -> str:
        words = method.split(".")
        if len(words) < 3 or words[0] != "model":
            raise Refused("not enough values to unpack (expected 2, got 1)")
        if not is_list(params) or not params or not is_object(params[-1]):
            raise Status(422, "Missing context argument")
        name, verb = ".".join(words[1:-1]), words[-1]
        if (name, verb) == ("res.user", "get_preferences"):
            return compact({"language": "en", "company": 1, "companies": [1]})
        if name not in MODELS:
            raise Refused(f"'{name}'")
        return self._model(MODELS[name], verb, params[:-1], params[-1])

    # -- methods -------------------------------------------------------------------------------

    def _model(self, model: Model, verb: str, given: list[Any], context: dict[str, Any]) -> str:
        if model.name == "sale.sale" and verb in BUTTONS:
            with self.book.change() as change:
                press(change, verb, given[0])
            return "null"
        if verb not in PARAMETERS:
            raise Status(403, FORBIDDEN)
        _counted(verb, given)
        run: Callable[..., str] = getattr(self, f"_{verb}")
        if verb.startswith("search"):
            return run(model, *given, all_=_shows_all(context))
        return run(model, *given)

    def _search(self, model: Model, *given: Any, all_: bool) -> str:
        return compact([row.id for row in self._found(model, *given[:4], all_=all_)])

    def _search_read(self, model: Model, *given: Any, all_: bool) -> str:
        fields: object = given[4] if len(given) > 4 and given[4] else list[str]()
        if not is_list(fields):
            raise Refused(f"argument of type '{type(fields).__name__}' is not iterable")
        found = self._found(model, *given[:4], all_=all_)
        return self._rows.read(model, found, fields, all_=all_)

    def _search_count(self, model: Model, domain: Any, *_: Any, all_: bool) -> str:
        return str(len(self._found(model, domain, all_=all_)))

    def _found(
        self,
        model: Model,
        domain: Any,
        offset: int = 0,
        limit: Any = None,
        order: Any = None,
        *,
        all_: bool,
    ) -> list[Row]:
        return self._rows.search(model, domain, offset, _limit(limit), order, all_=all_)

    def _read(self, model: Model, ids: list[int], fields: Sequence[str]) -> str:
        found = {row.id: row for row in self.book.named(model.name, ids)}
        self._missing(model, [one for one in ids if one not in found], "read")
        return self._rows.read(model, [*found.values()], fields, all_=False)

    def _fields_get(self, model: Model, names: Sequence[str] | None = None, *_: Any) -> str:
        shown = [field for name, field in model.fields.items() if not names or name in names]
        return compact(
            {
                field.name: {"name": field.name, "type": field.type, "string": field.title}
                | ({"relation": field.relation} if field.relation else {})
                for field in shown
            }
        )

    def _create(self, model: Model, rows: list[dict[str, Any]]) -> str:
        with self.book.change() as change:
            return compact([DESK.create(change, model, values) for values in rows])

    def _write(self, model: Model, ids: list[int], values: dict[str, Any]) -> str:
        with self.book.change() as change:
            found = {one: change.row(model.name, one) for one in ids}
            self._missing(model, [one for one in ids if found[one] is None], "write to")
            for row in found.values():
                if row is not None:
                    DESK.write(change, model, row, values)
        return "null"

    def _delete(self, model: Model, ids: list[int]) -> str:
        with self.book.change() as change:
            if model.name == "party.party" and any(change.owned("sale.sale", one) for one in ids):
                raise Refused("The party is used by sales.", "UserError")
            DESK.remove(change, model, ids)
        return "null"

    def _missing(self, model: Model, ids: list[int], verb: str) -> None:
        if ids:
            names = ", ".join(f'"{one}"' for one in ids)
            title = model.name.rpartition(".")[2].capitalize()
            said = f'You are trying to {verb} records {names} of "{title}" that don\'t exist.'
            raise Refused(said, "UserError")


def _counted(verb: str, given: list[Any]) -> None:
    owner, least, most = PARAMETERS[verb]
    if least <= len(given) <= most:
        return
    takes = f"{most + 1}" if least == most else f"from {least + 1} to {most + 1}"
    were = f"{len(given) + 1} were given"
    raise Refused(f"{owner}.{verb}() takes {takes} positional arguments but {were}")


def _limit(limit: Any) -> int | None:
    if limit is not None and not isinstance(limit, int):
        raise Refused(f"invalid limit: {limit!r}")
    return limit


def _shows_all(context: dict[str, Any]) -> bool:
    return context.get("active_test") is False


def _login_words(refused: Refused) -> list[str] | None:
    return ["password", str(refused), "password"] if refused.kind == "LoginException" else None


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def reply(text: str, zipped: str) -> Answer:
    """JSON. A longer answer always says that it is zipped, even when nobody asked for that and it
    is not: so does the real one."""
    if len(text) <= ZIPPED_FROM:
        return Answer(200, text.encode(), {"Content-Type": JSON, "Connection": "close"})
    body = gzip.compress(text.encode(), 1, mtime=0) if "gzip" in zipped else text.encode()
    headers = {"Content-Type": JSON, "Content-Encoding": "gzip", "Connection": "close"}
    return Answer(200, body, headers, is_chunked=True)


def page(status: int, text: str, **headers: str) -> Answer:
    """An answer as werkzeug writes it; a 401 for want of a session is empty."""
    heads = {"Connection": "close", **headers}
    if not text:
        return Answer(status, b"", {"Content-Type": "text/plain; charset=utf-8", **heads})
    title = TITLES.get(status, "Redirecting...")
    head = f"{status} {title}" if status in TITLES else title
    told = escape(text).replace("&#x27;", "&#39;")
    body = (
        f"<!doctype html>\n<html lang=en>\n<title>{head}</title>\n<h1>{title}</h1>\n<p>{told}</p>\n"
    )
    return Answer(status, body.encode(), {"Content-Type": HTML, **heads})
