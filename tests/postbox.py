"""A real mail server on this machine, which keeps what comes as it came."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


@dataclass
class Postbox:
    """What came, byte for byte; and what it says to whom and what it does not want, and how long it
    takes to look through a letter and to say goodbye."""

    port: int = 0
    mails: list[bytes] = field(default_factory=list[bytes])
    recipients: list[str] = field(default_factory=list[str])
    logins: list[LoginPassword] = field(default_factory=list[LoginPassword])
    refusal: str = ""
    verdict: str = "250 OK"
    seconds: float = 0
    parting_seconds: float = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(self, _s: Any, _n: Any, envelope: Any, address: str, _o: Any) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        self.recipients.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.seconds)
        self.mails.append(envelope.original_content)
        self.arrived.set()
        return self.verdict

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:
        await asyncio.sleep(self.parting_seconds)
        return "221 Bye"

    def authenticated(self, _s: Any, _n: Any, _e: Any, _mechanism: str, data: Any) -> AuthResult:
        self.logins.append(data)
        return AuthResult(success=data.password == b"right", handled=False)


@contextlib.asynccontextmanager
async def postbox(
    context: ssl.SSLContext | None = None, *, is_implicit: bool = False
) -> AsyncGenerator[Postbox]:
    """Listens until the block ends; with a context under TLS, by STARTTLS or from the beginning."""
    box = Postbox()
    starttls = None if is_implicit else context

    known: list[SMTP] = []

    def made() -> SMTP:
        one = SMTP(
            box,
            hostname="mail.example.com",
            loop=asyncio.get_running_loop(),
            tls_context=starttls,
            authenticator=box.authenticated,
            auth_require_tls=not is_implicit,
        )
        known.append(one)
        return one

    loop = asyncio.get_running_loop()
    there = await loop.create_server(made, "127.0.0.1", 0, ssl=context if is_implicit else None)
    async with there:
        box.port = there.sockets[0].getsockname()[1]
        try:
            yield box
        finally:
            for one in known:
                transport: Any = one.transport
                if transport is not None:
                    transport.abort()
            await asyncio.sleep(0.01)  # what was aborted is closed in the loop's next rounds
