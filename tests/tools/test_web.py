"""What may come back from the web, and the URLs that lead there: whatever it is, the tool ends as
a tool, within its bounds."""

import asyncio
import contextlib
import gzip
import ipaddress
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.agents.dna import Boundaries
from skill_agent.errors import ToolFailed
from skill_agent.tools.http import HttpGet
from skill_agent.tools.web.addresses import is_public
from skill_agent.tools.web.answers import text_of
from skill_agent.tools.web.targets import host_of, is_typed, target_of
from skill_agent.tools.web.visible import html_text

LOCAL = HttpGet(boundaries=Boundaries(allow_private_addresses=True), max_bytes=50_000)
Serve = Callable[[bytes], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Answers every request with the given bytes, whatever they are, and closes; gives the URL."""
    servers: list[asyncio.Server] = []

    async def start(answer: bytes) -> str:
        async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

        server = await asyncio.start_server(answered, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


def answer(*headers: str, body: bytes = b"hi", status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


async def told(url: str, tool: HttpGet = LOCAL) -> str:
    return (await tool.run({"url": url})).text


# -- what is unpacked ------------------------------------------------------------------------


async def test_gzip_is_read_and_cut_where_it_is_unpacked(serve: Serve) -> None:
    packed = gzip.compress(bytes(30_000_000).replace(b"\0", b"x"))
    url = await serve(answer("content-encoding: gzip", "content-type: text/plain", body=packed))
    assert (await told(url)).endswith("[cut: 50000 characters in all]")
    url = await serve(answer("content-encoding: x-gzip", body=gzip.compress(b"one ")))
    assert (await told(url)).endswith("\none ")


async def test_gzip_files_joined_end_to_end_are_one(serve: Serve) -> None:
    body = gzip.compress(b"one ") + gzip.compress(b"two")
    assert (await told(await serve(answer("content-encoding: gzip", body=body)))).endswith(
        "\none two"
    )


async def test_packed_data_that_says_nothing_ends_too(serve: Serve) -> None:
    empty = zlib.compressobj(0, zlib.DEFLATED, 31)
    body = empty.compress(b"") + b"".join(empty.flush(zlib.Z_SYNC_FLUSH) for _ in range(9))
    body += b"\0\0\0\xff\xff" * 20_000  # stored blocks without content
    assert await told(await serve(answer("content-encoding: gzip", body=body)))


@pytest.mark.parametrize(
    ("encoding", "body", "why"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(b"x")), "2 times over"),
        ("gzip\r\ncontent-encoding: gzip", gzip.compress(b"x"), "2 times over"),
        ("br", b"x", "encoded as 'br'"),
        ("deflate", zlib.compress(b"x"), "encoded as 'deflate'"),
        ("gzip", b"plain after all", "says it is gzip and is not"),
        ("gzip", gzip.compress(b"x" * 999)[:-9], "broke off"),
    ],
    ids=["twice", "twofold", "other", "deflate", "plain", "cut"],
)
async def test_what_cannot_be_unpacked_is_told(
    serve: Serve, encoding: str, body: bytes, why: str
) -> None:
    with pytest.raises(ToolFailed, match=why) as failed:
        await told(await serve(answer(f"content-encoding: {encoding}", body=body)))
    assert failed.value.origins == ("web",)


# -- odd answers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "disconnected"),
        (b"\x16\x03\x01\x02\x00", "."),
        (b"HTTP/1.1 abc\r\n\r\n", "."),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort", "."),
        (b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n", "."),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "."),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000 + b"\r\n\r\n", "."),
        (answer(status="304 Not Modified", body=b""), "HTTP 304"),
        (answer(status="302 Found"), "HTTP 302"),
        (answer("location: http://[::1", status="302 Found"), "Invalid URL in location"),
        (answer("location: http://127.0.0.1:99999/", status="302 Found"), "not an http"),
        (answer("location: file:///etc/passwd", status="302 Found"), "not an http"),
        (answer("location: http://x:y@127.0.0.1/", status="302 Found"), "user name"),
        (answer("location: \xff\xfe", status="302 Found"), "more than 5 redirects"),
        (answer("content-type: text/plain; charset=zlib", body=b"\xff"), "charset is 'zlib'"),
        (answer("content-type: text/plain; charset=punycode", body=b"\xff"), "'punycode'"),
        (answer("content-type: text/plain; charset=\xff", body=b"\xff"), "charset is"),
        (answer("content-type: image/png"), "image/png, not text"),
    ],
)
async def test_an_odd_answer_is_a_failed_result(serve: Serve, raw: bytes, why: str) -> None:
    with pytest.raises(ToolFailed, match=why):
        await told(await serve(raw))


@pytest.mark.parametrize(
    ("stated", "body", "read"),
    [
        ("application/json", b"[" * 40_000, "[[["),
        ("application/json", b"9" * 40_000, "999"),
        ("application/json", b'"\\ud800"', '"?"'),
        ("text/plain; charset=utf8mb4", "grüß".encode(), "grüß"),
        ('text/plain; CHARSET="Shift_JIS"', "日本".encode("shift_jis"), "日本"),
        ("text/html", b"<p>&#" + b"9" * 9_000 + b";", "&#999"),
    ],
)
async def test_what_can_still_be_read_is(serve: Serve, stated: str, body: bytes, read: str) -> None:
    assert read in await told(await serve(answer(f"content-type: {stated}", body=body)))


async def test_a_body_that_drips_is_ended_in_time() -> None:
    gone = asyncio.Event()

    async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not reader.at_eof():
            writer.write(b".")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.02):
                    await reader.read(1000)
        writer.close()
        gone.set()

    hasty = HttpGet(boundaries=Boundaries(allow_private_addresses=True), timeout_s=0.3)
    async with await asyncio.start_server(drips, "127.0.0.1", 0) as server:
        with pytest.raises(ToolFailed, match=r"within 0\.3 s"):
            await told(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", hasty)
        await gone.wait()


@given(
    st.sampled_from(["text/html", "application/json", "text/plain", "text/xml", ""]),
    st.text(max_size=20),
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "ignore")),
)
def test_any_answer_gives_a_text_or_fails_in_words(kind: str, charset: str, body: bytes) -> None:
    try:
        text_of(f"{kind}; charset={charset}", body).encode()
    except ToolFailed as failed:
        failed.message.encode()


_MARKUP = st.lists(
    st.sampled_from(
        ["<", ">", "</", "<!--", "-->", "<!", "<?", '"', "'", "=", "<a ", "<p", "<script>", "x",
         "</script", "<style", "&#", "&amp;", "&", ";", "9" * 5000, "\n", "<svg>", "]]>"]
    )
)  # fmt: skip


@given(_MARKUP)
def test_any_page_has_a_text(pieces: list[str]) -> None:
    page = "".join(pieces)
    assert len(html_text(page)) <= len(page)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ('<a title="a > b">c</a>', "c"),
        ("<p title='unclosed>a<p>b", "a\nb"),
        ("1 < 2 <3", "1 < 2 <3"),
        ("a<!-- <p>b -- > -->c", "ac"),
        ("a<!-- never closed", "a"),
        ("<SCRIPT>if (a<b) '</p>'</Script>c", "c"),
        ("<script>for ever", ""),
        ("<!doctype html><?xml x?>a</>b", "ab"),
        ("&lt;b&gt; &euro;&#8364;&nbsp;x", "<b> €€ x"),
    ],
)
def test_what_a_reader_would_see(page: str, text: str) -> None:
    assert html_text(page) == text


# -- where URLs lead -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::", "::1", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1", "::10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808",
        "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::", "2001::80ff:fffe",
        "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:192.168.0.1",
    ],
)  # fmt: skip
def test_an_address_that_leads_inside_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "::ffff:8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"],
)
def test_an_address_of_the_net_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    ["[64:ff9b::7f00:1]", "[2002:7f00:1::]", "2130706433", "0x7f.1", "①②⑦.⓪.⓪.①", "127。0。0。1"],
)
async def test_no_spelling_of_a_private_address_is_contacted(host: str) -> None:
    with pytest.raises(ToolFailed, match="private address"):
        await told(f"http://{host}/", HttpGet(boundaries=Boundaries()))


_ODD = [
    "http://[::1", "http://a:99999/", "http://a:port/", f"http://{'a' * 64}.com/", "http://.../",
    "http://\ud800/", "http://.example/", "http://a..b/", "http://a\x00b/", "http://a b/",
    "http://a/\n", "http://a/\u2028b", "http://[v1.x]/", "http://[::1]x/", "http://xn--/",
    "http://xn--a\u0300/", "http://" + "a." * 5000, "//a/", "HTTP:a", "http:///a", "http://%/",
    "\\\\a\\b", "http://\u0000", "javascript:alert(1)",
]  # fmt: skip


@pytest.mark.parametrize("url", _ODD)
async def test_an_odd_url_is_a_failed_result(url: str) -> None:
    tool = HttpGet(boundaries=Boundaries(allow_private_addresses=True), timeout_s=2)
    with pytest.raises(ToolFailed) as failed:
        await told(url, tool)
    failed.value.message.encode()


@given(
    st.one_of(
        st.text(),
        st.text().map(lambda text: f"http://{text}"),
        st.tuples(st.sampled_from(_ODD), st.text()).map("".join),
        st.from_regex(r"https?://[\w.:\[\]@%-]{1,30}(/[^\s]{0,20})?", fullmatch=True),
    )
)
def test_any_text_is_a_url_or_is_refused_and_one_spelling_is_stable(text: str) -> None:
    tool = HttpGet(boundaries=Boundaries())
    arguments = {"url": text}
    assert tool.rule(arguments) == f"http_get:{host_of(text) or '?'}"
    try:
        url = target_of(text)
    except ToolFailed as failed:
        failed.message.encode()
        assert not tool.needs_approval(arguments, typed="", tainted=True)
        return
    assert target_of(str(url)) == url
    assert tool.needs_approval(arguments, typed="", tainted=True)


def test_a_redirect_chain_never_names_a_host_it_was_not_told() -> None:
    assert host_of("http://good.example\\@evil.example/") == ""
    assert host_of("http://evil.example\\.good.example/") == ""
    assert host_of("HTTP://EXAMPLE.ORG.:80") == "example.org"


# -- what a person typed ---------------------------------------------------------------------

URL = "https://example.org/a?b=1"


@pytest.mark.parametrize(
    "typed",
    [
        URL,
        f"read {URL}, please",
        f"({URL})",
        f"<{URL}>.",
        f'"{URL}"',
        f"请看{URL}。谢谢",
        "read HTTPS://Example.ORG:443/a?b=1#part",
        f"first https://other.example/ then {URL}!",
    ],
)
def test_a_url_typed_as_a_whole_counts(typed: str) -> None:
    assert is_typed(target_of(URL), typed)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "example.org",
        f"{URL}2",
        f"{URL}&c=2",
        f"https://proxy.example/?to={URL}",
        f"https://proxy.example/{URL}",
        f"x{URL}",
        f"=({URL}".replace("(", ""),
        "https://example.org/a",
        "http://example.org/a?b=1",
        "https://example.org.evil.example/a?b=1",
    ],
)
def test_a_part_of_something_longer_does_not(typed: str) -> None:
    assert not is_typed(target_of(URL), typed)


@pytest.mark.parametrize("autonomy", ["ask", "suggest"])
def test_an_agent_that_may_not_act_by_itself_asks_for_a_typed_url_too(autonomy: str) -> None:
    limits = Boundaries.model_validate(
        {"max_autonomy": autonomy, "allowed_domains": ("example.org",)}
    )
    why = HttpGet(boundaries=limits).needs_approval({"url": URL}, typed=URL, tainted=False)
    assert why == f"this agent's autonomy is '{autonomy}'"
