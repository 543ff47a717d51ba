"""What a connection to a server gives: its tools, and what its calls come to."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Progress = Callable[[float, float | None, str], None]
"""(so far, of how much, what it does now)."""
Elicits = Callable[[str, str, dict[str, Any]], Awaitable[dict[str, Any] | None]]
"""(server, message, schema): what a person answers; None where it was declined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTool:
    """A tool as its server tells of it; every text of it is the server's."""

    server: str
    name: str
    title: str = ""
    description: str = ""
    parameters: dict[str, Any]
    output_schema: dict[str, Any] | None = None
    hints: tuple[str, ...] = ()
    digest: str
    """Of name, title, description, schema and hints."""
    problem: str = ""
    """Why it cannot be used at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a call came to."""

    text: str
    ok: bool = True
    cut: bool = False
    """There was more of it."""


class Connections(Protocol):
    """The servers of a home, each connected when it is first needed."""

    def names(self) -> list[str]:
        """Those that may be used, as config.toml has them now."""
        ...

    async def tools(self, server: str) -> Sequence[FoundTool]:
        """Starts it if need be; raises ToolFailed."""
        ...

    async def call(
        self, server: str, tool: str, arguments: dict[str, Any], *, progress: Progress
    ) -> Result:
        """Cancelled, the server is told so. Raises ToolFailed."""
        ...

    def on_changed(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Called with a server's name when its tools are others now; gives what ends that."""
        ...
