"""Consolidation and expiry as a person or a scheduler calls them, with what they did so far."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
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
    ) -> None:
        """`model` gives the one that sums up; None where there is none able to."""
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
        if not dry_run:
            await self._summaries.catch_up(model)
        return await self._consolidator.run(dry_run=dry_run, model=model, progress=progress)

    async def expire(self, *, dry_run: bool = False) -> ExpiryReport:
        """Archives what has run out; see `expiry`."""
        return await self._expiry.run(dry_run=dry_run)

    async def status(self, chore: Chore) -> ChoreStatus:
        """Counted from the log."""
        rows = await self._ledger.log(kinds=(_NOTES[chore],), limit=100_000)
        last = min(rows[-1].at, self._clock()) if rows else None
        return ChoreStatus(
            id=chore,
            runs=len(rows),
            last_run=last,
            next_run=last + EVERY[chore] if last else self._clock(),
            totals=_totals(rows),
        )

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
