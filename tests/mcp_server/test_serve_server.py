"""The server with the SDK's own client, in memory, in both eras of the protocol."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Literal, cast

import pytest
from fakes import StepClock
from mcp import types
from mcp.client import Client
from mcp.server.subscriptions import ToolsListChanged
from mcp.shared.exceptions import MCPError
from served_sets import Calls, sets

from skill_agent.host.presence import Presence
from skill_agent.mcp_server.checking import mistake
from skill_agent.mcp_server.listening import Listening
from skill_agent.mcp_server.server import PAGE, HomeServer
from skill_agent.mcp_server.sets import Sets, Tell
from skill_agent.mcp_server.visit import Visit
from skill_agent.values import Requester
from skill_agent.workstation import Workstation

Mode = Literal["auto", "legacy"]
BOTH = pytest.mark.parametrize("mode", ["auto", "legacy"])
NOWHERE = cast(Workstation, None)
IN_S = 10


@asynccontextmanager
async def client_of(
    mode: Mode,
    calls: Calls | None = None,
    *,
    visit: Visit | None = None,
    offered: Sets | None = None,
    listening: Listening | None = None,
    **client: Any,
) -> AsyncIterator[Client]:
    stay = visit or Visit(station=NOWHERE)
    home = HomeServer(offered or sets(calls), lambda context: stay, listening=listening)
    said = types.Implementation(name="Zed\x1b[2J", version="1.2")
    async with Client(home.made(), mode=mode, client_info=said, **client) as made:
        yield made


@BOTH
async def test_a_tool_is_listed_and_called(mode: Mode) -> None:
    async with client_of(mode) as client:
        listed = (await client.list_tools()).tools
        assert [one.name for one in listed][:2] == ["echo", "who"]
        assert listed[0].output_schema is not None
        told = await client.call_tool("echo", {"say": "hello"})
    assert not told.is_error
    assert told.structured_content == {"said": "hello"}
    assert [one.text for one in told.content if isinstance(one, types.TextContent)] == ["hello"]


@BOTH
async def test_the_client_is_known_by_the_name_it_gave(mode: Mode) -> None:
    calls = Calls()
    async with client_of(mode, calls) as client:
        told = await client.call_tool("who", {})
    assert told.structured_content == {
        "agent": "mcp-zed-2j", "name": "Zed[2J", "version": "1.2", "key": "",
    }  # fmt: skip


@BOTH
@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("echo", {"say": 5}, "say: 5 is not of type 'string'"),
        ("echo", {"sya": "x"}, "'sya' was unexpected"),
        ("echo", {"say": "x" * 5000}, "is too long"),
        ("ehco", {}, 'did you mean "echo"?'),
        ("write", {}, "there is no tool 'write'"),
        ("lying", {}, "does not fit its outputSchema"),
        ("broken", {}, "failed for a reason of its own"),
    ],
)
async def test_what_goes_wrong_is_told_in_safe_words(
    mode: Mode, name: str, arguments: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    visit = Visit(station=NOWHERE, read_only=True)
    with caplog.at_level(logging.CRITICAL, "skill_agent"):
        async with client_of(mode, visit=visit) as client:
            told = await client.call_tool(name, arguments)
    assert told.is_error
    text = "".join(one.text for one in told.content if isinstance(one, types.TextContent))
    assert said in text
    assert "sk-" not in text
    assert len(text) < 500


class Fallen:
    """A set that cannot say what it has."""

    async def tools(self, visit: Visit) -> list[types.Tool]:
        raise RuntimeError("/root/.ssh/id_rsa")

    async def call(self, visit: Visit, name: str, arguments: dict[str, Any], tell: Tell) -> None:
        return None


@BOTH
async def test_a_list_that_fails_is_told_in_safe_words(
    mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL, "skill_agent"):
        async with client_of(mode, offered=Sets(tools=(Fallen(),))) as client:
            with pytest.raises(MCPError, match="the home's log says why") as told:
                await client.list_tools()
    assert "ssh" not in str(told.value)


@BOTH
async def test_a_key_without_the_scope_is_refused_by_the_tool(mode: Mode) -> None:
    by = Requester(key="k", name="reader", scopes=frozenset({"read"}))
    async with client_of(mode, visit=Visit(station=NOWHERE, requester=by)) as client:
        told = await client.call_tool("chatty", {})
    assert told.is_error
    assert 'lacks the scope "chat"' in str(told.content[0])


@BOTH
async def test_progress_is_told(mode: Mode) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def told_how_far(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async with client_of(mode) as client:
        await client.call_tool("chatty", {}, progress_callback=told_how_far)
    assert heard == [(1, 2, "step 1"), (2, 2, "step 2")]


@BOTH
async def test_a_call_that_is_given_up_ends_in_the_tool_too(mode: Mode) -> None:
    calls = Calls()
    async with client_of(mode, calls) as client:
        call = asyncio.create_task(client.call_tool("slow", {}))
        await asyncio.wait_for(calls.begun.wait(), IN_S)
        call.cancel()
        await asyncio.wait_for(calls.ended.wait(), IN_S)
        assert (await client.call_tool("echo", {"say": "on"})).structured_content == {"said": "on"}


@BOTH
async def test_resources_and_prompts(mode: Mode) -> None:
    async with client_of(mode) as client:
        assert [one.name for one in (await client.list_resources()).resources] == ["One"]
        templates = (await client.list_resource_templates()).resource_templates
        assert [one.name for one in templates] == ["Papers"]
        read = (await client.read_resource("paper://one")).contents[0]
        assert isinstance(read, types.TextResourceContents)
        assert read.text == "Once upon a time"
        assert [one.name for one in (await client.list_prompts()).prompts] == ["ponder"]
        got = await client.get_prompt("ponder", {"topic": "tea"})
        assert got.messages[0].content == types.TextContent(text="Ponder tea.")
        for wrong in ("paper://two", "other://one"):
            with pytest.raises(MCPError) as missing:
                await client.read_resource(wrong)
            assert missing.value.error.code == -32002
        for name, arguments in (("ponder", {}), ("wonder", {})):
            with pytest.raises(MCPError) as refused:
                await client.get_prompt(name, arguments)
            assert refused.value.error.code == types.INVALID_PARAMS


@BOTH
async def test_what_there_are_no_sets_of_is_not_claimed(mode: Mode) -> None:
    async with client_of(mode, offered=Sets()) as client:
        assert (await client.list_tools()).tools == []
        claimed = client.server_capabilities
        assert claimed is not None
        assert claimed.tools is not None
        assert claimed.tools.list_changed is True
        assert claimed.resources is None
        assert claimed.prompts is None


@BOTH
async def test_a_long_listing_comes_in_pages(mode: Mode) -> None:
    calls = Calls()
    calls.extra = [f"extra_{number}" for number in range(PAGE)]
    async with client_of(mode, calls) as client:
        first = await client.list_tools()
        assert len(first.tools) == PAGE
        assert first.next_cursor is not None
        rest = await client.list_tools(cursor=first.next_cursor)
        assert rest.next_cursor is None
        names = {one.name for one in [*first.tools, *rest.tools]}
        assert names >= {*calls.extra, "echo"}
        with pytest.raises(MCPError, match="cursor"):
            await client.list_tools(cursor="-1")


async def test_the_handshakes_era_is_told_of_a_changed_list() -> None:
    listening, calls = Listening(), Calls()
    heard: asyncio.Queue[object] = asyncio.Queue()

    async def hear(message: object) -> None:
        await heard.put(message)

    stays = [Visit(station=NOWHERE, sees_as=name) for name in ("kyra", "luke")]
    async with (
        client_of(
            "legacy", calls, visit=stays[0], listening=listening, message_handler=hear
        ) as one,
        client_of("legacy", calls, visit=stays[1], listening=listening) as other,
    ):
        for client in (one, other):
            await client.list_tools()
        listening.changed("luke")
        listening.changed("kyra")
        told = await asyncio.wait_for(heard.get(), IN_S)
        assert isinstance(told, types.ToolListChangedNotification)
        await one.list_tools()
        assert heard.empty()
    assert not listening._sessions


async def test_the_new_era_listens_to_a_changed_list() -> None:
    listening = Listening()
    visit = Visit(station=NOWHERE, sees_as="kyra")
    async with client_of("auto", visit=visit, listening=listening) as client:
        async with client.listen(tools_list_changed=True) as told:
            listening.changed("luke")
            listening.changed("kyra")
            assert await asyncio.wait_for(anext(aiter(told)), IN_S) == ToolsListChanged()
        await client.list_tools()
    assert not listening._streams


def test_a_stream_hears_of_its_agent_alone() -> None:
    looking: list[str] = []

    def watches(changed: object) -> Callable[[], None]:
        looking.append("begun")
        return partial(looking.append, "stopped")

    listening, heard = Listening(watches), list[object]()
    assert looking == []
    leave = listening.subscribe("kyra", heard.append)
    other = listening.subscribe("luke", list[object]().append)
    listening.changed("luke")
    assert heard == []
    listening.changed("kyra")
    listening.changed("")
    assert heard == [ToolsListChanged()] * 2
    leave()
    listening.changed("kyra")
    assert len(heard) == 2 and looking == ["begun"]
    other()
    assert looking == ["begun", "stopped"]


def test_a_schema_fetches_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        address = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/schema"
        assert "cannot be used" in mistake({"$ref": address}, {})
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    assert mistake({"type": "no such type"}, {}) != ""
    assert mistake({"type": "object"}, {}) == ""


def test_a_relay_is_no_screen_where_a_question_would_be_seen() -> None:
    for role, seen in (("tui", True), ("mcp", False), ("up", False)):
        assert Presence(clock=StepClock(), role=role).watched is seen
    host = Presence(clock=StepClock(), role="up")
    for name, seen in (("mcp", False), ("tui", True)):
        host.note(name, os.getpid()).streams += 1
        assert host.watched is seen
