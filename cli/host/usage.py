"""`ska usage`: tokens and money by day, agent, model, tier and so on, and each agent's budget."""

import os
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..opening.running import with_runtime
from ..options import JsonOption, choice, single, slug_of
from ..output import emit_json, emit_text, narrate, plain, record, table
from .plotting import bars, plot_width

if TYPE_CHECKING:
    from skill_agent.values import Budget, UsageRow, UsageTotals
    from skill_agent.workstation import Workstation

BY = ("day", "agent", "model", "session", "tier", "strategy")
_SESSIONS = 1_000
"""So many of the newest conversations are shown by their titles."""

app = single()


@app.command()
def usage(
    ctx: typer.Context,
    by: Annotated[
        str,
        typer.Option("--by", metavar="WHAT", help="day, agent, model, session, tier or strategy."),
    ] = "agent",
    period: Annotated[
        str,
        typer.Option(
            "--period",
            "--since",
            metavar="WHEN",
            help="today, 7d (any number of days), month, all, or a day: 2026-11-01.",
        ),
    ] = "month",
    agent: Annotated[
        str | None, typer.Option("--agent", "-a", metavar="NAME", help="Of one agent alone.")
    ] = None,
    plot: Annotated[
        bool, typer.Option("--plot", help="Draw bars: of the cost, or of tokens where all is free.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what models consumed and cost, and what may be spent.

    Calls in the background count too: reading for memories, summaries. Days are those of this
    machine's clock; budgets (daily_budget_usd, monthly_budget_usd in agents.toml) are held by
    the home's host, by its clock. A tier is what a message was found to need, a strategy how its
    agent was chosen; what was chosen in no such way stands apart.

    \b
    Examples:
      ska usage
      ska usage --by day --period 7d --plot
      ska usage --by tier
      ska usage --by model --since 2026-11-01 --agent kyra
      ska usage --by session --json | jq '.rows[0]'
    """  # fmt: skip
    (way,) = choice("--by", by, BY)
    since = begin_of(period, datetime.now().astimezone())
    named: dict[str, str] = {}

    async def work(station: "Workstation") -> "UsageTotals":
        if way == "session":
            found = await station.conversations.list(limit=_SESSIONS)
            named.update({one.id: one.title for one in found})
        return await station.figures.usage(
            by=way, since=since, agent=await slug_of(station, agent), zone=own_zone()
        )

    found = with_runtime(ctx, work)
    if as_json:
        emit_json(_object(found, way, since))
        return
    if plot:
        for line in bars([(_name(row, way, named), row) for row in found.rows], plot_width()):
            emit_text(line)
        return
    _show(found, way, named)


def begin_of(period: str, now: datetime) -> datetime | None:
    """The moment a period begins, on this machine's clock; None for all there is."""
    from skill_agent.errors import UsageError

    today = now.date()
    words = {"today": today, "month": today.replace(day=1)}
    if period == "all":
        return None
    try:
        if period in words:
            day = words[period]
        elif period.endswith("d") and period[:-1].isdecimal():
            day = today - timedelta(days=max(int(period[:-1]) - 1, 0))
        else:
            day = datetime.strptime(period, "%Y-%m-%d").date()
        return datetime.combine(day, time()).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"--period: {period!r} is no period", hint="today, 7d, month, all, or 2026-11-01"
        ) from None


def own_zone() -> str:
    """This machine's time zone by name, so that days are this command's whoever hosts the home;
    by its offset now where it has no name."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if not named:
        named = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(named).key
    except (ValueError, OSError, KeyError):
        return f"{datetime.now().astimezone():%z}"


def _show(found: "UsageTotals", by: str, titles: dict[str, str]) -> None:
    from skill_agent.conversations.usage import in_all

    rows = [(_name(row, by, titles), *_figures(row)) for row in found.rows]
    if len(rows) > 1:
        rows.append(("in all", *_figures(in_all(found.rows))))
    columns = (by, "turns", "calls", "prompt", "cached", "completion", "cost")
    table(columns, rows, empty="nothing was used in this time")
    if found.budgets:
        narrate("")
    record((f"{one.name} may spend", _left(one)) for one in found.budgets)


def _name(row: "UsageRow", by: str, titles: dict[str, str]) -> str:
    if by in ("tier", "strategy") and not row.id:
        return f"(no {by})"
    if by == "session":
        title = titles.get(row.id, "")
        return f"{row.id[:8]} {title}".strip() if row.id else "(in the background)"
    return row.id or "(unknown)"


def _figures(row: "UsageRow") -> tuple[object, ...]:
    from skill_agent.conversations.usage import cost

    tokens = (row.prompt_tokens, row.cached_tokens, row.completion_tokens)
    return (row.turns, row.calls, *tokens, cost(row.cost_usd, row.unpriced))


def _left(budget: "Budget") -> str:
    from skill_agent.conversations.usage import usd

    held = f"; {usd(budget.held_usd)} held for calls that run" if budget.held_usd else ""
    return (
        f"{usd(budget.left_today_usd)} of {usd(budget.daily_usd)} today, "
        f"{usd(budget.left_month_usd)} of {usd(budget.monthly_usd)} this month{held}"
    )


def _object(found: "UsageTotals", by: str, since: datetime | None) -> dict[str, Any]:
    from skill_agent.conversations.usage import in_all

    return {
        "by": by,
        "since": plain(since),
        "rows": plain(found.rows),
        "total": {k: v for k, v in plain(in_all(found.rows)).items() if k != "id"},
        "budgets": plain(found.budgets),
    }
