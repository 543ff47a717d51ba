"""The HTTP tool against a real local server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from skill_agent.agents.dna import Boundaries
from skill_agent.errors import ToolFailed
from skill_agent.tools.http import MODEL_CHARS, HttpGet
from skill_agent.tools.web.targets import allowed, host_of
from skill_agent.tools.web.visible import html_text

PAGE = "<html><head><title>no</title></head><body><h1>Hi</h1><script>x()</script><p>there</p>"


class _Pages(BaseHTTPRequestHandler):
    pages: ClassVar[dict[str, tuple[int, str, bytes]]] = {
        "/json": (200, "application/json", json.dumps({"a": 1}, indent=4).encode()),
        "/html": (200, "text/html; charset=utf-8", PAGE.encode()),
        "/big": (200, "text/plain", b"x" * 500_000),
        "/picture": (200, "image/png", b"\x89PNG"),
        "/gone": (404, "text/plain", b"no such page"),
    }

    def do_GET(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        if self.path == "/hang":
            self.server.hung.wait(5)  # type: ignore[attr-defined]
        status, kind, body = self.pages.get(self.path, (200, "text/plain", b"ok"))
        self.send_response(status)
        self.send_header("content-type", kind)
        self.end_headers()
        if self.path == "/host":
            body = self.headers["host"].encode()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    server.hung = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.hung.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


LOCAL = HttpGet(boundaries=Boundaries(allow_private_addresses=True))


async def get(url: str, tool: HttpGet = LOCAL) -> str:
    outcome = await tool.run({"url": url})
    assert outcome.origins == ("web",)
    return outcome.text


async def test_json_comes_compact_and_html_as_text(site: str) -> None:
    assert await get(site + "/json") == f'HTTP 200 {site}/json\n{{"a":1}}'
    assert await get(site + "/html") == f"HTTP 200 {site}/html\nHi\nthere"


async def test_a_big_page_is_cut_and_says_so(site: str) -> None:
    text = await get(site + "/big")
    assert len(text) < MODEL_CHARS + 200
    assert text.endswith("[cut: 200000 characters in all]")


async def test_the_name_stays_in_the_host_header(site: str) -> None:
    url = site.replace("127.0.0.1", "localhost") + "/host"
    assert (await get(url)).endswith(f"localhost:{site.rsplit(':', 1)[1]}")


@pytest.mark.parametrize(
    ("path", "told"),
    [("/gone", "HTTP 404: no such page"), ("/picture", "image/png, not text")],
)
async def test_what_cannot_be_read_fails_in_words(site: str, path: str, told: str) -> None:
    with pytest.raises(ToolFailed, match=told):
        await get(site + path)


async def test_private_addresses_are_refused(site: str) -> None:
    careful = HttpGet(boundaries=Boundaries())
    for url in (site, site.replace("127.0.0.1", "localhost"), "http://[::1]/", "http://10.0.0.1/"):
        with pytest.raises(ToolFailed, match="private address"):
            await get(url, careful)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "nonsense", "http://", ""])
async def test_only_http_is_fetched(url: str) -> None:
    with pytest.raises(ToolFailed, match="not an http"):
        await get(url)


async def test_credentials_in_a_url_are_refused() -> None:
    with pytest.raises(ToolFailed, match="user name or password"):
        await get("http://me:secret@example.org/")


async def test_a_redirect_elsewhere_needs_an_allowed_domain(site: str) -> None:
    elsewhere = site.replace("127.0.0.1", "localhost") + "/json"
    with pytest.raises(ToolFailed, match="redirected to localhost"):
        await get(f"{site}/to/{elsewhere}")
    friendly = HttpGet(
        boundaries=Boundaries(allow_private_addresses=True, allowed_domains=("localhost",))
    )
    assert '{"a":1}' in await get(f"{site}/to/{elsewhere}", friendly)
    assert '{"a":1}' in await get(f"{site}/to//json")


async def test_endless_redirects_and_silence_end(site: str) -> None:
    with pytest.raises(ToolFailed, match="redirects"):
        loop = "/loop"
        for _ in range(7):
            loop = f"/to/{loop}"
        await get(site + loop)
    hasty = HttpGet(boundaries=Boundaries(allow_private_addresses=True), timeout_s=0.2)
    with pytest.raises(ToolFailed, match=r"within 0\.2 s"):
        await get(site + "/hang", hasty)


def ask(tool: HttpGet, url: str, typed: str = "", tainted: bool = False) -> str:
    return tool.needs_approval({"url": url}, typed=typed, tainted=tainted)


def test_when_a_person_is_asked() -> None:
    tool = HttpGet(boundaries=Boundaries(allowed_domains=("api.example.org", "*.wiki.org")))
    assert not ask(tool, "https://api.example.org/x")
    assert not ask(tool, "https://en.wiki.org/")
    assert ask(tool, "https://example.org/")
    assert not ask(tool, "https://example.org/", typed="read https://example.org/ please")
    assert ask(tool, "https://api.example.org/x", tainted=True)
    careful = HttpGet(
        boundaries=Boundaries(allowed_domains=("api.example.org",), max_autonomy="suggest")
    )
    assert ask(careful, "https://api.example.org/x")
    assert tool.rule({"url": "https://API.example.org:8443/x"}) == "http_get:api.example.org"


def test_hosts_are_matched_exactly() -> None:
    assert host_of("https://A.B.c./x") == "a.b.c"
    assert not allowed("evil-example.org", ("example.org",))
    assert not allowed("example.org.evil.com", ("example.org",))
    assert not allowed("wiki.org", ("*.wiki.org",))
    assert not allowed("", ("",))


def test_broken_html_still_gives_text() -> None:
    assert html_text("<p>a<b>b</p></div><style>x") == "ab"
