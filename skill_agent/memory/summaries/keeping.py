"""Summaries of conversations and of months, as memories that can be found.

They are dated, name the messages they were made from, and give way to the next one of the same
conversation or month. Their words are quotes of the person or a model's, never a person's own:
no reader of statements takes them for one. Each belongs to the agent that heard what it tells.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from skill_agent.conversations.client_context import typed, typed_origins
from skill_agent.errors import MemoryChanged, ModelError
from skill_agent.identifiers import new_id
from skill_agent.memory import life
from skill_agent.memory.recall.question import MARKS
from skill_agent.memory.recall.summed import OF_MONTH, OF_SESSION
from skill_agent.memory.writer import Writer
from skill_agent.ports import Clock, Ledger, Model
from skill_agent.text.clock import day_of
from skill_agent.text.kinds import kind_of, sentences
from skill_agent.values import (
    Memory,
    MemoryChange,
    MemoryFilter,
    Message,
    Session,
    Source,
    all_origins,
)

from .summary import by_model, by_rules, shareable, telling

IDLE = timedelta(minutes=30)
"""A conversation nobody spoke in for so long has ended, for now."""
FEWEST = 3
"""Statements below which a summary would only say them again."""
_SESSIONS = 200
_ALL = 100_000
_TELLS = 0.1
"""Probability of telling something from which a sentence without a question mark does."""
_ACTOR = "summaries"

Readable = Callable[[Sequence[Message], str], Awaitable[list[Message]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One sentence of a person that tells something."""

    message: Message
    text: str

    @property
    def day(self) -> str:
        return day_of(self.message.created_at, self.message.zone)


def _statements(messages: Sequence[Message]) -> list[Said]:
    """Half a millisecond a sentence."""
    return [
        Said(message=one, text=sentence)
        for one in messages
        for sentence in sentences(typed(one))
        if _tells(sentence)
    ]


def _tells(sentence: str) -> bool:
    """Whether it may tell something: a question has its mark, what chats tells nothing."""
    kind = kind_of(sentence)
    return not sentence.endswith(MARKS) and kind.name != "chat" and kind.chances["tell"] >= _TELLS


class SummaryKeeper:
    """Keeps the summaries of one home."""

    def __init__(
        self, *, ledger: Ledger, writer: Writer, clock: Clock, user: str, readable: Readable
    ) -> None:
        """`readable` leaves out what may not be read for memories."""
        self._ledger, self._writer, self._clock = ledger, writer, clock
        self._user, self._readable = user, readable
        self._looked: dict[str, datetime] = {}

    async def catch_up(self, model: Model | None) -> int:
        """Sums up every conversation that has ended; gives how many."""
        due = await self.due()
        said = {one.id: await self._said(one) for one in due}
        months = ((one.day[:7], session.agent) for session in due for one in said[session.id])
        # Each month once, and before the conversations: theirs says that all is done.
        for month, agent in dict.fromkeys(months):
            await self._put(OF_MONTH, month, agent, await self._said_in(month, agent), model)
        for session in due:
            await self._put(OF_SESSION, session.id, session.agent, said[session.id], model)
            self._looked[session.id] = session.updated_at
        return len(due)

    async def due(self) -> list[Session]:
        """Conversations that have ended and were not summed up since."""
        before = self._clock() - IDLE
        ended = [
            one
            for one in await self._ledger.sessions(limit=_SESSIONS)
            if one.updated_at <= before and self._looked.get(one.id) != one.updated_at
        ]
        if not ended:
            return []
        kept = {one.metadata.get("of"): one for one in await self._kept(OF_SESSION)}
        for one in ended:
            if (known := kept.get(one.id)) and known.updated_at >= one.updated_at:
                self._looked[one.id] = one.updated_at
        return [one for one in ended if self._looked.get(one.id) != one.updated_at]

    def forgotten(self) -> None:
        """Looks at every conversation again: something that was summed up is gone."""
        self._looked.clear()

    async def _said(self, session: Session) -> list[Said]:
        """What the person told the conversation's own agent, and has not had forgotten."""
        messages = await self._readable(await self._ledger.messages(session.id), session.agent)
        gone = await self._ledger.memories(
            MemoryFilter(session=session.id, statuses=("archived",), limit=_ALL)
        )
        silent = {source for one in gone for source in one.source.message_ids}
        heard = [
            one
            for one in shareable(messages)
            if one.role == "user" and one.id not in silent and one.agent in (None, session.agent)
        ]
        return await asyncio.to_thread(_statements, heard)

    async def _said_in(self, month: str, agent: str) -> list[Said]:
        found: list[Said] = []
        for session in await self._ledger.sessions(limit=_SESSIONS):
            first, last = day_of(session.created_at)[:7], day_of(session.updated_at)[:7]
            if session.agent == agent and first <= month <= last:
                found += [one for one in await self._said(session) if one.day[:7] == month]
        return sorted(found, key=lambda one: (one.message.created_at, one.message.position))

    async def _kept(self, subject: str) -> list[Memory]:
        wanted = MemoryFilter(subject=subject, statuses=("active",), limit=_ALL)
        return await self._ledger.memories(wanted)

    async def _put(
        self, subject: str, of: str, agent: str, said: Sequence[Said], model: Model | None
    ) -> Memory | None:
        """Writes one summary in the place of the last; nothing where that says the same."""
        olds = [
            one
            for one in await self._kept(subject)
            if (one.metadata.get("of"), one.agent) == (of, agent)
        ]
        if len(said) < FEWEST:
            return None
        lines = [(one.day, one.text) for one in said]
        chosen = telling(lines)
        text, by = by_rules([lines[at] for at in chosen]), None
        if model is not None:
            with suppress(ModelError):  # the rules' summary is there already
                text, by = await by_model(lines, model), model.info.name
        if olds and olds[0].content == text:
            return None
        sources = said if by else [said[at] for at in chosen]
        summary = self._memory(subject, of, agent, text, sources, by)
        changes = (
            life.superseding(
                summary,
                olds,
                now=self._clock(),
                actor=_ACTOR,
                reason="summed up anew",
                stored=False,
            )
            if olds
            else [MemoryChange(kind="memory.created", memory=summary, actor=_ACTOR)]
        )
        with suppress(MemoryChanged):  # somebody forgot the last one meanwhile: the next look
            return (await self._writer.write(changes))[0]
        return None

    def _memory(
        self,
        subject: str,
        of: str,
        agent: str,
        text: str,
        sources: Iterable[Said],
        model: str | None,
    ) -> Memory:
        messages = {one.message.id: one.message for one in sources}
        return Memory(
            id=new_id(),
            content=text,
            created_at=max(one.created_at for one in messages.values()),
            updated_at=self._clock(),
            memory_type="semantic",
            subject=subject,
            agent=agent,
            user=self._user,
            source=Source(),
            source_type="consolidation",
            extraction_model=model,
            origins=all_origins(*(typed_origins(one) for one in messages.values())),
            # Not as its source: it hides none of these messages and none goes because it does.
            metadata={"of": of, "messages": list(messages)},
        )
