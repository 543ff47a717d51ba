"""From what was read in a conversation to memories: merged, compared, written, read back.

How candidates are found is `extract`'s work, which of two memories gives way is that of
`contradictions.judge`.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal

from skill_agent.errors import MemoryChanged, StoreError
from skill_agent.identifiers import new_id
from skill_agent.memory.contradictions.comparing import Comparer, Near, Verdict, unseen
from skill_agent.memory.contradictions.difference import likeness
from skill_agent.memory.contradictions.judge import judge_by_rules
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.recall.told import INSTRUCTION
from skill_agent.memory.shares import note_waiting, shared, waiting
from skill_agent.memory.writer import Writer
from skill_agent.ports import Clock, Ledger
from skill_agent.text.sameness import marks, same
from skill_agent.values import Memory, MemoryChange, MemoryFilter, MemoryType, Source, all_origins

from .statement import Candidate

Sharing = Literal["share", "ask", "keep"]
"""What becomes of what concerns the team: everybody's, a question to the person, or the agent's."""
LEAST = 3
"""Importance below which a candidate is small talk and is not kept."""
HOT = 9
"""Importance from which a memory is hot, and pinned where the agent pins by itself.

A strong preference (8) is not pinned: the profile stands in every prompt anyway, and pins would
crowd out what a person asked to be kept.
"""
_TRIES = 5
_SAME_WORDS = 0.6
"""Share of common words from which two readings of one quote are one fact."""
_OF_ONE_AGENT: tuple[MemoryType, ...] = ("semantic", "episodic", "procedural")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of candidates; every memory here was read back from the ledger."""

    created: tuple[Memory, ...] = ()
    versioned: tuple[Memory, ...] = ()
    """Those that replaced something, or came as an earlier version of something."""
    disputed: tuple[Memory, ...] = ()
    known: tuple[str, ...] = ()
    """Ids of what said the same already."""
    skipped: int = 0
    """Candidates that added nothing."""

    @property
    def memories(self) -> tuple[Memory, ...]:
        return self.created + self.versioned + self.disputed

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(
            created=self.created + other.created,
            versioned=self.versioned + other.versioned,
            disputed=self.disputed + other.disputed,
            known=self.known + other.known,
            skipped=self.skipped + other.skipped,
        )


@dataclass(slots=True)
class _Tally:
    """What has become of the candidates so far."""

    created: list[str] = field(default_factory=list)
    versioned: list[str] = field(default_factory=list)
    disputed: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    again: set[str] = field(default_factory=set)
    """Of the known ones, those made of the very messages read now: no event in their story."""
    skipped: list[str] = field(default_factory=list)
    """Message ids of what was skipped."""
    count: int = 0


class Intake:
    """Takes candidates into one home's memory."""

    def __init__(
        self, *, ledger: Ledger, writer: Writer, projector: Projector, clock: Clock, user: str
    ) -> None:
        self._ledger, self._writer, self._clock, self._user = ledger, writer, clock, user
        self._comparer = Comparer(ledger, projector, user)
        self._taking = asyncio.Lock()
        """Two readings of one message at the same time would both find that it is new."""

    async def take(
        self,
        candidates: Sequence[Candidate],
        *,
        agent: str,
        actor: str,
        pin: bool = True,
        sharing: Sharing = "keep",
    ) -> Taken:
        """Keeps what is new among the candidates heard by one agent.

        `pin` is the agent's `auto_pin_preferences`, `sharing` its `auto_share`.
        What was written before an error stays, and is skipped when the same is taken again.
        Raises StoreError where something written cannot be read back.
        """
        async with self._taking:
            return await self._take(candidates, agent, actor, pin=pin, sharing=sharing)

    async def _take(
        self,
        candidates: Sequence[Candidate],
        agent: str,
        actor: str,
        *,
        pin: bool,
        sharing: Sharing,
    ) -> Taken:
        wanted = sorted(merged(candidates), key=lambda one: one.said_at)
        tally = _Tally(count=sum(one.importance < LEAST for one in candidates))
        wanted = [one for one in wanted if one.importance >= LEAST]
        memories = [_offered(self._memory(one, agent, pin=pin), one, sharing) for one in wanted]
        near = await self._comparer.near(memories) if memories else []
        fresh: list[Memory] = await self._recent(memories)
        for candidate, memory, found in zip(wanted, memories, near, strict=True):
            if read := _read_before(memory, candidate.quote, fresh):
                _skip(tally, candidate, [read.id])
                tally.again.add(read.id)
                continue
            known = {one.id for one in found}
            more = [one for one in unseen(memory, fresh) if one.id not in known]
            written = await self._take_one(candidate, memory, [*found, *more], tally, actor=actor)
            fresh += written
        return await self._told(tally, wanted, actor)

    def _memory(self, candidate: Candidate, agent: str, *, pin: bool) -> Memory:
        """The candidate as a memory in the scope of whoever may know it, dated when it was said."""
        memory_type = candidate.memory_type
        if candidate.private:
            memory_type = "agent_private"
        elif memory_type not in (*_OF_ONE_AGENT, "user_profile", "agent_private"):
            memory_type = "semantic"
        important = candidate.importance >= HOT
        of_all = memory_type == "user_profile" and candidate.subject != INSTRUCTION
        return Memory(
            id=new_id(),
            content=" ".join(candidate.content.split()),
            created_at=candidate.said_at,
            updated_at=self._clock(),
            memory_type=memory_type,
            subject=candidate.subject,
            importance=min(10, candidate.importance),
            confidence=candidate.confidence,
            agent=None if of_all else agent,
            user=self._user,
            speaker=candidate.speaker,
            tier="hot" if important else "warm",
            pinned=important and pin and memory_type == "user_profile",
            source=candidate.source,
            source_type="extraction",
            extraction_model=candidate.model,
            origins=candidate.origins,
        )

    async def _recent(self, memories: Sequence[Memory]) -> list[Memory]:
        """What was read in the same conversations before; the index may not hold it yet."""
        found: list[Memory] = []
        for session in dict.fromkeys(one.source.session for one in memories):
            if session:
                found += await self._ledger.memories(MemoryFilter(session=session, limit=200))
        return found

    async def _take_one(
        self,
        candidate: Candidate,
        memory: Memory,
        near: Sequence[Near],
        tally: _Tally,
        *,
        actor: str,
    ) -> list[Memory]:
        """Writes one candidate as one batch; again if somebody else changed a memory meanwhile."""
        for _ in range(_TRIES):
            verdicts = await self._comparer.verdicts(memory, near, changes=False)
            known = [one.old.id for one in verdicts if _is_known(one)]
            if known:
                _skip(tally, candidate, known)
                return []
            changes = await self._comparer.changes(
                memory, verdicts, now=self._clock(), actor=actor, stored=False
            )
            with suppress(MemoryChanged):
                await self._writer.write(changes)
                _count(tally, memory.id, verdicts, changes)
                return [one.memory for one in changes if one.memory.id == memory.id]
        raise StoreError("the memories concerned keep changing", hint="ska memory extract")

    async def _told(self, tally: _Tally, wanted: Sequence[Candidate], actor: str) -> Taken:
        """Notes what was skipped and reads everything written back."""
        repeated = [one for one in dict.fromkeys(tally.known) if one not in tally.again]
        if repeated:
            data = {
                "session": wanted[0].source.session,
                "memories": repeated,
                "messages": list(dict.fromkeys(tally.skipped)),
                "count": tally.count,
            }
            entity = wanted[0].source.session or "extraction"
            await self._ledger.note("extraction.skipped", entity, actor=actor, data=data)
        ids = [*tally.created, *tally.versioned, *tally.disputed]
        found = await self._ledger.memories_by_id(ids)
        if missing := [one for one in ids if one not in found]:
            raise StoreError(
                f"{len(missing)} of {len(ids)} memories are not in the ledger after writing",
                hint="ska memory verify",
            )
        await note_waiting(self._ledger, found.values(), actor)
        return Taken(
            created=tuple(found[one] for one in tally.created),
            versioned=tuple(found[one] for one in tally.versioned),
            disputed=tuple(found[one] for one in tally.disputed),
            known=tuple(dict.fromkeys(tally.known)),
            skipped=tally.count,
        )


def _offered(memory: Memory, candidate: Candidate, sharing: Sharing) -> Memory:
    """The memory as the team's, or waiting to be it, where it concerns the team; what was told in
    confidence, or written by others, stays with who heard it."""
    of_team = candidate.team and memory.memory_type in _OF_ONE_AGENT and not memory.origins
    if not of_team or sharing == "keep":
        return memory
    return shared(memory) if sharing == "share" else waiting(memory)


def _read_before(memory: Memory, quote: str, others: Sequence[Memory]) -> Memory | None:
    """The same, made of the same messages, whatever has become of it: what a person has forgotten
    or replaced does not come back because a conversation is read again."""
    sources = set(memory.source.message_ids)
    for other in others:
        if sources & set(other.source.message_ids):
            common = likeness(memory.content, other.content)
            ruled = judge_by_rules(memory, other, cosine=common, changes=False)
            there = marks(other.content)
            whole = any(marks(text) <= there for text in (memory.content, quote) if text)
            asked = other.source_type == "explicit" and common >= _SAME_WORDS and whole
            if ruled.action == "same" or asked:
                return other
    return None


def _is_known(verdict: Verdict) -> bool:
    """Said already, and to stay: what is kept for a while only does not stand for it."""
    return verdict.judgement.action == "same" and verdict.old.expires_at is None


def _skip(tally: _Tally, candidate: Candidate, known: Sequence[str]) -> None:
    tally.known += known
    tally.skipped += candidate.source.message_ids
    tally.count += 1


def _count(
    tally: _Tally, memory_id: str, verdicts: Sequence[Verdict], changes: Sequence[MemoryChange]
) -> None:
    last = next(one.memory for one in reversed(changes) if one.memory.id == memory_id)
    if last.status == "disputed":
        tally.disputed.append(memory_id)
    elif len(changes) > 1 or any(one.outdated for one in verdicts):
        tally.versioned.append(memory_id)
    else:
        tally.created.append(memory_id)


def merged(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Each fact once, though patterns and a model may have found it; the surest wording stays."""
    kept: list[Candidate] = []
    ranked = sorted(candidates, key=lambda one: (-one.confidence, one.model is not None))
    for candidate in ranked:
        for at, other in enumerate(kept):
            if _one_fact(candidate, other):
                kept[at] = _joined(other, candidate)
                break
        else:
            kept.append(candidate)
    return kept


def _one_fact(one: Candidate, other: Candidate) -> bool:
    """Whether two candidates are the same statement twice, or readings of the same words, unless
    one has a sign of the quote that only it tells."""
    if same(one.content, other.content):
        return True
    more = marks(one.content) - marks(other.content)
    alike = likeness(one.content, other.content) >= _SAME_WORDS
    return _overlap(one, other) and alike and not (more and more <= marks(one.quote))


def _overlap(one: Candidate, other: Candidate) -> bool:
    a, b = one.quote.casefold().strip(), other.quote.casefold().strip()
    here = set(one.source.message_ids) & set(other.source.message_ids)
    return bool(here and a and b) and (a in b or b in a)


def _joined(kept: Candidate, other: Candidate) -> Candidate:
    ids = dict.fromkeys((*kept.source.message_ids, *other.source.message_ids))
    return replace(
        kept,
        importance=max(kept.importance, other.importance),
        subject=kept.subject or other.subject,
        source=Source(session=kept.source.session, message_ids=tuple(ids)),
        said_at=max(kept.said_at, other.said_at),
        origins=all_origins(kept.origins, other.origins),
        private=kept.private or other.private,
    )
