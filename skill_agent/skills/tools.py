"""Skills as tools: which are in use, by whom, under which name, and what calling one gives."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from skill_agent.errors import Conflict, Forbidden, NotFound, SkillAgentError, UsageError
from skill_agent.ports import Clock, Ledger
from skill_agent.text.gate import tamed_line
from skill_agent.text.nearest import did_you_mean
from skill_agent.text.printing import printable
from skill_agent.text.shaping import one_line
from skill_agent.values import Skill, SkillActivation, SkillTool, SkillUse

from . import operations
from .activations import OF_CLIENTS, Activations, Active
from .arguments import MOST_GIVEN, RESULT, TASK, fault, too_large
from .book import MORE, SkillBook, content_of, listed
from .operations import ListOfTools, SkillToolOperations
from .reading import DESCRIPTION_LIMIT, NAME_LIMIT, SkillFile, plain_name
from .trust import how_to_approve, is_trusted, why_ask
from .watching import EVERY_S, SkillWatch

MOST_TOOLS = 100
"""For each agent: more are no help to a model that chooses among them."""
LONGEST_TOOL = 64
"""Characters; what models and clients take for a tool's name."""
MAIN = "SKILL.md"
_NAMED = 5
"""Skills that are named to be deactivated."""
_CLIENT = re.compile(rf"{OF_CLIENTS}[a-z0-9][a-z0-9-]{{0,59}}")
_NOT_FOR_MODELS = "its head says that no model is to use it (disable-model-invocation)"

_log = logging.getLogger(__name__)


def tool_name(skill: str) -> str:
    """`skill_` and the name in lower case, with `_` for whatever stands between its words."""
    return f"skill_{plain_name(skill).replace('-', '_')}"[:LONGEST_TOOL].rstrip("_")


class SkillTools(SkillToolOperations):
    """Activations are notes in the ledger; what a tool says is read from the skill as it is now.

    A skill that is gone, refused, or not approved any more has no tool until it is as it should be
    again; that it was activated is remembered. `slug_of` gives an agent's slug, or raises NotFound.
    """

    def __init__(
        self,
        book: SkillBook,
        ledger: Ledger,
        clock: Clock,
        *,
        slug_of: Callable[[str], str],
        look_every_s: float = EVERY_S,
    ) -> None:
        self._book, self._clock, self._slug_of = book, clock, slug_of
        self._notes = Activations(ledger)
        self._one_at_a_time = asyncio.Lock()
        self._listeners: list[Callable[[str], None]] = []
        self._watch = SkillWatch(book.skills, self._edited, every_s=look_every_s)

    # -- what there is -----------------------------------------------------------------------

    async def list(self, *, agent: str | None = None) -> operations.Activations:
        agents = await self._notes.agents() if agent is None else [self._who(agent)]
        found: list[SkillActivation] = []
        for one in agents:
            active, known = await self._notes.of(one), self._book.known(one)
            told = [
                _activation(name, one, how, _problem(known.get(name)))
                for name, how in active.items()
            ]
            found += sorted(told, key=lambda activation: activation.tool)
        return found

    async def tools(self, agent: str) -> ListOfTools:
        who = self._who(agent)
        active, known = await self._notes.of(who), self._book.known(who)
        there = ((known.get(name), one) for name, one in active.items())
        made = [_tool(file, one) for file, one in there if file and not _problem(file)]
        return sorted(made, key=lambda tool: tool.name)

    # -- changing it -------------------------------------------------------------------------

    async def activate(self, name: str, agent: str, *, actor: str = "person") -> SkillActivation:
        who, name = self._who(agent), _named(name)
        async with self._one_at_a_time:
            active = await self._notes.of(who)
            if name in active and self._is_as_it_was(name, who, active[name]):
                return _activation(name, who, active[name])
            made = self._made(self._usable(name, who).skill, active)
            await self._notes.add(who, name, made, actor)
        self._tell(who)
        return _activation(name, who, made)

    def _is_as_it_was(self, name: str, agent: str, active: Active) -> bool:
        file = self._book.known(agent).get(name)
        return bool(file and not _problem(file) and file.skill.digest == active.version)

    def _made(self, skill: Skill, active: Mapping[str, Active]) -> Active:
        """Raises Conflict where another skill has the name, UsageError past what there may be."""
        tool = tool_name(skill.name)
        holder = next((name for name, one in active.items() if one.tool == tool), skill.name)
        if holder != skill.name:
            raise Conflict(
                f'the tool {tool} is that of the skill "{holder}" already',
                hint=f"deactivate {holder} first, or give one of them another name",
            )
        if skill.name not in active and len(active) >= MOST_TOOLS:
            unused = sorted(active, key=lambda name: (active[name].used, active[name].at))
            raise UsageError(
                f"{MOST_TOOLS} skills are tools already, which is as many as there may be",
                hint=f"deactivate one; unused the longest: {', '.join(unused[:_NAMED])}",
            )
        now = self._clock()
        return Active(tool=tool, version=skill.digest, at=now, used=now)

    async def deactivate(self, name: str, agent: str, *, actor: str = "person") -> SkillActivation:
        who, name = self._who(agent), _named(name)
        async with self._one_at_a_time:
            active = await self._notes.of(who)
            if name not in active:
                near = did_you_mean(name, active)
                raise NotFound(
                    f'the skill "{name}" is no tool of {who}',
                    hint=near or "`ska skills active` shows those that are",
                )
            await self._notes.remove(who, name, actor)
        self._tell(who)
        return _activation(name, who, active[name])

    # -- using it ----------------------------------------------------------------------------

    async def use(self, tool: str, agent: str, arguments: dict[str, Any]) -> SkillUse:
        who = self._who(agent)
        active = await self._notes.of(who)
        name = next((name for name, one in active.items() if one.tool == tool), "")
        if not name:
            near = did_you_mean(tool, [one.tool for one in active.values()])
            raise NotFound(
                f'there is no tool "{_shown(tool)}"', hint=near or "activate the skill first"
            )
        file = self._usable(name, who)
        await _check(arguments, tool, file.arguments or TASK)
        whole = _uri(name, MAIN)
        done = SkillUse(
            success=True,
            skill_id=name,
            content=printable(content_of(file, rest=f"the whole is {whole}")),
            arguments=arguments,
            resources=(whole, *(_uri(name, path) for path in listed(file) if path != MORE)),
        )
        if wrong := fault({**asdict(done), "resources": [*done.resources]}, RESULT):
            raise SkillAgentError(f"{tool} gave what it should not: {wrong}")
        await self._notes.used(who, name, active[name], self._clock())
        return done

    # -- who is told -------------------------------------------------------------------------

    def on_change(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Has somebody hear whose tools have changed, also by an edit of a SKILL.md; gives how to
        stop that. Called on the loop of the home; files are watched while anybody listens."""
        self._listeners.append(changed)
        self._watch.begin()

        def stop() -> None:
            if changed in self._listeners:
                self._listeners.remove(changed)
            if not self._listeners:
                self._watch.stop()

        return stop

    def forget(self) -> None:
        """To be called once something was erased from the ledger."""
        for agent in self._notes.forget():
            self._tell(agent)

    async def end(self) -> None:
        """Nobody is told any more."""
        self._listeners.clear()
        await self._watch.end()

    async def _edited(self, skills: frozenset[str]) -> None:
        for agent in await self._notes.agents():
            if skills & (await self._notes.of(agent)).keys():
                self._tell(agent)

    def _tell(self, agent: str) -> None:
        for changed in [*self._listeners]:
            try:
                changed(agent)
            except Exception:  # what was done stays done
                _log.exception("a change of %s's tools could not be told", agent)

    # -- looking at it -----------------------------------------------------------------------

    def _who(self, agent: str) -> str:
        return agent if _CLIENT.fullmatch(agent) else self._slug_of(agent)

    def _usable(self, name: str, agent: str) -> SkillFile:
        """The skill as it was lately, or is by now; raises NotFound, UsageError and Forbidden.

        What was approved a second ago is the person's own text still: it is not read again.
        """
        file = self._book.known(agent).get(name)
        if file is not None and not _problem(file):
            return file
        self._book.get(name)  # looks anew
        file = self._book.known(agent)[name]
        if not file.skill.loaded:
            raise UsageError(f'skill "{name}" is not usable: {tamed_line(file.skill.reason)}')
        if file.skill.hidden:
            raise Forbidden(f"{name} is for the person alone: {_NOT_FOR_MODELS}")
        if not is_trusted(file.skill):
            raise Forbidden(why_ask(file.skill), hint=how_to_approve(name))
        return file


def _shown(name: str) -> str:
    return tamed_line(printable(name), 80)


def _named(written: str) -> str:
    """The name a skill goes by; raises NotFound for what can be none."""
    if name := plain_name(written[: 2 * NAME_LIMIT]):
        return name
    raise NotFound(f'no skill "{_shown(written)}"', hint="`ska skills list` shows what there is")


def _problem(file: SkillFile | None) -> str:
    """Why a skill cannot be a tool for now."""
    if file is None:
        return "there is no such skill any more"
    if not file.skill.loaded:
        return tamed_line(file.skill.reason)
    return _NOT_FOR_MODELS if file.skill.hidden else why_ask(file.skill)


def _activation(name: str, agent: str, one: Active, problem: str = "") -> SkillActivation:
    return SkillActivation(
        skill=name, agent=agent, tool=one.tool, version=one.version, at=one.at, problem=problem
    )


def _tool(file: SkillFile, one: Active) -> SkillTool:
    return SkillTool(
        name=one.tool,
        skill=file.skill.name,
        description=tamed_line(printable(file.skill.description), DESCRIPTION_LIMIT),
        parameters=file.arguments or TASK,
        version=file.skill.digest,
    )


async def _check(arguments: dict[str, Any], tool: str, schema: dict[str, Any]) -> None:
    """In a thread: how long it takes is up to whoever wrote the schema and the arguments."""
    if too_large(arguments):
        raise UsageError(
            f"{tool} was given too much", hint=f"at most {MOST_GIVEN} characters of JSON"
        )
    if wrong := await asyncio.to_thread(fault, arguments, schema):
        takes = ", ".join(schema.get("properties", {}))
        raise UsageError(f"{tool}: {wrong}", hint=f"it takes: {one_line(takes, 300)}")


def _uri(skill: str, path: str) -> str:
    return f"skill://{skill}/{quote(path)}"
