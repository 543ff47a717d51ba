"""The screen of background work, driven by keys and events."""

from skill_agent.tui.work.rows import in_brief
from skill_agent.tui.work.screen import EMPTY, WorkScreen
from stage import StageRuntime
from stage_work import StageBackground, behind
from textual.widgets import Static

from skill_agent.errors import StoreError
from skill_agent.events import WorkChanged


def busy() -> StageRuntime:
    stage = StageRuntime()
    behind(stage.background)
    return stage


async def opened(seat, rows: int = 6) -> WorkScreen:
    await seat.press("f9")
    screen = await seat.at(WorkScreen)
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
        assert screen.chosen and screen.chosen.id == "w1"
        await seat.press("p")
        await seat.until(lambda: screen.works[0].state == "paused")
        await seat.press("p")
        await seat.until(lambda: known["w1"].state == screen.works[0].state == "running")
        await seat.press("down", "down", "c")
        await seat.until(lambda: known["w3"].state == "cancelled")
        await seat.until(lambda: screen.works[2].ended)
        assert screen.chosen and screen.chosen.id == "w3"
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
