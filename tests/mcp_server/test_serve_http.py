"""The server over HTTP: the SDK's client with a key, and what the door refuses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx
import httpx2
import pytest
import pytest_asyncio
from hosted import Fitted, hosted
from mcp import types
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from served_sets import Calls

from skill_agent.files.home import Home

Mode = Literal["auto", "legacy"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH = pytest.mark.parametrize("mode", ["auto", "legacy"])
IN_S = 20
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "raw", "version": "0"},
    },
}
HEADERS = {"Accept": "application/json, text/event-stream"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fitted]:
    """One for all tests here: opening a home takes longer than what they do."""
    async with hosted(Home(tmp_path_factory.mktemp("http") / "home")) as made:
        made.calls = Calls()
        made.key("admin")
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(host: Fitted) -> str:
    return await host.listens()


@asynccontextmanager
async def client_at(url: str, key: str, mode: Mode, **more: Any) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    said = types.Implementation(name="Zed", version="1.2")
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        reached = streamable_http_client(url, http_client=http)
        async with Client(reached, mode=mode, client_info=said, **more) as client:
            yield client


@BOTH
async def test_a_client_with_a_key_has_all_of_it(host: Fitted, url: str, mode: Mode) -> None:
    heard: list[str | None] = []

    async def told_how_far(progress: float, total: float | None, message: str | None) -> None:
        heard.append(message)

    async with client_at(url, host.key("read", "chat"), mode) as client:
        assert (await client.list_tools()).tools[0].name == "echo"
        told = await client.call_tool("who", {})
        assert told.structured_content == {
            "agent": "mcp-test", "name": "Zed", "version": "1.2", "key": "test",
        }  # fmt: skip
        await client.call_tool("chatty", {}, progress_callback=told_how_far)
        assert heard == ["step 1", "step 2"]
        refused = await client.call_tool("write", {})
        assert refused.is_error
        assert (await client.read_resource("paper://one")).contents
    async with client_at(f"{url}/?as=@Luke&read_only=1", host.key("admin"), mode) as client:
        told = await client.call_tool("who", {})
        assert (told.structured_content or {})["agent"] == "luke"
        assert "write" not in [one.name for one in (await client.list_tools()).tools]


async def test_what_the_door_refuses(host: Fitted, url: str) -> None:
    async with httpx.AsyncClient(headers=HEADERS, timeout=30) as http:
        no_key = await http.post(url, json=INITIALIZE)
        assert (no_key.status_code, no_key.json()["error"]) == (401, "unauthorized")
        http.headers["Authorization"] = f"Bearer {host.key('read')}"
        for path in (url, f"{url}/"):
            assert (await http.post(path, json=INITIALIZE)).status_code == 200
        for foreign in (
            {"Origin": "https://evil.example"},
            {"Origin": "http://localhost:1"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            refused = await http.post(url, json=INITIALIZE, headers=foreign)
            assert (refused.status_code, refused.json()["error"]) == (403, "foreign_origin")
        own = {"Origin": url.removesuffix("/mcp")}
        assert (await http.post(url, json=INITIALIZE, headers=own)).status_code == 200
        nobody = await http.post(f"{url}?as=luek", json=INITIALIZE)
        assert nobody.status_code == 404
        assert nobody.json()["details"]["hint"] == 'did you mean "luke"?'
        await host.runtime.agents.set_status("ada", "archived")
        left = await http.post(f"{url}?as=ada", json=INITIALIZE)
        assert (left.status_code, left.json()["message"]) == (422, "Ada is archived")
        assert (await http.post(f"{url}?read_only=perhaps", json=INITIALIZE)).status_code == 422
        assert (await http.post(url, content=b"x" * 11_000_000)).status_code == 413
        assert (await http.put(url, json=INITIALIZE)).status_code == 405
        assert (await http.get(f"{url.removesuffix('/mcp')}/v1/mcp/relay")).status_code == 404


async def test_without_keys_the_host_named_counts(host: Fitted) -> None:
    url = await host.listens(auth=False)
    async with httpx.AsyncClient(headers=HEADERS, timeout=30) as http:
        misled = await http.post(url, json=INITIALIZE, headers={"Host": "evil.example"})
        assert misled.status_code == 421
        assert (await http.post(url, json=INITIALIZE)).status_code == 200


async def test_a_session_is_its_keys_own(host: Fitted, url: str) -> None:
    mine, other = ({"Authorization": f"Bearer {host.key('read')}"} for _ in range(2))
    async with httpx.AsyncClient(headers=HEADERS, timeout=30) as http:
        begun = await http.post(url, json=INITIALIZE, headers=mine)
        session = {"Mcp-Session-Id": begun.headers["mcp-session-id"]}
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        assert (await http.post(url, json=ping, headers=mine | session)).status_code == 200
        assert (await http.post(url, json=ping, headers=other | session)).status_code == 404
        assert (await http.delete(url, headers=other | session)).status_code == 404
        assert (await http.delete(url, headers=mine | session)).status_code == 200
        assert (await http.post(url, json=ping, headers=mine | session)).status_code == 404


@BOTH
async def test_a_revoked_key_ends_what_it_asked_for(host: Fitted, url: str, mode: Mode) -> None:
    host.calls.begun.clear()
    host.calls.ended.clear()
    key = host.key("chat")

    async def asks() -> None:
        async with client_at(url, key, mode) as client:
            await client.call_tool("slow", {})

    asking = asyncio.create_task(asks())
    await asyncio.wait_for(host.calls.begun.wait(), IN_S)
    host.revoke(key)
    await asyncio.wait_for(host.calls.ended.wait(), IN_S)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def test_clients_are_told_of_a_changed_list(host: Fitted, url: str) -> None:
    heard: asyncio.Queue[object] = asyncio.Queue()

    async def hear(message: object) -> None:
        await heard.put(message)

    key = host.key("read")
    async with client_at(url, key, "legacy", message_handler=hear) as client:
        await client.list_tools()
        async with asyncio.timeout(IN_S):  # it opens the stream it hears on some time later
            while heard.empty():
                host.change("mcp-test")
                await asyncio.sleep(0.02)
        assert isinstance(await heard.get(), types.ToolListChangedNotification)
    async with (
        client_at(url, key, "auto") as client,
        client.listen(tools_list_changed=True) as told,
    ):
        host.change("mcp-test")
        await asyncio.wait_for(anext(aiter(told)), IN_S)


async def test_talking_is_counted_as_everywhere(host: Fitted, url: str) -> None:
    async with client_at(url, host.key("chat"), "auto") as client:
        told = [await client.call_tool("chatty", {}) for _ in range(61)]
    assert [one.is_error for one in told] == [False] * 60 + [True]
    assert "at most 60 such requests a minute" in str(told[-1].content[0])


async def test_nothing_of_the_sdk_is_loaded_before_somebody_asks(host: Fitted) -> None:
    await host.listens()
    assert host._mcp[-1]._making is None
