"""Jobs and background work, driven by keys and events."""

import pytest
from skill_agent.tui.frame.dialogs import ConfirmDialog, TextDialog
from skill_agent.tui.jobs.dialogs import JobDialog
from skill_agent.tui.jobs.in_brief import in_brief
from skill_agent.tui.jobs.screen import EMPTY, JobsScreen
from stage import StageRuntime
from stage_jobs import at_their_times
from stage_work import StageBackground, behind
from textual.widgets import Static

from skill_agent.errors import StoreError
from skill_agent.events import WorkChanged


def busy() -> StageRuntime:
    stage = StageRuntime()
    behind(stage.background)
    return stage


async def opened(seat, rows: int = 6) -> JobsScreen:
    await seat.press("f9")
    screen = await seat.at(JobsScreen)
    await seat.until(lambda: len(screen.works) >= rows)
    return screen


def changed(background: StageBackground, name: str) -> WorkChanged:
    one = background.known[name]
    return WorkChanged(
        work=name, kind=one.kind, title=one.title, state=one.state, progress=one.progress
    )


async def test_paused_resumed_stopped_and_done_once_more(sit) -> None:
    stage = busy()
    known = stage.background.known
    async with sit(stage) as seat:
        screen = await opened(seat)
        assert screen.listing.chosen_id == "work w1"
        await seat.press("p")
        await seat.until(lambda: screen.works[0].state == "paused")
        await seat.press("p")
        await seat.until(lambda: known["w1"].state == screen.works[0].state == "running")
        await seat.press("down", "down", "c")
        await seat.until(lambda: known["w3"].state == "cancelled")
        await seat.until(lambda: screen.works[2].ended)
        assert screen.listing.chosen_id == "work w3"
        await seat.press("r")
        await seat.until(lambda: known["w3"].state == "pending")
        await seat.press("escape")
        await seat.until(lambda: seat.app.screen is seat.talk)


async def test_what_is_refused_is_told_and_ends_nothing(sit) -> None:
    stage = busy()
    async with sit(stage) as seat:
        screen = await opened(seat)
        await seat.press("down", "down", "down", "down", "r")
        await seat.until(lambda: any("was done" in one.title for one in seat.app._notifications))
        stage.background.problem = StoreError("the ledger cannot be read", hint="ska doctor")
        stage.tell(changed(stage.background, "w1"))
        await seat.until(lambda: screen.has_class("-bad"))
        assert "ska doctor" in str(screen.query_one("#page-none", Static).render())
        stage.background.problem = None
        stage.tell(changed(stage.background, "w1"))
        await seat.until(lambda: len(screen.works) == 6)


async def test_who_looks_on_has_seen_the_end(sit) -> None:
    stage = busy()
    async with sit(stage) as seat:
        screen = await opened(seat)
        await stage.background.cancel("w1")
        stage.tell(changed(stage.background, "w1"))
        await seat.until(lambda: stage.background.looked == ["w1"])
        await seat.until(lambda: screen.works[0].ended)


async def test_the_status_line_says_what_goes_on(sit) -> None:
    stage = busy()
    async with sit(stage) as seat:
        figures = "Rebuild the search index 42% +1"
        await seat.until(lambda: seat.talk.figures.background == figures)
        lines = seat.shown()
        for name in ("w1", "w2"):
            await stage.background.cancel(name)
            stage.tell(changed(stage.background, name))
        await seat.until(lambda: seat.talk.figures.background == "")
        assert seat.shown() == lines, "progress is no line of a conversation"


async def test_where_there_is_none_it_says_how(sit) -> None:
    async with sit(StageRuntime()) as seat:
        screen = await opened(seat, rows=0)
        await seat.until(lambda: screen.has_class("-none"))
        assert EMPTY.splitlines()[0] in str(screen.query_one("#page-none", Static).render())
    assert in_brief([]) == ""


async def test_jobs_with_their_history_and_what_a_run_came_to(sit) -> None:
    stage = StageRuntime()
    at_their_times(stage.timed)
    async with sit(stage, size=(130, 40)) as seat:
        await seat.press("f9")
        screen = await seat.at(JobsScreen)
        await seat.until(lambda: len(screen.jobs) == 4 and screen.pane.runs.things)
        told = words(screen)
        assert "every weekday at 8" in told and "2026-11-24 08:00" in told and "telegram" in told
        assert "12 s · 1,840 tokens · told" in str(screen.pane.runs.options[0].prompt)
        await seat.press("enter", "enter")
        dialog = await seat.at(TextDialog)
        await seat.until(lambda: "the river is low." in str(dialog.query_one(".content").render()))
        await seat.press("escape")
        await seat.at(JobsScreen)
        await seat.press("down", "y")
        await seat.until(lambda: any("Copied" in one.message for one in seat.app._notifications))
        await seat.press("escape")
        await seat.until(lambda: screen.listing.has_focus)


async def test_jobs_are_paused_run_stopped_approved_and_removed(sit) -> None:
    stage = StageRuntime()
    at_their_times(stage.timed)
    jobs = stage.timed
    async with sit(stage) as seat:
        await seat.press("f9")
        screen = await seat.at(JobsScreen)
        await seat.until(lambda: len(screen.jobs) == 4)
        await seat.press("p")
        await seat.until(lambda: screen.jobs[0].status == "paused")
        await seat.press("p", "r")
        await seat.until(lambda: screen.jobs[0].running)
        await seat.press("c")
        await seat.until(lambda: jobs.runs[0].error == "stopped")
        await seat.press("down", "p")
        await seat.until(lambda: not screen.jobs[1].dead)
        await seat.press("down", "a")
        await seat.until(lambda: jobs.known["Weekly review"].status == "active")
        await seat.press("d")
        await seat.at(ConfirmDialog)
        await seat.press("escape")
        await seat.until(lambda: not screen._doing)
        assert "Weekly review" in jobs.known
        await seat.press("d")
        await seat.at(ConfirmDialog)
        await seat.press("enter")
        await seat.until(lambda: len(screen.jobs) == 3)
        assert screen.listing.chosen_id == "job backup", "its place is kept"
        await seat.press("d")
        await seat.settled()
        assert seat.app.screen is screen, "what comes with the program is not removed"


async def test_a_job_is_made_with_words_and_changed(sit) -> None:
    stage = StageRuntime()
    async with sit(stage) as seat:
        await seat.press("f9")
        screen = await seat.at(JobsScreen)
        await seat.until(lambda: screen.has_class("-none"))
        await seat.press("n")
        dialog = await seat.at(JobDialog)
        await seat.press(*"Read the news", "tab", *"soon")
        await seat.until(lambda: "is no time" in understood(dialog))
        await seat.press("ctrl+s")
        await seat.until(lambda: dialog.query_one(".problem", Static).display)
        await seat.press(*["backspace"] * 4, *"every weekday at 8")
        await seat.until(lambda: "next: 2026-11-23 08:00" in understood(dialog))
        await seat.press("ctrl+s")
        await seat.until(lambda: len(screen.jobs) == 1)
        made = screen.jobs[0]
        assert (made.prompt, made.schedule.said) == ("Read the news", "every weekday at 8")
        await seat.until(lambda: seat.app.screen is screen and not screen._doing)
        await seat.press("e")
        dialog = await seat.at(JobDialog)
        await seat.press(*" aloud", "escape")
        assert isinstance(seat.app.screen, JobDialog), "what was typed is not thrown away at once"
        await seat.press("ctrl+s")
        await seat.until(lambda: screen.jobs[0].prompt == "Read the news aloud")


@pytest.mark.deep
async def test_background_is_a_place_of_its_own_among_the_jobs(sit) -> None:
    stage = busy()
    at_their_times(stage.timed)
    async with sit(stage) as seat:
        seat.app.action_place("jobs", "background")
        screen = await seat.at(JobsScreen)
        await seat.until(lambda: len(screen.works) == 6)
        assert screen.jobs == []
        await seat.press("s")
        await seat.until(lambda: len(screen.jobs) == 4)
        await seat.press("slash", *"roots")
        await seat.until(lambda: [one.name for one in screen.jobs] == ["Prices of roots"])
        assert screen.works == []


def words(screen: JobsScreen) -> str:
    return " ".join(" ".join(str(one.render()) for one in screen.pane.facts.query(Static)).split())


def understood(dialog: JobDialog) -> str:
    return str(dialog.query_one("#job-understood", Static).render())
