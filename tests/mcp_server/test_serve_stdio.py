"""`ska mcp serve` as a process: the SDK's client speaks to it, hosts come and go behind it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from hosted import Fitted, hosted
from mcp import StdioServerParameters, types
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from skill_agent.cli.opening.home_files import init_home
from skill_agent.store.lock import HomeLock

from skill_agent.files.home import Home

pytestmark = pytest.mark.asyncio(loop_scope="module")
Mode = Literal["auto", "legacy"]
BOTH = pytest.mark.parametrize("mode", ["auto", "legacy"])
SKA = [sys.executable, "-m", "skill_agent.cli"]
IN_S = 60
FITTED = Path(__file__).parent / "fitted_host.py"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "raw", "version": "0"},
    },
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fitted]:
    async with hosted(Home(tmp_path_factory.mktemp("stdio") / "home")) as made:
        yield made


def command(home: Home, *options: str) -> list[str]:
    return [*SKA, "--home", str(home.root), "mcp", "serve", *options]


@asynccontextmanager
async def client_of(home: Home, mode: Mode, *options: str, **more: Any) -> AsyncIterator[Client]:
    program, *arguments = command(home, *options)
    started = StdioServerParameters(command=program, args=arguments, env=dict(os.environ))
    said = types.Implementation(name="Zed", version="1.2")
    async with Client(started, mode=mode, client_info=said, **more) as client:
        yield client


class Raw:
    """The process itself, line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def say(self, message: dict[str, Any] | bytes) -> None:
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        await self.process.stdin.drain()

    async def hears(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), IN_S)
        if not line:
            raise AssertionError(await self.errors())
        return json.loads(line)

    async def begun(self) -> None:
        await self.say(INITIALIZE)
        assert (await self.hears())["result"]["serverInfo"]["name"] == "skill-agent"
        await self.say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def errors(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()


@asynccontextmanager
async def started(home: Home, *options: str, stdout: int = subprocess.PIPE) -> AsyncIterator[Raw]:
    process = await asyncio.create_subprocess_exec(
        *command(home, *options), stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE,
        limit=2**25,
    )  # fmt: skip
    try:
        yield Raw(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def called(id: int, name: str) -> dict[str, Any]:
    params = {"name": name, "arguments": {}}
    return {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}


@BOTH
async def test_a_client_has_all_of_it(host: Fitted, mode: Mode) -> None:
    heard: list[str | None] = []

    async def told_how_far(progress: float, total: float | None, message: str | None) -> None:
        heard.append(message)

    async with client_of(host._home, mode) as client:
        names = [one.name for one in (await client.list_tools()).tools]
        assert names[0] == "echo"
        assert "write" in names
        told = await client.call_tool("who", {})
        assert told.structured_content == {
            "agent": "mcp-zed", "name": "Zed", "version": "1.2", "key": "",
        }  # fmt: skip
        await client.call_tool("chatty", {}, progress_callback=told_how_far)
        assert heard == ["step 1", "step 2"]
        assert (await client.get_prompt("ponder", {"topic": "tea"})).messages
        host.calls.begun.clear()
        host.calls.ended.clear()
        call = asyncio.create_task(client.call_tool("slow", {}))
        await asyncio.wait_for(host.calls.begun.wait(), IN_S)
        call.cancel()
        await asyncio.wait_for(host.calls.ended.wait(), IN_S)


async def test_it_sees_as_the_agent_that_was_named_and_only_reads(host: Fitted) -> None:
    heard: asyncio.Queue[object] = asyncio.Queue()

    async def hear(message: object) -> None:
        await heard.put(message)

    options = ("--as", "luke", "--read-only")
    async with client_of(host._home, "legacy", *options, message_handler=hear) as client:
        assert "write" not in [one.name for one in (await client.list_tools()).tools]
        told = await client.call_tool("who", {})
        assert (told.structured_content or {})["agent"] == "luke"
        host.change("luke")
        changed = await asyncio.wait_for(heard.get(), IN_S)
        assert isinstance(changed, types.ToolListChangedNotification)


async def test_nothing_but_the_protocol_is_on_stdout_and_bad_lines_are_answered(
    host: Fitted,
) -> None:
    async with started(host._home) as raw:
        await raw.say(b"garbage")
        assert (await raw.hears())["error"]["code"] == -32700
        await raw.say(b"x" * 11_000_000)
        assert "at most" in (await raw.hears())["error"]["message"]
        await raw.say({"jsonrpc": "2.0", "id": True})
        assert (await raw.hears())["error"]["code"] == -32600
        await raw.begun()
        assert raw.process.stdin is not None
        began = time.monotonic()
        raw.process.stdin.close()
        assert await asyncio.wait_for(raw.process.wait(), IN_S) == 0
        assert time.monotonic() - began < 10
        assert raw.process.stdout is not None
        assert await raw.process.stdout.read() == b""
        assert await raw.errors() == ""


async def test_a_client_that_leaves_ends_its_calls(host: Fitted) -> None:
    host.calls.begun.clear()
    host.calls.ended.clear()
    async with started(host._home) as raw:
        await raw.begun()
        await raw.say(called(1, "slow"))
        await asyncio.wait_for(host.calls.begun.wait(), IN_S)
        raw.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(raw.process.wait(), IN_S) == 143
        await asyncio.wait_for(host.calls.ended.wait(), IN_S)


async def test_a_closed_stdout_ends_it(host: Fitted) -> None:
    reading, writing = os.pipe()
    async with started(host._home, stdout=writing) as raw:
        os.close(writing)
        os.close(reading)
        await raw.say(INITIALIZE)
        assert await asyncio.wait_for(raw.process.wait(), IN_S) == 141
        assert await raw.errors() == ""


async def test_what_is_wrong_is_said_before_anything_is_served(
    host: Fitted, tmp_path: Path
) -> None:
    for home, options, said in (
        (host._home, ("--as", "luek"), 'did you mean "luke"?'),
        (Home(tmp_path / "none"), (), "ska init"),
    ):
        async with started(home, *options) as raw:
            out, errors = await asyncio.wait_for(raw.process.communicate(), IN_S)
            assert (raw.process.returncode, out) == (2, b"")
            assert said in errors.decode()
    assert not (tmp_path / "none").exists()


async def test_the_relay_imports_nothing_heavy(host: Fitted) -> None:
    script = """
import asyncio, json, sys
from skill_agent.cli.main import run
code = run(sys.argv[1:])
print(json.dumps([code, sorted({one.split(".")[0] for one in sys.modules})]), file=sys.stderr)
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *command(host._home)[3:],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, errors = await asyncio.wait_for(process.communicate(json.dumps(INITIALIZE).encode()), IN_S)
    assert b"serverInfo" in out
    code, loaded = json.loads(errors)
    assert code == 0
    heavy = {"mcp", "pydantic", "fastapi", "starlette", "uvicorn", "duckdb", "lancedb", "numpy",
             "jsonschema", "httpx", "anyio"}  # fmt: skip
    assert heavy & set(loaded) == set()


async def test_what_else_prints_does_not_reach_the_client() -> None:
    script = """
import asyncio, os
from skill_agent.cli.mcp.streams import Standard

async def main():
    streams = Standard()
    print("stray", flush=True)
    os.write(1, b"stray")
    await streams.write("{}")

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, errors = await asyncio.wait_for(process.communicate(), IN_S)
    assert (out, errors) == (b"{}\n", b"stray\nstray")


@asynccontextmanager
async def fitted(home: Home) -> AsyncIterator[asyncio.subprocess.Process]:
    """A host in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(FITTED), str(home.root), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.deep
async def test_a_host_lost_in_mid_call_and_the_next_ones(home: Home) -> None:
    """Killed, then another process; closed in good order, then nobody: the relay takes over."""
    async with AsyncExitStack() as ending:
        async with fitted(home) as first:
            raw = await ending.enter_async_context(started(home))
            await raw.begun()
            await raw.say(called(1, "slow"))
            await raw.say(called(2, "write"))
            assert (await raw.hears())["id"] == 2
            first.kill()
            told = await raw.hears()
            assert (told["id"], told["error"]["code"]) == (1, -32000)
            await first.wait()
        holder = HomeLock(home.lock)
        assert "list_changed" in (await raw.hears())["method"]
        said = holder.holder()
        assert said is not None
        assert said.pid == raw.process.pid
        await raw.say({"jsonrpc": "2.0", "id": 3, "method": "ping"})
        assert (await raw.hears())["id"] == 3
        began = time.monotonic()
        raw.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(raw.process.wait(), IN_S) == 143
        assert time.monotonic() - began < 10
    assert holder.holder() is None


@pytest.mark.deep
@BOTH
async def test_with_no_host_it_is_one_for_others_too(home: Home, mode: Mode) -> None:
    init_home(home)
    async with client_of(home, mode) as first, client_of(home, mode) as second:
        for client in (first, second):
            assert await client.list_tools() is not None


@pytest.mark.deep
async def test_a_relay_follows_from_host_to_host(home: Home) -> None:
    async with fitted(home) as first, started(home) as raw:
        await raw.begun()
        other = await asyncio.create_subprocess_exec(
            *SKA, "--home", str(home.root), "up", "--foreground",
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            assert other.stderr is not None
            assert b"standing by" in await other.stderr.readline()
            first.terminate()
            changed = await raw.hears()
            assert changed["method"] == "notifications/tools/list_changed"
            await raw.say({"jsonrpc": "2.0", "id": 3, "method": "ping"})
            assert (await raw.hears())["id"] == 3
        finally:
            other.kill()
            await other.wait()


@pytest.mark.deep
async def test_twenty_clients_at_the_same_time(host: Fitted) -> None:
    async def one(number: int) -> None:
        mode: Mode = "auto" if number % 2 else "legacy"
        async with client_of(host._home, mode) as client:
            for word in ("a", "b", "c"):
                told = await client.call_tool("echo", {"say": f"{word}{number}"})
                assert told.structured_content == {"said": f"{word}{number}"}

    await asyncio.wait_for(asyncio.gather(*(one(number) for number in range(20))), 240)


async def test_an_error_of_the_server_is_one_for_the_client(host: Fitted) -> None:
    async with client_of(host._home, "auto") as client:
        with pytest.raises(MCPError, match="no paper"):
            await client.read_resource("paper://two")
