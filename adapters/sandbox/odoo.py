"""A pretend Odoo 19 over JSON-2, as strict as the real one.

Written from its manual, its public source and what a running server answered.
"""

import json
import re
from collections.abc import Sequence
from html import escape
from random import Random
from typing import Any

from adapters.sandbox.door import Answer, Asked
from adapters.sandbox.model import Model, Refused, is_list, is_object
from adapters.sandbox.odoo_models import MODELS
from adapters.sandbox.odoo_rows import Rows
from adapters.sandbox.odoo_values import is_ids
from adapters.sandbox.odoo_writing import DESK
from adapters.sandbox.shop import Book, Row

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
VERSION = '{"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"}'
NOT_FOUND = "The requested URL was not found on the server."
MEANT = "Did you mean POST /json/2/<model>/<method>?"
NO_KEY = 'User not authenticated, use the "Authorization" header'
ROUTE = re.compile(r"/json/2/(?P<model>[\w.]+)/(?P<method>\w+)")
PARAMETERS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "search_read": (frozenset(), frozenset({"domain", "fields", "offset", "limit", "order"})),
    "search": (frozenset({"domain"}), frozenset({"offset", "limit", "order"})),
    "search_count": (frozenset({"domain"}), frozenset({"limit"})),
    "fields_get": (frozenset(), frozenset({"allfields", "attributes"})),
    "read": (frozenset({"ids"}), frozenset({"fields", "load"})),
    "create": (frozenset({"vals_list"}), frozenset()),
    "write": (frozenset({"ids", "vals"}), frozenset()),
    "unlink": (frozenset({"ids"}), frozenset()),
    "action_confirm": (frozenset({"ids"}), frozenset()),
}
"""What each method has to be given, and what it may be given."""
STATUS = {
    "werkzeug.exceptions.Unauthorized": 401,
    "odoo.exceptions.AccessError": 403,
    "werkzeug.exceptions.NotFound": 404,
    "werkzeug.exceptions.BadRequest": 400,
    "werkzeug.exceptions.UnprocessableEntity": 422,
    "odoo.exceptions.UserError": 422,
    "odoo.exceptions.ValidationError": 422,
}
SCRIBBLED = {
    "product.product": "default_code",
    "product.template": "name",
    "res.partner": "name",
    "sale.order": "client_order_ref",
    "sale.order.line": "name",
}
"""What changes when rows are to change under a reader."""


class Odoo:
    """A server with one user; with several databases it wants to be told which."""

    def __init__(self, book: Book, *, key: str, databases: tuple[str, ...] = ("hub",)) -> None:
        self.book = book
        self._key = key
        self._databases = databases
        self._expelled = 0
        self._rows = Rows(book)

    # -- the door ------------------------------------------------------------------------------

    def name(self, asked: Asked) -> str:
        return asked.path.removeprefix("/json/2/")

    def answer(self, asked: Asked) -> Answer:
        try:
            return self._routed(asked)
        except Refused as refused:
            return fault(refused.kind or "builtins.ValueError", str(refused))
        except (AttributeError, KeyError, TypeError, ValueError) as wrong:
            return fault(f"builtins.{type(wrong).__name__}", str(wrong))

    def broken(self, name: str) -> Answer:
        """A proxy's page where JSON should be: Odoo itself has no error in a 200."""
        return Answer(200, f"<html><title>{escape(name)}</title>".encode(), {"Content-Type": HTML})

    def items(self, answer: Answer) -> list[object] | None:
        try:
            found = json.loads(answer.body)
        except ValueError:
            return None
        return found if is_list(found) and all(is_object(one) for one in found) else None

    def listed(self, items: list[object]) -> Answer:
        return reply(json.dumps(items))

    def expel(self) -> None:
        """A key is good or not: it is refused once."""
        self._expelled += 1

    def empty(self) -> None:
        self.book.empty()
        self._expelled = 0

    def everything(self, model: str) -> str:
        rows = [*self.book.rows(model)]
        return self._rows.read(MODELS[model], rows, MODELS[model].kept, all_=True)

    def put(
        self, model: str, rows: Sequence[dict[str, Any]], gone: Sequence[int], at: int | None
    ) -> list[int]:
        with self.book.change(at) as change:
            return DESK.put(change, MODELS[model], rows, gone)

    def disturb(self, name: str, count: int, chance: Random, *, is_gone: bool) -> None:
        model = MODELS.get(name.partition("/")[0])
        if model is None or model.name not in SCRIBBLED:
            return
        rows = [*self.book.rows(model.name)]
        chosen = chance.sample(rows, min(count, len(rows)))
        with self.book.change() as change:
            DESK.disturb(change, model, chosen, SCRIBBLED[model.name], is_gone=is_gone)

    # -- protocol ------------------------------------------------------------------------------

    def _routed(self, asked: Asked) -> Answer:
        if (asked.method, asked.path) == ("GET", "/web/version"):
            return reply(VERSION)
        database = asked.headers.get("x-odoo-database", "")
        if not database and len(self._databases) == 1:
            database = self._databases[0]
        if database not in self._databases:
            return _page(404, NOT_FOUND)
        route = ROUTE.fullmatch(asked.path)
        if route is None or asked.method != "POST":
            raise Refused(MEANT, "werkzeug.exceptions.NotFound")
        if not asked.headers.get("content-type", "").startswith("application/json"):
            return _page(415, "Request inferred type is compatible with 'json2'")
        self._admit(asked.headers.get("authorization", ""))
        return reply(self._called(route["model"], route["method"], _body(asked.body)))

    def _admit(self, authorization: str) -> None:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Refused(NO_KEY, "werkzeug.exceptions.Unauthorized")
        if key.strip() != self._key or self._expelled:
            self._expelled = max(0, self._expelled - 1)
            raise Refused("Invalid apikey", "werkzeug.exceptions.Unauthorized")

    def _called(self, name: str, method: str, said: dict[str, Any]) -> str:
        if (name, method) == ("res.users", "context_get"):
            return '{"lang": "en_US", "tz": "UTC", "uid": 2}'
        if name not in MODELS:
            raise Refused(f"the model '{name}' does not exist", "werkzeug.exceptions.NotFound")
        if method.startswith("_"):
            words = f"Private methods (such as '{name}.{method}') cannot be called remotely."
            raise Refused(words, "odoo.exceptions.AccessError")
        is_button = method.startswith("action_")
        if method not in PARAMETERS or (is_button and name != "sale.order"):
            words = f"The method '{name}.{method}' does not exist"
            raise Refused(words, "werkzeug.exceptions.NotFound")
        context = said.pop("context", {})
        _fitting(name, method, said)
        return getattr(self, f"_{method}")(MODELS[name], said, all_=_shows_all(context))

    # -- methods -------------------------------------------------------------------------------

    def _search_read(self, model: Model, said: dict[str, Any], *, all_: bool) -> str:
        fields = said.get("fields") or model.kept
        return self._rows.read(model, self._found(model, said, all_=all_), fields, all_=all_)

    def _search(self, model: Model, said: dict[str, Any], *, all_: bool) -> str:
        return json.dumps([row.id for row in self._found(model, said, all_=all_)])

    def _search_count(self, model: Model, said: dict[str, Any], *, all_: bool) -> str:
        return str(len(self._found(model, said, all_=all_)))

    def _found(self, model: Model, said: dict[str, Any], *, all_: bool) -> list[Row]:
        domain: object = said.get("domain") or list[str]()
        order: str = said.get("order") or ""
        offset, limit = said.get("offset") or 0, said.get("limit")
        return self._rows.search(model, domain, offset, limit, order, all_=all_)

    def _read(self, model: Model, said: dict[str, Any], *, all_: bool) -> str:
        """Of deleted rows nothing is said."""
        found = self.book.named(model.name, said["ids"])
        return self._rows.read(model, found, said.get("fields") or model.kept, all_=all_)

    def _fields_get(self, model: Model, said: dict[str, Any], **_: bool) -> str:
        wanted, names = said.get("attributes"), said.get("allfields")
        told: dict[str, dict[str, str]] = {}
        for field in model.fields.values():
            if names and field.name not in names:
                continue
            facts = {"type": field.type, "string": field.title}
            facts |= {"relation": field.relation} if field.relation else {}
            told[field.name] = {key: facts[key] for key in facts if not wanted or key in wanted}
        return json.dumps(told)

    def _create(self, model: Model, said: dict[str, Any], **_: bool) -> str:
        with self.book.change() as change:
            return json.dumps([DESK.create(change, model, one) for one in said["vals_list"]])

    def _write(self, model: Model, said: dict[str, Any], **_: bool) -> str:
        with self.book.change() as change:
            for number in said["ids"]:
                row = change.row(model.name, number)
                if row is None:
                    raise Refused("Record does not exist", "odoo.exceptions.UserError")
                DESK.write(change, model, row, said["vals"])
        return "true"

    def _unlink(self, model: Model, said: dict[str, Any], **_: bool) -> str:
        with self.book.change() as change:
            ids = said["ids"]
            if model.name == "res.partner" and any(change.owned("sale.order", one) for one in ids):
                raise Refused("The contact is used by orders.", "odoo.exceptions.ValidationError")
            DESK.remove(change, model, ids)
        return "true"

    def _action_confirm(self, model: Model, said: dict[str, Any], **_: bool) -> str:
        self._write(model, {"ids": said["ids"], "vals": {"state": "sale"}})
        return "true"


def _body(body: bytes) -> dict[str, Any]:
    """Anything but an object counts as no arguments."""
    try:
        said = json.loads(body)
    except ValueError as wrong:
        words = f"could not parse the body as json: {wrong}"
        raise Refused(words, "werkzeug.exceptions.BadRequest") from None
    return said if is_object(said) else {}


def _fitting(name: str, method: str, said: dict[str, Any]) -> None:
    needed, allowed = PARAMETERS[method]
    kind = "werkzeug.exceptions.UnprocessableEntity"
    if "ids" in said and "ids" not in needed:
        raise Refused(f"cannot call {name}.{method} with ids", kind)
    for missing in sorted(needed - {*said}):
        raise Refused(f"missing a required argument: '{missing}'", kind)
    for unknown in sorted({*said} - needed - allowed):
        raise Refused(f"got an unexpected keyword argument '{unknown}'", kind)
    if "ids" in said and not is_ids(said["ids"]):
        raise Refused("ids have to be a list of numbers", "builtins.ValueError")


def _shows_all(context: Any) -> bool:
    return is_object(context) and context.get("active_test") is False


def reply(text: str) -> Answer:
    return Answer(200, text.encode(), {"Content-Type": JSON})


def fault(name: str, message: str) -> Answer:
    told: dict[str, object] = {"name": name, "message": message, "arguments": [message]}
    told |= {"context": {}, "debug": "Traceback (most recent call last): …"}
    status = STATUS.get(name, 500)
    headers = {"Content-Type": JSON} | ({"WWW-Authenticate": "bearer"} if status == 401 else {})
    return Answer(status, json.dumps(told).encode(), headers)


def _page(status: int, text: str) -> Answer:
    body = f"<!doctype html>\n<html lang=en>\n<title>{status}</title>\n<p>{escape(text)}</p>\n"
    return Answer(status, body.encode(), {"Content-Type": HTML})
