"""A person in a browser at the sandbox's page, who gives leave or does not."""

from urllib.parse import parse_qsl, urlsplit

import httpx


async def visit(page: str, decision: str = "allow") -> str:
    """The address that they are sent back to."""
    async with httpx.AsyncClient() as browser:
        shown = await browser.get(page)
        assert shown.status_code == 200, shown.text
        decided = await browser.post(page, data={"decision": decision})
    assert decided.status_code == 303, decided.text
    return decided.headers["location"]


def query(url: str) -> dict[str, str]:
    """What an address says."""
    return dict(parse_qsl(urlsplit(url).query))
