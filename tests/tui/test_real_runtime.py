"""The workstation over the real runtime, ledger and index, with a scripted model."""

import asyncio
import time
from itertools import cycle
from pathlib import Path

import pytest
from skill_agent.tui.memory.pane import Recalled, Saved

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
    model = ScriptedModel(otherwise=lambda _: cycle(("on and ", "on ", Pause(0.001))))
    async with sit(lambda: open_runtime(model)) as seat:
        await seat.say("tell me")
        await seat.until(lambda: "on and on" in seat.shown())
        begun = time.process_time()
        await seat.pilot.press("escape")
        await seat.until(lambda: "Stopped" in seat.shown())
        assert time.process_time() - begun < 1.0, "of its own work; others may slow it down"


@pytest.mark.deep
async def test_closing_gives_the_home_back(sit, open_runtime, home, tmp_path: Path) -> None:
    async with sit(lambda: open_runtime(ScriptedModel([]))) as seat:
        await seat.press(*"draft")
    async with open_runtime(ScriptedModel([])) as runtime:
        assert await runtime.conversations.list() == []
