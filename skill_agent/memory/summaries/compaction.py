"""The compaction shield: nothing leaves a prompt before what it says has been kept and read back.

Extract, read back, sum up, note: only the note makes the prompt shorter, and the messages stay in
the ledger. When to compact, and in which task, is the compactor's business.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from skill_agent.errors import StoreError
from skill_agent.memory.aloud import not_aloud
from skill_agent.ports import Ledger, Model
from skill_agent.text.redaction import masked
from skill_agent.values import Compaction, LogEntry, Memory, MemoryFilter, Message, ModelInfo, Purge

from .summary import MOST_TOKENS, SHARE, model_summary, plain_summary

KIND = "compacted"
NOTHING = "Nothing that need be told again."
VERBATIM = 20
"""The newest messages that stay as they were said."""


class Read(Protocol):
    """Reads memories out of messages and keeps them durably."""

    async def __call__(
        self, messages: Sequence[Message], *, agent: str, model: Model | None = None
    ) -> Sequence[Memory]:
        """Gives the memories that hold what the messages say; raises SkillAgentError on failure."""
        ...


def _anything(_info: ModelInfo) -> bool:
    return True


class Shield:
    """Sums up what leaves the prompt of a session, once its facts are safe."""

    def __init__(
        self, ledger: Ledger, read: Read, *, able: Callable[[ModelInfo], bool] = _anything
    ) -> None:
        """`able` says whether a model can write a summary; rules do it for the others."""
        self._ledger, self._read, self._able = ledger, read, able

    async def compactions(self, session: str) -> list[Compaction]:
        """All of a session, the oldest first, but for those a purge has erased."""
        rows = await self._ledger.log(session, kinds=(KIND,), limit=100_000)
        found = [_compaction(row) for row in rows if row.entity == session]
        return [one for one in found if one is not None]

    async def latest(self, session: str) -> Compaction | None:
        """The one that speaks for the session's beginning now."""
        return max(await self.compactions(session), key=lambda one: one.up_to, default=None)

    async def compact(
        self,
        session: str,
        model: Model | None,
        *,
        agent: str,
        keep: int = VERBATIM,
        most: int = 0,
        actor: str = "system",
    ) -> Compaction | None:
        """Sums up all but the newest `keep` messages (a turn is never split), at a time about
        `most` of them where given; None if there is nothing to.

        Raises SkillAgentError when something could not be kept: then nothing changed.
        """
        previous = await self.latest(session)
        messages = await self._ledger.messages(session)
        rest = after(messages, previous)
        leaving = leaving_of(rest, keep)
        if most and len(leaving) > most:
            leaving = leaving_of(rest, len(rest) - most) or leaving
        if not leaving:
            return None
        hidden = await not_aloud(self._ledger, messages)  # every agent reads the summary
        bare = [
            replace(one, content=masked(one.content), context="", recalled=()) for one in leaving
        ]
        aloud = [one for one in bare if one.id not in hidden]
        fresh = await self._read(bare, agent=agent, model=model)
        await self._read_back(fresh)
        kept = await self._kept(session, leaving, fresh)
        summary = await self._summary(previous.summary if previous else "", aloud, kept, model)
        data = {
            "session": session,
            "up_to": leaving[-1].position,
            "turn": leaving[-1].turn,
            "messages": len(leaving),
            "memories": [memory.id for memory in kept],
            "summary": masked(summary),
        }
        await self._check_unchanged(leaving)
        seq = await self._ledger.note(KIND, session, actor=actor, data=data)
        try:
            await self._check_unchanged(leaving)
        except StoreError:
            await self._ledger.purge(Purge(notes=(seq,), actor=actor, reason="purged meanwhile"))
            raise
        (row,) = await self._ledger.log(session, kinds=(KIND,), after=seq - 1, limit=1)
        return _compaction(row)

    async def _read_back(self, kept: Sequence[Memory]) -> None:
        stored = await self._ledger.memories_by_id([memory.id for memory in kept])
        for memory in kept:
            found = stored.get(memory.id)
            if found is None or found.content != memory.content:
                raise StoreError(
                    f"memory {memory.id} was kept, but cannot be read back", hint="ska doctor"
                )

    async def _kept(
        self, session: str, leaving: Sequence[Message], fresh: Sequence[Memory]
    ) -> list[Memory]:
        """What the store has from these messages by now, read earlier or just now."""
        sources = {message.id for message in leaving}
        wanted = MemoryFilter(session=session, statuses=("active", "disputed"), limit=100_000)
        stored = await self._ledger.memories(wanted)
        known = [one for one in stored if sources.intersection(one.source.message_ids)]
        found = {one.id: one for one in (*known, *fresh)}
        return sorted(found.values(), key=lambda one: (one.created_at, one.id))

    async def _summary(
        self,
        previous: str,
        leaving: Sequence[Message],
        kept: Sequence[Memory],
        model: Model | None,
    ) -> str:
        window = model.info.context_window if model else 0
        most = min(MOST_TOKENS, window // SHARE) if window else MOST_TOKENS
        if model is not None and self._able(model.info):
            written = await model_summary(previous, leaving, model, most=most)
            if written:
                return written
        return plain_summary(previous, leaving, kept, most=most) or NOTHING

    async def _check_unchanged(self, messages: Sequence[Message]) -> None:
        """Raises StoreError if one was purged while it was being read."""
        stored = await self._ledger.messages_by_id([message.id for message in messages])
        if any(m.id not in stored or stored[m.id].content != m.content for m in messages):
            raise StoreError("messages were erased while they were being summed up")


def after(messages: Sequence[Message], compaction: Compaction | None) -> list[Message]:
    """The messages no summary speaks for."""
    if compaction is None:
        return list(messages)
    return [one for one in messages if one.position > compaction.up_to]


def leaving_of(messages: Sequence[Message], keep: int) -> list[Message]:
    """The messages before the newest `keep`, up to where no turn would be split."""
    last = {message.turn: at for at, message in enumerate(messages)}
    cut = reach = 0
    for at, message in enumerate(messages[: max(0, len(messages) - keep)]):
        reach = max(reach, last[message.turn])
        if reach <= at:
            cut = at + 1
    return list(messages[:cut])


def _compaction(row: LogEntry) -> Compaction | None:
    """None for a note that says nothing, or what no summary says."""
    said = row.new or {}
    summary, up_to, messages = said.get("summary"), said.get("up_to"), said.get("messages")
    memories, turn = said.get("memories"), said.get("turn", "")
    if not isinstance(summary, str) or not summary or not isinstance(turn, str):
        return None
    if type(up_to) is not int or type(messages) is not int:
        return None
    named = memories if isinstance(memories, list) else []
    return Compaction(
        session=row.entity,
        up_to=up_to,
        turn=turn,
        messages=messages,
        memories=tuple(one for one in named if isinstance(one, str)),
        summary=summary,
        at=row.at,
    )
