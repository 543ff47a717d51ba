"""Tokens and cost added up from the ledger's `usage` rows; no counting of its own."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import Any

from skill_agent.ports import Clock, Ledger
from skill_agent.ports.projections import Projection, State
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
    """The last turn, today (by this machine's clock) and all turns."""
    day = _quarters_of_day(now)
    found = await ledger.projected(_USAGE, [_LAST, _ALL, *day])
    today = Usage()
    for quarter in day:
        today = add(today, _summed(found.get(quarter)))
    return UsageTotals(
        last=_summed(found.get(_LAST)),
        today=today,
        total=_summed(found.get(_ALL)),
        turns=found[_ALL]["turns"] if _ALL in found else 0,
    )


def add(one: Usage, other: Usage) -> Usage:
    """Both together; the model and first-token time are the later one's."""
    return Usage(
        model=other.model or one.model,
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        cost_usd=one.cost_usd + other.cost_usd,
        priced=one.priced and other.priced,
        first_token_s=other.first_token_s or one.first_token_s,
        total_s=one.total_s + other.total_s,
    )


def usage_of(row: LogEntry) -> Usage:
    """What a `usage` row tells; nothing where that was erased."""
    return usage_in(row.new)


def usage_record(usage: Usage) -> dict[str, Any]:
    """As it is noted; that a price is known goes without saying."""
    told = asdict(usage)
    if usage.priced:
        del told["priced"]
    return told


def usage_in(said: object) -> Usage:
    """What was used, of whatever says so: a figure that cannot be added up counts as nothing."""
    told: dict[str, Any] = said if isinstance(said, dict) else {}
    model = told.get("model")
    return Usage(
        model=model[:_LONGEST_NAME] if isinstance(model, str) else "",
        prompt_tokens=_tokens(told, "prompt_tokens"),
        completion_tokens=_tokens(told, "completion_tokens"),
        cached_tokens=_tokens(told, "cached_tokens"),
        cost_usd=_amount(told, "cost_usd"),
        priced=told.get("priced") is not False,
        first_token_s=_amount(told, "first_token_s"),
        total_s=_amount(told, "total_s"),
    )


def _tokens(told: dict[str, Any], name: str) -> int:
    return int(_figure(told.get(name), _MOST_TOKENS))


def _amount(told: dict[str, Any], name: str) -> float:
    return float(_figure(told.get(name), _MOST_OF_ALL))


def _figure(value: object, most: int) -> float:
    """Neither a text nor less than nothing, no number that is none, nor what no turn exceeds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return value if 0 <= value <= most else 0


_LONGEST_NAME = 300
_MOST_TOKENS = 10**9
_MOST_OF_ALL = 10**6


# -- what the ledger keeps of it -----------------------------------------------------------------

_LAST, _ALL = "last", "all"
_QUARTER = timedelta(minutes=15)
"""Midnight falls on such a border in every time zone, so days can be summed in any."""


def _keys(row: LogEntry) -> tuple[str, ...]:
    return _LAST, _ALL, _quarter(row.at)


def _step(key: str, state: State | None, row: LogEntry) -> State:
    if key == _LAST:
        state = None
    usage = add(_summed(state), usage_of(row))
    return {"turns": (state or {}).get("turns", 0) + 1, "usage": asdict(usage)}


_USAGE = Projection(name="usage", version=3, kinds=("usage",), keys=_keys, step=_step)


def _summed(state: State | None) -> Usage:
    return Usage(**state["usage"]) if state else Usage()


def _quarter(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H}:{moment.minute // 15 * 15:02}"


def _quarters_of_day(now: datetime) -> list[str]:
    """Those of the local day, which clock changes make an hour shorter or longer."""
    day = now.astimezone().date()
    begin, end = (
        datetime.combine(one, time()).astimezone(UTC) for one in (day, day + timedelta(days=1))
    )
    return [_quarter(begin + n * _QUARTER) for n in range((end - begin) // _QUARTER)]
