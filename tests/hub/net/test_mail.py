"""Mail over a real server: the bytes that arrive, under which signature, and by which way."""

import contextlib
import socket
import ssl
from base64 import b64encode
from collections.abc import AsyncGenerator, Generator, Sequence
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import dkim  # type: ignore[import-untyped]
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from hub import clock
from hub.config import Settings
from hub.errors import AddressRefused, BadSettings, RejectedRecord, VendorAway, VendorRefused
from hub.net.letter import Letter, Sender, Signature
from hub.net.mail import WAITS, Mailer, Server, Waits
from hub.net.transport import Reach
from tests.postbox import Postbox, postbox
from tests.vendor import HERE

NAME = "mail.example.com"
SENDER = Sender("Магазин «Лес»", "news@example.com")
LINK = "https://hub.example.com/unsubscribe/" + "t" * 120
LETTER = Letter(
    key="018f-1",
    to="anna@example.org",
    subject="Подтвердите согласие " * 8,
    text="Здравствуйте!\n.\nhttps://hub.example.com/consent/abc\n",
    language="ru",
    unsubscribe=LINK,
)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def pem(key: rsa.RSAPrivateKey) -> bytes:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@pytest.fixture(scope="module")
def certificate(
    key: rsa.RSAPrivateKey, pem: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("mail") / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + pem)
    return path


@pytest.fixture
def there(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


@pytest.fixture
async def box() -> AsyncGenerator[Postbox]:
    async with postbox() as found:
        yield found


async def here(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


async def twice(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.2", "127.0.0.1"]


REACH = Reach(HERE, resolve=here)
SHORT = Waits(reaching=2, step=1, letter=10, parting=0.1)


def mailer(box: Postbox, signature: Signature | None = None, *, waits: Waits = WAITS) -> Mailer:
    return Mailer(Server.of(box.url), SENDER, signature=signature, networks=HERE, waits=waits)


@contextlib.contextmanager
def swallowing(number: str, port: int) -> Generator[None]:
    """A number that answers nobody: one waits there already, and there is no room for two."""
    with socket.create_server((number, port), backlog=0), socket.create_connection((number, port)):
        yield


def lines(mail: bytes) -> list[bytes]:
    return mail.partition(b"\r\n\r\n")[0].split(b"\r\n")


async def test_headers_are_byte_exact(box: Postbox) -> None:
    await mailer(box).send(LETTER)
    (mail,) = box.mails
    assert f"List-Unsubscribe: <{LINK}>".encode() in lines(mail)
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines(mail)
    assert box.recipients == ["anna@example.org"]


async def test_letter_reads_as_written(box: Postbox) -> None:
    await mailer(box).send(LETTER)
    read = cast("EmailMessage", message_from_bytes(box.mails[0], policy=policy.default))
    assert read["subject"] == LETTER.subject.strip()
    assert read["from"] == "Магазин «Лес» <news@example.com>"
    assert read.get_content().replace("\r\n", "\n") == LETTER.text
    assert not read.defects
    assert max(map(len, lines(box.mails[0]))) < 998


async def test_signature_covers_unsubscription(
    box: Postbox, key: rsa.RSAPrivateKey, pem: bytes
) -> None:
    await mailer(box, Signature("example.com", "hub", pem)).send(LETTER)
    published = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = b"v=DKIM1; k=rsa; p=" + b64encode(published)
    asked: list[bytes] = []

    def answer(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return record

    assert dkim.verify(box.mails[0], dnsfunc=answer)
    assert asked == [b"hub._domainkey.example.com."]
    signature = message_from_bytes(box.mails[0])["dkim-signature"]
    covered = "".join(signature.split()).partition("h=")[2].partition(";")[0].split(":")
    assert {"from", "list-unsubscribe", "list-unsubscribe-post"} <= set(covered)
    changed = box.mails[0].replace(b"t" * 120, b"u" * 120)
    assert not dkim.verify(changed, dnsfunc=answer)


@pytest.mark.parametrize(
    "to",
    [
        "anna@example.org\r\nBcc: eve@example.org",
        "anna@example.org, eve@example.org",
        "anna@example.org>\nRCPT TO:<eve@example.org",
        "Anna <anna@example.org>",
        "анна@example.org",
    ],
)
async def test_strange_address_gets_nothing(box: Postbox, to: str) -> None:
    with pytest.raises(RejectedRecord):
        await mailer(box).send(Letter("k", to, "s", "t", "en", LINK))
    assert not box.mails


async def test_subject_begins_no_header(box: Postbox) -> None:
    evil = "Hello\r\nBcc: eve@example.org\r\n\r\nBody\x00\u2028"
    await mailer(box).send(Letter("k", "anna@example.org", evil, "text", "en", LINK))
    read = message_from_bytes(box.mails[0], policy=policy.default)
    assert read["bcc"] is None
    assert read["subject"] == "Hello Bcc: eve@example.org Body"


async def test_starttls_is_used(there: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    async with postbox(there) as box:
        server = Server(NAME, box.port, False, "hub", "right")
        way = Mailer(server, SENDER, networks=HERE, reach=REACH, context=trusting)
        await way.send(LETTER)
    assert len(box.mails) == 1
    assert box.logins[0].login == b"hub"


async def test_tls_from_the_first_byte(there: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    async with postbox(there, is_implicit=True) as box:
        server = Server(NAME, box.port, is_implicit=True)
        way = Mailer(server, SENDER, networks=HERE, reach=REACH, context=trusting)
        await way.send(LETTER)
    assert len(box.mails) == 1


async def test_strange_certificate_is_refused(there: ssl.SSLContext) -> None:
    async with postbox(there) as box:
        way = Mailer(Server(NAME, box.port), SENDER, networks=HERE, reach=REACH)
        with pytest.raises(VendorRefused, match="certificate"):
            await way.send(LETTER)
    assert not box.mails


async def test_wrong_password_is_told(there: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    async with postbox(there) as box:
        server = Server(NAME, box.port, False, "hub", "wrong")
        way = Mailer(server, SENDER, networks=HERE, reach=REACH, context=trusting)
        with pytest.raises(VendorRefused, match="password"):
            await way.send(LETTER)


async def test_private_server_is_not_reached(box: Postbox) -> None:
    with pytest.raises(AddressRefused):
        await Mailer(Server.of(box.url), SENDER).send(LETTER)


async def test_nothing_public_without_tls(box: Postbox) -> None:
    """As a public server would be: it may be reached, is of no network that is named, and offers
    no TLS."""
    with pytest.raises(AddressRefused, match="TLS"):
        await Mailer(Server.of(box.url), SENDER, reach=REACH).send(LETTER)
    assert not box.mails


async def test_refused_address_is_rejected(box: Postbox) -> None:
    box.refusal = "550 No such user anna@example.org"
    with pytest.raises(RejectedRecord) as caught:
        await mailer(box).send(LETTER)
    assert "anna" not in str(caught.value)


async def test_busy_server_is_asked_later(box: Postbox) -> None:
    box.refusal = "451 Greylisted anna@example.org"
    with pytest.raises(VendorAway) as caught:
        await mailer(box).send(LETTER)
    assert "anna" not in str(caught.value)


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        ("550 5.1.1 No such user", RejectedRecord),
        ("550 5.1.10 Null MX", RejectedRecord),
        ("554 5.2.1 Disabled", RejectedRecord),
        ("553 Bad mailbox name", RejectedRecord),
        ("553 5.1.8 Bad sender's domain", VendorRefused),
        ("554 5.7.1 Relay access denied", VendorRefused),
        ("550 5.7.26 Unauthenticated sender", VendorRefused),
        ("554 Transaction failed", VendorRefused),
        ("450 5.1.1 Not now", VendorAway),
    ],
)
async def test_only_the_address_is_rejected(
    box: Postbox, refusal: str, error: type[Exception]
) -> None:
    box.refusal = f"{refusal} anna@example.org"
    with pytest.raises(error) as caught:
        await mailer(box).send(LETTER)
    assert "anna" not in str(caught.value)


@pytest.mark.parametrize(
    ("verdict", "error"),
    [
        ("550 5.2.2 Mailbox full", RejectedRecord),
        ("550 Looks like spam", VendorRefused),
        ("554 5.7.1 No valid DKIM signature", VendorRefused),
        ("451 4.7.0 Not now", VendorAway),
    ],
)
async def test_refused_letter_is_the_hubs(
    box: Postbox, verdict: str, error: type[Exception]
) -> None:
    box.verdict = f"{verdict} anna@example.org"
    with pytest.raises(error) as caught:
        await mailer(box).send(LETTER)
    assert "anna" not in str(caught.value)


async def test_letter_that_is_looked_through_is_sent(box: Postbox) -> None:
    box.seconds = SHORT.reaching + 0.5
    await mailer(box, waits=SHORT).send(LETTER)
    assert len(box.mails) == 1
    assert WAITS.letter >= 60


async def test_slow_goodbye_is_no_error(box: Postbox) -> None:
    box.parting_seconds = 30
    await mailer(box, waits=Waits(reaching=1, step=30, parting=1.5)).send(LETTER)
    assert len(box.mails) == 1


async def test_swallowing_number_leaves_time(box: Postbox) -> None:
    way = Mailer(
        Server(NAME, box.port),
        SENDER,
        networks=HERE,
        reach=Reach(HERE, resolve=twice),
        waits=Waits(reaching=30, step=1),
    )
    with swallowing("127.0.0.2", box.port):
        await way.send(LETTER)
    assert len(box.mails) == 1


async def test_silent_server_is_asked_later() -> None:
    async with postbox() as box:
        pass
    with pytest.raises(VendorAway):
        await mailer(box).send(LETTER)


@pytest.mark.parametrize(
    "url", ["http://mail.example.com", "smtp://", "smtp://h:x", "smtp://h/path", "smtp://h?x=1"]
)
def test_strange_server_is_refused(url: str) -> None:
    with pytest.raises(BadSettings):
        Server.of(url)


def test_server_is_read() -> None:
    found = Server.of("smtps://hub%40example.com:p%2Fw@mail.example.com")
    assert found == Server("mail.example.com", 465, True, "hub@example.com", "p/w")
    assert "p/w" not in repr(found)


def test_settings_make_a_mailer(pem: bytes, tmp_path: Path) -> None:
    path = tmp_path / "dkim.pem"
    path.write_bytes(pem)
    given = {
        "smtp_url": "smtp://mail.example.com",
        "mail_from": "Shop <news@example.com>",
        "dkim_key_file": path,
        "dkim_selector": "hub",
    }
    assert Mailer.of(Settings.model_validate(given)) is not None
    assert Mailer.of(Settings.model_validate({})) is None
    for missing in ("mail_from", "dkim_selector"):
        with pytest.raises(BadSettings):
            Mailer.of(Settings.model_validate({k: v for k, v in given.items() if k != missing}))
    path.write_bytes(b"no key")
    with pytest.raises(BadSettings):
        Mailer.of(Settings.model_validate(given))
