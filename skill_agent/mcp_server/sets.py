"""What a server is put together from: sets of tools, of resources, of prompts."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .visit import Visit

if TYPE_CHECKING:
    from mcp import types

Tell = Callable[[float, float | None, str], Awaitable[None]]
"""(done, total, what): tells the client how far a call is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a call."""

    data: dict[str, Any]
    """The structured result; it satisfies the tool's output schema."""
    text: str
    """The same in a few words, for a model to read."""


class ToolSet(Protocol):
    """Tools that belong together."""

    async def tools(self, visit: Visit) -> "Sequence[types.Tool]":
        """Those the client may use, in a stable order; a tool that writes is missing where it may
        only read."""
        ...

    async def call(
        self, visit: Visit, name: str, arguments: dict[str, Any], tell: Tell
    ) -> Told | None:
        """What came of it; None for a tool of another set. Arguments satisfy the input schema.
        Raises SkillAgentError for what the client is to read. Cancelled, it stops at once."""
        ...


class ResourceSet(Protocol):
    """Resources that belong together."""

    async def resources(self, visit: Visit) -> "Sequence[types.Resource]": ...

    async def templates(self, visit: Visit) -> "Sequence[types.ResourceTemplate]": ...

    async def read(self, visit: Visit, uri: str) -> "types.TextResourceContents | None":
        """None for a URI of another set; raises NotFound for one of this set that is not there."""
        ...


class PromptSet(Protocol):
    """Prompts that belong together."""

    async def prompts(self, visit: Visit) -> "Sequence[types.Prompt]": ...

    async def get(
        self, visit: Visit, name: str, arguments: dict[str, str]
    ) -> "types.GetPromptResult | None":
        """None for a prompt of another set."""
        ...


Changed = Callable[[str], None]
"""(agent): the list of tools of those who see as this agent is another one now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sets:
    """What is offered."""

    tools: Sequence[ToolSet] = ()
    resources: Sequence[ResourceSet] = ()
    prompts: Sequence[PromptSet] = ()
