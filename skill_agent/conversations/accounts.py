"""The accounts of a home: what its models consumed, folded from the log quarter hour by quarter
hour.

Each call of a model is one note, `call_usage`, and each finished turn another, `usage`. A turn's
note of before calls were noted stands for its calls too; later ones say `by_call` and only count
the turn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, get_args

from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import (
    LogEntry,
    ModelChoice,
    RouteStrategy,
    Routing,
    TierName,
    Usage,
)

from .usage import add, usage_of, usage_record

TURN, CALL = "usage", "call_usage"
LAST, ALL = "last", "all"
QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
"""Midnight falls on a border of quarter hours in every time zone, so days can be summed in any."""
_MOST_CELLS = 500
"""Lines of one quarter hour; what is more goes without agent, model and conversation."""
_COUNTS = ("prompt_tokens", "cached_tokens", "completion_tokens", "cost_usd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one agent consumed by one model in one conversation, chosen in one way, in a quarter
    hour."""

    at: datetime
    agent: str
    model: str
    session: str
    tier: str
    strategy: str
    turns: int
    calls: int
    unpriced: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_usd: float


def call_note(
    usage: Usage, *, session: str, purpose: str, tier: str = "", strategy: str = ""
) -> dict[str, Any]:
    """The data of a call's note. It does not name the conversation as other notes do: when that is
    erased, the money stays spent."""
    chosen = {"tier": tier, "strategy": strategy}
    marks = {name: one for name, one in chosen.items() if one}
    return {"conversation": session, "purpose": purpose, **marks, **usage_record(usage)}


def turn_note(
    usage: Usage, *, session: str, routing: Routing | None, choice: ModelChoice | None
) -> dict[str, Any]:
    """The data of a turn's note: what its calls used is noted with these (`by_call`)."""
    data = {"session": session, **usage_record(usage), "by_call": True}
    data |= marks_of(routing, choice)
    if choice is not None and choice.overall is not None:
        data["complexity"] = choice.overall
    if choice is not None and choice.tier and choice.override:
        data["tier_override"] = choice.override
    if routing is not None and routing.scores:
        data["agents_considered"] = len(routing.scores)
    return data


def marks_of(routing: Routing | None, choice: ModelChoice | None) -> dict[str, str]:
    """How agent and model were chosen, as far as anything was: without another agent to compare
    there was no strategy."""
    tier = choice.tier if choice is not None else None
    strategy = routing.strategy if routing is not None and routing.scores else ""
    return {name: one for name, one in (("tier", tier), ("strategy", strategy)) if one}


async def states(ledger: Ledger, keys: Sequence[str]) -> dict[str, State]:
    return await ledger.projected(_ACCOUNTS, keys)


def summed(state: State | None) -> Usage:
    """What a state of `LAST`, `ALL` or a quarter hour adds up to."""
    return Usage(**state["usage"]) if state else Usage()


async def cells(ledger: Ledger, begin: datetime, end: datetime) -> list[Cell]:
    """Everything that was consumed between two moments, the oldest first."""
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    years = await states(ledger, [_year(one) for one in range(begin.year, end.year + 1)])
    keys = [
        quarter(moment)
        for state in years.values()
        for day in state["days"]
        for moment in _quarters(date.fromisoformat(day))
        if begin <= moment < end
    ]
    found = await states(ledger, keys)
    return [
        Cell(at=datetime.fromisoformat(f"{key}Z"), **cell)
        for key in sorted(found)
        for cell in found[key]["cells"]
    ]


async def spent(
    ledger: Ledger, agent: str, spans: Sequence[tuple[datetime, datetime]]
) -> list[float]:
    """US dollars an agent's calls cost in each span, as far as prices are known."""
    wanted = [[f"{agent}|{key}" for key in _cover(*span)] for span in spans]
    found = await states(ledger, sorted({key for keys in wanted for key in keys}))
    return [sum((found[key]["cost"] for key in keys if key in found), 0.0) for keys in wanted]


def day_of(moment: datetime, zone: tzinfo | None = None) -> tuple[datetime, datetime]:
    """Begin and end of a moment's day in a zone, this machine's by default."""
    day = moment.astimezone(zone).date()
    return _midnight(day, zone), _midnight(day + DAY, zone)


def month_of(moment: datetime, zone: tzinfo | None = None) -> tuple[datetime, datetime]:
    """Begin and end of a moment's month."""
    first = moment.astimezone(zone).date().replace(day=1)
    return _midnight(first, zone), _midnight((first + 31 * DAY).replace(day=1), zone)


def quarter(moment: datetime) -> str:
    """The key of a moment's quarter hour."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H}:{moment.minute // 15 * 15:02}"


def quarters_of(begin: datetime, end: datetime) -> list[str]:
    return [quarter(begin + n * QUARTER) for n in range((end - begin) // QUARTER)]


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    """Clock changes make a day an hour shorter or longer."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _quarters(day: date) -> Iterator[datetime]:
    begin = datetime.combine(day, time(), UTC)
    return (begin + n * QUARTER for n in range(DAY // QUARTER))


def _cover(begin: datetime, end: datetime) -> Iterator[str]:
    """The fewest days of UTC and quarter hours that make up a span."""
    while begin < end:
        if begin.time() == time() and begin + DAY <= end:
            yield _day(begin)
            begin += DAY
        else:
            yield quarter(begin)
            begin += QUARTER


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def _year(year: int) -> str:
    return f"year {year:04}"


# -- the fold ------------------------------------------------------------------------------------


def _counts(row: LogEntry) -> bool:
    """Whether a row tells what was consumed, not only that a turn ended."""
    return row.kind == CALL or not (row.new or {}).get("by_call")


def _keys(row: LogEntry) -> Iterator[str]:
    yield from (ALL, quarter(row.at), _year(row.at.astimezone(UTC).year))
    if row.kind == TURN:
        yield LAST
    if _counts(row):
        yield from (f"{row.actor}|{key}" for key in (quarter(row.at), _day(row.at)))


def _step(key: str, state: State | None, row: LogEntry) -> State:
    usage = usage_of(row)
    if key == LAST:
        return {"turns": 1, "usage": asdict(usage)}
    if key.startswith("year "):
        return {"days": sorted({*(state or {}).get("days", ()), _day(row.at)})}
    if "|" in key:
        return {"cost": (state or {}).get("cost", 0.0) + usage.cost_usd}
    if not _counts(row):
        usage = Usage()
    known = state or {}
    made = {
        "turns": known.get("turns", 0) + (row.kind == TURN),
        "usage": asdict(add(summed(state), usage)),
    }
    return made if key == ALL else {**made, "cells": _with(known.get("cells", []), row, usage)}


def _with(known: list[State], row: LogEntry, usage: Usage) -> list[State]:
    """The lines of a quarter hour with what a row adds to its own."""
    told = row.new or {}
    session = told.get("conversation" if row.kind == CALL else "session")
    name = {
        "agent": row.actor,
        "model": usage_of(row).model,
        "session": session if isinstance(session, str) else "",
        "tier": _known(told.get("tier"), TierName),
        "strategy": _known(told.get("strategy"), RouteStrategy),
    }
    at = next((n for n, one in enumerate(known) if name.items() <= one.items()), len(known))
    if at >= _MOST_CELLS:
        name, at = dict.fromkeys(name, ""), len(known) - 1
    old = known[at] if at < len(known) else {}
    new: State = {
        **name,
        "turns": old.get("turns", 0) + (row.kind == TURN),
        "calls": old.get("calls", 0) + (row.kind == CALL),
        "unpriced": old.get("unpriced", 0) + (_counts(row) and not usage.priced),
        **{one: old.get(one, 0) + getattr(usage, one) for one in _COUNTS},
    }
    return [*known[:at], new, *known[at + 1 :]]


def _known(value: object, names: Any) -> str:
    """A word of those there are; empty for any other: an import may say anything."""
    return value if isinstance(value, str) and value in get_args(names) else ""


_ACCOUNTS = Projection(name="usage", version=5, kinds=(TURN, CALL), keys=_keys, step=_step)
