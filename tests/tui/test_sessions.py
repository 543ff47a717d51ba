"""The list of conversations: however many there are, each can be found and reached."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from skill_agent.tui.frame.ago import ago, stretch
from skill_agent.tui.frame.deeds import Deed
from skill_agent.tui.frame.growing_list import GrowingList
from skill_agent.tui.talk.deeds import SESSIONS
from skill_agent.tui.talk.looked import Looked
from skill_agent.tui.talk.session_deletion import DeleteDialog
from skill_agent.tui.talk.session_list import SessionList
from stage import StageRuntime, Stop
from textual.widgets import Static

from skill_agent.errors import StoreError


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def many(count: int) -> StageRuntime:
    runtime = StageRuntime()
    for number in range(count):
        runtime.add_session(f"Talk number {number:04}", "kyra", f"Question {number}", "Answer.")
    return runtime


def listed(screen: SessionList) -> list[str]:
    """The titles, without the names of days; or the words that stand there instead."""
    options = screen.query_one(GrowingList).options
    rows = [one for one in options if one.id] or options
    return [str(one.prompt).splitlines()[0].removeprefix("● ") for one in rows]


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
        await seat.until(lambda: len(listed(screen)) == 100)
        while len(listed(screen)) < 250 or options.highlighted != options.option_count - 1:
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
        (option,) = (one for one in screen.query_one(GrowingList).options if one.id)
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


NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


def kept() -> StageRuntime:
    """Conversations of several days, as seen in the evening of the 20th."""
    runtime = StageRuntime()
    ages = {"Parcels": 0, "Bread": 1, "Release plan": 2, "Garden": 30, "Old plan": 60}
    for title, days in ages.items():
        one = runtime.add_session(title, "kyra", f"About {title}?", f"So it is with {title}.")
        runtime.stored[one.id] = replace(one, updated_at=NOW - timedelta(days=days, hours=1))
    return runtime


@asynccontextmanager
async def seen(sit: Any, runtime: StageRuntime, **options: Any) -> AsyncIterator[Any]:
    async with sit(runtime, **options) as seat:
        seat.talk.now = lambda: NOW
        await seat.press("ctrl+s")
        screen = await seat.at(SessionList)
        await seat.until(lambda: len(listed(screen)) == len(runtime.stored))
        yield seat, screen


def all_rows(screen: SessionList) -> list[str]:
    return [str(one.prompt) for one in screen.query_one(GrowingList).options]


def headings(screen: SessionList) -> list[str]:
    options = screen.query_one(GrowingList).options
    return [str(one.prompt).strip() for one in options if not one.id]


async def test_they_stand_below_their_days_and_pinned_ones_first(sit) -> None:
    async with seen(sit, kept()) as (seat, screen):
        assert headings(screen) == [
            "Today", "Yesterday", "This week", "October 2026", "September 2026",
        ]  # fmt: skip
        for _ in range(4):
            await seat.press("down")
        await seat.press("alt+p")
        await seat.until(lambda: listed(screen)[0] == "Old plan")
        assert headings(screen)[0] == "Pinned" and "September 2026" not in headings(screen)
        assert screen.foot_label(deed("sessions.pin")) == "unpin"
        await seat.press("alt+p")
        await seat.until(lambda: listed(screen)[-1] == "Old plan")


@pytest.mark.deep
async def test_put_away_shown_and_put_back(sit) -> None:
    runtime = kept()
    async with seen(sit, runtime) as (seat, screen):
        await seat.press("down", "alt+a")
        await seat.until(lambda: "Bread" not in listed(screen))
        assert screen.query_one(GrowingList).highlighted_option.id == "session-2", "the next one"
        await seat.press("alt+v")
        await seat.until(lambda: listed(screen) == ["Bread"])
        assert screen.foot_label(deed("sessions.archive")) == "put back"
        await seat.press("alt+a")
        await seat.until(lambda: listed(screen) == ["Nothing is put away."])
        await seat.press("alt+v")
        await seat.until(lambda: len(listed(screen)) == 5)


async def test_deleting_asks_and_says_what_it_means(sit) -> None:
    runtime = kept()
    async with seen(sit, runtime) as (seat, screen):
        await seat.press("enter")
        await seat.until(lambda: "So it is with Parcels." in seat.shown())
        await seat.press("ctrl+s")
        screen = await seat.at(SessionList)
        await seat.until(lambda: len(listed(screen)) == 5)
        await seat.press("alt+d")
        dialog = await seat.at(DeleteDialog)
        words = " ".join(str(one.render()) for one in dialog.query(Static))
        assert "The ledger keeps it" in words and "--purge" in words
        await seat.press("escape")
        assert "session-0" in runtime.stored
        await seat.press("alt+d")
        await seat.at(DeleteDialog)
        await seat.press("enter")
        await seat.until(lambda: "session-0" not in runtime.stored)
        await seat.until(lambda: seat.app.screen is seat.talk)
        await seat.until(lambda: seat.talk.session_id is None)
        assert "So it is with Parcels." not in seat.shown(), "it was open"


@pytest.mark.deep
async def test_a_branch_is_opened(sit) -> None:
    runtime = kept()
    async with seen(sit, runtime) as (seat, _):
        await seat.press("alt+y")
        await seat.until(lambda: seat.talk.session_id == "session-0-branch")
        await seat.until(lambda: "So it is with Parcels." in seat.shown())
        assert seat.talk.figures.title == "Parcels (branch)"


async def test_the_end_of_the_chosen_one_is_read_beside_the_list(sit) -> None:
    async with seen(sit, kept(), size=(140, 36)) as (seat, screen):

        def beside() -> str:
            return str(screen.query_one("#preview Static").render())

        await seat.until(lambda: "So it is with Parcels." in beside())
        await seat.press("down")
        await seat.until(lambda: "About Bread?" in beside())
        await seat.pilot.resize_terminal(80, 30)
        await seat.until(lambda: not screen.query_one("#preview").display)


@pytest.mark.deep
async def test_what_is_looked_for_is_lit(sit) -> None:
    async with seen(sit, kept()) as (seat, screen):
        await seat.press(*"with bread")
        await seat.until(lambda: listed(screen) == ["Bread"])
        (row,) = (one.prompt for one in screen.query_one(GrowingList).options if one.id)
        places = [row.plain[span.start : span.end] for span in row.spans if "accent" in str(span)]
        assert "with Bread" in places and "Bread" in places


@pytest.mark.deep
async def test_what_runs_and_what_is_new_is_marked(sit) -> None:
    gate = asyncio.Event()
    runtime = kept()
    runtime.scripts = [[Stop(gate), "Done."]]
    async with seen(sit, runtime) as (seat, _):
        await seat.press("enter")
        await seat.until(lambda: "So it is with Parcels." in seat.shown())
        await seat.say("More?")
        await seat.until(lambda: seat.talk.turns.of("session-0"))
        await seat.press("ctrl+n", "ctrl+s")
        screen = await seat.at(SessionList)
        await seat.until(lambda: any("replying" in one for one in all_rows(screen)))
        later = NOW + timedelta(minutes=5)
        seat.talk.now = screen._now = lambda: later
        gate.set()
        await seat.until(lambda: any("Parcels  new" in one for one in all_rows(screen)))
        await seat.press("enter")
        await seat.until(lambda: "Done." in seat.shown())
        await seat.press("ctrl+n", "ctrl+s")
        screen = await seat.at(SessionList)
        await seat.until(lambda: "Parcels" in listed(screen))
        assert not any("new" in one for one in all_rows(screen))


def test_two_windows_keep_what_each_looked_at(tmp_path: Path) -> None:
    one, other = Looked(tmp_path / "looked.json"), Looked(tmp_path / "looked.json")
    one.mark("a", NOW)
    other.mark("b", NOW)
    one.mark("c", NOW)
    other.mark("a", NOW - timedelta(days=1))
    assert Looked(tmp_path / "looked.json").load() == {"a": NOW, "b": NOW, "c": NOW}
    (tmp_path / "looked.json").write_text("[broken")
    assert Looked(tmp_path / "looked.json").load() == {}


@pytest.mark.parametrize(
    ("past", "words", "group"),
    [
        (timedelta(seconds=5), "just now", "Today"),
        (timedelta(minutes=7), "7 min ago", "Today"),
        (timedelta(hours=3), "3 h ago", "Today"),
        (timedelta(days=1), "yesterday", "Yesterday"),
        (timedelta(days=4), "4 days ago", "This week"),
        (timedelta(days=5), "5 days ago", "November 2026"),
        (timedelta(days=40), "11 Oct 2026", "October 2026"),
    ],
)
def test_times_as_people_say_them(past: timedelta, words: str, group: str) -> None:
    assert (ago(NOW - past, NOW), stretch(NOW - past, NOW)) == (words, group)


def deed(name: str) -> Deed:
    return next(one for one in SESSIONS if one.id == name)
