"""Tools that open skills: activation gives the body, then single files of the folder.

A skill that neither came with the program nor was approved as it is asks first, and while one is
open its `allowed-tools` say what else runs unasked.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from skill_agent.errors import ToolFailed, UsageError
from skill_agent.ports import Tool, ToolOutcome, ToolSpec
from skill_agent.skills.allowed import permits
from skill_agent.skills.trust import is_trusted, skill_rule, why_ask
from skill_agent.values import Skill, SkillTool, SkillUse

ACTIVATE = "activate_skill"
Use = Callable[[str, str, dict[str, Any]], Awaitable[SkillUse]]
"""(tool, agent, arguments): what an active skill gives."""


class Skills(Protocol):
    """The part of the skill book these tools need."""

    def usable(self, name: str, agent: str) -> Skill: ...
    def activate(self, name: str, digest: str = "") -> str: ...
    def resource(self, name: str, path: str, digest: str = "") -> str: ...


@dataclass(slots=True)
class OpenSkills:
    """The skills one agent has opened in one turn."""

    book: Skills
    agent: str
    opened: dict[str, Skill] = field(default_factory=dict)
    """By name, as they were when they were opened."""
    _asked: dict[str, str] = field(default_factory=dict)
    """The digest a person was asked about last, by name."""

    def rule(self, name: str) -> str:
        """The rule that allows a skill as it is, with all of its files."""
        try:
            return skill_rule(name, self.book.usable(name, self.agent).digest)
        except ToolFailed:
            return skill_rule(name, "?")

    def why_ask(self, name: str) -> str:
        """Why a person is asked before anything of the skill is read."""
        try:
            skill = self.book.usable(name, self.agent)
        except ToolFailed:
            return ""  # the call itself says why
        before = self.opened.get(name)
        if before is not None and before.digest == skill.digest:
            return ""
        if why := why_ask(skill):
            self._asked[name] = skill.digest
        return why

    def open(self, name: str) -> Skill:
        """The skill as it may be read now; raises ToolFailed where it has become another one since
        a person allowed it."""
        skill = self.book.usable(name, self.agent)
        before = self.opened.get(name)
        allowed = {self._asked.get(name), before.digest if before else None}
        if not is_trusted(skill) and skill.digest not in allowed:
            raise ToolFailed(f'skill "{name}" was changed just now; try again')
        self.opened[name] = skill
        return skill

    def against(self, rule: str) -> str:
        """The open skill whose `allowed-tools` leave out a call with this rule; empty for none."""
        return next(
            (
                name
                for name, skill in self.opened.items()
                if skill.allowed_tools and not permits(skill.allowed_tools, rule)
            ),
            "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateSkill:
    """The `activate_skill` tool, limited to the agent's effective skills."""

    skills: OpenSkills
    names: Sequence[str]

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(
            name=ACTIVATE,
            description="Read the full instructions of one of your skills before doing its task.",
            parameters=_object({"name": {"type": "string", "enum": list(self.names)}}),
        )

    def rule(self, arguments: dict[str, Any]) -> str:
        return self.skills.rule(_name(arguments))

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        """What was approved may be opened whoever wishes it: it is the person's own text."""
        name = _name(arguments)
        return self.skills.why_ask(name) if name in self.names else ""

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        skill = _opened(self.skills, self.names, arguments)
        return _outcome(skill, self.skills.book.activate(skill.name, skill.digest))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSkillFile:
    """The `read_skill_file` tool: one file inside an activated skill's folder.

    It asks by the rule of the whole skill: who approved that approved this file.
    """

    skills: OpenSkills
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
        return self.skills.rule(_name(arguments))

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        name = _name(arguments)
        return self.skills.why_ask(name) if name in self.names else ""

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        skill = _opened(self.skills, self.names, arguments)
        path = str(arguments.get("path", ""))
        return _outcome(skill, self.skills.book.resource(skill.name, path, skill.digest))


@dataclass(frozen=True, slots=True, kw_only=True)
class UseSkill:
    """A `skill_NAME` tool: a skill that was activated for the agent, with the arguments it takes.

    It opens the skill as `activate_skill` does, so its `allowed-tools` hold from then on.
    """

    skills: OpenSkills
    told: SkillTool
    use: Use

    @property
    def spec(self) -> ToolSpec:
        told = self.told
        return ToolSpec(name=told.name, description=told.description, parameters=told.parameters)

    def rule(self, arguments: dict[str, Any]) -> str:
        return self.skills.rule(self.told.skill)

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        return self.skills.why_ask(self.told.skill)

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        skill = self.skills.open(self.told.skill)
        try:
            used = await self.use(self.told.name, self.skills.agent, arguments)
        except UsageError as problem:
            raise ToolFailed(f"{problem.message} ({problem.hint})") from None
        return _outcome(skill, used.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinSkills:
    """Another tool, which asks where the `allowed-tools` of an open skill leave the call out.

    The rule names the skill then: what may always run elsewhere need not run for that skill.
    """

    tool: Tool
    skills: OpenSkills

    @property
    def spec(self) -> ToolSpec:
        return self.tool.spec

    def rule(self, arguments: dict[str, Any]) -> str:
        rule = self.tool.rule(arguments)
        name = self.skills.against(rule)
        return f"{rule} within {name}" if name else rule

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        why = self.tool.needs_approval(arguments, typed=typed, tainted=tainted)
        name = self.skills.against(self.tool.rule(arguments))
        if not name:
            return why
        left_out = f"the skill {name} leaves this out of its allowed-tools"
        return f"{why}; {left_out}" if why else left_out

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        return await self.tool.run(arguments)


class AllWithinSkills(Mapping[str, Tool]):
    """Tools that may become more while the turn runs, each `WithinSkills`."""

    def __init__(self, tools: Mapping[str, Tool], skills: OpenSkills) -> None:
        self._tools, self._skills = tools, skills

    def __getitem__(self, name: str) -> Tool:
        return WithinSkills(tool=self._tools[name], skills=self._skills)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)


def within_open(foreign: Mapping[str, Tool], own: Mapping[str, Tool]) -> Mapping[str, Tool]:
    """Tools of others within the skills that a turn's own tools open."""
    opening = (tool for tool in own.values() if isinstance(tool, ActivateSkill))
    found = next(opening, None)
    return AllWithinSkills(foreign, found.skills) if found else foreign


def skill_tools(skills: OpenSkills, names: Sequence[str]) -> dict[str, Tool]:
    """The tools that open these skills, by name; none where there are none."""
    tools: tuple[Tool, ...] = (
        ActivateSkill(skills=skills, names=names),
        ReadSkillFile(skills=skills, names=names),
    )
    return {tool.spec.name: tool for tool in tools} if names else {}


def only_these(tools: Mapping[str, Tool], names: Sequence[str]) -> dict[str, Tool]:
    """Of a turn's tools those that open skills, for these of them."""
    found = (tool for tool in tools.values() if isinstance(tool, ActivateSkill))
    return next((skill_tools(tool.skills, names) for tool in found), {})


def _opened(skills: OpenSkills, names: Sequence[str], arguments: dict[str, Any]) -> Skill:
    name = _name(arguments)
    if name not in names:
        raise ToolFailed(f"this agent has no skill {name!r}; it has: {', '.join(names) or 'none'}")
    return skills.open(name)


def _outcome(skill: Skill, text: str) -> ToolOutcome:
    return ToolOutcome(text=text, origins=() if is_trusted(skill) else ("skill",))


def _name(arguments: dict[str, Any]) -> str:
    return str(arguments.get("name", ""))


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
