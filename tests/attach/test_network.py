"""A home that only the network leads to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fakes import StepClock
from hosts import serving

from skill_agent.access.keys import KeyRing, keys_file
from skill_agent.api.door.addresses import said_socket
from skill_agent.attach.remote import again, attach
from skill_agent.attach.remote_errors import HostGone
from skill_agent.attach.remote_workstation import RemoteWorkstation
from skill_agent.attach.transport import Line
from skill_agent.errors import ModelUnavailable, SkillAgentError, UsageError
from skill_agent.events import HostFound, HostLost, TurnFinished
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel


@asynccontextmanager
async def over_tcp(
    runtime: Runtime, port: int = 0, seconds: float = 10
) -> AsyncIterator[tuple[RemoteWorkstation, str]]:
    address = await runtime.host.listen("127.0.0.1", port, auth=False)

    def line() -> Line:
        return Line(url=f"http://{address}/v1/", name="test")

    window = RemoteWorkstation(await attach(line()), again(line, seconds=seconds))
    try:
        yield window, address
    finally:
        await window.close()


async def test_a_home_over_the_network(home: Home, clock: StepClock) -> None:
    async with (
        serving(home, ScriptedModel(otherwise="Hi."), clock) as runtime,
        over_tcp(runtime) as (window, _),
    ):
        rows = [{"content": f"Fact {n}"} for n in range(230)]
        assert (await window.memory.import_rows(rows)).added == 230
        assert len([row async for row in window.memory.export()]) == 230
        await window.memory.settle()  # by a stream that says it is alive
        assert isinstance([event async for event in window.ask("Hi")][-1], TurnFinished)
        with pytest.raises(UsageError, match="machine of the home"):
            await window.host.status()
        with pytest.raises(UsageError, match="machine of the home"):
            await window.user_data.export("/tmp/me.zip")


async def test_it_comes_back(home: Home, clock: StepClock) -> None:
    async with (
        serving(home, ScriptedModel(otherwise="Hi."), clock) as runtime,
        over_tcp(runtime) as (window, address),
    ):
        with window.turns.subscribe() as heard:
            await window.turns.submit("Hello")
            await runtime.host.unlisten(address)
            asking = asyncio.create_task(window.figures.counts())
            while not isinstance(await heard.next(), HostLost):
                pass
            await runtime.host.listen("127.0.0.1", int(address.split(":")[1]), auth=False)
            while not isinstance(await heard.next(), HostFound):
                pass
            assert (await asking)["sessions"] == 1


async def test_too_often_is_asked_again_later() -> None:
    asked: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(dict(scope["headers"])[b"authorization"])
        status, headers = (429, [(b"retry-after", b"0.01")]) if len(asked) % 2 else (200, [])
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b": here\n\n"})

    line = Line(url="http://home", key="k", transport=httpx.ASGITransport(app))
    assert await line.call("GET", "/v1/home") == b": here\n\n"
    async with line.stream("GET", "/v1/events") as frames:
        assert [frame.comment async for frame in frames] == [True]
    assert asked == [b"Bearer k"] * 4


async def test_nobody_there() -> None:
    with pytest.raises(HostGone) as caught:
        await attach(Line(url="http://127.0.0.1:9"))
    assert not caught.value.sent
    with pytest.raises(ModelUnavailable, match="nobody answers at"):
        await again(lambda: Line(url="http://127.0.0.1:9"), seconds=0.01)()
    for url in ("", "nonsense", "ftp://x", "http://", "http://a:b:c"):
        with pytest.raises(UsageError):
            Line(url=url)


async def test_somebody_else_there() -> None:
    async def shop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<welcome>")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(shop, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SkillAgentError, match="no skill-agent"):
            await attach(Line(url=f"http://127.0.0.1:{port}"))


async def test_whose_key_is_revoked_hears_no_more(home: Home, clock: StepClock) -> None:
    """The window says why, instead of trying again for ever."""
    async with serving(home, ScriptedModel(otherwise="Hi."), clock) as runtime:
        ring = KeyRing(keys_file(home.root), clock)
        made, key = ring.create("window", ["read", "chat"])
        address = await runtime.host.listen("127.0.0.1", 0)

        def line() -> Line:
            return Line(url=f"http://{address}/v1/", key=key, name="test")

        window = RemoteWorkstation(await attach(line()), again(line, seconds=10))
        try:
            with window.turns.subscribe() as events:
                assert isinstance([one async for one in window.ask("Hi")][-1], TurnFinished)
                ring.revoke(made.id)
                _ = [one async for one in runtime.ask("what only the owner says")]
                heard: list[str] = []
                with pytest.raises(UsageError, match="this API key is revoked"):
                    async with asyncio.timeout(20):
                        async for event in events:
                            heard.append(repr(event))
                assert not any("what only" in one for one in heard)
        finally:
            await window.close()


async def test_the_own_socket_refuses_by_its_length_what_no_prompt_can_have(
    home: Home, clock: StepClock
) -> None:
    """Before a byte of it is sent."""
    head = "POST /v1/turns HTTP/1.1\r\nhost: home\r\ncontent-length: {}\r\n\r\n"
    async with serving(home, ScriptedModel(), clock):
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_unix_connection(str(said_socket(home)))
            writer.write(head.format(50_000_001).encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
            writer.close()


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5h://127.0.0.1:9"])
async def test_a_home_on_this_machine_is_reached_past_any_proxy(
    home: Home, clock: StepClock, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    async with (
        serving(home, ScriptedModel(otherwise="Hi."), clock) as runtime,
        over_tcp(runtime) as (window, _),
    ):
        assert isinstance([event async for event in window.ask("Hi")][-1], TurnFinished)
