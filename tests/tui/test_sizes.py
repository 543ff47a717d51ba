"""From very small to very wide: the talk and what is written never go away."""

import pytest
from scenes import RECALLED, WORDS
from skill_agent.tui.app import WorkstationApp
from stage import StageRuntime
from textual.widget import Widget

SIZES = ((240, 60), (60, 18), (24, 8), (120, 36), (141, 20), (99, 30), (60, 18), (200, 50))


def seen(widget: Widget) -> int:
    """How many of its rows are on the screen."""
    region = widget.region.intersection(widget.screen.region)
    return region.height if region.width >= min(20, widget.screen.size.width - 6) else 0


async def test_whatever_the_size_the_talk_and_the_composer_are_there(sit) -> None:
    async with sit(StageRuntime([[RECALLED, *WORDS]]), size=(140, 44)) as seat:
        await seat.press("f3")
        await seat.say("When do I deploy?")
        await seat.settled()
        seat.talk.composer.put("a draft")
        for size in SIZES:
            await seat.pilot.resize_terminal(*size)
            await seat.settled()
            assert seen(seat.talk.composer) >= 1, size
            assert seen(seat.talk.conversation) >= 2, size
            assert seat.talk.composer.text == "a draft"
        assert seat.talk.has_class("-memory"), "it came back with the room for it"


async def test_what_the_person_opened_stays_in_a_small_window(sit) -> None:
    async with sit(StageRuntime(), size=(70, 20)) as seat:
        await seat.press("f3")
        assert seat.talk.has_class("-memory")
        await seat.pilot.resize_terminal(60, 18)
        await seat.settled()
        assert seat.talk.has_class("-memory")


@pytest.mark.parametrize("pane", [True, False])
async def test_lines_stay_short_and_stand_in_the_middle_of_a_wide_screen(sit, pane: bool) -> None:
    async with sit(StageRuntime([list(WORDS)]), size=(220, 50)) as seat:
        assert isinstance(seat.app, WorkstationApp)
        if pane:
            await seat.press("f3")
        await seat.say("When do I deploy?")
        await seat.settled()
        box, said = seat.talk.query_one("#writing"), seat.talk.query("ReplyBlock").first()
        assert said.content_size.width <= 90
        room = seat.talk.query_one("#talk").region
        left, right = said.region.x - room.x, room.right - said.region.right
        assert abs(left - right) <= 4
        assert abs(box.region.x - said.region.x) <= 2, "what is written stands below it"
