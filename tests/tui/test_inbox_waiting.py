"""What waits for the person in the inbox: seen whole, answered there, gone once it is answered."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from skill_agent.tui.frame.dialogs import ConfirmDialog, LineDialog
from skill_agent.tui.inbox.screen import InboxScreen
from skill_agent.tui.memory.dispute_dialog import DisputeDialog
from stage import MORNING, StageRuntime
from stage_book import shelf
from stage_inbox import item
from stage_jobs import at_their_times
from textual.widgets import Input, Static

from skill_agent.errors import StoreError
from skill_agent.events import ApprovalAnswered, InboxChanged
from skill_agent.values import Question, Usage, WaitingApproval

LONG = "https://example.org/" + "a" * 3000 + "?secret=TAIL"


def call(name: str, **more: Any) -> WaitingApproval:
    usual: dict[str, Any] = {
        "id": name, "agent": "luke", "session": "s", "turn": "t", "tool": "http_get",
        "arguments": {"url": "https://example.org/roots"}, "rule": "luke http_get:example.org",
        "reason": "to read about roots", "since": MORNING,
        "expires": MORNING + timedelta(minutes=5),
    }  # fmt: skip
    return WaitingApproval(**(usual | more))


def question(name: str) -> Question:
    return Question(
        id=name, text="Send the weekly report to Anna?", detail="To: anna@example.org",
        agent="kyra", created_at=MORNING, expires=MORNING + timedelta(hours=9),
    )  # fmt: skip


def everything() -> StageRuntime:
    """Something of each kind."""
    stage = StageRuntime(memory=shelf())
    stage.allowed = [call("a1")]
    stage.questions_asked.waiting["q1"] = question("q1")
    stage.book.to_share = [replace(stage.book.memories[0], id="share-me")]
    at_their_times(stage.timed)
    stage.post.put(item("i1", "The day"), item("i2", "Gone wrong", sort="failure", job="backup"))
    return stage


async def opened(seat: Any, count: int) -> InboxScreen:
    await seat.press("f8")
    screen = await seat.at(InboxScreen)
    await seat.until(lambda: len(screen.listing.things) == count)
    return screen


def ids(screen: InboxScreen) -> list[str]:
    return [one.id for one in screen.listing.things]


async def at(seat: Any, screen: InboxScreen, name: str) -> None:
    """Goes there by keys."""
    while screen.listing.chosen_id != name:
        await seat.press("down")
    await seat.until(lambda: screen.pane.shown == name)
    await seat.settled()


async def test_one_list_of_all_that_waits_with_one_figure(sit) -> None:
    stage = everything()
    async with sit(stage, size=(120, 40)) as seat:
        await seat.until(lambda: seat.talk.figures.waiting == 8)
        assert "✉ 8 wait · F8" in str(seat.talk.query_one("StatusLine").render())
        await seat.press("ctrl+o")
        await seat.settled()
        listed = seat.app.screen.query_one("OptionList").options
        assert any("Inbox" in str(one.prompt) and "8 wait" in str(one.prompt) for one in listed)
        await seat.press("escape")
        screen = await opened(seat, 8)
        assert [one.kind for one in screen.listing.things] == [
            "approval", "question", "dispute", "review", "job", "job", "message", "message",
        ]  # fmt: skip
        await seat.press("s", "s")
        await seat.until(lambda: ids(screen) == ["job Prices of roots", "item i2"])
        await seat.press("r")
        await seat.until(lambda: stage.timed.done == [("run", "Prices of roots")])
        await seat.press("down", "r", "p")
        await seat.until(lambda: ("resume", "backup") in stage.timed.done)
        assert ("run", "backup") in stage.timed.done
        await seat.press("x", "slash", *"anna")
        await seat.until(lambda: ids(screen) == ["question q1"])


async def test_a_call_is_answered_only_once_it_was_read_to_its_end(sit) -> None:
    stage = StageRuntime()
    stage.allowed = [call("a1", arguments={"url": LONG}), call("a2"), call("a3")]
    async with sit(stage, size=(100, 24)) as seat:
        screen = await opened(seat, 3)
        await seat.until(lambda: screen.pane.shown == "approval a1")
        await seat.press("o", "a", "d")  # in the list these letters allow nothing
        await seat.press("enter", "o")
        await seat.settled()
        assert stage.answers == [] and screen.pane.has_focus
        await seat.press("end", "o")
        await seat.until(lambda: stage.answers == [("a1", "once")])
        await seat.until(lambda: ids(screen) == ["approval a2", "approval a3"])
        await at(seat, screen, "approval a2")
        await seat.press("enter")
        await seat.settled()
        await seat.press("end", "r")
        await seat.at(LineDialog)
        await seat.press(*"use the wiki", "enter")
        await seat.until(lambda: stage.instead == ["use the wiki"])
        assert stage.answers[-1] == ("a2", "deny")


async def test_answered_elsewhere_it_goes_away(sit) -> None:
    stage = StageRuntime()
    stage.allowed = [call("a1"), call("a2")]
    async with sit(stage) as seat:
        screen = await opened(seat, 2)
        await seat.until(lambda: screen.pane.shown == "approval a1")
        await seat.press("enter")
        await seat.settled()
        stage.allowed.pop(0)
        stage.tell(ApprovalAnswered(
            session="s", turn="t", agent="luke", approval="a1", choice="deny", by="telegram",
        ))  # fmt: skip
        await seat.until(lambda: ids(screen) == ["approval a2"])
        await seat.until(lambda: seat.talk.figures.waiting == 1)
        await seat.settled()
        await seat.press("o")
        assert stage.answers == [] and screen.listing.has_focus, "that was for the other one"


async def test_a_question_is_answered_in_words(sit) -> None:
    stage = StageRuntime()
    stage.questions_asked.waiting["q1"] = question("q1")
    async with sit(stage) as seat:
        screen = await opened(seat, 1)
        await seat.press("enter")
        dialog = await seat.at(LineDialog)
        await seat.press(*"know", "enter")
        await seat.until(lambda: dialog.query_one(".problem", Static).display)
        dialog.query_one(Input).value = "yes"
        await seat.press("enter")
        await seat.until(lambda: stage.questions_asked.said == [("q1", "yes")])
        await seat.until(lambda: screen.has_class("-none"))


async def test_a_dispute_is_decided_side_by_side_over_the_inbox(sit) -> None:
    stage = StageRuntime(memory=shelf())
    async with sit(stage, size=(120, 36)) as seat:
        screen = await opened(seat, 1)
        await seat.press("enter")
        await seat.at(DisputeDialog)
        await seat.press("right", "enter")
        await seat.until(lambda: stage.book.reviewed)
        await seat.until(lambda: screen.has_class("-none"))
        assert seat.app.screen is screen


@pytest.mark.deep
async def test_memories_and_proposed_jobs_get_a_yes_or_a_no(sit) -> None:
    stage = everything()
    async with sit(stage, size=(120, 40)) as seat:
        screen = await opened(seat, 8)
        await at(seat, screen, "memory share-me")
        await seat.press("enter", "o")
        await seat.until(lambda: stage.book.reviewed == [("share", "share-me")])
        await seat.until(lambda: len(ids(screen)) == 7)
        await at(seat, screen, "job Weekly review")
        await seat.press("enter", "d")
        await seat.at(ConfirmDialog)
        await seat.press("escape")
        await seat.until(lambda: not screen._doing)
        await seat.press("enter", "o")
        await seat.until(lambda: ("approve", "Weekly review") in stage.timed.done)


@pytest.mark.deep
async def test_what_cannot_be_read_hides_nothing_else(sit) -> None:
    stage = everything()
    stage.timed.problem = StoreError("the jobs cannot be read", hint="ska doctor")
    async with sit(stage, size=(120, 40)) as seat:
        screen = await opened(seat, 6)
        await seat.until(
            lambda: "jobs cannot be read" in str(screen.query_one("#page-count").render())
        )
        stage.timed.problem = None
        stage.bus.publish(InboxChanged(item="i1"))
        await seat.until(lambda: len(ids(screen)) == 8)


@pytest.mark.deep
async def test_what_sends_no_event_is_seen_too(sit) -> None:
    stage = StageRuntime(memory=shelf())
    async with sit(stage) as seat:
        screen = await opened(seat, 1)
        stage.book.memories = []
        await seat.until(lambda: screen.has_class("-none"))


@pytest.mark.deep
async def test_today_stands_beside_what_the_conversation_cost(sit) -> None:
    stage = StageRuntime([["Yes."]])
    stage.used.today = Usage(cost_usd=1.5, priced=False)
    async with sit(stage, size=(160, 30)) as seat:
        await seat.say("hi")
        await seat.until(lambda: seat.talk.figures.today and seat.talk.figures.read)
        line = str(seat.talk.query_one("StatusLine").render())
        assert "$0.00" in line and "$1.50 + unknown today" in line
