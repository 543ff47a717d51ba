"""Letting memories run out: at their own `expires_at`, or at the age their type may reach.

What has run out is archived: out of recall and prompts, still in the log, restored on request.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from skill_agent.errors import MemoryChanged
from skill_agent.memory import life
from skill_agent.memory.writer import Writer
from skill_agent.ports import Clock, Ledger
from skill_agent.text.clock import day_of
from skill_agent.values import ExpiryReport, Memory, MemoryFilter

from .tiers import protected

_PAGE = 2_000


def due(memory: Memory, now: datetime, days: Mapping[str, int]) -> str:
    """Why a memory has run out, in words; empty while it has not.

    `days` is the greatest age by memory type; a type it does not name lives for ever.
    """
    if memory.memory_type == "identity" or memory.status not in ("active", "disputed"):
        return ""
    if memory.expires_at is not None:
        return f"it was to be kept until {day_of(memory.expires_at)}" * (memory.expires_at <= now)
    limit = days.get(memory.memory_type, 0)
    if limit and not protected(memory) and memory.created_at + timedelta(days=limit) <= now:
        return f"{memory.memory_type} memories are kept for {limit} days"
    return ""


class Expiry:
    """Archives what has run out."""

    def __init__(
        self, ledger: Ledger, writer: Writer, clock: Clock, days: Mapping[str, int]
    ) -> None:
        self._ledger, self._writer, self._clock, self._days = ledger, writer, clock, days

    async def run(self, *, dry_run: bool = False, actor: str = "expiry") -> ExpiryReport:
        """Each memory by itself: one that changed since it was looked at is left alone."""
        now = self._clock()
        found = [(one, why) for one in await self._all() if (why := due(one, now, self._days))]
        gone: list[Memory] = []
        for memory, why in found:
            others = await self._ledger.memories_by_id(memory.contradicts)
            changes = life.archiving(
                memory, others.values(), kind="memory.expired", now=now, actor=actor, reason=why
            )
            try:
                written = [] if dry_run else await self._writer.write(changes)
            except MemoryChanged:
                continue
            gone.append(written[0] if written else changes[0].memory)
        report = ExpiryReport(
            dry_run=dry_run,
            expired=tuple(gone),
            left_alone=len(found) - len(gone),
            deleted_count=0 if dry_run else len(gone),
            message=f"{len(gone)} memories {'would be ' if dry_run else ''}archived",
        )
        if not dry_run:
            data = {"expired": len(gone), "memories": [one.id for one in gone]}
            await self._ledger.note("expired", "memory", actor=actor, data=data)
        return report

    async def _all(self) -> list[Memory]:
        """Everything that could run out, read in pages."""
        wanted = MemoryFilter(statuses=("active", "disputed"), limit=_PAGE)
        found: list[Memory] = []
        while page := await self._ledger.memories(replace(wanted, offset=len(found))):
            found += page
        return found
