"""The log screen: live, filtered, read; the file may be huge, rotated, or out of reach."""

from pathlib import Path

import pytest
from played import played
from skill_agent.tui.logs.entries import Entry, added, fits, pretty
from skill_agent.tui.logs.screen import EMPTY, NO_MATCH, LogScreen
from stage import StageRuntime
from stage_host import LINES, StageHost
from textual.widgets import Input, Static

from skill_agent.errors import UsageError


@pytest.fixture
def host(tmp_path: Path) -> StageHost:
    return played(StageHost)(tmp_path / "skill-agent.log")


async def opened(seat) -> LogScreen:
    await seat.app.run_action("app.place('logs')")
    return await seat.at(LogScreen)


def texts(screen: LogScreen) -> list[str]:
    return [one.text for one in screen.listing.entries]


def words(screen: LogScreen) -> str:
    return str(screen.query_one("#page-none", Static).render())


async def test_it_is_live_and_follows_until_one_goes_up(sit, host: StageHost) -> None:
    host.add(*LINES)
    async with sit(StageRuntime(groups={"host": host})) as seat:
        screen = await opened(seat)
        await seat.until(lambda: len(screen.listing.entries) == 4)
        assert screen.listing.highlighted == 3
        host.add("2026-11-20 09:06:00,000 INFO skill_agent.host one more")
        await seat.until(lambda: len(screen.listing.entries) == 5)
        assert screen.listing.highlighted == 4
        await seat.press("up")
        host.path.rename(host.path.with_name("skill-agent.log.1"))
        host.add("2026-11-20 09:07:00,000 INFO skill_agent.host after a rotation")
        await seat.until(lambda: texts(screen)[-1] == "after a rotation")
        assert screen.listing.highlighted == 3
        await seat.press("f")
        await seat.until(lambda: screen.listing.highlighted == 5)


async def test_searched_filtered_and_read_as_a_whole(sit, host: StageHost) -> None:
    host.add(*LINES)
    async with sit(StageRuntime(groups={"host": host})) as seat:
        screen = await opened(seat)
        await seat.until(lambda: len(screen.listing.entries) == 4)
        await seat.press("l", "l")
        await seat.until(lambda: len(screen.listing.entries) == 1)
        await seat.press("enter")
        told = screen.pane
        await seat.until(lambda: any("FileNotFoundError" in str(one.render())
                                     for one in told.query(Static)))  # fmt: skip
        assert told.has_focus
        await seat.press("escape")
        assert screen.listing.has_focus and not told.display
        await seat.press("x", "slash", *"429")
        await seat.until(lambda: len(screen.listing.entries) == 1)
        assert "429" in texts(screen)[0]
        await seat.press(*"xyz")
        await seat.until(lambda: words(screen) == NO_MATCH)
        await seat.press("escape", "escape")
        await seat.until(lambda: len(screen.listing.entries) == 4)
        assert seat.app.screen is screen and not isinstance(seat.app.focused, Input)


async def test_nothing_yet_and_out_of_reach(sit, host: StageHost) -> None:
    stage = StageRuntime(groups={"host": host})
    async with sit(stage) as seat:
        screen = await opened(seat)
        await seat.until(lambda: words(screen) == EMPTY)
        host.add(*LINES)
        await seat.until(lambda: len(screen.listing.entries) == 4)
        host.problem = UsageError("host.log works only on the machine of the home")
        await seat.until(lambda: "only on the machine of the home" in words(screen))


@pytest.mark.deep
async def test_what_is_written_there_drives_no_terminal(sit, host: StageHost) -> None:
    host.add("2026-11-20 09:00:01,120 INFO skill_agent.x a\x1b[2Jb [bold]c[/bold] \u202e")
    async with sit(StageRuntime(groups={"host": host}), size=(120, 30)) as seat:
        screen = await opened(seat)
        await seat.until(lambda: screen.listing.entries)
        row = str(screen.listing.get_option_at_index(0).prompt)
        assert "\x1b" not in row and "\u202e" not in row and "[bold]c[/bold]" in row


def test_lines_are_entries_whatever_they_are() -> None:
    found = added([], LINES[:4])
    assert [len(one.more) for one in found] == [0, 0, 1]
    found = added(found, LINES[4:])
    assert [len(one.more) for one in found] == [0, 0, 3, 0]
    assert found[2].whole.endswith("FileNotFoundError: notes.md")
    assert added([], ["no entry", "nor this"]) == [Entry(text="no entry", more=("nor this",))]
    assert [fits(one, "jobs FAILED", "warnings") for one in found] == [False, False, True, False]
    assert '"tries": 2\n}' in pretty(found[3].text)
    assert pretty("a {b") == "a {b" and pretty("[" * 9) == "[" * 9
