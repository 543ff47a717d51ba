"""Fits a memory among those there are: whom it is compared with, and what is to be written.

What two of them are to each other is `judge`'s to say; nothing is written here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from skill_agent.memory import life
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.recall.summed import is_summary
from skill_agent.memory.words.subjects import is_single_valued
from skill_agent.ports import Ledger
from skill_agent.values import Memory, MemoryChange, MemoryFilter, Scope

from .difference import likeness
from .judge import SAYS, Judgement, comparable, judge_by_rules, protected, seen_together

NEIGHBOURS = 16
_LIVE = ("active", "disputed")
_OF_ONE_SUBJECT = 50
_ALIKE = 0.3
"""Share of common words below which a memory the index does not know yet is not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A memory that may say the same or the opposite."""

    id: str
    cosine: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an earlier memory is to a new one."""

    old: Memory
    judgement: Judgement
    outdated: bool = False
    """The new one was said before and has been replaced by this already."""
    nearness: float = 0.0
    """How much of one thing the two speak: their cosine and their common words."""


class Comparer:
    """Compares memories with what a home holds."""

    def __init__(self, ledger: Ledger, projector: Projector, user: str) -> None:
        self._ledger, self._projector, self._user = ledger, projector, user

    async def near(self, memories: Sequence[Memory]) -> list[list[Near]]:
        """For each memory those the index finds alike and those of its single-valued subject."""
        found: list[dict[str, float]] = [{} for _ in memories]
        index = await self._projector.index()
        for agent in dict.fromkeys(memory.agent for memory in memories):
            places = [at for at, memory in enumerate(memories) if memory.agent == agent]
            scope = Scope(agent=agent, user=self._user, kinds=("memory",), include_cold=True)
            texts = [memories[at].content for at in places]
            alike = await index.similar(texts, scope=scope, limit=NEIGHBOURS)
            for at, similars in zip(places, alike, strict=True):
                found[at] |= {
                    one.item.id: one.cosine for one in similars if not is_summary(one.item.subject)
                }
        for at, memory in enumerate(memories):
            for other in await self._of_subject(memory):
                found[at].setdefault(other.id, likeness(memory.content, other.content))
        return [
            [Near(id=one, cosine=cosine) for one, cosine in row.items() if one != memory.id]
            for memory, row in zip(memories, found, strict=True)
        ]

    async def _of_subject(self, memory: Memory) -> list[Memory]:
        if not is_single_valued(memory.subject):
            return []
        wanted = MemoryFilter(subject=memory.subject, statuses=_LIVE, limit=_OF_ONE_SUBJECT)
        return await self._ledger.memories(wanted)

    async def verdicts(self, new: Memory, near: Iterable[Near], *, changes: bool) -> list[Verdict]:
        """Compares with the neighbours as they are now, nearest first; `changes` says that the new
        one is known to replace something."""
        ranked = sorted(near, key=lambda one: -one.cosine)
        olds = await self._ledger.memories_by_id([one.id for one in ranked])
        found: list[Verdict] = []
        for one in ranked:
            old = olds.get(one.id)
            verdict = self._verdict(new, old, one.cosine, changes) if old else None
            if verdict is None:
                continue
            if verdict.outdated or verdict.judgement.action == "same":
                return [verdict]
            found.append(verdict)
        return _one_at_most(found)

    def _verdict(self, new: Memory, old: Memory, cosine: float, changes: bool) -> Verdict | None:
        """None where the two have nothing to do with each other."""
        ruled = judge_by_rules(new, old, cosine=cosine, changes=changes)
        nearness = cosine + likeness(new.content, old.content)
        if not comparable(new, old, self._user):
            if ruled.action == "same" and covered(new, old, self._user):
                return Verdict(old=old, judgement=replace(ruled, reason="known to more already"))
            if not seen_together(new, old, self._user) or ruled.action == "same":
                return None
            action = ruled.action if ruled.action in ("coexist", "wait") else "update"
            return Verdict(old=old, judgement=replace(ruled, action=action), nearness=nearness)
        if _outdated(new, old, cosine):
            ruled = Judgement(action="coexist", reason="said earlier; replaced since")
            return Verdict(old=old, judgement=ruled, outdated=True)
        return Verdict(old=old, judgement=ruled, nearness=nearness)

    async def changes(
        self, new: Memory, verdicts: Sequence[Verdict], *, now: datetime, actor: str, stored: bool
    ) -> list[MemoryChange]:
        """What to write, as one batch; empty where the new one is stored and stands by itself."""
        outdated = [one for one in verdicts if one.outdated]
        if outdated:
            return _as_history(new, outdated[0], now=now, actor=actor, stored=stored)
        gone = {v.old.id: v for v in verdicts if v.judgement.action == "supersede"}
        against = {v.old.id: v for v in verdicts if v.judgement.action == "dispute"}
        for other in await self._opponents(gone.values()):
            if other.id not in gone and other.id not in against:
                # What was in dispute with something replaced is settled with it.
                reason = "the dispute it was in is over"
                side, action = (
                    (against, "dispute") if protected(other, new) else (gone, "supersede")
                )
                side[other.id] = Verdict(
                    old=other, judgement=Judgement(action=action, reason=reason)
                )
        changes: list[MemoryChange] = []
        if gone:
            olds, reason = [v.old for v in gone.values()], _reason(gone.values())
            changes += life.superseding(
                new, olds, now=now, actor=actor, reason=reason, stored=stored
            )
            new, stored = changes[0].memory, True
        if against:
            olds, reason = [v.old for v in against.values()], _reason(against.values())
            changes += life.disputing(new, olds, now=now, actor=actor, reason=reason, stored=stored)
        if not changes and not stored:
            changes.append(MemoryChange(kind="memory.created", memory=new, actor=actor))
        return changes

    async def _opponents(self, verdicts: Iterable[Verdict]) -> list[Memory]:
        """The other sides of disputes that the memories about to give way were in."""
        ids = {one for v in verdicts if v.old.status == "disputed" for one in v.old.contradicts}
        if not ids:
            return []
        found = await self._ledger.memories_by_id(sorted(ids))
        return [one for one in found.values() if one.status == "disputed"]


def covered(new: Memory, old: Memory, user: str) -> bool:
    """Whether everybody who would see what was read sees the old one as it is."""
    mere = new.source_type == "extraction" and old.status in _LIVE
    return mere and old.agent is None and (old.user or user) == (new.user or user)


def unseen(new: Memory, others: Iterable[Memory]) -> list[Near]:
    """Those of other memories, which the index may not hold yet, that have words in common."""
    alike = ((one, likeness(new.content, one.content)) for one in others if one.id != new.id)
    return [
        Near(id=one.id, cosine=share)
        for one, share in alike
        if share >= _ALIKE or (one.subject == new.subject and is_single_valued(one.subject))
    ]


def _one_at_most(verdicts: list[Verdict]) -> list[Verdict]:
    """A sentence that says that something changed speaks of one thing: of what it may mean, the
    nearest; the others are left open."""
    may = [one for one in verdicts if one.judgement.reason == SAYS]
    meant = max(may, key=lambda one: one.nearness, default=None)
    left = Judgement(action="coexist", reason="something nearer changed", open=True)
    return [
        replace(one, judgement=left) if one in may and one is not meant else one for one in verdicts
    ]


def _outdated(new: Memory, old: Memory, cosine: float) -> bool:
    """Whether what was said later already replaces this."""
    if new.created_at >= old.created_at or protected(new, old):
        return False
    return judge_by_rules(old, new, cosine=cosine, changes=False).action == "supersede"


def _as_history(
    new: Memory, verdict: Verdict, *, now: datetime, actor: str, stored: bool
) -> list[MemoryChange]:
    """The new one as an earlier version of what stands."""
    changes = life.superseding(
        verdict.old, [new], now=now, actor=actor, reason=verdict.judgement.reason, stored=True
    )
    if not stored:
        changes[1] = replace(changes[1], kind="memory.created", expected=None)
    return changes


def _reason(verdicts: Iterable[Verdict]) -> str:
    return "; ".join(dict.fromkeys(one.judgement.reason for one in verdicts))
