"""Tokens and cost added up from the ledger's `usage` rows; no counting of its own."""

from collections.abc import Callable
from datetime import datetime

from skill_agent.ports import Clock, Ledger
from skill_agent.values import HomeInfo, LogEntry, Usage, UsageTotals

from .operations import FigureOperations


class Figures(FigureOperations):
    """What one home has used, and how much it holds."""

    def __init__(self, ledger: Ledger, clock: Clock, info: Callable[[], HomeInfo]) -> None:
        """`info` tells of the home as it is now."""
        self._ledger, self._clock, self._info = ledger, clock, info

    async def info(self) -> HomeInfo:
        return self._info()

    async def usage(self) -> UsageTotals:
        return await totals(self._ledger, self._clock())

    async def counts(self) -> dict[str, int]:
        return await self._ledger.counts()

    async def warnings(self) -> list[str]:
        return list(self._ledger.warnings)


async def totals(ledger: Ledger, now: datetime) -> UsageTotals:
    """The last turn, today (UTC) and all turns."""
    last, today, total = Usage(), Usage(), Usage()
    turns = after = 0
    while rows := await ledger.log(kinds=("usage",), after=after, limit=5_000):
        for row in rows:
            last = _usage(row)
            total = add(total, last)
            today = add(today, last) if row.at.date() == now.date() else today
        turns, after = turns + len(rows), rows[-1].seq
    return UsageTotals(last=last, today=today, total=total, turns=turns)


def add(one: Usage, other: Usage) -> Usage:
    """Both together; the model and first-token time are the later one's."""
    return Usage(
        model=other.model or one.model,
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        cost_usd=one.cost_usd + other.cost_usd,
        first_token_s=other.first_token_s or one.first_token_s,
        total_s=one.total_s + other.total_s,
    )


def _usage(row: LogEntry) -> Usage:
    fields = {name: value for name, value in (row.new or {}).items() if name != "session"}
    return Usage(**fields)
