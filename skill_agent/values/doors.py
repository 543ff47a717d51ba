"""What is known of programs of others: servers whose tools agents use, programs agents run on, and
skills that clients use as tools."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

ServerState = Literal["stopped", "starting", "running", "failed", "disabled"]
ToolStanding = Literal["new", "known", "changed"]
"""Whether its description and schema are as they were when it was first allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolServer:
    """A server of `[mcp.servers]`, and how it stands."""

    name: str
    transport: Literal["stdio", "http"]
    target: str
    """The command line or the address, without secrets."""
    state: ServerState = "stopped"
    problem: str = ""
    hint: str = ""
    title: str = ""
    """What it calls itself, with its version."""
    protocol: str = ""
    tools: int = 0
    since: datetime | None = None
    """When it came into this state."""
    used_by: tuple[str, ...] = ()
    """Agents that may use any of its tools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTool:
    """A tool of such a server, as agents are told of it."""

    server: str
    name: str
    """As the server calls it, with nothing in it that is not to be shown."""
    offered_as: str
    title: str = ""
    description: str = ""
    parameters: dict[str, Any]
    """A JSON schema of type object."""
    hints: tuple[str, ...] = ()
    """What it says of itself: `read-only`, `destructive`, `idempotent`, `open world`. No more."""
    standing: ToolStanding = "new"
    problem: str = ""
    """Why it is not offered; empty where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideProgram:
    """A program of another make that an agent can run on."""

    name: str
    command: tuple[str, ...]
    found: str = ""
    """Where its command lies on this machine; empty where it does not."""
    hint: str = ""
    """How to get it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillActivation:
    """A skill that somebody uses as a tool."""

    skill: str
    agent: str
    """Who: an agent's slug, or a client's own."""
    tool: str
    """The tool's name: `skill_` and the skill's."""
    version: str = ""
    """The skill's digest at that time."""
    at: datetime
    problem: str = ""
    """Why its tool is not there for now; empty where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillTool:
    """A skill as a tool, as whoever uses it is told of it."""

    name: str
    skill: str
    description: str
    parameters: dict[str, Any]
    """A JSON schema of type object."""
    version: str
    """The skill's digest now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillUse:
    """What calling such a tool gave."""

    success: bool
    skill_id: str
    content: str
    """The skill's instructions."""
    arguments: dict[str, Any]
    """What it was called with."""
    resources: tuple[str, ...] = ()
    """The files of its folder, as URIs: `skill://NAME/PATH`."""
