"""Facts and open points of a span, gathered by code from the ledger, memory and the team's work.

Only what the person typed is read for what was decided, promised or left open: an agent's words
and what was pasted are nobody's promise. Nothing here writes, and no model is asked.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from skill_agent.memory.extraction.statement import Statement
from skill_agent.memory.recall.summed import is_summary
from skill_agent.memory.remembrances import remembrances
from skill_agent.ports import Ledger
from skill_agent.text.clock import day_of, local, said_at, zone_here
from skill_agent.text.gate import tamed_line
from skill_agent.text.language import ENGLISH, english, language, language_of
from skill_agent.text.redaction import masked
from skill_agent.values import (
    Memory,
    MemoryFilter,
    SummaryMark,
    SummaryPoint,
    SummaryTalk,
    all_origins,
)

from .dates import due_day
from .doings import Doings
from .facts import Facts
from .marks import KEPT_MARGIN, MARGIN, mark_of
from .reading import Asked, Conversations, Spoken, told, unanswered
from .settling import standing
from .span import Span

AHEAD = timedelta(days=7)
"""How far ahead dates of memory are told."""
LONGEST = 300
"""Characters of one point."""
_MEMORIES = 2_000
_OWN_SOURCES = ("explicit", "extraction", "feedback")


class Gathering:
    """Reads one home."""

    def __init__(self, ledger: Ledger, doings: Doings) -> None:
        self._ledger, self._doings = ledger, doings
        self._conversations = Conversations(ledger)

    async def gather(self, span: Span, *, language: str = "", key: str = "") -> Facts:
        """Everything of a span; `key`: for the holder of an API key, who is told of the
        conversations begun with it, and of nothing else."""
        without = await self._doings.spoken_by_jobs(span)
        spoken, unread = await self._conversations.spoken(span, key=key, without=without)
        zone = span.zone or _zone_of(spoken)
        span = replace(span, zone=zone)
        points = await asyncio.to_thread(_points, spoken)
        if not key:
            points = await self._with_memory(span, points, spoken)
            points += await self._doings.points(span)
        return Facts(
            span=span,
            language=language or _language_of(spoken),
            talks=tuple(map(_talk, spoken)),
            points=tuple(points),
            unread=unread,
        )

    async def _with_memory(
        self, span: Span, points: list[SummaryPoint], spoken: Sequence[Spoken]
    ) -> list[SummaryPoint]:
        """Says of each point which memory holds it; adds what memory alone was told in the span,
        and what it knows of the days to come."""
        memories = await self._ledger.memories(MemoryFilter(statuses=("active",), limit=_MEMORIES))
        kept = [
            one for one in memories if not is_summary(one.subject) and one.created_at < span.until
        ]
        read = {message.id for one in spoken for message in one.messages}
        held = _by_message(kept)
        points = [
            replace(one, memory=held[one.message].id) if one.message in held else one
            for one in points
        ]
        fresh = [one for one in kept if _was_told(one, span, read)]
        points += await asyncio.to_thread(_marked, fresh, span.zone)
        shown = {one.memory for one in points} | {one.message for one in points}
        rest = [one for one in kept if shown.isdisjoint((one.id, *one.source.message_ids))]
        return points + await asyncio.to_thread(_coming, rest, span)


# -- what was said ---------------------------------------------------------------------------------


def _points(spoken: Sequence[Spoken]) -> list[SummaryPoint]:
    """What still holds at the end, in order of time."""
    found: list[SummaryPoint] = []
    for one in spoken:
        found += [point for each in told(one) if (point := _point(each))]
        found += [_question(each) for each in unanswered(one)]
    found.sort(key=_when)
    replaced = [text for one in spoken for text in one.replaced]
    return standing(found, replaced)


def _when(point: SummaryPoint) -> datetime:
    assert point.at is not None  # it was said
    return point.at


def _point(statement: Statement) -> SummaryPoint | None:
    spoken = statement.languages[0]
    said = _asked_to_keep(statement.text, spoken)
    mark = mark_of(said, spoken, least=MARGIN if said == statement.text else KEPT_MARGIN)
    if mark is None:
        return None
    message = statement.message
    # What it leans on is told with it, unless that is a point of its own.
    if statement.before and not mark_of(statement.before, spoken):
        said = f"{statement.before} {said}"
    return SummaryPoint(
        mark=mark,
        text=_line(said),
        until=due_day(said, said_at(message)),
        at=message.created_at,
        session=message.session,
        message=message.id,
        origins=statement.origins,
        private=statement.private,
    )


def _asked_to_keep(sentence: str, spoken: str) -> str:
    """What is to be remembered: that an agent is to do so is nobody's promise."""
    asked = remembrances(sentence, language(spoken) or english())
    return asked[0].content or sentence if asked else sentence


def _question(asked: Asked) -> SummaryPoint:
    return SummaryPoint(
        mark="open",
        text=_line(asked.text),
        at=asked.message.created_at,
        session=asked.message.session,
        message=asked.message.id,
        origins=asked.message.words_origins,
    )


def _talk(one: Spoken) -> SummaryTalk:
    return SummaryTalk(
        id=one.session.id,
        title=_line(one.session.title),
        agent=one.session.agent,
        messages=len(one.own),
        origins=all_origins(*(each.words_origins for each in one.own)),
    )


def _line(text: str) -> str:
    """Nothing in it is taken for a mark or an order, and no credential is told again."""
    return tamed_line(masked(text), LONGEST)


def _zone_of(spoken: Sequence[Spoken]) -> str:
    """Where the person's clock stood last."""
    own = [message for one in spoken for message in one.own if message.zone]
    return max(own, key=lambda one: one.created_at).zone if own else zone_here()


def _language_of(spoken: Sequence[Spoken]) -> str:
    """The language of most of what the person wrote."""
    votes: Counter[str] = Counter()
    said = ENGLISH
    for message in (message for one in spoken for message in one.own):
        said = language_of(message.content, otherwise=said)
        votes[said] += min(len(message.content), LONGEST)
    return votes.most_common(1)[0][0] if votes else ENGLISH


# -- what memory knows -----------------------------------------------------------------------------


def _by_message(memories: Sequence[Memory]) -> dict[str, Memory]:
    """The memory that was made from a message, the oldest of several."""
    return {source: one for one in memories for source in one.source.message_ids}


def _was_told(memory: Memory, span: Span, read: set[str]) -> bool:
    """Whether the person told memory something in the span that no conversation of it holds."""
    return (
        span.holds(memory.created_at)
        and not memory.origins
        and memory.source_type in _OWN_SOURCES
        and read.isdisjoint(memory.source.message_ids)
    )


def _marked(memories: Sequence[Memory], zone: str) -> list[SummaryPoint]:
    judged: list[tuple[Memory, SummaryMark | None]] = [
        (one, mark_of(one.content, language_of(one.content), least=KEPT_MARGIN)) for one in memories
    ]
    return [_of_memory(one, mark, zone) for one, mark in judged if mark is not None]


def _coming(memories: Sequence[Memory], span: Span) -> list[SummaryPoint]:
    """Days of the week to come that memory knows of, the next one first."""
    first = day_of(span.until, span.zone)
    last = day_of(span.until + AHEAD, span.zone)
    found = [_of_memory(one, "due", span.zone) for one in memories]
    coming = [one for one in found if first <= one.until <= last]
    return sorted(coming, key=lambda one: one.until)


def _of_memory(memory: Memory, mark: SummaryMark, zone: str) -> SummaryPoint:
    return SummaryPoint(
        mark=mark,
        text=_line(memory.content),
        until=due_day(memory.content, local(memory.created_at, zone)),
        at=memory.created_at,
        session=memory.source.session or "",
        message=next(iter(memory.source.message_ids), ""),
        memory=memory.id,
        origins=memory.origins,
        private=memory.memory_type == "agent_private",
    )
