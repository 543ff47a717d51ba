"""The usage screen: plots and figures by what and when; what is unknown is said as unknown."""

from datetime import UTC, datetime
from typing import Any

import pytest
from played import played
from rich.cells import cell_len
from skill_agent.tui.usage.asked import BYS, PERIODS, begin_of, every_day
from skill_agent.tui.usage.rows import cost_of, drawn, short
from skill_agent.tui.usage.screen import EMPTY, UsageScreen
from stage import StageRuntime
from stage_figures import StageFigures, spent
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.errors import StoreError
from skill_agent.events import HostFound
from skill_agent.values import UsageRow

NOW = datetime(2026, 11, 9, 23, 30, tzinfo=UTC)


async def opened(seat) -> UsageScreen:
    await seat.app.run_action("app.place('usage')")
    return await seat.at(UsageScreen)


def rows(screen: UsageScreen) -> list[str]:
    return [str(one.prompt) for one in screen.listing.options]


def told(widget: Widget) -> str:
    return " ".join(" ".join(str(one.render()) for one in widget.query(Static)).split())


def wanted(figures: StageFigures) -> tuple[Any, ...]:
    """What the screen asked for last, before the month's figures."""
    return [one for one in figures.asked if one[0]][-2]


async def test_by_agent_by_day_and_of_one_alone(sit) -> None:
    figures = played(StageFigures)()
    spent(figures)
    async with sit(StageRuntime(groups={"figures": figures}), size=(120, 36)) as seat:
        screen = await opened(seat)
        await seat.until(lambda: len(rows(screen)) == 3)
        kyra, luke, ada = rows(screen)
        assert "Kyra" in kyra and "69%" in kyra and kyra.endswith("$4.40")
        assert luke.endswith("≥ $1.30") and ada.endswith("unknown") and "$" not in ada
        assert kyra.count("━") > luke.count("━") > ada.count("━") == 0
        assert "today $0.42 · this month ≥ $5.70" in told(screen)
        assert "$1.58 of $2.00 today" in told(screen.pane)
        assert "7 calls have no known price" in told(screen.pane)
        await seat.press("down", "enter")
        await seat.until(lambda: wanted(figures)[::2] == ("day", "luke"))
        await seat.until(lambda: "2026-11-02" in " ".join(rows(screen)))
        await seat.press("x", "p", "p")
        await seat.until(lambda: wanted(figures)[0] == "agent")
        since = wanted(figures)[1]
        assert since is not None and (since.hour, since.minute) == (0, 0)
        await seat.press("B")
        await seat.until(lambda: wanted(figures)[0] == "day")
        assert seat.app.screen is screen


async def test_nothing_used_and_what_cannot_be_read(sit) -> None:
    figures = played(StageFigures)()
    stage = StageRuntime(groups={"figures": figures})
    async with sit(stage) as seat:
        screen = await opened(seat)
        words = screen.query_one("#page-none", Static)
        await seat.until(lambda: str(words.render()) == EMPTY)
        figures.problem = StoreError("the disk is full", hint="make room")
        stage.bus.publish(HostFound(pid=1, here=False))
        await seat.until(lambda: "the disk is full" in str(words.render()))
        figures.problem = None
        spent(figures)
        stage.bus.publish(HostFound(pid=1, here=False))
        await seat.until(lambda: len(rows(screen)) == 3)


@pytest.mark.parametrize("width", [20, 40, 54, 74, 114, 194, 400])
def test_rows_fit_and_stand_under_each_other(width: int) -> None:
    some = [
        UsageRow(id="a", turns=3, calls=3, prompt_tokens=10**7, cached_tokens=10, cost_usd=2.0),
        UsageRow(id="b", turns=1, calls=1, prompt_tokens=1, completion_tokens=1, unpriced=1),
        UsageRow(id="c", turns=1, calls=1, cost_usd=1e-6),
    ]
    table = drawn(some, ["中文" * 40, "short", "\x1b[31mred\x1b[0m"], width, "conversation")
    lines = [str(one) for one in (table.head, *table.lines, table.total)]
    assert len({cell_len(one) for one in lines}) == 1
    assert cell_len(lines[0]) <= max(width, 36) and "\x1b" not in "".join(lines)
    assert "━" in lines[3], "something is not nothing"
    assert table.plain.splitlines()[2].endswith("unknown")


def test_days_without_anything_are_there() -> None:
    used = [UsageRow(id="2026-11-03", turns=1), UsageRow(id="2026-11-06", turns=1)]
    since = begin_of("7 days", NOW, "UTC")
    days = [one.id for one in every_day(used, since, NOW, "UTC")]
    assert days == [f"2026-11-{day:02}" for day in range(3, 10)]
    assert [one.id for one in every_day(used, None, NOW, "+02:00")][-1] == "2026-11-10"
    assert every_day([], since, NOW, "UTC") == []


def test_periods_begin_at_ones_own_midnight() -> None:
    for period in PERIODS[:-1]:
        begun = begin_of(period, NOW, "+02:00")
        assert begun is not None and (begun.hour, begun.minute) == (0, 0)
    today = begin_of("today", NOW, "+02:00")
    assert today is not None and today.day == 10
    assert begin_of("all", NOW, "UTC") is None and len(set(BYS)) == 6


def test_figures_are_short_and_unknown_is_no_zero() -> None:
    assert [short(one) for one in (0, 999, 9_999, 10_000, 123_456, 10**6, 10**10)] == [
        "–", "999", "9,999", "10.0k", "123k", "1.0M", "10.0G",
    ]  # fmt: skip
    assert cost_of(UsageRow(id="a", calls=1, unpriced=1)) == "unknown"
    assert cost_of(UsageRow(id="a", calls=1)) == "$0.00"
