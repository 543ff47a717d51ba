"""What a home is, holds and has used, as front ends ask for it; no counting of its own."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from skill_agent.errors import UsageError
from skill_agent.ports import Clock, Ledger
from skill_agent.text.checks import sound_moment
from skill_agent.values import Budget, HomeInfo, Usage, UsageBy, UsageRow, UsageTotals

from .accounts import ALL, LAST, Cell, cells, day_of, quarters_of, states, summed
from .operations import FigureOperations
from .usage import add

_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing is older."""


async def _none() -> Sequence[Budget]:
    return ()


async def _at_once() -> None:
    return None


class Figures(FigureOperations):
    """What one home has used, and how much it holds."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        info: Callable[[], HomeInfo],
        *,
        budgets: Callable[[], Awaitable[Sequence[Budget]]] = _none,
        settled: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        """`info` tells of the home as it is now, `budgets` of each agent's money; `settled`
        returns once every call that ended stands in the ledger."""
        self._ledger, self._clock, self._info = ledger, clock, info
        self._budgets, self._settled = budgets, settled

    async def info(self) -> HomeInfo:
        return self._info()

    async def usage(
        self,
        *,
        by: UsageBy | None = None,
        since: datetime | None = None,
        agent: str | None = None,
        zone: str = "",
    ) -> UsageTotals:
        """Raises UsageError for a moment or a zone there is none of."""
        since = sound_moment(since, "since") if since else _FIRST
        days_in = zone_named(zone)
        await self._settled()
        now = self._clock()
        found = await totals(self._ledger, now, days_in)
        if by is None:
            return found
        used = await cells(self._ledger, max(since, _FIRST), now + timedelta(days=1))
        mine = [one for one in used if agent in (None, one.agent)]
        budgets = [one for one in await self._budgets() if agent in (None, one.id)]
        return UsageTotals(
            last=found.last,
            today=found.today,
            total=found.total,
            turns=found.turns,
            rows=tuple(_rows(mine, by, days_in)),
            budgets=tuple(budgets),
        )

    async def counts(self) -> dict[str, int]:
        return await self._ledger.counts()

    async def warnings(self) -> list[str]:
        return list(self._ledger.warnings)


async def totals(ledger: Ledger, now: datetime, zone: tzinfo | None = None) -> UsageTotals:
    """The last turn, today (by a zone's clock, this machine's by default) and all turns."""
    day = quarters_of(*day_of(now, zone))
    found = await states(ledger, [LAST, ALL, *day])
    today = Usage()
    for quarter in day:
        today = add(today, summed(found.get(quarter)))
    return UsageTotals(
        last=summed(found.get(LAST)),
        today=today,
        total=summed(found.get(ALL)),
        turns=found[ALL]["turns"] if ALL in found else 0,
    )


def zone_named(name: str) -> tzinfo | None:
    """The zone of an IANA name or an offset such as `+02:00`; None, this machine's, for none."""
    if not name:
        return None
    try:
        if name[0] in "+-":
            return datetime.strptime(name, "%z").tzinfo
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # what names no zone may name a folder of its data
        raise UsageError(
            f"no time zone is called {name[:60]!r}", hint="Europe/Lisbon, UTC or +02:00"
        ) from None


def _rows(used: Sequence[Cell], by: UsageBy, zone: tzinfo | None) -> list[UsageRow]:
    """Days in their order, everything else the dearest first."""
    rows: dict[str, UsageRow] = {}
    for one in used:
        key = f"{one.at.astimezone(zone):%Y-%m-%d}" if by == "day" else getattr(one, by)
        rows[key] = _plus(rows.get(key, UsageRow(id=key)), one)
    if by == "day":
        return [rows[key] for key in sorted(rows)]
    return sorted(rows.values(), key=lambda row: (-row.cost_usd, -row.calls, -row.turns, row.id))


def _plus(row: UsageRow, cell: Cell) -> UsageRow:
    told = asdict(row)
    more = {name: told[name] + getattr(cell, name) for name in told if name != "id"}
    return UsageRow(id=row.id, **more)
