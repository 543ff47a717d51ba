"""Servers by the official SDK, over standard streams and over HTTP, on the newer protocol and the
older one."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from server_pool import FRIEND, FRIENDLY, nothing, pooled, until

from skill_agent.errors import ToolFailed
from skill_agent.programs.error_log import last_lines

ADDED = {"a": 1, "b": 2}


async def test_its_tools_and_their_results(tmp_path: Path) -> None:
    async with pooled(tmp_path, {"x": FRIEND}) as pool:
        found = {tool.name: tool for tool in await pool.tools("x")}
        assert [*found] == sorted(found) == ["add", "fail", "grow", "lapse", "slow", "wait"]
        add = found["add"]
        assert (add.title, add.description, add.hints) == (
            "Add", "Adds two numbers.", ("read-only", "idempotent"),
        )  # fmt: skip
        assert add.parameters["required"] == ["a", "b"] and add.output_schema
        standing = pool.keeper("x").standing
        assert (standing.title, standing.protocol) == ("friendly 2.1", "2026-07-28")
        assert (await pool.call("x", "add", ADDED, progress=nothing)).text == "3"
        failed = await pool.call("x", "fail", {}, progress=nothing)
        assert not failed.ok and "the disk is full" in failed.text
        wrong = await pool.call("x", "add", {"a": "one"}, progress=nothing)
        assert not wrong.ok
        with pytest.raises(ToolFailed, match="nknown tool"):
            unknown = await pool.call("x", "nothing", {}, progress=nothing)
            raise ToolFailed(unknown.text)  # a failure of the call or of the tool, as it likes
        came: list[Any] = []
        await pool.call("x", "slow", {}, progress=lambda *one: came.append(one))
        assert came[0] == (0.0, 3.0, "step 0")


async def test_a_tool_more_is_told_on_the_newer_protocol(tmp_path: Path) -> None:
    async with pooled(tmp_path, {"x": FRIEND}) as pool:
        changed: list[str] = []
        pool.on_changed(changed.append)
        await pool.tools("x")
        await pool.call("x", "grow", {}, progress=nothing)
        await until(lambda: bool(changed))
        assert "more" in [tool.name for tool in await pool.tools("x")] and changed == ["x"]


async def test_cancelling_reaches_the_tool(tmp_path: Path) -> None:
    async with pooled(tmp_path, {"x": FRIEND}) as pool:
        await pool.tools("x")
        task = asyncio.create_task(pool.call("x", "wait", {}, progress=nothing))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(task, 0.3)
        log = pool.keeper("x").log.file
        await until(lambda: any("it was cancelled" in line for line in last_lines(log, 9)))
        assert (await pool.call("x", "add", ADDED, progress=nothing)).text == "3"


# -- HTTP ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, str(FRIENDLY), "--http"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"
        process.kill()


def remote(url: str, **more: Any) -> dict[str, Any]:
    return {"x": {"url": url, **more}}


async def test_over_http_with_a_header_from_the_environment(tmp_path: Path, address: str) -> None:
    servers = remote(address, headers={"Authorization": "AUTH"})
    env = {"AUTH": "Bearer let-me-in-42"}
    async with pooled(tmp_path, servers, env=env) as pool:
        assert "add" in [tool.name for tool in await pool.tools("x")]
        assert (await pool.call("x", "add", ADDED, progress=nothing)).text == "3"
        assert pool.keeper("x").standing.title == "friendly 2.1"
        assert not (await pool.call("x", "fail", {}, progress=nothing)).ok


@pytest.mark.parametrize("env", [{"AUTH": "Bearer wrong-one"}, {}])
async def test_who_may_not_is_told_what_to_set(
    tmp_path: Path, address: str, env: dict[str, str]
) -> None:
    servers = remote(address, headers={"Authorization": "AUTH"})
    async with pooled(tmp_path, servers, env=env) as pool:
        with pytest.raises(ToolFailed, match="HTTP 401" if env else "not set .* AUTH") as caught:
            await pool.tools("x")
        assert ("headers = {" if env else "export AUTH=…") in caught.value.hint
        assert "wrong-one" not in f"{caught.value} {caught.value.hint}"


async def test_one_that_has_forgotten_us_is_asked_anew(tmp_path: Path, address: str) -> None:
    servers = remote(address, headers={"Authorization": "AUTH"})
    async with pooled(tmp_path, servers, env={"AUTH": "Bearer let-me-in-42"}) as pool:
        await pool.call("x", "lapse", {}, progress=nothing)
        before = pool.keeper("x").standing.since
        assert (await pool.call("x", "add", ADDED, progress=nothing)).text == "3"
        assert pool.keeper("x").standing.since != before  # over another connection


async def test_nobody_there_is_told(tmp_path: Path) -> None:
    async with pooled(tmp_path, remote("http://127.0.0.1:1/mcp")) as pool:
        with pytest.raises(ToolFailed, match="cannot be reached") as caught:
            await pool.tools("x")
        assert "see its url" in caught.value.hint


@dataclass
class Crooked:
    """A listener that answers every request with the same bytes, and keeps what it was asked."""

    answer: bytes
    body_mb: int = 0
    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    written: int = 0

    @asynccontextmanager
    async def there(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield f"http://127.0.0.1:{self.port}/mcp"

    async def _answer(self, reads: asyncio.StreamReader, writes: asyncio.StreamWriter) -> None:
        self.heard.append(await reads.readuntil(b"\r\n\r\n"))
        try:
            writes.write(self.answer)
            for _ in range(self.body_mb):
                writes.write(b"A" * (1 << 20))
                await writes.drain()
                self.written += 1
            await writes.drain()
        except OSError:
            pass
        finally:
            writes.close()


def reply(status: str, *headers: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "Connection: close", "", "")).encode()


async def failed_at(tmp_path: Path, url: str, **more: Any) -> ToolFailed:
    env = {"AUTH": "Bearer let-me-in-42"}
    async with pooled(tmp_path, remote(url, **more), env=env, start_timeout_s=5) as pool:
        with pytest.raises(ToolFailed) as caught:
            await pool.tools("x")
    return caught.value


async def test_a_redirect_elsewhere_is_not_followed(tmp_path: Path) -> None:
    elsewhere = Crooked(reply("200 OK"))
    async with elsewhere.there() as there:
        sends = Crooked(reply("307 Temporary Redirect", f"Location: {there}", "Content-Length: 0"))
        async with sends.there() as url:
            problem = await failed_at(tmp_path, url, headers={"Authorization": "AUTH"})
    assert sends.heard and not elsewhere.heard
    assert "refuses (HTTP 307)" in problem.message


async def test_an_answer_without_end_is_broken_off(tmp_path: Path) -> None:
    endless = Crooked(reply("200 OK", "Content-Type: application/json"), body_mb=500)
    async with endless.there() as url:
        problem = await failed_at(tmp_path, url)
    assert problem.hint and 3 < endless.written < 100


async def test_a_packed_answer_is_not_unpacked(tmp_path: Path) -> None:
    packed = Crooked(
        reply("200 OK", "Content-Type: application/json", "Content-Encoding: gzip"), body_mb=1
    )
    async with packed.there() as url:
        problem = await failed_at(tmp_path, url)
    assert "packed" in problem.message and b"gzip" not in packed.heard[0]


async def test_one_out_of_order_is_told(tmp_path: Path) -> None:
    broken = Crooked(reply("503 Service Unavailable", "Content-Length: 0"))
    async with broken.there() as url:
        problem = await failed_at(tmp_path, url)
    assert "out of order (HTTP 503)" in problem.message
