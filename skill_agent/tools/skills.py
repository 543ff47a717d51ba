"""Tools that open skills: activation gives the body, then single files of the folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from skill_agent.errors import ToolFailed
from skill_agent.ports import ToolOutcome, ToolSpec


class Skills(Protocol):
    """The part of the skill book these tools need."""

    def activate(self, name: str) -> str: ...
    def resource(self, name: str, path: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateSkill:
    """The `activate_skill` tool, limited to the agent's effective skills."""

    book: Skills
    names: Sequence[str]

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(
            name="activate_skill",
            description="Read the full instructions of one of your skills before doing its task.",
            parameters=_object({"name": {"type": "string", "enum": list(self.names)}}),
        )

    def rule(self, arguments: dict[str, Any]) -> str:
        return f"activate_skill:{arguments.get('name', '?')}"

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        return ""

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        name = str(arguments.get("name", ""))
        _check(name, self.names)
        return ToolOutcome(text=self.book.activate(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSkillFile:
    """The `read_skill_file` tool: one file inside an activated skill's folder."""

    book: Skills
    names: Sequence[str]

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(
            name="read_skill_file",
            description="Read one file of a skill's folder, by the path its instructions name.",
            parameters=_object(
                {
                    "name": {"type": "string", "enum": list(self.names)},
                    "path": {"type": "string", "description": "e.g. references/codes.md"},
                }
            ),
        )

    def rule(self, arguments: dict[str, Any]) -> str:
        return f"read_skill_file:{arguments.get('name', '?')}"

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        return ""

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        name = str(arguments.get("name", ""))
        _check(name, self.names)
        return ToolOutcome(text=self.book.resource(name, str(arguments.get("path", ""))))


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _check(name: str, names: Sequence[str]) -> None:
    if name not in names:
        raise ToolFailed(f"this agent has no skill {name!r}; it has: {', '.join(names) or 'none'}")
