"""Several windows on one home: drafts apart, turns together, and a host that goes away."""

import asyncio
import json
from pathlib import Path

import pytest
from skill_agent.tui.talk.foot.drafts import NEW, Draft, DraftBook, Queued
from stage import Ids, StageRuntime, Stop

from skill_agent.errors import HomeBusy, NotFound
from skill_agent.events import AgentWaking, HostFound, HostLost, TextDelta, TurnFailed, TurnStarted
from skill_agent.identifiers import new_id
from skill_agent.values import TurnRequest


def window(drafts: Path) -> DraftBook:
    return DraftBook(drafts)


# -- drafts ----------------------------------------------------------------------------------


def test_two_windows_keep_their_drafts_apart(drafts: Path) -> None:
    one, two = window(drafts), window(drafts)
    one.save(NEW, Draft("mine"))
    two.save(NEW, Draft("yours"))
    assert two.load("other") == Draft() and one.load(NEW) == Draft(), (
        "a living window keeps its own"
    )
    texts = {json.loads(file.read_text())["text"] for file in drafts.rglob("new.json")}
    assert texts == {"mine", "yours"}


def test_what_a_window_leaves_is_taken_over_once(drafts: Path) -> None:
    gone, one, two = window(drafts), window(drafts), window(drafts)
    gone.save("talk", Draft("half", (Queued("queued"),)))
    gone.close()
    found = one.load("talk")
    assert found.text == "half" and [message.text for message in found.waiting] == ["queued"]
    assert two.load("talk") == Draft()
    one.close()
    assert two.load("talk") == found, "with the key it had"


def test_drafts_of_two_windows_that_are_gone_are_joined(drafts: Path) -> None:
    for text in ("first", "second"):
        book = window(drafts)
        book.save("talk", Draft(text))
        book.close()
    assert window(drafts).load("talk").text == "first\n\nsecond"


def test_drafts_of_an_earlier_version_are_taken_over(drafts: Path) -> None:
    drafts.mkdir()
    (drafts / "new.json").write_text('{"text": "old", "waiting": ["queued"]}')
    found = window(drafts).load(NEW)
    assert found.text == "old" and found.waiting[0].text == "queued"
    assert not (drafts / "new.json").exists()


def test_a_window_that_left_nothing_leaves_no_folder(drafts: Path) -> None:
    book = window(drafts)
    book.save(NEW, Draft("text"))
    book.save(NEW, Draft())
    book.close()
    assert list(drafts.iterdir()) == []


@pytest.mark.deep
async def test_a_message_that_arrived_before_a_crash_is_not_sent_again(sit, drafts: Path) -> None:
    runtime = StageRuntime()
    session = runtime.add_session("Old", "kyra", "Hi", "Hello")
    sent, unsent = Queued("sent"), Queued("unsent")
    await runtime.turns.submit(TurnRequest(sent.text, session=session.id, key=sent.key))
    book = window(drafts)
    book.save(session.id, Draft("", (sent, unsent)))
    book.close()
    async with sit(runtime, session="Old") as seat:
        await seat.until(lambda: "unsent" in waiting(seat) and "◦ sent" not in waiting(seat))
        await seat.press("enter")
        await seat.until(lambda: "You said: unsent" in seat.shown())
    assert [text for text, *_ in runtime.submitted] == ["sent", "unsent"]


@pytest.mark.deep
async def test_a_message_that_arrives_late_is_not_run_twice(sit, drafts: Path) -> None:
    """The window before was killed with its request still under way."""
    more = asyncio.Event()
    runtime = StageRuntime([["Said ", Stop(more), "once."]])
    session = runtime.add_session("Old", "kyra", "Hi", "Hello")
    late = Queued("late")
    book = window(drafts)
    book.save(session.id, Draft("", (late,)))
    book.close()
    async with sit(runtime, session="Old") as seat:
        await seat.until(lambda: "late" in waiting(seat))
        seat.talk._home.listener.deaf = True  # nothing is heard of it
        await runtime.turns.submit(TurnRequest(late.text, session=session.id, key=late.key))
        await seat.settled()
        seat.talk._home.listener.deaf = False
        await seat.press("enter")
        await seat.until(lambda: runtime.keys == [late.key, late.key])
        more.set()
        await seat.until(lambda: "Said once." in seat.shown())
        await seat.until(lambda: not seat.talk.turns.of(session.id))
        assert waiting(seat) == ""
        assert seat.shown().count("late") == 1


def waiting(seat) -> str:
    return str(seat.talk.query_one("#waiting").render())


# -- two windows on one conversation ---------------------------------------------------------


@pytest.mark.deep
async def test_what_is_said_in_another_window_appears_here(sit) -> None:
    runtime = StageRuntime([["From the ", "other window."]])
    session = runtime.add_session("Shared", "kyra", "Hi", "Hello")
    async with sit(runtime, session="Shared") as seat:
        await runtime.turns.submit(TurnRequest("asked elsewhere", session=session.id, key=new_id()))
        await seat.until(lambda: "From the other window." in seat.shown())
        assert seat.shown().count("asked elsewhere") == 1
        await seat.until(lambda: not seat.talk.turns.of(session.id))


@pytest.mark.deep
async def test_anothers_turn_steals_no_scrolling(sit) -> None:
    runtime = StageRuntime([["A line.\n\n" * 40]])
    session = runtime.add_session("Long", "kyra", *(["Word.\n\n" * 10] * 12))
    async with sit(runtime, session="Long") as seat:
        await seat.until(lambda: "Word." in seat.shown())
        await seat.settled()
        await seat.press("pageup", "pageup")
        await seat.settled()
        place = seat.talk.conversation.scroll_y
        await runtime.turns.submit(TurnRequest("asked elsewhere", session=session.id, key=new_id()))
        await seat.until(lambda: seat.shown().count("A line.") >= 40)
        await seat.settled()
        assert seat.talk.conversation.scroll_y == place
        assert seat.talk.query_one("#badge").has_class("-shown")


async def test_a_turn_that_runs_already_is_shown_from_its_beginning(sit) -> None:
    more = asyncio.Event()
    runtime = StageRuntime([["Said before, ", Stop(more), "said after."]])
    session = runtime.add_session("Shared", "kyra", "Hi", "Hello")
    await runtime.turns.submit(TurnRequest("asked elsewhere", session=session.id, key=new_id()))
    await asyncio.sleep(0)
    async with sit(runtime, session="Shared") as seat:
        await seat.until(lambda: "Said before," in seat.shown())
        assert seat.shown().count("asked elsewhere") == 1
        assert seat.talk.turns.of(session.id)
        more.set()
        await seat.until(lambda: "Said before, said after." in seat.shown())
        await seat.until(lambda: not seat.talk.turns.of(session.id))


async def test_a_turn_elsewhere_makes_no_noise_here(sit) -> None:
    runtime = StageRuntime()
    session = runtime.add_session("Elsewhere", "kyra", "Hi", "Hello")
    async with sit(runtime) as seat:
        key = new_id()
        await runtime.turns.submit(TurnRequest("asked elsewhere", session=session.id, key=key))
        await seat.until(lambda: seat.talk.turns.over(key))
        await seat.settled()
        assert len(seat.app._notifications) == 0


# -- a host that goes away -------------------------------------------------------------------


class LosingRuntime(StageRuntime):
    """An attached one whose host dies under a turn, as the attached side tells it."""

    def lose(self) -> None:
        self.bus.publish(HostLost(pid=4242))

    def find(self, *, here: bool) -> None:
        self.bus.publish(HostFound(pid=1, here=here))


@pytest.mark.deep
async def test_the_team_is_woken_and_the_footer_says_so(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        await seat.until(lambda: runtime.woken == ["kyra", "everyone"])
        runtime.bus.publish(AgentWaking(agent="luke", name="Luke", number=2, of=4))
        await seat.until(lambda: "waking Luke (2 of 4)" in status(seat))


@pytest.mark.deep
async def test_a_lost_host_is_a_quiet_line_and_typing_goes_on(sit) -> None:
    runtime = LosingRuntime()
    runtime.add_session("Old", "kyra", "Hi", "Hello")
    async with sit(runtime, session="Old") as seat:
        await seat.press(*"half ")
        await seat.until(lambda: "Hello" in seat.shown())
        await seat.settled()
        before = seat.shown()
        runtime.lose()
        await seat.until(lambda: "taking over" in status(seat))
        await seat.press(*"a thought")
        assert seat.shown() == before
        runtime.find(here=False)
        await seat.until(lambda: "connected again" in status(seat))
        assert "taking over" not in status(seat)
        assert seat.talk.composer.text == "half a thought"
        runtime.lose()
        runtime.find(here=True)
        await seat.until(lambda: "this window is host now" in status(seat))


def status(seat) -> str:
    return str(seat.talk.query_one("#status").render())


@pytest.mark.deep
async def test_a_turn_that_died_with_its_host_is_told_once(sit) -> None:
    runtime = LosingRuntime([["Half a ", Stop(asyncio.Event())]])
    async with sit(runtime) as seat:
        await seat.say("first")
        await seat.until(lambda: "Half a" in seat.shown())
        await seat.say("second")
        turn, session = runtime.keys[0], seat.talk.session_id
        assert session
        ids: Ids = {"session": session, "turn": turn, "agent": "kyra"}
        runtime.lose()
        runtime.find(here=True)
        failed = TurnFailed(**ids, reason="host_lost", message="the reply was cut short")
        runtime.bus.publish(failed)
        runtime.bus.publish(failed)
        runtime.bus.publish(TextDelta(**ids, text="too late"))
        await seat.until(lambda: "You said: second" in seat.shown())
        assert seat.shown().count("went away; your message is saved") == 1
        assert "too late" not in seat.shown()
    assert [text for text, *_ in runtime.submitted] == ["first", "second"]


@pytest.mark.deep
async def test_an_end_that_was_missed_is_caught_up(sit) -> None:
    """The turn ended while nobody could be heard."""
    runtime = LosingRuntime([["Whole"]])
    session = runtime.add_session("Old", "kyra", "Hi", "Hello")
    async with sit(runtime, session="Old") as seat:
        await seat.settled()
        turn = new_id()
        runtime.bus.publish(
            TurnStarted(
                session=session.id, turn=turn, agent="kyra", message_id="m", text="t", model=""
            )
        )
        await seat.until(lambda: seat.talk.turns.of(session.id))
        runtime.ended_meanwhile(turn, session.id, "The whole reply.")
        runtime.lose()
        runtime.find(here=False)
        await seat.until(lambda: "The whole reply." in seat.shown())
        await seat.until(lambda: not seat.talk.turns.of(session.id))


@pytest.mark.deep
async def test_a_message_that_may_have_arrived_keeps_its_key(sit) -> None:
    runtime = StageRuntime()
    runtime.refuse = HomeBusy("nobody holds the home", pid=None, hint="try again")
    async with sit(runtime) as seat:
        await seat.say("perhaps")
        await seat.until(lambda: "held: Enter sends" in waiting(seat))
        await seat.until(lambda: "nobody holds the home" in seat.shown())
        await seat.press("enter")
        await seat.until(lambda: "You said: perhaps" in seat.shown())
    first, second = runtime.keys
    assert first == second


@pytest.mark.deep
async def test_a_refused_message_returns_to_the_composer(sit) -> None:
    runtime = StageRuntime()
    runtime.refuse = NotFound("there is no agent of that name")
    async with sit(runtime) as seat:
        await seat.say("to nobody")
        await seat.until(lambda: seat.talk.composer.text == "to nobody")
        await seat.press("enter")
        await seat.until(lambda: "You said: to nobody" in seat.shown())
    assert runtime.keys[0] != runtime.keys[1]
