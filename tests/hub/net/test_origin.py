"""Calls stay under the address that was set, and links within its origin."""

import httpx
import pytest

from hub.adapter import Answer, Call
from hub.errors import AddressRefused, VendorRefused
from hub.net import origin

BASE = httpx.URL("https://erp.example.com/tryton")


@pytest.mark.parametrize(
    ("address", "path", "whole"),
    [
        ("https://erp.example.com", "/rpc/", "https://erp.example.com/rpc/"),
        ("https://erp.example.com/", "rpc", "https://erp.example.com/rpc"),
        ("https://erp.example.com/a/", "/rpc", "https://erp.example.com/a/rpc"),
        ("http://[2001:db8::1]:8069/a", "/rpc", "http://[2001:db8::1]:8069/a/rpc"),
        ("https://erp.example.com/a", "", "https://erp.example.com/a"),
        ("https://erp.example.com", "/Item('7 8')", "https://erp.example.com/Item('7%208')"),
        ("https://erp.example.com", "/a%2Fb", "https://erp.example.com/a%2Fb"),
    ],
)
def test_path_is_joined(address: str, path: str, whole: str) -> None:
    assert str(origin.address(origin.base(address), Call(path=path))) == whole


@pytest.mark.parametrize(
    "address",
    [
        "ftp://erp.example.com",
        "file:///etc/passwd",
        "erp.example.com",
        "https://",
        "https://user:pass@erp.example.com",
        "https://user@erp.example.com",
        "https://erp.example.com/?a=1",
        "https://erp.example.com/#a",
        "https://erp.example.com\\@elsewhere.example.com",
        "https://erp.example.com/\r\nHost: elsewhere",
        "https://erp.example.com/a/%2e%2e/b",
        "https://erp.example.com:port",
        "",
    ],
)
def test_bad_address_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused) as told:
        origin.base(address)
    assert "user:pass" not in str(told.value)


@pytest.mark.parametrize(
    "path",
    [
        "//elsewhere.example.com/",
        "/../admin",
        "..",
        "/a/./b",
        "/%2e%2e/admin",
        "/%2E./admin",
        "/..%2fadmin",
        "/..\\admin",
        "/..;/admin",
        "/%2e%2e%3bv=1/admin",
        "/%5c%5celsewhere",
        "/%2f/elsewhere",
        "/a?b=1",
        "/a#b",
        "/a\r\nHost: elsewhere",
        "/a%0d%0a",
        "/a\0",
    ],
)
def test_path_does_not_leave(path: str) -> None:
    with pytest.raises(AddressRefused):
        origin.address(BASE, Call(path=path))


@pytest.mark.parametrize(
    ("link", "whole"),
    [
        ("rows?skip=2", "https://erp.example.com/tryton/rows?skip=2"),
        ("A_Row?%24skiptoken=2", "https://erp.example.com/tryton/A_Row?%24skiptoken=2"),
        ("/rows#top", "https://erp.example.com/rows"),
        ("https://erp.example.com:443/rows", "https://erp.example.com/rows"),
        ("HTTPS://ERP.example.com/rows", "https://erp.example.com/rows"),
    ],
)
def test_link_at_home_is_followed(link: str, whole: str) -> None:
    assert str(origin.followed(BASE, link)) == whole


def test_name_elsewhere_is_shown_in_short() -> None:
    with pytest.raises(VendorRefused, match=r"leads to https://a+…:8443: it is") as told:
        origin.followed(BASE, f"https://{'a' * 10_000}.example:8443/rows")
    assert len(str(told.value)) < 400


@pytest.mark.parametrize(
    "link",
    [
        "http://erp.example.com/rows",
        "https://erp.example.com:8443/rows",
        "https://erp.example.com.elsewhere.example/rows",
        "https://elsewhere.example.com/rows?token=t",
        "//elsewhere.example.com/rows",
        "https://erp.example.com@elsewhere.example.com/rows",
        "https://user:pass@erp.example.com/rows",
        "\\\\elsewhere.example.com/rows",
        "ftp://erp.example.com/rows",
        "data:text/plain,rows",
        "/rows\r\nHost: elsewhere",
        "https://erp.example.com:99999999/rows",
    ],
)
def test_link_elsewhere_is_refused(link: str) -> None:
    with pytest.raises(VendorRefused) as told:
        origin.followed(BASE, link)
    assert not any(word in str(told.value) for word in ("token", "pass", "rows"))


def redirect(status: int, location: str) -> Answer:
    return Answer(status=status, headers={"location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_reading_follows_redirects(status: int) -> None:
    there = origin.redirected(BASE, "GET", redirect(status, "/tryton/"))
    assert str(there) == "https://erp.example.com/tryton/"


@pytest.mark.parametrize("status", [301, 302, 303])
def test_sending_does_not_become_reading(status: int) -> None:
    with pytest.raises(VendorRefused, match="correct the path"):
        origin.redirected(BASE, "POST", redirect(status, "/tryton/"))


@pytest.mark.parametrize("location", ["http://erp.example.com/tryton", "//elsewhere.example.com"])
def test_redirect_elsewhere_is_refused(location: str) -> None:
    with pytest.raises(VendorRefused, match="has moved to"):
        origin.redirected(BASE, "GET", redirect(307, location))


def test_other_answers_are_no_redirects() -> None:
    assert origin.redirected(BASE, "GET", redirect(200, "/a")) is None
    assert origin.redirected(BASE, "GET", redirect(304, "/a")) is None
    assert origin.redirected(BASE, "GET", Answer(status=302, headers={})) is None
