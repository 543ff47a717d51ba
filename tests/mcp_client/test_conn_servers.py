"""What is told of servers: how each stands, its tools, its log."""

import json
from typing import Any

import pytest
from fakes import OpenRuntime
from server_pool import FRIEND, hostile
from skill_agent.cli.opening.home_files import init_home

from skill_agent.errors import NotFound, ToolFailed
from skill_agent.files.home import Home
from skill_agent.mcp_client.entries import with_server
from skill_agent.mcp_client.servers import target_of
from skill_agent.models.scripted import ScriptedModel
from skill_agent.settings.schema import McpServer

SECRET = "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"


def named(home: Home, **servers: Any) -> ScriptedModel:
    """A home whose config.toml names such servers; a model for it."""
    init_home(home)
    text = home.config.read_text(encoding="utf-8")
    for name, server in servers.items():
        text = with_server(text, name, McpServer.model_validate(server))
    home.config.write_text(text, encoding="utf-8")
    return ScriptedModel(otherwise="All right.")


async def test_how_each_stands(open_runtime: OpenRuntime, home: Home) -> None:
    off = {**FRIEND, "enabled": False}
    async with open_runtime(named(home, bad=hostile("exits"), good=FRIEND, off=off)) as runtime:
        found = await runtime.mcp.list()
        assert [(one.name, one.state) for one in found] == [
            ("bad", "stopped"), ("good", "stopped"), ("off", "disabled"),
        ]  # fmt: skip
        failed = await runtime.mcp.test("bad")
        assert (failed.state, failed.hint) == ("failed", "ska mcp logs bad")
        assert failed.problem == "it ended with exit code 4: cannot start: no licence"
        works = await runtime.mcp.test("good")
        assert (works.state, works.title, works.tools) == ("running", "friendly 2.1", 6)
        assert works.protocol == "2026-07-28" and works.since is not None
        assert [one.state for one in await runtime.mcp.list()] == ["failed", "running", "disabled"]
        switched = await runtime.mcp.test("off")
        assert (switched.state, switched.hint) == (
            "disabled",
            "enabled = true under [mcp.servers.off]",
        )
        assert any("cannot start: no licence" in line for line in await runtime.mcp.log("bad"))
        assert await runtime.mcp.log("good") == []
        with pytest.raises(ToolFailed, match="cannot be used"):
            await runtime.mcp.tools("bad")
        with pytest.raises(NotFound) as caught:
            await runtime.mcp.log("goof")
        assert 'did you mean "good"?' in caught.value.hint


async def test_a_broken_edit_of_the_file_is_told_with_each(
    open_runtime: OpenRuntime, home: Home
) -> None:
    async with open_runtime(named(home, good=hostile("fine"))) as runtime:
        home.config.write_text("[mcp.servers.good]\ncommand = 7\n", encoding="utf-8")
        (one,) = await runtime.mcp.list()
        assert "config.toml:2" in one.problem and one.hint == "ska config validate"
        assert (await runtime.mcp.test("good")).state == "running"


async def test_whose_it_is(open_runtime: OpenRuntime, home: Home) -> None:
    async with open_runtime(named(home, files=FRIEND, filesystem=FRIEND)) as runtime:
        text = home.agents.read_text(encoding="utf-8")
        line = f"mcp = {json.dumps(['files:read_*'])}"
        home.agents.write_text(text.replace("[agents.kyra]\n", f"[agents.kyra]\n{line}\n", 1))
        assert [one.used_by for one in await runtime.mcp.list()] == [("kyra",), ()]


@pytest.mark.parametrize(
    ("server", "shown"),
    [
        ({"command": "npx", "args": ["-y", "a b"]}, "npx -y 'a b'"),
        ({"url": "https://me:pass@x.example/mcp?key=1"}, "https://x.example/mcp?…"),
        ({"command": "x", "args": ["\x1b[31m"]}, "x '[31m'"),
    ],
)
def test_what_it_is_is_shown_without_secrets(server: dict[str, Any], shown: str) -> None:
    assert target_of(McpServer.model_validate(server)) == shown
    hidden = target_of(McpServer(command="x", args=("--token", SECRET)))
    assert SECRET not in hidden and hidden.startswith("x --token")
