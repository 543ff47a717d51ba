"""Skills as tools of the server: the active ones, and what makes and takes them.

What a skill says of itself is told only while it is approved as it is; it has no tool otherwise.
To activate writes to the ledger, so a client that may only read cannot; what is active already it
may use.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from skill_agent.errors import UsageError
from skill_agent.identifiers import iso
from skill_agent.skills.arguments import RESULT
from skill_agent.values import SkillTool

from .sets import Tell, Told
from .visit import Visit, own_agent

if TYPE_CHECKING:
    from mcp import types

ACTIVATE, DEACTIVATE = "activate_skill", "deactivate_skill"
PREFIX = "skill_"

_TEXT = {"type": "string"}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_NAMED = _object({"name": {**_TEXT, "minLength": 1, "description": "The skill's name."}})
_CHANGED = _object({name: _TEXT for name in ("skill", "agent", "tool", "version", "at")})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fixed:
    """A tool that is always there."""

    name: str
    title: str
    description: str


_FIXED = (
    _Fixed(
        name=ACTIVATE,
        title="Activate a skill",
        description="Make a tool of a skill, for this client, until it is deactivated.",
    ),
    _Fixed(
        name=DEACTIVATE,
        title="Deactivate a skill",
        description="Take the tool of a skill away again; the skill itself stays.",
    ),
)


class SkillToolSet:
    """A `ToolSet`: each client sees what it has activated itself, or the agent it sees as has."""

    async def tools(self, visit: Visit) -> "Sequence[types.Tool]":
        if not visit.may("read"):
            return []
        fixed = map(_told, _FIXED) if visit.may("chat") else ()
        active = await visit.station.skill_tools.tools(visit.agent)
        return [*fixed, *map(_of_skill, active)]

    async def call(
        self, visit: Visit, name: str, arguments: dict[str, Any], tell: Tell
    ) -> Told | None:
        if name in (ACTIVATE, DEACTIVATE):
            return await _change(visit, name, arguments)
        if not name.startswith(PREFIX):
            return None
        visit.demand("read")
        used = await visit.station.skill_tools.use(name, visit.agent, arguments)
        data = {**asdict(used), "resources": [*used.resources]}
        return Told(data=data, text=used.content)


async def _change(visit: Visit, tool: str, arguments: dict[str, Any]) -> Told:
    for scope in ("read", "chat"):
        visit.demand(scope)
    name = arguments.get("name")
    if not isinstance(name, str) or not name.strip():
        raise UsageError("name: it has to be the name of a skill", hint="list_skills names them")
    group = visit.station.skill_tools
    if tool == ACTIVATE:
        done = await group.activate(name, visit.agent, actor=_actor(visit))
        text = (
            f"{done.tool} is a tool now. Where it does not show, have the list of tools read anew."
        )
    else:
        done = await group.deactivate(name, visit.agent, actor=_actor(visit))
        text = f"{done.tool} is no tool any more."
    data = {"skill": done.skill, "agent": done.agent, "tool": done.tool, "version": done.version}
    return Told(data={**data, "at": iso(done.at)}, text=text)


def _actor(visit: Visit) -> str:
    return f"key:{visit.requester.key}" if visit.requester else own_agent(visit.client)


def _told(one: _Fixed) -> "types.Tool":
    from mcp import types

    return types.Tool(
        name=one.name,
        title=one.title,
        description=one.description,
        input_schema=_NAMED,
        output_schema=_CHANGED,
        annotations=types.ToolAnnotations(
            title=one.title,
            read_only_hint=False,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )


def _of_skill(tool: SkillTool) -> "types.Tool":
    from mcp import types

    title = f"Skill: {tool.skill.replace('-', ' ')}"
    return types.Tool(
        name=tool.name,
        title=title,
        description=tool.description,
        input_schema=tool.parameters,
        output_schema=RESULT,
        annotations=types.ToolAnnotations(
            title=title,
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )
