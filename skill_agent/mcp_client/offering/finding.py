"""`find_tool`: reaches the tools of servers that did not fit beside the conversation.

Its answer names tools and repeats nothing that their servers say: that stands where all tools are
described, and nowhere else does it taint the turn.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from skill_agent.errors import ToolFailed
from skill_agent.ports import ToolOutcome, ToolSpec

from .naming import FIND

MOST_FOUND = 5
"""Tools that one search adds."""

_SPEC = ToolSpec(
    name=FIND,
    description="Find more tools by what they do; those found can be called at once.",
    parameters={
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "what it should do, a few English words"}
        },
        "required": ["query"],
        "additionalProperties": False,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search came to: names as tools are offered."""

    there: Sequence[str] = ()
    """Already offered before."""
    added: Sequence[str] = ()
    unfit: Sequence[str] = ()
    """Found, and too many to be offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindTool:
    """For one turn."""

    find: Callable[[str], Awaitable[Found]]

    @property
    def spec(self) -> ToolSpec:
        return _SPEC

    def rule(self, arguments: dict[str, Any]) -> str:
        return FIND

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        """Nothing leaves, and nothing is done."""
        return ""

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        query = str(arguments.get("query", "")).strip()
        if not query:
            raise ToolFailed("query is empty")
        found = await self.find(query)
        lines = [
            f"{said}: {', '.join(names)}"
            for said, names in (
                ("you can call now", found.added),
                ("you could already call", found.there),
                ("there are also, but there is no room for them here", found.unfit),
            )
            if names
        ]
        return ToolOutcome(text="\n".join(lines) or "no tool found; there is none for that")
