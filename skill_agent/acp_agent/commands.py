"""What begins with a slash: looked up or done at once, without a model. What is no command of ours
is a message like any other.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from acp.schema import AvailableCommand, AvailableCommandInput, UnstructuredCommandInput

from skill_agent.errors import NotFound, UsageError
from skill_agent.text.nearest import did_you_mean
from skill_agent.text.shaping import one_line
from skill_agent.values import NewMemory, Search, TurnRequest
from skill_agent.workstation import Workstation

from .texts import shown

_SHOWN = 10
_LONGEST = 300
_BEGINS = "say something first: there is no conversation yet"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command says, or what is asked of an agent in its place."""

    text: str = ""
    ask: str = ""
    led_by: str = ""
    """Who has the conversation from now on."""


@dataclass(frozen=True, slots=True)
class _Command:
    name: str
    about: str
    hint: str
    act: Callable[[str, str | None], Awaitable[Answer]]


class Commands:
    """The commands of one home."""

    def __init__(self, station: Workstation) -> None:
        self._station = station
        known = (
            _Command("remember", "Keep something for good", "what is to be kept", self._remember),
            _Command("memory", "Search what is remembered", "words to look for", self._memory),
            _Command("agents", "Who is in the team", "", self._agents),
            _Command("who", "Who would answer a message, and why", "the message", self._who),
            _Command("compact", "Sum up all but the newest messages now", "", self._compact),
            _Command(
                "handover", "Give this conversation to another agent", "agent, why", self._hand_over
            ),
            _Command("skills", "Which skills there are", "", self._skills),
            _Command("skill", "Have a skill used", "its name, what it is to do", self._skill),
        )
        self._known = {one.name: one for one in known}

    def offered(self) -> list[AvailableCommand]:
        return [
            AvailableCommand(
                name=one.name,
                description=one.about,
                input=AvailableCommandInput(root=UnstructuredCommandInput(hint=one.hint))
                if one.hint
                else None,
            )
            for one in self._known.values()
        ]

    async def run(self, words: str, session: str | None) -> Answer | None:
        """None for what is no command; `session` is None before the conversation has begun.
        Raises what goes wrong."""
        if not words.startswith("/"):
            return None
        name, _, rest = words[1:].partition(" ")
        command = self._known.get(name.strip())
        return await command.act(rest.strip(), session) if command else None

    async def _remember(self, rest: str, session: str | None) -> Answer:
        if not rest:
            raise UsageError("what is to be remembered?", hint="/remember we ship on Thursdays")
        kept = await self._station.memory.add(NewMemory(rest, reason="editor"))
        return Answer(f"✓ remembered: {shown(kept.content)}\n\nundo: `ska memory forget {kept.id}`")

    async def _memory(self, rest: str, session: str | None) -> Answer:
        if not rest:
            raise UsageError("what is looked for?", hint="/memory deployment day")
        hits = await self._station.memory.search(Search(rest, limit=_SHOWN, kinds=("memory",)))
        return _listed([one.memory.content for one in hits if one.memory], "nothing found")

    async def _agents(self, rest: str, session: str | None) -> Answer:
        lines = [
            f"@{one.slug} {one.name}: {one.tagline}".rstrip(": ")
            + ("" if one.status == "active" else f" ({one.status})")
            for one in await self._station.agents.list()
        ]
        return _listed(lines, "there are no agents")

    async def _who(self, rest: str, session: str | None) -> Answer:
        if not rest:
            raise UsageError("who would answer what?", hint="/who review this function")
        found = await self._station.routing.decide(TurnRequest(rest, session=session))
        told = f"@{found.agent} ({found.confidence:.0%})"
        return Answer(shown(f"{told}: {found.explanation}" if found.explanation else told))

    async def _compact(self, rest: str, session: str | None) -> Answer:
        if session is None:
            raise UsageError(_BEGINS)
        done = await self._station.summaries.compact(session)
        return Answer(shown(done.line) if done else "there is nothing to sum up yet")

    async def _hand_over(self, rest: str, session: str | None) -> Answer:
        if session is None:
            raise UsageError(_BEGINS)
        to, _, why = rest.partition(" ")
        if not to:
            raise UsageError("to whom?", hint="/handover luke the tests are yours")
        done = await self._station.seats.hand_over(session, to.lstrip("@"), reason=why.strip())
        told = f"{done.from_agent} hands over to {done.to_agent}"
        return Answer(shown(f"{told}\n\n{done.context_summary}"), led_by=done.to_agent)

    async def _skills(self, rest: str, session: str | None) -> Answer:
        lines = [
            f"{one.name}: {one.description}"
            + ("" if one.trust != "not approved" else " (asks first)")
            for one in await self._station.skills.list()
            if one.loaded
        ]
        return _listed(lines, "there are no skills", most=100)

    async def _skill(self, rest: str, session: str | None) -> Answer:
        name, _, task = rest.partition(" ")
        known = [one.name for one in await self._station.skills.list() if one.loaded]
        if name not in known:
            hint = did_you_mean(name, known) if name else "/skills lists them"
            raise NotFound(f"there is no skill {name[:80]!r}", hint=hint)
        return Answer(ask=f"Use the skill {name}. {task.strip()}".rstrip())


def _listed(lines: Sequence[str], otherwise: str, *, most: int = _SHOWN) -> Answer:
    told = [f"- {one_line(shown(one, 2 * _LONGEST), _LONGEST)}" for one in lines[:most]]
    return Answer("\n".join(told) or otherwise)
