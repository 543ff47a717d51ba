"""Pictures of the main screens; `--snapshot-update` accepts new ones after a look at them.

Two sizes in the dark theme; what is marked `deep` is drawn in other sizes or colours.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import stage_book
from scenes import (
    ASKED,
    ASKED_LONG,
    ASKED_TO_KEEP,
    COMPACTED,
    EXTRACTED,
    RECALLED,
    REPLY,
    SAVED,
    TOOL,
    WORDS,
    call,
    past,
)
from skill_agent.tui.app import WorkstationApp
from skill_agent.tui.talk.foot.composer import Composer
from skill_agent.tui.talk.screen import TalkScreen
from skill_agent.tui.talk.shown.blocks import OpeningFailed
from stage import StageRuntime, Stop, make, opener, refuser
from stage_book import StageBook
from stage_inbox import full
from stage_work import at_work, behind
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import settled, until

from skill_agent.errors import HomeBusy, ModelUnavailable, StoreError
from skill_agent.events import HostLost, TurnFailed
from skill_agent.values import Attachment

WIDE, NARROW = (120, 36), (60, 20)
Before = Callable[[Pilot[None]], Awaitable[None]]


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def still(snap_compare, drafts: Path) -> Callable[..., bool]:
    """Compares the screen after the keys and messages with the accepted picture."""

    def compare(
        factory,
        *said: str,
        keys: tuple[str, ...] = (),
        size=WIDE,
        theme: str = "workstation",
        opens: bool = True,
        then: Before | None = None,
    ) -> bool:
        async def before(pilot: Pilot[None]) -> None:
            talk = pilot.app.screen_stack[0]
            assert isinstance(talk, TalkScreen)
            if opens:
                await until(pilot, lambda: talk.speaker or talk.query(OpeningFailed))
            pilot.app.theme = theme
            await settled(pilot)
            for text in said:
                talk.composer.put(text)
                await pilot.press("enter")
                await settled(pilot)
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            if then is not None:
                await then(pilot)
            for box in pilot.app.screen.query(Input):
                box.cursor_blink = False
            await settled(pilot)

        app = WorkstationApp(factory, draft_dir=drafts, seconds=lambda: 0.0)
        app.animation_level = "none"
        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


def talked() -> StageRuntime:
    runtime = past()
    runtime.scripts = [
        [SAVED, RECALLED, "Noted: **Fridays**, from the release branch."],
        [RECALLED, *TOOL, *WORDS],
    ]
    return runtime


SAID = (
    "Remember that I deploy on Fridays from the release branch",
    "When do I deploy, and what do I watch out for?",
)


def test_start(still) -> None:
    assert still(opener(past()))


def test_opening(still) -> None:
    assert still(opener(past(), gate=asyncio.Event()), keys=("h", "i"), opens=False)


def test_conversation_with_memory(still) -> None:
    assert still(opener(talked()), *SAID)


@pytest.mark.deep
def test_conversation_in_light(still) -> None:
    assert still(opener(talked()), *SAID, theme="workstation-light")


@pytest.mark.deep
def test_mid_stream_with_a_queue(still) -> None:
    runtime = past()
    runtime.scripts = [[RECALLED, *WORDS[:24], Stop(asyncio.Event())]]
    said = ("When do I deploy?", "And who waits for the migration?")
    assert still(opener(runtime), *said, keys=("N", "o", "w"), size=(90, 30))


def test_narrow(still) -> None:
    assert still(opener(talked()), *SAID, size=NARROW)


@pytest.mark.deep
def test_narrow_memory(still) -> None:
    assert still(opener(talked()), *SAID, keys=("f3",), size=NARROW)


@pytest.mark.deep
def test_an_open_tool_call(still) -> None:
    assert still(opener(talked()), *SAID, keys=("alt+up", "enter"))


@pytest.mark.deep
def test_the_prompt_of_a_reply(still) -> None:
    runtime = talked()
    runtime.prompts[REPLY] = [call()]
    assert still(opener(runtime), *SAID, keys=("alt+up", "p"))


def test_approval(still) -> None:
    runtime = past()
    runtime.scripts = [[RECALLED, "Let me look. ", ASKED]]
    assert still(opener(runtime), "When was the last deploy?", keys=("f2",))


def test_approval_narrow(still) -> None:
    runtime = past()
    runtime.scripts = [["Let me look. ", ASKED]]
    assert still(opener(runtime), "When was the last deploy?", size=NARROW)


def test_approval_of_a_long_url(still) -> None:
    runtime = past()
    runtime.scripts = [["Let me look. ", ASKED_LONG]]
    assert still(opener(runtime), "When was the last deploy?", keys=("f2",), size=NARROW)


def test_approval_read_to_its_end(still) -> None:
    runtime = past()
    runtime.scripts = [["I will keep that. ", ASKED_TO_KEEP]]
    assert still(opener(runtime), "Read this.", keys=("f2", "end"), size=(80, 24))


def test_a_paste_beside_the_words(still) -> None:
    runtime = past()
    runtime.scripts = [["Noted."]]

    async def paste(pilot: Pilot[None]) -> None:
        composer = pilot.app.screen_stack[0].query_one(Composer)
        composer.put("What is it?", (Attachment("a line\n" * 500, origin="paste"),))
        await pilot.press("enter")
        await settled(pilot)
        composer.put("And this?", (Attachment("z" * 1200, origin="paste"),))

    assert still(opener(runtime), then=paste, size=(80, 24))


@pytest.mark.deep
def test_sessions(still) -> None:
    assert still(opener(talked()), *SAID, keys=("ctrl+s",))


@pytest.mark.deep
def test_agents(still) -> None:
    assert still(opener(past()), keys=("ctrl+g",))


@pytest.mark.deep
def test_keys(still) -> None:
    assert still(opener(past()), keys=("f1",))


def remembering(book: StageBook | None = None) -> StageRuntime:
    runtime = StageRuntime(memory=book or stage_book.shelf())
    runtime.add_session("Deploying on Fridays", "kyra", "Remember that …", "Noted.")
    return runtime


def test_memories(still) -> None:
    assert still(opener(remembering()), keys=("f5",))


@pytest.mark.deep
def test_memories_in_light(still) -> None:
    assert still(opener(remembering()), keys=("f5",), theme="workstation-light")


@pytest.mark.deep
def test_memories_found(still) -> None:
    assert still(opener(remembering()), keys=("f5", "slash", *"branch"))


@pytest.mark.deep
def test_memories_forgotten(still) -> None:
    assert still(opener(remembering()), keys=("f5", "S", "S"))


@pytest.mark.deep
def test_memory_story(still) -> None:
    assert still(opener(remembering()), keys=("f5", "tab", "end"))


@pytest.mark.deep
def test_memory_edit(still) -> None:
    assert still(opener(remembering()), keys=("f5", "e", "!", "escape"))


def test_memory_forget(still) -> None:
    assert still(opener(remembering()), keys=("f5", "f"))


@pytest.mark.deep
def test_memory_dispute(still) -> None:
    assert still(opener(remembering()), keys=("f5", "down", "enter", "right"))


@pytest.mark.deep
def test_memory_dispute_narrow(still) -> None:
    assert still(opener(remembering()), keys=("f5", "down", "enter"), size=(80, 24))


@pytest.mark.deep
def test_memories_narrow(still) -> None:
    assert still(opener(remembering()), keys=("f5",), size=(80, 24))


def test_memories_on_a_small_screen(still) -> None:
    assert still(opener(remembering()), keys=("f5", "down"), size=NARROW)


@pytest.mark.deep
def test_no_memories(still) -> None:
    assert still(opener(remembering(stage_book.book())), keys=("f5",))


@pytest.mark.deep
def test_memories_that_cannot_be_read(still) -> None:
    broken = stage_book.book(fails=StoreError("the ledger cannot be read", hint="ska doctor"))
    assert still(opener(remembering(broken)), keys=("f5",))


def test_memories_while_waking(still) -> None:
    assert still(opener(remembering(), gate=asyncio.Event()), keys=("f5",), opens=False)


@pytest.mark.deep
def test_a_rated_reply(still) -> None:
    runtime = remembering()
    runtime.ratings.rated["message-session-0-1"] = "up"
    assert still(opener(runtime), keys=("ctrl+s", "enter", "alt+up"))


@pytest.mark.deep
def test_compacted_and_disputed(still) -> None:
    runtime = remembering()
    runtime.scripts = [[COMPACTED, RECALLED, "On **Mondays** now.", EXTRACTED]]
    assert still(opener(runtime), "When do I deploy?")


def test_a_model_that_is_missing(still) -> None:
    runtime = past()
    problem = ModelUnavailable("qwen2.5-coder-1.5b is not installed", hint="ska models pull")
    runtime.scripts = [[problem]]
    assert still(opener(runtime), "Hello?")


def test_a_home_that_is_busy(still) -> None:
    busy = HomeBusy("process 4242 has this home open", pid=4242, hint="close it there first")
    assert still(refuser(busy, then=past()))


# -- a host that goes away -------------------------------------------------------------------


def _orphaned() -> StageRuntime:
    cut = make(TurnFailed, reason="host_lost", message="the reply was cut short")
    lost = make(HostLost, pid=4242)
    return StageRuntime([[RECALLED, *WORDS[:14], cut, lost, Stop(asyncio.Event())]])


def test_host_lost(still) -> None:
    assert still(opener(_orphaned()), "When do I deploy?")


def test_host_lost_narrow(still) -> None:
    assert still(opener(_orphaned()), "When do I deploy?", size=NARROW)


# -- the screen of background work -----------------------------------------------------------


def background() -> StageRuntime:
    runtime = past()
    behind(runtime.background)
    return runtime


def test_background_work(still) -> None:
    assert still(opener(background()), keys=("f9", "down"))


def test_background_work_narrow(still) -> None:
    assert still(opener(background()), keys=("f9",), size=NARROW)


def test_no_background_work(still) -> None:
    assert still(opener(past()), keys=("f9",))


def test_background_work_in_the_status_line(still) -> None:
    assert still(opener(background()))


# -- the team screen -------------------------------------------------------------------------


def team() -> StageRuntime:
    runtime = past()
    at_work(runtime.given, runtime.together)
    return runtime


def test_team_work(still) -> None:
    assert still(opener(team()), keys=("f7", "down"))


def test_team_work_narrow(still) -> None:
    assert still(opener(team()), keys=("f7",), size=NARROW)


def test_no_team_work(still) -> None:
    assert still(opener(past()), keys=("f7",))


# -- the inbox -------------------------------------------------------------------------------


def inbox() -> StageRuntime:
    runtime = past()
    full(runtime.post, "session-0")
    return runtime


def test_inbox(still) -> None:
    assert still(opener(inbox()), keys=("f8",))


def test_inbox_narrow(still) -> None:
    assert still(opener(inbox()), keys=("f8", "enter"), size=NARROW)


def test_nothing_in_the_inbox(still) -> None:
    assert still(opener(past()), keys=("f8",))


def test_unread_in_the_status_line(still) -> None:
    assert still(opener(inbox()))
