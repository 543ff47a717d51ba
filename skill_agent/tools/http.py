"""HTTP GET for agents: a per-agent allow-list, no private addresses, bounded size and time.

No POST, no cookies, no credentials. Redirects are followed by hand so that every hop is checked.
"""

import asyncio
import ipaddress
import json
import socket
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from skill_agent.agents.dna import Boundaries
from skill_agent.errors import ToolFailed
from skill_agent.ports import ToolOutcome, ToolSpec

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
    max_bytes: int = 200_000

    @property
    def spec(self) -> ToolSpec:
        return _SPEC

    def rule(self, arguments: dict[str, Any]) -> str:
        return f"http_get:{host_of(str(arguments.get('url', ''))) or '?'}"

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        """An allow-listed host may be read, unless text from outside asked for it; so may a URL
        the person typed."""
        url = str(arguments.get("url", ""))
        host = host_of(url)
        if url and url in typed:
            return ""
        if self.boundaries.max_autonomy != "execute":
            return f"this agent's autonomy is {self.boundaries.max_autonomy!r}"
        if tainted:
            return f"text from outside is in the conversation, and {host} would be contacted"
        if allowed(host, self.boundaries.allowed_domains):
            return ""
        return f"{host or url!r} is not in this agent's allowed domains"

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        import httpx

        url = str(arguments.get("url", "")).strip()
        try:
            async with asyncio.timeout(self.timeout_s):
                return ToolOutcome(text=await self._fetch(url), origins=("web",))
        except TimeoutError:
            raise ToolFailed(f"{url} did not answer within {self.timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise ToolFailed(f"{url}: {problem or type(problem).__name__}") from None

    async def _fetch(self, url: str) -> str:
        import httpx

        first_host = host_of(url)
        async with httpx.AsyncClient(follow_redirects=False, trust_env=False) as client:
            for _ in range(MAX_REDIRECTS + 1):
                request = _pinned(client, url, await self._check(url))
                response = await client.send(request, stream=True)
                try:
                    if not response.has_redirect_location:
                        return _readable(url, response, await self._body(response))
                    url = urljoin(url, response.headers["location"])
                finally:
                    await response.aclose()
                host = host_of(url)
                if host != first_host and not allowed(host, self.boundaries.allowed_domains):
                    raise ToolFailed(f"redirected to {host}, which is not an allowed domain")
        raise ToolFailed(f"more than {MAX_REDIRECTS} redirects")

    async def _check(self, url: str) -> str:
        """The address to connect to; resolved once, so that the name cannot change in between."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ToolFailed(f"{url!r} is not an http(s) URL")
        if parts.username or parts.password:
            raise ToolFailed("a URL with a user name or password is not fetched")
        addresses = await _addresses(parts.hostname, parts.port or 0)
        for address in addresses:
            private = not address.is_global or address.is_multicast
            if private and not self.boundaries.allow_private_addresses:
                raise ToolFailed(f"{parts.hostname} is a private address ({address})")
        return str(addresses[0])

    async def _body(self, response: Any) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) >= self.max_bytes:
                break
        return bytes(body[: self.max_bytes])


def host_of(url: str) -> str:
    """Lower-case host of a URL, empty where there is none."""
    try:
        return (urlsplit(url.strip()).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def allowed(host: str, domains: tuple[str, ...]) -> bool:
    """Whether a host is in an allow-list; `*.example.org` matches subdomains only."""
    for domain in domains:
        domain = domain.lower().strip().rstrip(".")
        if domain.startswith("*."):
            if host.endswith(domain[1:]) and host != domain[2:]:
                return True
        elif host == domain:
            return bool(host)
    return False


def _pinned(client: Any, url: str, address: str) -> Any:
    """A GET that connects to `address`; the name stays in Host and in the certificate check."""
    import httpx

    target = httpx.URL(url)
    headers = {
        "Host": target.netloc.decode("ascii"),
        "User-Agent": "skill-agent",
        "Accept": "text/*, application/json;q=0.9, */*;q=0.1",
    }
    return client.build_request(
        "GET",
        target.copy_with(host=address),
        headers=headers,
        extensions={"sni_hostname": target.host},
    )


async def _addresses(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as problem:
        raise ToolFailed(f"{host} cannot be resolved: {problem.strerror or problem}") from None
    addresses = [ipaddress.ip_address(info[4][0].split("%")[0]) for info in found]  # type: ignore[union-attr]
    mapped = (getattr(address, "ipv4_mapped", None) for address in addresses)
    return [inner or outer for inner, outer in zip(mapped, addresses, strict=True)]


def _readable(url: str, response: Any, body: bytes) -> str:
    """Status and text of a response as the model reads it."""
    kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind and not (kind.startswith("text/") or kind.endswith(("json", "xml", "javascript"))):
        raise ToolFailed(f"the answer is {kind}, not text")
    text = body.decode(response.encoding or "utf-8", errors="replace")
    if kind == "text/html":
        text = html_text(text)
    elif kind.endswith("json"):
        text = _compact_json(text)
    if response.status_code >= 400:
        raise ToolFailed(f"HTTP {response.status_code}: {text[:300]}")
    cut = f"\n[cut: {len(text)} characters in all]" if len(text) > MODEL_CHARS else ""
    return f"HTTP {response.status_code} {url}\n{text[:MODEL_CHARS]}{cut}"


def _compact_json(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        return text


class _Text(HTMLParser):
    """Collects what a reader of the page would see."""

    _HIDDEN = frozenset({"script", "style", "noscript", "template", "svg", "head"})
    _BREAKS = frozenset(
        {"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article"}
    )

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._HIDDEN:
            self._depth += 1
        if tag in self._BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._HIDDEN:
            self._depth = max(0, self._depth - 1)
        if tag in self._BREAKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._depth:
            self.pieces.append(data)


def html_text(html: str) -> str:
    """The visible text of a page, one block a line."""
    parser = _Text()
    parser.feed(html)
    lines = (" ".join(line.split()) for line in "".join(parser.pieces).splitlines())
    return "\n".join(line for line in lines if line)
