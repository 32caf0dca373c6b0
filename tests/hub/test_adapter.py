"""The contract says what it is, and refuses declarations that can be seen to be wrong."""

import ast
from dataclasses import FrozenInstanceError, replace
from inspect import getsource
from types import ModuleType
from typing import Any, get_args

import pytest

from hub import adapter, paging
from hub.adapter import (
    Adapter,
    AuthorizationCode,
    Basic,
    Call,
    Child,
    ClientCredentials,
    Cursor,
    JwtBearer,
    Key,
    Never,
    Privacy,
    Setting,
    Status,
    Stream,
    TokenEndpoint,
)
from hub.errors import RejectedRecord
from hub.models.base import CATEGORIES
from hub.records import Consent, Customer

CALL = Call(path="/")
STREAM = Stream(
    key="people",
    title="People",
    kind=Customer,
    ask=lambda _: CALL,
    map=lambda item, _: Customer(external_id=str(item)),
    fields=(),
    cursor=Cursor(field="changed"),
    deletions=Never("it is an archive"),
)
URL = Setting(key="url", title="Address")
KEY = Setting(key="key", title="Key", secret=True)
TOKENS = TokenEndpoint(url="{url}/token", client_id="1", client_secret="{key}")  # noqa: S106 - says where it comes from
GOOD = Adapter(
    key="shop",
    title="Shop",
    family="erp",
    docs="https://shop.example.com",
    settings=(URL, KEY),
    base="{url}",
    auth=Key(),
    check=lambda _: CALL,
    streams=(STREAM,),
    privacy=Privacy(holds=("identity",), by_hand="Ask the archive."),
)


def code(**changed: Any) -> AuthorizationCode:
    return AuthorizationCode(**{"authorize": "{url}/page", "tokens": TOKENS, **changed})


def by_client(**changed: Any) -> ClientCredentials:
    return ClientCredentials(tokens=replace(TOKENS, **changed))


def undocumented(module: ModuleType) -> list[str]:
    """Fields and names of a module that no text follows."""
    classes = [node for node in ast.parse(getsource(module)).body if isinstance(node, ast.ClassDef)]
    return [
        f"{owner.name}.{ast.unparse(node.target)}"
        for owner in classes
        for node, after in zip(owner.body, [*owner.body[1:], None], strict=True)
        if isinstance(node, ast.AnnAssign)
        and not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant))
    ]


@pytest.mark.parametrize("module", [adapter, paging])
def test_every_field_is_documented(module: ModuleType) -> None:
    assert undocumented(module) == []


def test_declaration_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        GOOD.title = "Other"  # type: ignore[misc]


def test_unknown_key_is_impossible() -> None:
    with pytest.raises(TypeError, match="pagination"):
        Stream(**{"key": "people", "pagination": "links"})  # type: ignore[arg-type]


def test_categories_are_those_of_scopes() -> None:
    assert set(get_args(adapter.Category)) == set(CATEGORIES) - {"provenance", "open"}


LISTS = replace(STREAM, key="lists", kind=Consent)
STATUS = Status(
    stream="lists",
    field="state",
    purpose="email_marketing",
    means={"in": "granted", "out": "withdrawn", "new": None},
)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"key": "My shop"}, "'My shop' is no name"),
        ({"settings": (URL, KEY, URL)}, "settings have 'url' twice"),
        ({"settings": (URL, KEY, Setting(key="source", title="Source"))}, "'source' twice"),
        ({"settings": (URL, KEY, Setting(key="calls", title="Calls"))}, "'calls' twice, or it is"),
        ({"settings": (URL, KEY, Setting(key="seconds", title="Seconds"))}, "'seconds' twice"),
        ({"streams": (STREAM, STREAM)}, "streams have 'people' twice"),
        ({"streams": (replace(STREAM, key=""),)}, "'' is no name"),
        ({"base": "https://{host}"}, "base names {host}"),
        ({"base": "{url}/{key}"}, "base names {key}"),
        ({"auth": Key(form="{user}:{key}")}, "auth names {user}"),
        ({"auth": Basic(password="{key}")}, "auth names {user}"),  # noqa: S106 - as above
        ({"auth": code(authorize="{url}?k={key}")}, "auth.authorize names {key}"),
        ({"auth": code(parameters=(("for", "{user}"),))}, "auth names {user}"),
        ({"auth": code(pkce=False, tokens=replace(TOKENS, client="none"))}, "has to use PKCE"),
        ({"auth": by_client(url="{url}/{key}")}, "auth.tokens names {key}"),
        ({"auth": by_client(revoke="{host}")}, "auth.tokens names {host}"),
        ({"auth": by_client(client_id="{client_id}")}, "auth.tokens names {client_id}"),
        ({"auth": by_client(client_secret="{other}")}, "auth.tokens names {other}"),  # noqa: S106
        ({"auth": by_client(form="{bearer}")}, "auth.tokens names {bearer}"),
        ({"auth": by_client(client="none")}, "nothing that the client could show"),
        ({"auth": JwtBearer(tokens=TOKENS, issuer="1")}, "auth names {private_key}"),
        (
            {"auth": by_client(), "settings": (URL, KEY, Setting(key="token", title="Token"))},
            "call the setting 'token' otherwise",
        ),
        ({"privacy": Privacy(holds=(), by_hand=" ")}, "privacy.by_hand"),
        ({"consents": " "}, "consents has to say why"),
        ({"consents": (STATUS,)}, "names 'lists', which is no stream of consents"),
        ({"streams": (STREAM, LISTS)}, "has to say what the statuses of 'lists' mean"),
    ],
)
def test_wrong_declaration_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r"^adapter ") as refused:
        replace(GOOD, **wrong)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "auth",
    [
        Basic(user="hub", password="{key}"),  # noqa: S106
        code(tokens=replace(TOKENS, client="none", client_secret="{unknown}")),  # noqa: S106
        by_client(),
        JwtBearer(tokens=TOKENS, issuer="1", key="{key}"),
    ],
    ids=lambda auth: type(auth).__name__,
)
def test_every_kind_of_credentials_can_be_declared(auth: Any) -> None:
    assert replace(GOOD, auth=auth).auth == auth


def test_status_is_told_by_its_words() -> None:
    made = replace(GOOD, streams=(STREAM, LISTS), consents=(STATUS,))
    assert made.consents == (STATUS,)
    assert (STATUS.meant("in"), STATUS.meant("out")) == ("granted", "withdrawn")
    assert STATUS.meant("new") is None
    with pytest.raises(RejectedRecord) as refused:
        STATUS.meant("gone")
    assert refused.value.field == "state"


def test_children_apart_need_a_place() -> None:
    child = Child(key="", owners=lambda _: (), ask=lambda _: CALL, fields=(), apart=True)
    with pytest.raises(ValueError, match="need a key"):
        replace(GOOD, streams=(replace(STREAM, children=(child,)),))


def test_defaults_change_nothing() -> None:
    assert GOOD.plain([1]) == [1]
    assert STREAM.described(adapter.Answer(status=200, headers={})) == ()
    assert STREAM.pages == paging.ById()
