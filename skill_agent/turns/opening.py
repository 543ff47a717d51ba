"""How a turn begins, whoever answers it: the message is read, what is to be kept is kept, an errand
for a colleague is run, and memory is looked into.
"""

import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from skill_agent.conversations.client_calls import results_with
from skill_agent.errors import SkillAgentError
from skill_agent.events import (
    Event,
    MemoryRecalled,
    MemorySaved,
    Notice,
    RecalledItem,
    TextDelta,
    TurnFinished,
)
from skill_agent.identifiers import iso
from skill_agent.skills.trust import how_to_approve
from skill_agent.text.stops import until_stop
from skill_agent.turns.guards.suspicion import of_others
from skill_agent.values import Finish, Memory, Usage

from .disclosing import kept_without
from .hands import Brief, Hands
from .known import Kept, Recollection
from .manner import Manner

NOT_KEPT = 'nothing was remembered: the API key lacks the scope "memory"'


@dataclass(slots=True)
class Opening:
    """What is known once a turn has begun."""

    started: float = field(default_factory=time.perf_counter)
    manner: Manner = field(init=False)
    kept: Kept = field(default_factory=Kept)
    recollection: Recollection | None = None
    passed: bool = False
    """A colleague has answered, and the turn is over."""


async def opened(brief: Brief, hands: Hands, opening: Opening) -> AsyncGenerator[Event, None]:
    """Fills `opening`."""
    opening.manner = manner = await hands.read(brief.message)
    opening.kept = kept = await hands.keep(brief.message, manner)
    for memory in kept.memories:
        yield _saved(brief, memory)
    for notice in _of_keeping(brief, hands, kept):
        yield notice
    async with aclosing(_passed_on(brief, hands, manner, opening.started)) as events:
        async for event in events:
            yield event
            opening.passed = isinstance(event, TurnFinished)
    if opening.passed:
        return
    opening.recollection, events = await _remembered(brief, hands, kept, manner)
    for event in events:
        yield event
    for text, origins in of_others(brief.message, opening.recollection):
        if told := await hands.suspicion.reading(text, origins):
            yield warning(brief, told)


async def _passed_on(
    brief: Brief, hands: Hands, manner: Manner, started: float
) -> AsyncGenerator[Event, None]:
    """The whole turn where the message is for a colleague: what they say is told as theirs, and no
    model is asked for it here. Nothing where it is not."""
    if not is_own(brief) or only_answers(brief):
        return
    if (errand := await hands.nearby.errand(brief.message, manner)) is None:
        return
    passed = await hands.nearby.run(errand, brief.message, manner)
    hands.taint.add(passed.origins)
    said = until_stop(passed.text, stops(brief))
    yield TextDelta(**brief.ids, text=said)
    yield finished(brief, said, Usage(model=hands.model.info.name), started)


def _of_keeping(brief: Brief, hands: Hands, kept: Kept) -> Iterator[Notice]:
    """What the person should know before the reply: what is missing of the agent, and of memory."""
    if hands.left_out and not brief.draft.history:
        yield warning(brief, _left_out(brief, hands.left_out))
    if kept.refused:
        yield warning(brief, NOT_KEPT)
    if notice := kept_without(brief, kept.memories):
        yield notice


async def _remembered(
    brief: Brief, hands: Hands, kept: Kept, manner: Manner
) -> tuple[Recollection | None, list[Event]]:
    """What memory has for the message, and what is to be told of that."""
    if only_answers(brief):  # what helps was found with the words that led to the calls
        return None, []
    begun = time.perf_counter()
    try:
        found = await hands.recall(brief.message, kept.memories, manner)
    except SkillAgentError as problem:
        hint = f" ({problem.hint})" if problem.hint else ""
        return None, [warning(brief, f"without memory: {problem.message}{hint}")]
    if found is None:
        return None, []
    hands.taint.add(found.origins)
    behind = [_incomplete(brief, found.behind)] if found.behind else []
    seconds = time.perf_counter() - begun - found.waited
    return found, [*behind, _recalled(brief, found, seconds)]


def warning(brief: Brief, text: str) -> Notice:
    return Notice(**brief.ids, level="warning", text=text)


def _left_out(brief: Brief, names: Sequence[str]) -> str:
    commands = "; ".join(how_to_approve(name) for name in names)
    return (
        f"{brief.agent.name} works without {', '.join(names)}: nobody approved it yet. "
        f"Once you have read it: {commands}"
    )


def _incomplete(brief: Brief, behind: int) -> Notice:
    rows = "entry" if behind == 1 else "entries"
    return Notice(
        **brief.ids,
        level="info",
        text=f"the search index is {behind} {rows} behind: what was said or kept last may be "
        "missing from this answer (ska status)",
    )


def is_own(brief: Brief) -> bool:
    """Whether the agent answers as it likes, with its own tools."""
    return brief.response_schema is None and not brief.client_tools


def only_answers(brief: Brief) -> bool:
    """Whether nothing is said: a client program brings what came of its tools."""
    return bool(results_with(brief.message)) and not brief.message.content.strip()


def stops(brief: Brief) -> Sequence[str]:
    """Texts at which a reply ends, whoever speaks."""
    return brief.agent.model.provider_overrides.get("stop") or ()


def finished(
    brief: Brief, text: str, usage: Usage, started: float, finish: Finish = "stop"
) -> TurnFinished:
    return TurnFinished(
        **brief.ids,
        message_id=brief.reply_id,
        text=text,
        usage=replace(usage, total_s=time.perf_counter() - started),
        finish=finish,
    )


def _saved(brief: Brief, memory: Memory) -> MemorySaved:
    return MemorySaved(
        **brief.ids,
        memory_id=memory.id,
        content=memory.content,
        memory_type=memory.memory_type,
        pinned=memory.pinned,
        importance=memory.importance,
    )


def _recalled(brief: Brief, found: Recollection, seconds: float) -> MemoryRecalled:
    selection = found.selection
    items = tuple(
        RecalledItem(
            id=hit.item.id,
            kind=hit.item.kind,
            content=hit.item.text,
            score=round(hit.score, 4),
            signals={name: round(value, 4) for name, value in hit.signals.items()},
            reason=hit.reason,
            memory_type=hit.item.memory_type,
            created_at=iso(hit.item.created_at),
        )
        for hit in (*selection.hits, *selection.present)
    )
    return MemoryRecalled(
        **brief.ids,
        items=items,
        tokens=selection.tokens,
        budget=selection.budget,
        seconds=seconds,
        told=len(selection.hits) + len(found.always),
    )


class RunsOutside(Protocol):
    """Takes turns of agents whose settings say what they run on."""

    def turn(self, brief: Brief, hands: Hands, folder: str) -> AsyncGenerator[Event, None]:
        """The turn's events, the last one `TurnFinished`; `folder` is where this message wants the
        program to work, "" where it says nothing of it. Closing it early stops the program's work
        at once. Raises ModelUnavailable for a program that is not there or not ready, ModelFailed
        where it breaks off, TurnLimit."""
        ...
