"""oidc-provider as a vendor whose tokens take turns: started, visited in a browser, counted."""

import asyncio
import contextlib
import json
import os
import re
import signal
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from hub.adapter import Adapter, AuthorizationCode, Call, Setting, TokenEndpoint
from tests.vendor import adapter

ROOT = Path(__file__).parents[2]
CLIENT, SECRET = "hub-app", "k-only-for-tests"
FORM = re.compile(r'<form[^>]* action="([^"]+)"')
LONGEST_WAY = 12
"""Steps of a browser from the first page back to the hub."""


@dataclass(frozen=True)
class Vendor:
    """A running one."""

    url: str
    back: str

    @property
    def settings(self) -> Mapping[str, str]:
        return {"url": self.url, "client_id": CLIENT, "client_secret": SECRET}

    async def counts(self) -> dict[str, int]:
        """How often a token was renewed, how often that was refused, and what was ended by it."""
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{self.url}/counts")).json()

    async def visit(self, page: str) -> str:
        """The address that a person comes back to who signs in there and gives leave."""
        async with httpx.AsyncClient() as browser:
            answer = await browser.get(page)
            for _ in range(LONGEST_WAY):
                if answer.is_redirect:
                    there = httpx.URL(answer.request.url).join(answer.headers["location"])
                    if str(there).startswith(self.back):
                        return str(there)
                    answer = await browser.get(there)
                else:
                    answer = await self._submitted(browser, answer)
        raise AssertionError(answer.text)

    async def _submitted(self, browser: httpx.AsyncClient, shown: httpx.Response) -> httpx.Response:
        found = FORM.search(shown.text)
        assert found is not None, shown.text
        prompt = "login" if 'value="login"' in shown.text else "consent"
        said = {"prompt": prompt, "login": "owner", "password": "k-any"}
        return await browser.post(unescape(found[1]), data=said)


@contextlib.asynccontextmanager
async def vendor(back: str, **metadata: Any) -> AsyncGenerator[Vendor]:
    """It, until the block ends. `back`: where its client's people come back to; `metadata`: what
    else it knows of its client."""
    process = await asyncio.create_subprocess_exec(
        ROOT / ".ci" / "node",
        ROOT / "tests" / "peers" / "vendor.mjs",
        *(CLIENT, SECRET, back, json.dumps(metadata)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        told = await asyncio.wait_for(process.stdout.readline(), 60)
        yield Vendor(json.loads(told)["url"], back)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _about_me(_: Mapping[str, str]) -> Call:
    return Call(method="GET", path="/me")


def declaration(**changed: Any) -> Adapter:
    """How the hub deals with it; `changed` is said of its endpoint."""
    known = {"url": "{url}/token", "revoke": "{url}/token/revocation"}
    tokens = TokenEndpoint(**{**known, **changed})
    return adapter(
        settings=(
            Setting(key="url", title="Address"),
            Setting(key="client_id", title="Client"),
            Setting(key="client_secret", title="Its secret", secret=True),
        ),
        auth=AuthorizationCode(
            authorize="{url}/auth",
            scopes=("openid", "offline_access"),
            parameters=(("prompt", "consent"),),
            issuer="{url}",
            tokens=tokens,
        ),
        check=_about_me,
    )
