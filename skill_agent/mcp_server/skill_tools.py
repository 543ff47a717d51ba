"""Skills as tools of the server: the active ones, and what makes and takes them.

What a skill says of itself is told only once the person approved it; of any other its name alone.
To activate writes to the ledger, so a client that may only read cannot; what is active already it
may use.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from skill_agent.errors import UsageError
from skill_agent.identifiers import iso
from skill_agent.skills.arguments import RESULT
from skill_agent.skills.trust import EVERY_AGENT, NOT_APPROVED, how_to_approve, is_trusted
from skill_agent.text.gate import tamed_line
from skill_agent.text.printing import printable
from skill_agent.values import Skill, SkillActivation, SkillTool

from .sets import Tell, Told
from .visit import Visit

if TYPE_CHECKING:
    from mcp import types

LIST, ACTIVATE, DEACTIVATE = "list_skills", "activate_skill", "deactivate_skill"
MOST_LISTED, DESCRIBED = 200, 300
PREFIX = "skill_"

_TEXT = {"type": "string"}
_TRUTH = {"type": "boolean"}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    needed = list(required or properties)
    return {
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": False,
    }


_NOTHING: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
_NAMED = _object({"name": {**_TEXT, "minLength": 1, "description": "The skill's name."}})
_CHANGED = _object({name: _TEXT for name in ("skill", "agent", "tool", "version", "at")})
_SKILLS = _object(
    {
        "skills": {
            "type": "array",
            "items": _object(
                {
                    "name": _TEXT,
                    "description": _TEXT,
                    "tool": {**_TEXT, "description": "Its tool's name; empty: it is not active."},
                    "usable": _TRUTH,
                    "reason": {**_TEXT, "description": "Why it is not, and what makes it so."},
                }
            ),
        },
        "left_out": {"type": "integer", "description": "How many more there are."},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fixed:
    """A tool that is always there."""

    name: str
    title: str
    description: str
    takes: dict[str, Any]
    gives: dict[str, Any]
    writes: bool = True


_FIXED = (
    _Fixed(
        name=LIST,
        title="List skills",
        description="The skills of this home: which there are, which are tools already.",
        takes=_NOTHING,
        gives=_SKILLS,
        writes=False,
    ),
    _Fixed(
        name=ACTIVATE,
        title="Activate a skill",
        description="Make a tool of a skill, for this client, until it is deactivated.",
        takes=_NAMED,
        gives=_CHANGED,
    ),
    _Fixed(
        name=DEACTIVATE,
        title="Deactivate a skill",
        description="Take the tool of a skill away again; the skill itself stays.",
        takes=_NAMED,
        gives=_CHANGED,
    ),
)


class SkillToolSet:
    """A `ToolSet`: each client sees what it has activated itself, or the agent it sees as has."""

    async def tools(self, visit: Visit) -> "Sequence[types.Tool]":
        if not visit.may("read"):
            return []
        fixed = [_told(one) for one in _FIXED if visit.may("chat") or not one.writes]
        active = await visit.station.skill_tools.tools(visit.agent)
        return [*fixed, *map(_of_skill, active)]

    async def call(
        self, visit: Visit, name: str, arguments: dict[str, Any], tell: Tell
    ) -> Told | None:
        if name in (ACTIVATE, DEACTIVATE):
            return await _change(visit, name, arguments)
        if name == LIST:
            visit.demand("read")
            return await _listed(visit)
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
        raise UsageError("name: it has to be the name of a skill", hint=f"{LIST} shows them")
    group = visit.station.skill_tools
    if tool == ACTIVATE:
        done = await group.activate(name, visit.agent)
        text = (
            f"{done.tool} is a tool now. Where it does not show, have the list of tools read anew."
        )
    else:
        done = await group.deactivate(name, visit.agent)
        text = f"{done.tool} is no tool any more."
    data = {"skill": done.skill, "agent": done.agent, "tool": done.tool, "version": done.version}
    return Told(data={**data, "at": iso(done.at)}, text=text)


async def _listed(visit: Visit) -> Told:
    skills = [one for one in await visit.station.skills.list() if one.loaded and not one.hidden]
    active = {one.skill: one for one in await visit.station.skill_tools.list(agent=visit.agent)}
    rows = [_row(one, active.get(one.name), visit.agent) for one in skills[:MOST_LISTED]]
    lines = [f"{row['name']}: {row['description']}" for row in rows]
    left_out = len(skills) - len(rows)
    more = [f"and {left_out} more"] if left_out else []
    return Told(
        data={"skills": rows, "left_out": left_out},
        text="\n".join([*lines, *more]) or "There are no skills.",
    )


def _row(skill: Skill, active: SkillActivation | None, agent: str) -> dict[str, Any]:
    mine = skill.trust == "trusted" or bool({EVERY_AGENT, agent} & {*skill.approved_for})
    usable = mine and is_trusted(skill)
    said = tamed_line(printable(skill.description), DESCRIBED) if usable else NOT_APPROVED
    return {
        "name": skill.name,
        "description": said,
        "tool": active.tool if active and usable else "",
        "usable": usable,
        "reason": "" if usable else f"the person has to approve it: {how_to_approve(skill.name)}",
    }


def _told(one: _Fixed) -> "types.Tool":
    from mcp import types

    return types.Tool(
        name=one.name,
        title=one.title,
        description=one.description,
        input_schema=one.takes,
        output_schema=one.gives,
        annotations=types.ToolAnnotations(
            title=one.title,
            read_only_hint=not one.writes,
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
