"""Consolidation and expiry as a person or a scheduler calls them, with what they did so far."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import MappingProxyType

from skill_agent.memory.operations import UpkeepOperations
from skill_agent.memory.summaries.keeping import SummaryKeeper
from skill_agent.ports import Clock, Ledger, Model, Progress
from skill_agent.values import Chore, ChoreStatus, ConsolidationReport, ExpiryReport, LogEntry

from .consolidate import Consolidator
from .expiry import Expiry

EVERY: Mapping[Chore, timedelta] = MappingProxyType(
    {"consolidate": timedelta(hours=6), "expire": timedelta(hours=24)}
)
"""How often each is done where the settings say nothing."""
_DELETED = ("merged", "summarised", "expired")
"""What takes a memory off those that are active, in the totals."""
_NOTES: Mapping[Chore, str] = MappingProxyType({"consolidate": "consolidated", "expire": "expired"})


class Upkeep(UpkeepOperations):
    """The home's housekeeping; one chore at a time is the caller's care."""

    def __init__(
        self,
        ledger: Ledger,
        consolidator: Consolidator,
        summaries: SummaryKeeper,
        expiry: Expiry,
        clock: Clock,
        model: Callable[[], Awaitable[Model | None]],
        every: Mapping[Chore, timedelta] = EVERY,
    ) -> None:
        """`model` gives the one that sums up; None where there is none able to."""
        self._every, self._running = every, Counter[Chore]()
        self._ledger, self._clock, self._model = ledger, clock, model
        self._consolidator, self._expiry = consolidator, expiry
        self._summaries = summaries

    async def consolidate(
        self,
        *,
        dry_run: bool = False,
        summarise: bool = True,
        progress: Progress | None = None,
    ) -> ConsolidationReport:
        """Sums up the conversations that have ended, merges, summarises old events (with a model
        able to), moves between tiers; see `consolidate`."""
        model = await self._model() if summarise and not dry_run else None
        with self._at_work("consolidate"):
            if not dry_run:
                await self._summaries.catch_up(model)
            return await self._consolidator.run(dry_run=dry_run, model=model, progress=progress)

    async def expire(self, *, dry_run: bool = False) -> ExpiryReport:
        """Archives what has run out; see `expiry`."""
        with self._at_work("expire"):
            return await self._expiry.run(dry_run=dry_run)

    @contextmanager
    def _at_work(self, chore: Chore) -> Iterator[None]:
        self._running[chore] += 1
        try:
            yield
        finally:
            self._running[chore] -= 1

    async def status(self, chore: Chore) -> ChoreStatus:
        """Counted from the log."""
        rows = await self._ledger.log(kinds=(_NOTES[chore],), limit=100_000)
        last = min(rows[-1].at, self._clock()) if rows else None
        every, totals = self._every[chore], _totals(rows)
        due = (last or await self._made()) + every
        return ChoreStatus(
            id=chore,
            runs=len(rows),
            last_run=last,
            next_run=due,
            totals=totals,
            is_running=self._running[chore] > 0,
            interval_hours=int(every.total_seconds()) // 3600,
            last_run_time=last,
            next_run_time=due,
            total_cleanups=len(rows),
            total_deleted=sum(totals.get(name, 0) for name in _DELETED),
        )

    async def _made(self) -> datetime:
        """When the home's log begins."""
        rows = await self._ledger.log(limit=1)
        return min(rows[0].at, self._clock()) if rows else self._clock()

    async def last_consolidated(self) -> datetime | None:
        return (await self.status("consolidate")).last_run

    async def last_expired(self) -> datetime | None:
        return (await self.status("expire")).last_run

    async def consolidate_unasked(self) -> None:
        """As `consolidate`, but a local model has its replies to give, and the rules sum up as
        well."""
        model = await self._model()
        alone = model is None or model.info.local
        await self.consolidate(summarise=not alone)


_MOST = 10**9
"""Memories no single run can have changed."""


def _totals(rows: list[LogEntry]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for row in rows:
        for name, value in (row.new or {}).items():
            if type(value) is int and 0 <= value <= _MOST:
                totals[name] = totals.get(name, 0) + value
    return totals
