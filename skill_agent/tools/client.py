"""A tool of the program that asks: described to the model, and carried out by that program."""

from dataclasses import dataclass
from typing import Any

from skill_agent.errors import ToolFailed
from skill_agent.ports import ToolOutcome, ToolSpec
from skill_agent.values import ClientTool


@dataclass(frozen=True, slots=True)
class Foreign:
    """Stands among the tools of a turn; a reply that calls it ends there."""

    tool: ClientTool

    @property
    def spec(self) -> ToolSpec:
        one = self.tool
        return ToolSpec(name=one.name, description=one.description, parameters=one.parameters)

    def rule(self, arguments: dict[str, Any]) -> str:
        return self.tool.name

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        return ""

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        """Raises ToolFailed: nothing of it is here."""
        raise ToolFailed(f"{self.tool.name} is carried out by the program that asked")
