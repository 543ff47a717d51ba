"""HTTP GET for agents: a per-agent allow-list, no private addresses, bounded size and time.

No POST, no cookies, no credentials. Redirects are followed by hand so that every hop is checked.
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skill_agent.agents.dna import Boundaries
from skill_agent.errors import ToolFailed
from skill_agent.ports import ToolOutcome, ToolSpec
from skill_agent.tools.web.addresses import addresses_of, is_public
from skill_agent.tools.web.answers import ACCEPTED, body_of, text_of
from skill_agent.tools.web.targets import (
    allowed,
    host_of,
    is_typed,
    name_of,
    redirected,
    shown,
    target_of,
)

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 5
MODEL_CHARS = 6000
"""Characters of a page the model gets to read."""

_SPEC = ToolSpec(
    name="http_get",
    description="Fetch a web page or JSON API by its full URL and read the text.",
    parameters={
        "type": "object",
        "properties": {"url": {"type": "string", "description": "https://… with all parameters"}},
        "required": ["url"],
        "additionalProperties": False,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpGet:
    """The `http_get` tool of one agent."""

    boundaries: Boundaries
    timeout_s: float = 20.0
    """For all of it: looking up the name, reading the answer, making text of it."""
    max_bytes: int = 200_000
    """Of an answer, unpacked."""

    @property
    def spec(self) -> ToolSpec:
        return _SPEC

    def rule(self, arguments: dict[str, Any]) -> str:
        return f"http_get:{host_of(str(arguments.get('url', ''))) or '?'}"

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        """An allow-listed host may be read, unless text from outside asked for it; so may a URL
        the person typed. An agent that may not act by itself always asks."""
        try:
            url = target_of(str(arguments.get("url", "")))
        except ToolFailed:
            return ""  # nobody will be contacted: running it says why
        if self.boundaries.max_autonomy != "execute":
            return f"this agent's autonomy is {self.boundaries.max_autonomy!r}"
        if is_typed(url, typed):
            return ""
        host = name_of(url)
        if tainted:
            return f"text from outside is in the conversation, and {host} would be contacted"
        if allowed(host, self.boundaries.allowed_domains):
            return ""
        return f"{host} is not in this agent's allowed domains"

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        import httpx

        url = target_of(str(arguments.get("url", "")))
        try:
            async with asyncio.timeout(self.timeout_s):
                return ToolOutcome(text=await self._fetch(url), origins=("web",))
        except (TimeoutError, httpx.TimeoutException):
            raise _failed(url, f"it did not answer within {self.timeout_s:g} s") from None
        except ToolFailed as problem:
            raise ToolFailed(problem.message, origins=("web",)) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as problem:
            raise _failed(url, str(problem)[:200] or type(problem).__name__) from None

    async def _fetch(self, url: "httpx.URL") -> str:
        import httpx

        first_host = name_of(url)
        async with httpx.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=self.timeout_s
        ) as client:
            for _ in range(MAX_REDIRECTS + 1):
                request = _pinned(client, url, await self._address(url))
                response = await client.send(request, stream=True)
                try:
                    if not response.has_redirect_location:
                        body = await body_of(response, self.max_bytes)
                        return await asyncio.to_thread(_readable, str(url), response, body)
                    url = redirected(url, response.headers["location"])
                finally:
                    await response.aclose()
                host = name_of(url)
                if host != first_host and not allowed(host, self.boundaries.allowed_domains):
                    raise ToolFailed(f"redirected to {host}, which is not an allowed domain")
        raise ToolFailed(f"more than {MAX_REDIRECTS} redirects")

    async def _address(self, url: "httpx.URL") -> str:
        """The address to connect to; resolved once, so that the name cannot change in between."""
        host = name_of(url)
        addresses = await addresses_of(host, url.port or 0)
        for address in addresses:
            if not is_public(address) and not self.boundaries.allow_private_addresses:
                raise ToolFailed(f"{host} is a private address ({address})")
        return str(addresses[0])


def _readable(url: str, response: "httpx.Response", body: bytes) -> str:
    """Status and text of an answer as the model reads them; raises ToolFailed for no success."""
    text = text_of(response.headers.get("content-type", ""), body)
    if not 200 <= response.status_code < 300:
        raise ToolFailed(f"HTTP {response.status_code}: {text[:300]}")
    cut = f"\n[cut: {len(text)} characters in all]" if len(text) > MODEL_CHARS else ""
    return f"HTTP {response.status_code} {url}\n{text[:MODEL_CHARS]}{cut}"


def _failed(url: "httpx.URL", why: str) -> ToolFailed:
    return ToolFailed(f"{shown(str(url))}: {why}", origins=("web",))


def _pinned(client: "httpx.AsyncClient", url: "httpx.URL", address: str) -> "httpx.Request":
    """A GET that connects to `address`; the name stays in Host and in the certificate check."""
    headers = {
        "Host": url.netloc.decode("ascii"),
        "User-Agent": "skill-agent",
        "Accept": "text/*, application/json;q=0.9, */*;q=0.1",
        "Accept-Encoding": ACCEPTED,
    }
    return client.build_request(
        "GET",
        url.copy_with(host=address),
        headers=headers,
        extensions={"sni_hostname": name_of(url)},
    )
