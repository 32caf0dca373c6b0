"""The way out for mail: one SMTP server, reached as any other address, spoken to under TLS."""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import Self, cast
from urllib.parse import unquote, urlsplit

import aiosmtplib
import httpcore
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from hub import clock
from hub.config import Settings
from hub.errors import AddressRefused, BadSettings, RejectedRecord, VendorAway, VendorRefused
from hub.net.letter import Letter, Sender, Signature, written
from hub.net.transport import Network, Reach, is_named, trust

PORTS = {"smtp": 587, "smtps": 465}
ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
"""What an answer may begin with (RFC 3463): it says more than the code before it."""
OF_ADDRESS = re.compile(r"5\.(?:1\.(?![78]\b)|2\.)\d")
"""Those about whom a mail is for; 5.1.7 and 5.1.8 are about whom it is from."""
BARE_OF_ADDRESS = (550, 551, 552, 553)
"""Of a recipient, where the answer says no more."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How many seconds each part of a mail may take."""

    reaching: float = 20.0
    """From the first look at the server's name until it knows whom the mail is for."""
    step: float = 10.0
    """Of that, to connect to one of its numbers, and for each of its answers."""
    letter: float = 120.0
    """Until it wants the letter, and again until it has taken it. Many look through it before they
    answer: who does not wait sends it twice (RFC 5321, 4.5.3.2.6)."""
    parting: float = 2.0

    @property
    def whole(self) -> float:
        """The longest that a mail takes."""
        return self.reaching + 2 * self.letter + self.parting


WAITS = Waits()


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server. `is_implicit`: TLS from the first byte (RFC 8314), else by STARTTLS."""

    host: str
    port: int
    is_implicit: bool = False
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> Self:
        """From `smtp://user:password@host:587` or `smtps://…`. Raises BadSettings."""
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS[parts.scheme]
        except (KeyError, ValueError) as error:
            raise _bad_url() from error
        if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
            raise _bad_url()
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, parts.scheme == "smtps", user, password)


class Mailer:
    """Sends letters, each over a connection of its own. Several may be sent at a time."""

    def __init__(
        self,
        server: Server,
        sender: Sender,
        *,
        signature: Signature | None = None,
        networks: Iterable[Network] = (),
        reach: Reach | None = None,
        context: ssl.SSLContext | None = None,
        waits: Waits = WAITS,
    ) -> None:
        """`networks` are the private ones that may be reached, also without TLS; `reach` finds the
        server, in these networks or as the public ones are found."""
        self._server = server
        self._sender = sender
        self._signature = signature
        self._networks = tuple(networks)
        self._reach = reach or Reach(self._networks)
        self._context = context or trust()
        self._waits = waits

    @classmethod
    def of(cls, settings: Settings) -> "Mailer | None":
        """As the settings say; None where there is no mail server. Raises BadSettings."""
        if settings.smtp_url is None:
            return None
        if settings.mail_from is None:
            raise BadSettings("HUB_SMTP_URL needs HUB_MAIL_FROM: whom mails come from.")
        sender = Sender.of(settings.mail_from)
        return cls(
            Server.of(settings.smtp_url.get_secret_value()),
            sender,
            signature=Signature.of(settings, sender),
            networks=settings.allowed_networks,
        )

    async def send(self, letter: Letter) -> None:
        """Hand a letter to the server. Once it has taken the letter, nothing is an error any more.

        Raises VendorAway where trying again may help, RejectedRecord where the server takes nothing
        for this address, VendorRefused and AddressRefused where a setting has to change.
        """
        mail = written(letter, self._sender, at=clock.now())
        if self._signature is not None:
            mail = await asyncio.to_thread(self._signature.sign, mail)
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with asyncio.timeout(self._waits.reaching):
                    client = await stack.enter_async_context(self._connected())
                    await client.mail(self._sender.address)
                    await client.rcpt(letter.to)
                await client.data(mail, timeout=self._waits.letter)
        except TimeoutError as error:
            raise VendorAway("The mail server did not answer in time.") from error
        except (SMTPException, OSError, httpcore.ConnectError) as error:
            raise _refusal(error) from None  # the cause quotes addresses and answers

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncGenerator[aiosmtplib.SMTP]:
        """A server that was greeted, under TLS, and knows who we are."""
        server = self._server
        line, number = await self._line()
        client = aiosmtplib.SMTP(
            hostname=server.host,
            sock=line,
            use_tls=server.is_implicit,
            start_tls=False,  # done below, where its absence is an error
            tls_context=self._context,
            local_hostname=self._sender.domain,
            timeout=self._waits.step,
        )
        try:
            await client.connect()
            await self._secure(client, number)
            if server.user:
                await client.login(server.user, server.password)
            yield client
            with contextlib.suppress(SMTPException, OSError):  # the mail is theirs by now
                await client.quit(timeout=self._waits.parting)
        finally:
            if client.transport is not None:  # nothing more is said, not even under TLS
                cast("asyncio.WriteTransport", client.transport).abort()
            client.close()
            line.close()

    async def _secure(self, client: aiosmtplib.SMTP, number: str) -> None:
        """Go on under TLS. Raises AddressRefused where everybody on the way could read along."""
        if self._server.is_implicit:
            return
        await client.ehlo()
        if client.supports_extension("starttls"):
            await client.starttls(tls_context=self._context, server_hostname=self._server.host)
        elif not is_named(number, self._networks):
            raise AddressRefused(
                "The mail server offers no TLS: set it with smtps://, or name its network in"
                " HUB_ALLOWED_NETWORKS."
            )

    async def _line(self) -> tuple[socket.socket, str]:
        """A connection to the first number that answers, all of them checked before.

        Each number has its share of a step, for some swallow every word.
        """
        failed: OSError = ConnectionError("its name has no address")
        numbers = await self._reach.checked(self._server.host, self._server.port)
        for number in numbers:
            family = socket.AF_INET6 if ":" in number else socket.AF_INET
            line = socket.socket(family, socket.SOCK_STREAM)
            line.setblocking(False)
            try:
                loop = asyncio.get_running_loop()
                async with asyncio.timeout(self._waits.step / len(numbers)):
                    await loop.sock_connect(line, (number, self._server.port))
            except OSError as error:
                line.close()
                failed = error
            except BaseException:
                line.close()
                raise
            else:
                return line, number
        raise failed


def _refusal(error: Exception) -> VendorAway | VendorRefused | RejectedRecord:
    """What a mail failed over, in our words: what the server says may name the person."""
    match error:
        case SMTPAuthenticationError(code=code) if code >= 500:
            return VendorRefused(
                "The mail server does not take the user and password: correct HUB_SMTP_URL."
            )
        case SMTPRecipientRefused(code=code) | SMTPDataError(code=code) if _is_of_address(error):
            return RejectedRecord(
                f"the mail server takes no mail for it ({code})", field="contact_point"
            )
        case SMTPResponseException(code=code) if code >= 500:
            return VendorRefused(
                f"The mail server refuses the hub ({code}): look at HUB_SMTP_URL, HUB_MAIL_FROM and"
                " its log."
            )
        case SMTPResponseException(code=code):
            return VendorAway(f"The mail server asks to come again ({code}).")
        case ssl.SSLCertVerificationError():
            return VendorRefused(
                "The mail server's certificate is not one that this machine trusts: look at"
                " HUB_SMTP_URL."
            )
        case _ if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            return _refusal(error.__cause__)
        case _:
            return VendorAway("The mail server can not be reached: the hub tries again.")


def _is_of_address(error: SMTPRecipientRefused | SMTPDataError) -> bool:
    """Whether the address is refused for good, and not the hub, its mail or its server."""
    if ENHANCED.match(error.message):
        return error.code >= 500 and OF_ADDRESS.match(error.message) is not None
    return isinstance(error, SMTPRecipientRefused) and error.code in BARE_OF_ADDRESS


def _bad_url() -> BadSettings:
    return BadSettings(
        "HUB_SMTP_URL has to be like smtp://user:password@mail.example.com:587 or smtps://…:465."
    )
