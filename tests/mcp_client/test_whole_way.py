"""From a message to a real server and back: the whole way, with nothing in between made up."""

from typing import Any

from fakes import OpenRuntime
from server_pool import FRIEND, hostile
from servers_in_memory import call, turn, uses
from skill_agent.cli.opening.home_files import init_home

from skill_agent.events import ToolFinished, TurnFinished
from skill_agent.files.home import Home
from skill_agent.mcp_client.entries import with_server
from skill_agent.models.scripted import ScriptedModel
from skill_agent.settings.schema import McpServer


def named(home: Home, **servers: Any) -> None:
    init_home(home)
    uses(home, *servers)
    text = home.config.read_text(encoding="utf-8")
    for name, server in servers.items():
        text = with_server(text, name, McpServer.model_validate(server))
    home.config.write_text(text, encoding="utf-8")


async def test_an_agent_has_a_servers_tool_do_its_work(
    home: Home, open_runtime: OpenRuntime
) -> None:
    named(home, friendly=FRIEND)
    model = ScriptedModel([[call("friendly_add", a=20, b=22)], "It is 42."])
    async with open_runtime(model) as runtime:
        await runtime.mcp.test("friendly")
        events = await turn(runtime, "add 20 and 22", choices=["once"])
        (done,) = [one for one in events if isinstance(one, ToolFinished)]
        assert done.origins == ("tool",) and isinstance(events[-1], TurnFinished)
        (state,) = await runtime.mcp.list()
        assert (state.state, state.used_by) == ("running", ("kyra",))
    (result,) = [one for one in model.requests[1].messages if one.role == "tool"]
    assert "42" in result.content


async def test_a_server_that_dies_in_a_call_ends_no_turn(
    home: Home, open_runtime: OpenRuntime
) -> None:
    named(home, bad=hostile("dies"))
    model = ScriptedModel([[call("bad_work", text="x")], "It broke."])
    async with open_runtime(model) as runtime:
        await runtime.mcp.test("bad")
        events = await turn(runtime, choices=["once"])
        assert isinstance(events[-1], TurnFinished)
    (result,) = [one for one in model.requests[1].messages if one.role == "tool"]
    assert "exit code 3" in result.content and "hunter2secret" not in result.content
