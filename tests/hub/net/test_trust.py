"""Over TLS the name that was set has to be the certificate's, whichever number it leads to."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Generator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub import clock
from hub.adapter import Call
from hub.errors import VendorAway
from hub.net import transport
from tests.hub.net.conftest import Lines
from tests.vendor import says

NAME = "erp.example.com"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of the name, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        made.public_bytes(pem) + key.private_bytes(pem, form, serialization.NoEncryption())
    )
    return path


@pytest.fixture
async def port(certificate: Path) -> AsyncGenerator[int]:
    """Where a server with this certificate listens."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(says(200, ["row"]))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def _trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """As if the administrator had added the certificate to the machine's own."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    transport.trust.cache_clear()
    yield
    transport.trust.cache_clear()


async def here(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@pytest.mark.usefixtures("_trusted")
async def test_certificate_of_the_name_is_good(lines: Lines, port: int) -> None:
    line = lines(f"https://{NAME}:{port}", resolve=here)
    assert (await line.ask(Call(path="/", method="GET"))).body == ["row"]


@pytest.mark.usefixtures("_trusted")
async def test_certificate_of_another_name_is_not(lines: Lines, port: int) -> None:
    line = lines(f"https://other.example.com:{port}", resolve=here, pauses=())
    with pytest.raises(VendorAway, match="certificate"):
        await line.ask(Call(path="/", method="GET"))


async def test_unknown_certificate_is_not_trusted(lines: Lines, port: int) -> None:
    line = lines(f"https://{NAME}:{port}", resolve=here, pauses=())
    with pytest.raises(VendorAway, match="certificate"):
        await line.ask(Call(path="/", method="GET"))
