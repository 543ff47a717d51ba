"""Erasing memories for good: first told, then done, through every place that repeats them.

What belongs to a memory is `erasure_plan`'s work. Files go first and the ledger last: a purge cut
short in between can be planned and run again; one cut short after the ledger is finished by
`finish`.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from skill_agent.errors import Conflict, MemoryChanged, NotFound, SkillAgentError, UsageError
from skill_agent.files.home import Home
from skill_agent.files.traces import HomeTraces
from skill_agent.files.written import WrittenFiles
from skill_agent.memory.recall.links import LINKS, links_of
from skill_agent.memory.recall.projector import Projector
from skill_agent.ports import Clock, Ledger
from skill_agent.values import (
    Backup,
    Erasure,
    ErasureReport,
    FileFate,
    Memory,
    MemoryChange,
    Purge,
    Scope,
)

from .erasure_plan import Planner, every_memory, holds, mentions
from .operations import ErasureOperations

LOOK_ALIKE = 0.8
"""Cosine from which on another memory is named as saying nearly the same."""


class Eraser(ErasureOperations):
    """Plans and carries out purges of one home."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        projector: Projector,
        home: Home,
        clock: Clock,
        user: str,
        purged: Callable[[], None] = lambda: None,
        backups: Callable[[datetime], Sequence[Backup]] = lambda _: (),
    ) -> None:
        """`purged` is called after each purge: whoever keeps memories in his head (system
        messages of running sessions, hot caches) must let go of them. `backups` gives those made
        since a moment: no purge reaches into them."""
        self._backups = backups
        self._ledger, self._projector, self._clock = ledger, projector, clock
        self._user, self._purged = user, purged
        self._written = WrittenFiles(home, clock)
        self._traces = HomeTraces(home)
        self._owed = home.root / "erasing"

    # -- planning ----------------------------------------------------------------------------

    async def plan(self, memory_ids: Sequence[str]) -> Erasure:
        """Tells exactly what a purge of these would erase; raises NotFound for an unknown id."""
        wanted: list[Memory] = []
        for memory_id in memory_ids:
            memory = await self._ledger.memory(memory_id)
            if memory is None:
                raise NotFound(f"no memory {memory_id!r}", hint="ska memory list")
            wanted.append(memory)
        if not wanted:
            raise UsageError("which memory?", hint="ska memory list")
        erasure = await Planner(self._ledger).plan(wanted)
        alike = await self._alike(erasure)
        files = await asyncio.to_thread(self._files, erasure)
        return replace(erasure, alike=alike, files=files)

    async def _alike(self, erasure: Erasure) -> tuple[Memory, ...]:
        """What says nearly the same in other words; empty where the index cannot tell."""
        scope = Scope(user=self._user, kinds=("memory",), include_cold=True)
        texts = [memory.content for memory in erasure.memories]
        try:
            await self._projector.settle()
            index = await self._projector.index()
            found = await index.similar(texts, scope=scope, limit=8 + len(texts))
        except SkillAgentError:
            return ()
        gone = {memory.id for memory in erasure.memories}
        near = [one for many in found for one in many if one.cosine >= LOOK_ALIKE]
        ids = [one.item.id for one in sorted(near, key=lambda one: -one.cosine)]
        kept = list(dict.fromkeys(name for name in ids if name not in gone))
        memories = await self._ledger.memories_by_id(kept)
        return tuple(memories[name] for name in kept if name in memories)

    def _files(self, erasure: Erasure) -> tuple[FileFate, ...]:
        return tuple(self._written.erase(holds(erasure), since=erasure.since, dry=True))

    # -- doing -------------------------------------------------------------------------------

    async def purge(
        self, erasure: Erasure, *, reason: str = "", actor: str = "person"
    ) -> ErasureReport:
        """Erases what was planned; what cannot be erased is told, never raised."""
        files = await asyncio.to_thread(self._purge_files, erasure)
        request = Purge(
            memories=tuple(memory.id for memory in erasure.memories),
            messages=tuple(message.id for message in erasure.messages),
            notes=erasure.notes,
            titles=erasure.titles,
            actor=actor,
            reason=reason,
        )
        report = await self.erase_from_stores(request, rebuild=bool(erasure.restated))
        own = await asyncio.to_thread(self._traces.told_elsewhere, holds(erasure))
        problems = [*report.problems, *_sentences(files, own, erasure.fixed)]
        held = await self.still_held(erasure.since)
        return replace(report, files=files, problems=tuple(problems), backups=held)

    async def still_held(self, since: datetime) -> tuple[Path, ...]:
        """The backups that may hold what was there from a moment on; empty where their folder
        cannot be read."""
        try:
            return tuple(one.path for one in await asyncio.to_thread(self._backups, since))
        except SkillAgentError:
            return ()

    async def erase(
        self, memory_ids: Sequence[str], *, expected: str, reason: str = "", actor: str = "person"
    ) -> ErasureReport:
        """Erases what a plan of these memories named; raises Conflict where something else would
        go by now. `expected` is that plan's digest."""
        plan = await self.plan(memory_ids)
        if plan.digest != expected:
            raise Conflict("what would be erased has changed", hint="look at the plan again")
        return await self.purge(plan, reason=reason, actor=actor)

    def _purge_files(self, erasure: Erasure) -> tuple[FileFate, ...]:
        self._traces.drop_caches()
        repeats = holds(erasure)
        self._traces.erase(repeats, lines=mentions(erasure))
        return tuple(self._written.erase(repeats, since=erasure.since))

    async def erase_from_stores(self, request: Purge, *, rebuild: bool = False) -> ErasureReport:
        """Ledger, index and what is in the heads of others; `rebuild` makes the index anew."""
        await asyncio.to_thread(self._owed.touch, 0o600)
        done = await self._ledger.purge(request)
        self._purged()
        await self._release({*request.memories}, request.actor)
        problems = [done.problem] if done.problem else []
        if problem := await self._finish_index(rebuild=rebuild):
            problems.append(problem)
        return ErasureReport(
            memories=done.memories,
            messages=done.messages,
            sessions=done.sessions,
            rows=done.rows,
            files=(),
            problems=tuple(problems),
        )

    async def finish(self) -> str:
        """Finishes what a crash cut short; call it after each opening. Gives a problem, if any."""
        if not self._owed.exists():
            return ""
        rows = await self._ledger.log(kinds=("memory.purged",), limit=1_000_000)
        there = await self._ledger.memories_by_id([row.entity for row in rows])
        await self._release({row.entity for row in rows} - there.keys(), "recovery")
        return await self._finish_index(rebuild=True)

    async def _finish_index(self, *, rebuild: bool) -> str:
        self._projector.touch()
        try:
            await (self._projector.rebuild() if rebuild else self._projector.settle())
        except SkillAgentError as problem:
            return f"The index still holds it: {problem.message} The next opening tries again."
        await asyncio.to_thread(self._traces.drop_caches)
        self._owed.unlink(missing_ok=True)
        return ""

    async def _release(self, gone: set[str], actor: str) -> None:
        """Memories that stay stop pointing to what is gone; a dispute with nobody left ends."""
        released = False
        async for memory in every_memory(self._ledger):
            released |= await self._release_one(memory, gone, actor)
        if released:
            self._purged()

    async def _release_one(self, memory: Memory | None, gone: set[str], actor: str) -> bool:
        """Whether it had to let go of something; again if somebody else changed it meanwhile."""
        while memory is not None:
            after = _released(memory, gone, self._clock())
            if after is None:
                return False
            change = MemoryChange(
                kind="memory.released", memory=after, actor=actor, expected=memory
            )  # fmt: skip
            try:
                await self._ledger.write_memories([change])
            except MemoryChanged:
                memory = await self._ledger.memory(memory.id)
            else:
                return True
        return False


def _released(memory: Memory, gone: set[str], now: datetime) -> Memory | None:
    """None where nothing of it pointed there."""
    against = tuple(name for name in memory.contradicts if name not in gone)
    related = tuple(name for name in memory.related_to if name not in gone)
    if (against, related) == (memory.contradicts, memory.related_to):
        return None
    alone = memory.status == "disputed" and not against
    left = {one: why for one, why in links_of(memory).items() if one not in gone}
    metadata = {**memory.metadata, LINKS: left} if LINKS in memory.metadata else memory.metadata
    return replace(
        memory,
        metadata=metadata,
        contradicts=against,
        related_to=related,
        status="active" if alone else memory.status,
        updated_at=now,
    )


def _sentences(files: Sequence[FileFate], own: Sequence[Path], fixed: Sequence[int]) -> list[str]:
    told = [f"not erased: {one.path} ({one.why})" for one in files if one.fate == "not erased"]
    named = {one.path for one in files}
    told += [
        f"not erased: {path} (that file is yours; edit or delete it yourself)"
        for path in own
        if path not in named
    ]
    if fixed:
        rows = ", ".join(map(str, fixed))
        told.append(
            f"not erased: the reason of log row {rows}, written by an older version "
            "that made it part of the chain"
        )
    return told
