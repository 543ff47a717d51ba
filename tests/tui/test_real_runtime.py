"""The workstation over the real runtime, ledger and index, with a scripted model."""

import asyncio
from pathlib import Path

import pytest
from skill_agent.tui.frame.growing_list import GrowingList
from skill_agent.tui.memory.pane import Recalled, Saved
from skill_agent.tui.talk.session_deletion import DeleteDialog
from skill_agent.tui.talk.session_list import SessionList
from skill_agent.tui.talk.welcome import Welcome

from skill_agent.models.scripted import Gate, Pause, ScriptedModel


async def test_it_remembers_from_one_process_to_the_next(sit, open_runtime, home) -> None:
    first = ScriptedModel(["Noted: Fridays.", "It is *sunny*."])
    async with sit(lambda: open_runtime(first), size=(120, 30)) as seat:
        await seat.say("Remember that I deploy on Fridays from the release branch")
        await seat.until(lambda: "Noted: Fridays." in seat.shown())
        await seat.until(lambda: seat.talk.query(Saved))
        await seat.say("And the weather?")
        await seat.until(lambda: "sunny" in seat.shown())
        await seat.until(lambda: not seat.talk.turns.of(seat.talk.session_id))
        title = seat.talk.figures.title

    second = ScriptedModel(["On Fridays."])
    async with sit(lambda: open_runtime(second), size=(120, 30)) as seat:
        await seat.say("When do I deploy?")
        await seat.until(lambda: "On Fridays." in seat.shown())
        recalled = [str(one.render()) for one in seat.talk.query(Recalled)]
        assert any("deploy on Fridays" in one for one in recalled)
        assert "release branch" in second.requests[-1].messages[-1].content
        await seat.until(lambda: seat.talk.figures.read > 0)
        await seat.press("tab")
        assert seat.talk.figures.member.slug != "kyra"

    third = ScriptedModel([])
    async with sit(lambda: open_runtime(third), session=title) as seat:
        await seat.until(lambda: "Noted: Fridays." in seat.shown())
        assert seat.talk.figures.title == title
        assert seat.talk.figures.member.slug == "kyra"


@pytest.mark.deep
async def test_a_second_window_shares_the_home(sit, open_runtime, join) -> None:
    first, second = ScriptedModel(["From the host."]), ScriptedModel([])
    async with open_runtime(first) as host, sit(lambda: join(second)) as seat:
        await seat.say("Who answers?")
        await seat.until(lambda: "From the host." in seat.shown())
        (session,) = await host.conversations.list()
        await seat.until(lambda: seat.talk.figures.title == session.title)


async def test_escape_keeps_the_partial_reply_in_the_ledger(sit, open_runtime) -> None:
    model = ScriptedModel([["half of ", "it", Gate(asyncio.Event())]])
    async with sit(lambda: open_runtime(model)) as seat:
        await seat.say("tell me")
        await seat.until(lambda: "half of it" in seat.shown())
        await seat.press("escape")
        await seat.until(lambda: "Stopped" in seat.shown())
        runtime = seat.app.runtime
        assert runtime is not None and seat.talk.session_id
        messages = await runtime.conversations.messages(seat.talk.session_id)
        assert (messages[-1].content, messages[-1].state) == ("half of it", "partial")


async def test_escape_ends_a_reply_that_would_never_end(sit, open_runtime) -> None:
    model = ScriptedModel(otherwise=["on and ", "on ", Pause(0.001)] * 100_000)
    async with sit(lambda: open_runtime(model)) as seat:
        await seat.say("tell me")
        await seat.until(lambda: "on and on" in seat.shown())
        await seat.pilot.press("escape")
        await seat.until(lambda: "Stopped" in seat.shown())


@pytest.mark.deep
async def test_closing_gives_the_home_back(sit, open_runtime, home, tmp_path: Path) -> None:
    async with sit(lambda: open_runtime(ScriptedModel([]))) as seat:
        await seat.press(*"draft")
    async with open_runtime(ScriptedModel([])) as runtime:
        assert await runtime.conversations.list() == []


@pytest.mark.deep
async def test_conversations_are_kept_in_order(sit, open_runtime, home) -> None:
    """Pinned, put away, branched off and deleted, and still so in the next process."""
    model = ScriptedModel(["The boat is blue.", "Bread needs salt.", "And yeast."])
    async with sit(lambda: open_runtime(model), size=(140, 36)) as seat:
        for words, answer in (("The boat?", "boat is blue"), ("The bread?", "needs salt")):
            await seat.say(words)
            await seat.until(lambda answer=answer: answer in seat.shown())
            await seat.until(lambda: not seat.talk.turns.of(seat.talk.session_id))
            await seat.press("ctrl+n")
            await seat.until(lambda: seat.talk.query(Welcome))
        await seat.press("ctrl+s", *"blue")
        listing = await seat.at(SessionList)
        await seat.until(lambda: _titles(listing) == ["The boat?"])
        await seat.until(lambda: "The boat is blue." in _beside(listing))
        await seat.press("alt+p", "ctrl+u")
        await seat.until(lambda: _titles(listing) == ["The boat?", "The bread?"])
        await seat.press("down", "alt+y")
        await seat.until(lambda: seat.talk.figures.title == "The bread? (branch)")
        await seat.say("What else?")
        await seat.until(lambda: "And yeast." in seat.shown())
        assert "Bread needs salt." in seat.shown()
        await seat.until(lambda: not seat.talk.turns.of(seat.talk.session_id))

    async with sit(lambda: open_runtime(ScriptedModel([])), size=(140, 36)) as seat:
        await seat.press("ctrl+s")
        listing = await seat.at(SessionList)
        await seat.until(
            lambda: _titles(listing) == ["The boat?", "The bread? (branch)", "The bread?"]
        )
        await seat.press("down", "down", "alt+a")
        await seat.until(lambda: _titles(listing) == ["The boat?", "The bread? (branch)"])
        await seat.press("alt+d")
        await seat.at(DeleteDialog)
        await seat.press("enter")
        await seat.until(lambda: _titles(listing) == ["The boat?"])
        await seat.press("alt+v")
        await seat.until(lambda: _titles(listing) == ["The bread?"])


def _titles(listing: SessionList) -> list[str]:
    options = listing.query_one(GrowingList).options
    return [str(one.prompt).splitlines()[0][2:].split("  ")[0] for one in options if one.id]


def _beside(listing: SessionList) -> str:
    return str(listing.query_one("#preview Static").render())
