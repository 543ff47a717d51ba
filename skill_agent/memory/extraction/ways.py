"""Ways of working that proved themselves: tool calls which answered the same kind of wish twice.

A turn's calls are its steps: the tool's name and the names of its arguments, never their values.
How often a way worked is folded from notes in the log. One that worked twice is kept as a
procedural memory of that agent, in the person's words and the tools' names; a failure takes it out
of use until it has worked twice again. What tools gave enters neither.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from skill_agent.conversations.client_context import typed
from skill_agent.errors import MemoryChanged
from skill_agent.identifiers import iso, new_id
from skill_agent.memory import life
from skill_agent.memory.feedback import ratings_of
from skill_agent.memory.remembrances import is_private
from skill_agent.memory.writer import Writer
from skill_agent.ports import Clock, Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.text.redaction import masked
from skill_agent.values import (
    LogEntry,
    Memory,
    MemoryChange,
    MemoryFilter,
    Message,
    Source,
    ToolCall,
)

KIND = "tools.used"
"""Kind of the note about a turn's calls; its entity is the turn."""
SEQUENCE = "tool_sequence"
LEAST, PROVEN = 2, 2
"""Calls that make a way, and how often it must have worked."""
_WAYS, _USES = 64, 8
"""So many ways of an agent are counted, the last used; so many uses of each."""
_ARGUMENTS = 6
_WORDS = 160
"""Characters of the person's wish."""
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,39}")
_FAILED = "failed"
_MOST = 500
_ACTOR = "ways"


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """The calls of one turn."""

    steps: tuple[str, ...]
    worked: bool
    wish: Message
    """What the person asked for."""
    reply: Message


class Ways:
    """Counts and keeps the ways of working of one home's agents."""

    def __init__(self, ledger: Ledger, writer: Writer, clock: Clock, user: str) -> None:
        self._ledger, self._writer, self._clock, self._user = ledger, writer, clock, user

    async def after_turn(self, messages: Sequence[Message], agent: str) -> None:
        """Looks at the calls of a turn that has ended, given its messages."""
        used = used_in(messages)
        if used is None:
            return
        data = {
            "session": used.reply.session,
            "reply": used.reply.id,
            "steps": list(used.steps),
            "worked": used.worked,
        }
        await self._ledger.note(KIND, used.reply.turn, actor=agent, data=data)
        state = (await self._ledger.projected(_WAYS_OF, [agent])).get(agent) or {}
        for way in state.get("ways", ()):
            if _concerns(way["steps"], used):
                await self._count(agent, tuple(way["steps"]), way["uses"], used)

    async def _count(
        self, agent: str, steps: tuple[str, ...], uses: Sequence[Sequence[Any]], used: Used
    ) -> None:
        known = await self._kept(agent, steps)
        if not used.worked:
            if known is not None and known.status in ("active", "disputed"):
                await self._take_out(known)
            return
        if known is not None and known.status == "archived" and not known.metadata.get(_FAILED):
            return  # a person has forgotten it
        ratings = await ratings_of(self._ledger, [str(reply) for reply, _ in uses])
        told = [worked and ratings.get(reply) != "down" for reply, worked in uses]
        since = told[len(told) - told[::-1].index(False) :] if False in told else told
        if not told[-1] or len(since) < PROVEN:
            return
        await self._keep(agent, steps, told, used, known)

    async def _kept(self, agent: str, steps: tuple[str, ...]) -> Memory | None:
        """The newest memory of a way, whatever has become of it."""
        wanted = MemoryFilter(agent=agent, memory_types=("procedural",), limit=_MOST)
        for one in await self._ledger.memories(wanted):
            if one.agent == agent and tuple(one.metadata.get(SEQUENCE, ())) == steps:
                return one
        return None

    async def _take_out(self, known: Memory) -> None:
        failed = replace(known, metadata={**known.metadata, _FAILED: True})
        changes = life.archiving(
            known, (), kind="memory.archived", now=self._clock(), actor=_ACTOR,
            reason="it failed when it was used again",
        )  # fmt: skip
        after = replace(changes[0].memory, metadata=failed.metadata)
        await self._write(replace(changes[0], memory=after))

    async def _keep(
        self,
        agent: str,
        steps: tuple[str, ...],
        told: Sequence[bool],
        used: Used,
        known: Memory | None,
    ) -> None:
        now = self._clock()
        counts = {
            SEQUENCE: list(steps),
            "times_used": len(told),
            "successes": sum(told),
            "success_rate": round(sum(told) / len(told), 4),
            "last_used": iso(now),
        }
        if known is not None and known.status in ("active", "disputed"):
            after = replace(known, metadata={**known.metadata, **counts}, updated_at=now)
            change = MemoryChange(
                kind="memory.used", memory=after, actor=_ACTOR, reason="it worked", expected=known
            )
        else:
            change = MemoryChange(
                kind="memory.created", memory=self._made(agent, steps, used, counts), actor=_ACTOR,
                reason="it has worked twice",
            )  # fmt: skip
        await self._write(change)

    def _made(
        self, agent: str, steps: tuple[str, ...], used: Used, counts: dict[str, Any]
    ) -> Memory:
        now, wish = self._clock(), used.wish
        return Memory(
            id=new_id(),
            content=f'To do "{_words(wish)}": {" → ".join(steps)}',
            created_at=now,
            updated_at=now,
            memory_type="procedural",
            agent=agent,
            user=self._user,
            source=Source(session=wish.session, message_ids=(wish.id,)),
            source_type="system",
            origins=wish.words_origins,
            metadata=counts,
        )

    async def _write(self, change: MemoryChange) -> None:
        try:
            await self._writer.write([change])
        except MemoryChanged:
            return  # somebody else changed it meanwhile: the next use counts again


def used_in(messages: Sequence[Message]) -> Used | None:
    """The calls of a turn; None where they are too few, or nobody can say what became of them, or
    the wish was told in confidence."""
    wish = next((one for one in messages if one.role == "user"), None)
    replies = [one for one in messages if one.role == "assistant" and not one.tool_calls]
    calls = {call.id: call for one in messages for call in one.tool_calls}
    results = [one for one in messages if one.role == "tool" and one.tool_call_id in calls]
    outcomes = [one.outcome for one in results if one.outcome is not None]
    if wish is None or not replies or not _words(wish) or is_private(typed(wish)):
        return None
    if len(outcomes) != len(calls) or not calls:
        return None
    steps = tuple(_step(calls[one.tool_call_id]) for one in results if one.tool_call_id)
    worked = all(one.ok for one in outcomes) and replies[-1].state == "complete"
    if worked and len(steps) < LEAST:
        return None
    if not worked:  # up to what failed
        first = next((at for at, one in enumerate(outcomes) if not one.ok), len(steps) - 1)
        steps = steps[: first + 1]
    return Used(steps=steps, worked=worked, wish=wish, reply=replies[-1])


def _step(call: ToolCall) -> str:
    """A call's name and the names of its arguments; of a name that is none, nothing."""
    names = [one for one in sorted(call.arguments) if _NAME.fullmatch(one) and masked(one) == one]
    return f"{call.name}({', '.join(names[:_ARGUMENTS])})"


def _words(wish: Message) -> str:
    words = " ".join(masked(typed(wish)).split())
    return words if len(words) <= _WORDS else f"{words[: _WORDS - 1].rstrip()}…"


def _concerns(steps: Sequence[str], used: Used) -> bool:
    """Whether the turn went this way, or failed on it."""
    return [*steps[: len(used.steps)]] == [*used.steps] and (
        not used.worked or len(steps) == len(used.steps)
    )


def _fold(_agent: str, state: State | None, row: LogEntry) -> State:
    ways: list[dict[str, Any]] = [*(state or {}).get("ways", ())]
    said = row.new or {}
    steps, worked, reply = said.get("steps"), said.get("worked"), said.get("reply")
    if not isinstance(steps, list | tuple) or not isinstance(reply, str):
        return {"ways": ways}
    names = [str(one) for one in steps]
    if worked is True and all(way["steps"] != names for way in ways):
        ways.append({"steps": names, "uses": []})
    left: list[dict[str, Any]] = []
    touched: list[dict[str, Any]] = []
    for way in ways:
        there = way["steps"][: len(names)] == names
        if there and (worked is not True or len(way["steps"]) == len(names)):
            uses = [*way["uses"], [reply, worked is True]][-_USES:]
            touched.append({"steps": way["steps"], "uses": uses})
        else:
            left.append(way)
    return {"ways": [*left, *touched][-_WAYS:]}


def _keys(row: LogEntry) -> tuple[str, ...]:
    return (row.actor,)


_WAYS_OF = Projection(name="ways", version=1, kinds=(KIND,), keys=_keys, step=_fold)
