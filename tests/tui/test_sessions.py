"""The list of conversations: however many there are, each can be found and reached."""

import pytest
from skill_agent.tui.frame.growing_list import GrowingList
from skill_agent.tui.talk.session_list import SessionList
from stage import StageRuntime

from skill_agent.errors import StoreError


def many(count: int) -> StageRuntime:
    runtime = StageRuntime()
    for number in range(count):
        runtime.add_session(f"Talk number {number:04}", "kyra", f"Question {number}", "Answer.")
    return runtime


def listed(screen: SessionList) -> list[str]:
    options = screen.query_one(GrowingList).options
    return [str(one.prompt).splitlines()[0].removeprefix("● ") for one in options]


@pytest.mark.deep
async def test_the_oldest_of_a_thousand_is_found_by_its_title(sit) -> None:
    async with sit(many(1_000)) as seat:
        await seat.press("ctrl+s")
        screen = await seat.at(SessionList)
        await seat.until(lambda: len(listed(screen)) == 100)
        await seat.press(*"0000", "enter")
        await seat.until(lambda: "Question 0" in seat.shown())


@pytest.mark.deep
async def test_more_of_them_come_as_one_goes_down(sit) -> None:
    async with sit(many(250)) as seat:
        await seat.press("ctrl+s")
        screen = await seat.at(SessionList)
        options = screen.query_one(GrowingList)
        await seat.until(lambda: options.option_count == 100)
        while options.option_count < 250 or options.highlighted != 249:
            await seat.press("pagedown")
        assert listed(screen) == [f"Talk number {n:04}" for n in reversed(range(250))]
        await seat.press("enter")
        await seat.until(lambda: "Question 0" in seat.shown())


@pytest.mark.deep
async def test_what_was_said_is_found_and_shown_with_its_place(sit) -> None:
    runtime = many(5)
    runtime.add_session("Parcels", "luke", "Hi", "The needle is in the blue haystack.")
    runtime.add_session("Later", "ada", "Hi", "Hello.")
    async with sit(runtime) as seat:
        await seat.press("ctrl+s")
        screen = await seat.at(SessionList)
        await seat.press(*"haystack")
        await seat.until(lambda: listed(screen) == ["Parcels"])
        (option,) = screen.query_one(GrowingList).options
        assert "“The needle is in the blue haystack.”" in str(option.prompt)
        await seat.press("ctrl+u", *"luke")
        await seat.until(lambda: listed(screen) == ["Parcels"])
        await seat.press("ctrl+u", *"nowhere")
        await seat.until(lambda: listed(screen) == ["Nothing matches."])
        await seat.press("enter")
        assert seat.app.screen is screen, "there is nothing to go to"
        await seat.press("ctrl+u")
        await seat.until(lambda: len(listed(screen)) == 7)


async def test_a_list_that_cannot_be_read_says_why(sit) -> None:
    runtime = many(3)
    async with sit(runtime) as seat:
        runtime.broken = StoreError("the disk is gone")
        await seat.press("ctrl+s")
        screen = await seat.at(SessionList)
        await seat.until(lambda: listed(screen) == ["the disk is gone"])
        runtime.broken = None
        await seat.press(*"0002")
        await seat.until(lambda: listed(screen) == ["Talk number 0002"])
