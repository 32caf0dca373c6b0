"""A mail as it goes over the wire: its headers exactly as written here, signed with DKIM.

The headers are put together by hand, since the standard library folds or encodes long ones, and
mail systems want those of one-click unsubscription (RFC 8058) just so.
"""

import re
from base64 import encodebytes
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any

import dkim  # type: ignore[import-untyped]  # it has no stubs

from hub.config import Settings
from hub.errors import BadSettings, RejectedRecord

SIGNING: Any = dkim
MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
"""What is taken for an address: nothing in it ends a header or begins another recipient."""
ADDRESS = re.compile(r"https?://[!-;=?-~]{1,880}")
ONE_CLICK = "List-Unsubscribe=One-Click"
SIGNED = (
    *("from", "to", "subject", "date", "message-id", "mime-version", "content-type"),
    *("content-transfer-encoding", "content-language", "auto-submitted"),
    *("list-unsubscribe", "list-unsubscribe-post"),
)
"""RFC 8058 wants both headers of unsubscription under the signature."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom mails come from."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.partition("@")[2]

    @classmethod
    def of(cls, text: str) -> "Sender":
        """From `Shop <news@example.com>`. Raises BadSettings."""
        name, address = parseaddr(text)
        if not MAILBOX.fullmatch(address) or not name.isprintable():
            raise BadSettings("HUB_MAIL_FROM has to be like `Shop <news@example.com>`.")
        return cls(name, address)


@dataclass(frozen=True, slots=True)
class Letter:
    """What is told to one person. `key` makes its Message-ID: the same letter has the same.

    `unsubscribe` is the address of one click.
    """

    key: str
    to: str
    subject: str
    text: str
    language: str
    unsubscribe: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Signs mails with the key that is published as `selector._domainkey.domain`."""

    domain: str
    selector: str
    key: bytes

    @classmethod
    def of(cls, settings: Settings, sender: Sender) -> "Signature | None":
        """None where nothing is signed. Raises BadSettings."""
        if settings.dkim_key_file is None:
            return None
        if settings.dkim_selector is None:
            raise BadSettings("HUB_DKIM_KEY_FILE needs HUB_DKIM_SELECTOR: how its key is found.")
        key = _key(settings.dkim_key_file)
        return cls(settings.dkim_domain or sender.domain, settings.dkim_selector, key)

    def sign(self, mail: bytes) -> bytes:
        """The mail with its signature on top; it takes a few milliseconds."""
        signature: bytes = SIGNING.sign(
            mail,
            self.selector.encode(),
            self.domain.encode(),
            self.key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name.encode() for name in SIGNED],
        )
        return signature + mail


def written(letter: Letter, sender: Sender, *, at: datetime) -> bytes:
    """The mail's bytes. Raises RejectedRecord for an address that no mail can go to."""
    if not MAILBOX.fullmatch(letter.to):
        raise RejectedRecord("is no address that a mail can be sent to", field="contact_point")
    if not ADDRESS.fullmatch(letter.unsubscribe):
        raise BadSettings("HUB_BASE_URL is not an address that a mail can name: correct it.")
    headers = {
        "From": _from(sender),
        "To": letter.to,
        "Subject": _words(letter.subject, taken=len("Subject: ")),
        "Date": format_datetime(at),
        "Message-ID": f"<{letter.key}@{sender.domain}>",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "base64",
        "Content-Language": letter.language,
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{letter.unsubscribe}>",
        "List-Unsubscribe-Post": ONE_CLICK,
    }
    for value in headers.values():
        _demand_one_line(value)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    body = encodebytes(letter.text.encode()).replace(b"\n", b"\r\n")
    return head.encode("ascii") + b"\r\n" + body


def _from(sender: Sender) -> str:
    if not sender.name:
        return sender.address
    return f"{_words(sender.name, taken=len('From: '))} <{sender.address}>"


def _words(text: str, *, taken: int) -> str:
    """A text in encoded words, folded (RFC 2047); control characters are none of it."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    header = Header(plain, "utf-8", maxlinelen=75, header_name="x" * (taken - 2))
    return header.encode(linesep="\r\n")


def _demand_one_line(value: str) -> None:
    """A line may break only where the next one goes on with a blank."""
    if re.search(r"\r(?!\n)|(?<!\r)\n|\n(?![ \t])", value) or not value.isascii():
        raise RejectedRecord("can not stand in a mail's header", field="")


def _key(path: Path) -> bytes:
    try:
        key = path.read_bytes()
        SIGNING.parse_pem_private_key(key)
    except OSError as error:
        raise BadSettings(f"HUB_DKIM_KEY_FILE can not be read: {error.strerror}.") from error
    except (dkim.UnparsableKeyError, ValueError) as error:
        raise BadSettings("HUB_DKIM_KEY_FILE has to hold an RSA key in PEM.") from error
    return key
