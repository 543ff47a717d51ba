"""Memories as rows of the interchange form, in and out; the same wherever the home is open.

Built on `keep` and `list`, so that a process that is only attached reads and writes files itself.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from typing import Any

from skill_agent.errors import UsageError
from skill_agent.ports import Clock, Progress
from skill_agent.values import ImportPlan, ImportResult, Memory, MemoryFilter

from .rows import memory_row, read_rows

CHUNK = 2_000


Memories = list[Memory]  # `list` is a method


class Exchange:
    """Import and export for whoever can keep and list memories."""

    _clock: Clock
    _user: str

    async def keep(self, memories: Memories, *, actor: str = "import") -> ImportResult:
        raise NotImplementedError

    async def plan_import(self, memories: Memories) -> ImportPlan:
        raise NotImplementedError

    async def list(self, wanted: MemoryFilter | None = None) -> Memories:
        raise NotImplementedError

    async def import_rows(
        self,
        rows: Iterable[dict[str, Any]],
        *,
        actor: str = "import",
        progress: Progress | None = None,
        total: int = 0,
        refused: Callable[[UsageError], None] | None = None,
    ) -> ImportResult:
        """Keeps rows of the interchange form in chunks; each chunk is on disk once counted.

        Idempotent: rows without an id get one from their content, so an interrupted import may
        simply be run again. Raises UsageError for the first bad row; chunks before it stay. With
        `refused`, that is called for each bad row instead, before the next one is taken.
        """
        added, skipped, conflicts, done, demoted = 0, 0, [], 0, 0
        for chunk in read_rows(
            rows, now=self._clock(), user=self._user, size=CHUNK, refused=refused
        ):
            result = await self.keep(chunk, actor=actor)
            added, skipped = added + result.added, skipped + result.skipped
            demoted += result.demoted
            conflicts.extend(result.conflicts)
            done += len(chunk)
            if progress:
                progress(done, max(total, done), "saved")
        return ImportResult(
            added=added, skipped=skipped, conflicts=tuple(conflicts), demoted=demoted
        )

    async def plan_rows(
        self,
        rows: Iterable[dict[str, Any]],
        *,
        refused: Callable[[UsageError], None] | None = None,
    ) -> ImportPlan:
        """What `import_rows` would make of these; keeps nothing."""
        plan = ImportPlan()
        for chunk in read_rows(
            rows, now=self._clock(), user=self._user, size=CHUNK, refused=refused
        ):
            plan = (await self.plan_import(chunk)).plus(plan)
        return plan

    async def export(self, wanted: MemoryFilter | None = None) -> AsyncIterator[dict[str, Any]]:
        """Rows of the interchange form, newest first."""
        wanted = replace(wanted or MemoryFilter(), limit=CHUNK, offset=0)
        while memories := await self.list(wanted):
            for memory in memories:
                yield memory_row(memory)
            last = memories[-1]
            wanted = replace(wanted, before=(last.created_at, last.id))
