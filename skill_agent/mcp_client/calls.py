"""What is asked of servers, and what they answer, as plain values: nothing here knows the SDK."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from skill_agent.ports import Tool, ToolsWanted
from skill_agent.values import ServerTool

Progress = Callable[[float, float | None, str], None]
"""How far a call has come, of how much where that is known, and what the server says of it."""
Elicits = Callable[[str, str, dict[str, Any]], Awaitable[dict[str, Any] | None]]
"""A server's question in the midst of a call: its name, its words, the JSON schema of the answer.
None declines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTool:
    """A tool as its server describes it, bounded and with nothing in it that is not to be shown."""

    server: str
    name: str
    """As the server wants it called, to the letter; `problem` says where that cannot be shown."""
    title: str = ""
    description: str = ""
    parameters: dict[str, Any]
    """A JSON schema of type object, as it came."""
    output_schema: dict[str, Any] | None = None
    hints: tuple[str, ...] = ()
    """What it says of itself: `read-only`, `destructive`, `idempotent`, `open world`. No more."""
    digest: str = ""
    """Over everything the server said of it, before it was cut: another means a changed tool."""
    problem: str = ""
    """Why it must not be offered; empty where it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a call gave: the server's words, bounded, without control characters."""

    text: str
    ok: bool = True
    """False where the tool itself says that it failed."""
    cut: bool = False
    """More came than is kept; the text says so, too."""


class Connections(Protocol):
    """The servers of a home as those see them who use their tools."""

    def names(self) -> list[str]:
        """Those of config.toml as it is now that are not switched off, by name."""
        ...

    async def tools(self, server: str) -> Sequence[FoundTool]:
        """All its tools by name, also those with a problem; starts it if need be. Kept until it
        says that they changed. Raises ToolFailed with a hint, NotFound for none of that name."""
        ...

    async def call(
        self, server: str, tool: str, arguments: dict[str, Any], *, progress: Progress
    ) -> Result:
        """Has a tool do its work; cancelling the task tells the server, too. Raises ToolFailed
        where the server cannot be reached, breaks off, or does not answer in time."""
        ...

    def on_changed(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Has `callback` told the name of each server whose tools may be others than they were: it
        said so, or was started anew. Gives back what ends it."""
        ...


class Offers(Protocol):
    """What of the servers' tools turns are offered, and who answers servers' questions."""

    async def offered(self, wanted: ToolsWanted) -> Mapping[str, Tool]:
        """As `OffersTools`."""
        ...

    async def described(self, server: str) -> list[ServerTool]:
        """All of a server's tools as agents are told of them; raises ToolFailed, NotFound."""
        ...

    async def elicits(
        self, server: str, message: str, schema: dict[str, Any]
    ) -> dict[str, Any] | None:
        """As `Elicits`."""
        ...

    async def end(self) -> None:
        """Before the connections end."""
        ...
