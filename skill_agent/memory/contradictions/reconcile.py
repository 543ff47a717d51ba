"""Looks again at what was kept at once: does it replace or contradict something older?

A memory a person asks for is written without a look around, for nothing may come before its being
durable. What was read in conversations is compared when it is taken in, by `extraction.intake`.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from skill_agent.errors import MemoryChanged
from skill_agent.memory.english.retold import says_the_same
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.writer import Writer
from skill_agent.ports import Clock, Ledger, Model
from skill_agent.values import LogEntry, Memory

from .comparing import Comparer, Near, Verdict, unseen
from .judge import Judge, Judgement, protected

NOTE = "checked"
_CREATED = "memory.created"
_CHUNK = 200
"""Log rows looked at together."""
_BEHIND_S = 0.25
_WINDOWS = (2_000, 50_000)
"""How many log rows back the last note is looked for before all of them are."""
_TRIES = 3
_UNCHECKED = ("extraction", "consolidation", "import")
"""Sources of memories that were compared already, or never are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What a look at new memories led to."""

    looked_at: int = 0
    superseded: tuple[str, ...] = ()
    """Ids of memories that gave way."""
    disputed: tuple[str, ...] = ()
    """Ids of new memories that are now in dispute."""
    behind: bool = False
    """There is more, or the index has yet to catch up; call again."""


class Reconciler:
    """Remembers up to where the memories of one home were looked at."""

    def __init__(
        self, *, ledger: Ledger, writer: Writer, projector: Projector, clock: Clock, user: str
    ) -> None:
        self._ledger, self._writer, self._projector = ledger, writer, projector
        self._clock = clock
        self._comparer = Comparer(ledger, projector, user)
        self._reached: int | None = None
        self._looking = asyncio.Lock()

    async def catch_up(self, *, limit: int = 20, judge: Model | None = None) -> Reconciled:
        """Looks at memories written since the last time, at most `limit` of them.

        One question to the ledger where there is nothing new. Rules only unless a model is given.
        """
        async with self._looking:
            head = await self._ledger.last_seq()
            if self._reached is None:
                self._reached = await self._last_note(head)
            if head <= self._reached:
                return Reconciled()
            entries = await self._new_entries(limit)
            if not entries:
                self._reached = head
                return Reconciled()
            return await self._look(entries, head, judge, full=len(entries) >= limit)

    async def _last_note(self, head: int) -> int:
        """Up to where an earlier process looked."""
        for window in (*_WINDOWS, head):
            start = max(0, head - window)
            notes = await self._ledger.log(kinds=(NOTE,), after=start, limit=100_000)
            if notes:
                told = (notes[-1].new or {}).get("up_to")
                return told if type(told) is int and 0 <= told <= head else 0
            if start == 0:
                break
        return 0

    async def _new_entries(self, limit: int) -> list[LogEntry]:
        """The next log rows by which something was kept that nobody compared."""
        assert self._reached is not None
        after, found = self._reached, list[LogEntry]()
        while len(found) < limit:
            rows = await self._ledger.log(kinds=(_CREATED,), after=after, limit=_CHUNK)
            wanted = (row for row in rows if _to_be_looked_at(row))
            found += wanted
            if len(rows) < _CHUNK:
                break
            after = rows[-1].seq
        return found[:limit]

    async def _look(
        self, entries: Sequence[LogEntry], head: int, model: Model | None, *, full: bool
    ) -> Reconciled:
        """Compares them in order; without the older ones in the index, nothing is decided yet."""
        await self._projector.settle_briefly(entries[0].seq - 1, _BEHIND_S)
        if head - await self._projector.lag() < entries[0].seq - 1:
            return Reconciled(behind=True)
        ids = [entry.entity for entry in entries]
        found = await self._ledger.memories_by_id(ids)
        memories = [found[one] for one in ids if one in found and found[one].status == "active"]
        superseded: list[str] = []
        disputed: list[str] = []
        near = await self._comparer.near(memories) if memories else []
        judge = Judge(model)
        for memory, alike in zip(memories, near, strict=True):
            seen = {one.id for one in alike}
            more = [one for one in unseen(memory, memories) if one.id not in seen]
            gone, against = await self._settle(memory.id, [*alike, *more], judge)
            superseded += gone
            disputed += against
        up_to = entries[-1].seq if full else head
        data = {"up_to": up_to, "count": len(memories), "memories": [*disputed, *superseded]}
        await self._ledger.note(NOTE, "memory", actor="reconciler", data=data)
        self._reached = up_to
        return Reconciled(
            looked_at=len(memories),
            superseded=tuple(superseded),
            disputed=tuple(disputed),
            behind=full,
        )

    async def _settle(
        self, memory_id: str, near: Sequence[Near], judge: Judge
    ) -> tuple[list[str], list[str]]:
        """Writes what a memory makes of older ones; again if somebody else came between."""
        for _ in range(_TRIES):
            memory = (await self._ledger.memories_by_id([memory_id])).get(memory_id)
            if memory is None or memory.status != "active":
                break
            verdicts = await self._comparer.verdicts(memory, near, judge, changes=False)
            verdicts = [_told_again(one, memory) for one in verdicts if _older(one.old, memory)]
            changes = await self._comparer.changes(
                memory, verdicts, now=self._clock(), actor="reconciler", stored=True
            )
            if not changes:
                break
            with suppress(MemoryChanged):
                written = await self._writer.write(changes)
                gone = [one.id for one in written if one.status == "superseded"]
                last = {one.id: one for one in written}[memory_id]
                return gone, [memory_id] if last.status == "disputed" else []
        return [], []


def _to_be_looked_at(row: LogEntry) -> bool:
    new = row.new or {}
    return bool(new) and new.get("source_type", "explicit") not in _UNCHECKED


def _older(old: Memory, new: Memory) -> bool:
    """Of two new ones the later is compared with the earlier, not the other way round."""
    return (old.created_at, old.id) < (new.created_at, new.id)


def _ends_sooner(one: Memory, other: Memory) -> bool:
    if one.expires_at is None:
        return False
    return other.expires_at is None or one.expires_at < other.expires_at


def _told_again(verdict: Verdict, memory: Memory) -> Verdict:
    """What a person says in so many words takes the place of the same read or told before; what
    was brought from elsewhere does not, nor what is kept for a while only."""
    if verdict.judgement.action != "same":
        return verdict
    if not says_the_same(verdict.old.content, memory.content):
        ruled = Judgement(action="coexist", reason=verdict.judgement.reason)
        return Verdict(old=verdict.old, judgement=ruled)
    if _ends_sooner(memory, verdict.old) or protected(verdict.old, memory):
        known = Judgement(action="supersede", reason="it was known")
        return Verdict(old=verdict.old, judgement=known, outdated=True)
    ruled = Judgement(action="supersede", reason="told again")
    return Verdict(old=verdict.old, judgement=ruled, outdated=verdict.outdated)
