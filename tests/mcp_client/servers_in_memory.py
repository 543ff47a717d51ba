"""Servers that live in the test's own memory, behind the port that connections have."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from skill_agent.errors import ToolFailed
from skill_agent.events import ApprovalAsked, Choice, Event
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.mcp_client.calls import Connections, FoundTool, Progress, Result
from skill_agent.mcp_client.offering.offering import Offering
from skill_agent.values import ToolCall

Does = Callable[[dict[str, Any], Progress], Awaitable[Result]]


def a_tool(name: str, server: str = "files", **more: Any) -> FoundTool:
    """One with a single text as its argument."""
    parts: dict[str, Any] = {
        "server": server,
        "name": name,
        "description": f"Does {name.replace('_', ' ')}.",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}},
            "required": ["path"],
        },
        "hints": ("read-only",),
    } | more
    told = json.dumps([parts["name"], {**parts, "server": ""}], sort_keys=True, default=str)
    return FoundTool(**parts, digest=sha256(told.encode("utf-8", "replace")).hexdigest())


async def echo(arguments: dict[str, Any], _progress: Progress) -> Result:
    return Result(text=f"given {json.dumps(arguments)}")


@dataclass
class InMemory(Connections):
    """Tools by server; what a call does, by the tool's name."""

    servers: dict[str, list[FoundTool]]
    does: dict[str, Does] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)
    """Servers that do not start, with what they say."""
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    """Servers that start once it is set."""
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    def names(self) -> list[str]:
        return [*self.servers]

    async def tools(self, server: str) -> Sequence[FoundTool]:
        self.asked.append(server)
        if server in self.held:
            await self.held[server].wait()
        if server in self.failing:
            raise ToolFailed(self.failing[server])
        return self.servers[server]

    async def call(
        self, server: str, tool: str, arguments: dict[str, Any], *, progress: Progress
    ) -> Result:
        self.calls.append((server, tool, arguments))
        try:
            return await self.does.get(tool, echo)(arguments, progress)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    def on_changed(self, callback: Callable[[str], None]) -> Callable[[], None]:
        return lambda: None

    def change(self, server: str, name: str, **more: Any) -> None:
        """The tool is another one from now on."""
        tools = self.servers[server]
        at = next(row for row, one in enumerate(tools) if one.name == name)
        parts = {"description": tools[at].description, "parameters": tools[at].parameters} | more
        self.servers[server] = [*tools[:at], a_tool(name, server, **parts), *tools[at + 1 :]]


def uses(home: Home, *names: str, more: str = "") -> None:
    """Writes a team of one agent that may use these."""
    home.root.mkdir(parents=True, exist_ok=True)
    listed = ", ".join(f'"{one}"' for one in names)
    home.agents.write_text(f"[agents.kyra]\nmcp = [{listed}]\n{more}\n", encoding="utf-8")


def joined(runtime: Runtime, connections: Connections, **more: Any) -> Offering:
    """The runtime's turns are offered these servers' tools."""
    offering = Offering(runtime._doors.servers.means, connections, **more)
    runtime._doors.servers.offering = offering
    return offering


def call(name: str, id: str = "c", **arguments: Any) -> ToolCall:
    return ToolCall(id=id, name=name, arguments=arguments or {"path": "a.txt"})


async def turn(
    runtime: Runtime, text: str = "read it", choices: Sequence[Choice] = (), **more: Any
) -> list[Event]:
    """A turn's events; what is asked is answered one after the other."""
    left, events = list(choices), list[Event]()
    async for event in runtime.ask(text, **more):
        events.append(event)
        if isinstance(event, ApprovalAsked) and more.get("interactive", True):
            await runtime.approvals.answer(event.approval, left.pop(0))
    assert not left, "fewer questions than there were answers for"
    return events
