"""Tools by which a model reaches memory on its own: search it, add to it.

"Remember this" from a person is not handled here: code does that before the model is asked.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from skill_agent.errors import ToolFailed
from skill_agent.memory.recall.told import recall_line
from skill_agent.ports import ToolOutcome, ToolSpec
from skill_agent.text.redaction import masked
from skill_agent.values import Hit, Memory, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchMemory:
    """The `search_memory` tool: what this agent may see, nothing else."""

    search: Callable[[str], Awaitable[tuple[list[Hit], tuple[Origin, ...]]]]
    """Gives what was found, and who wrote of it beside the person."""

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(
            name="search_memory",
            description="Search everything remembered from earlier conversations.",
            parameters=_one_text("query", "what to look for, in a few words"),
        )

    def rule(self, arguments: dict[str, Any]) -> str:
        return "search_memory"

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        return ""

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        hits, origins = await self.search(_text(arguments, "query"))
        lines = "\n".join(recall_line(hit.item) for hit in hits)
        return ToolOutcome(text=lines or "nothing found", origins=origins)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remember:
    """The `remember` tool: the model's own wish to keep something."""

    save: Callable[[str], Awaitable[Memory]]
    autonomy: str = "execute"

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(
            name="remember",
            description="Keep one lasting fact for later conversations, as a whole sentence.",
            parameters=_one_text("content", "the fact as a sentence that stands by itself"),
        )

    def rule(self, arguments: dict[str, Any]) -> str:
        return "remember"

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        """Outside text must not plant memories; a careful agent asks always."""
        if tainted:
            return "text from outside is in the conversation and would be kept as memory"
        return "" if self.autonomy == "execute" else f"this agent's autonomy is {self.autonomy!r}"

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        content = _text(arguments, "content")
        memory = await self.save(content)
        without = "" if masked(content) == content else "; the secret in it is masked there"
        return ToolOutcome(text=f"kept as memory {memory.id}{without}")


def _one_text(name: str, description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": description}},
        "required": [name],
        "additionalProperties": False,
    }


def _text(arguments: dict[str, Any], name: str) -> str:
    value = str(arguments.get(name, "")).strip()
    if not value:
        raise ToolFailed(f"{name} is empty")
    return value
