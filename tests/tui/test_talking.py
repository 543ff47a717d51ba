"""Sending, queueing, stopping, agents and conversations, on a scripted runtime."""

import asyncio

import pytest
from skill_agent.tui.frame.agents import AgentPicker
from skill_agent.tui.memory.pane import Recalled, Saved
from skill_agent.tui.talk.session_list import SessionList
from skill_agent.tui.talk.shown.blocks import ThoughtBlock, ToolBlock, UserBlock
from skill_agent.tui.talk.shown.reply import ReplyBlock
from stage import StageConversations, StageRuntime, Stop, make, opener
from textual.events import Key

from skill_agent.errors import ModelUnavailable, NotFound
from skill_agent.events import (
    AgentRouted,
    ApprovalAsked,
    MemoryRecalled,
    MemorySaved,
    RecalledItem,
    ToolFinished,
    ToolStarted,
)
from skill_agent.values import Session


async def test_a_message_is_answered_and_counted(sit) -> None:
    async with sit(StageRuntime([["Hello, ", "**you**."]])) as seat:
        await seat.say("Hi")
        await seat.until(lambda: seat.talk.figures.written)
        assert "Hello, **you**." in seat.shown()
        await seat.until(lambda: seat.talk.figures.window == 8192)
        figures = seat.talk.figures
        assert (figures.read, figures.cached) == (1240, 1066)
        assert figures.title == "Hi"
        assert seat.talk.composer.text == ""


async def test_ctrl_j_breaks_the_line_and_enter_sends(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        await seat.press("a", "ctrl+j", "b", "shift+enter", "c")
        assert seat.talk.composer.text == "a\nb\nc"
        await seat.press("enter")
        await seat.until(lambda: runtime.submitted)
        assert runtime.submitted[0][0] == "a\nb\nc"


async def test_a_key_right_after_enter_belongs_to_the_next_message(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        for key in ("a", "enter", "b"):
            seat.app.post_message(Key(key, None if key == "enter" else key))
        await seat.until(lambda: runtime.submitted and seat.talk.composer.text == "b")
        assert runtime.submitted[0][0] == "a"


async def test_what_is_said_while_a_conversation_gets_its_title_belongs_to_it(sit) -> None:
    named = asyncio.Event()

    class SlowToName(StageConversations):
        async def find(self, ref: str) -> Session:
            await named.wait()
            return await super().find(ref)

    runtime = StageRuntime(conversations=SlowToName)
    async with sit(runtime) as seat:
        await seat.say("first")
        await seat.until(lambda: runtime.submitted)
        await seat.settled()
        await seat.say("second")
        named.set()
        await seat.until(lambda: len(runtime.submitted) == 2)
        assert runtime.submitted[1][1] == "session-0"


async def test_an_empty_message_is_not_sent(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        await seat.press("space", "enter", "enter")
        await seat.settled()
        assert runtime.submitted == []


@pytest.mark.deep
async def test_what_is_sent_before_the_home_is_open_waits(sit) -> None:
    runtime, gate = StageRuntime(), asyncio.Event()
    async with sit(opener(runtime, gate=gate), ready=False) as seat:
        await seat.press(*"early", "enter")
        await seat.press(*"more")
        assert runtime.submitted == []
        await seat.until(lambda: seat.talk.query_one("#waiting").display)
        gate.set()
        await seat.until(lambda: "You said: early" in seat.shown())
        assert seat.talk.composer.text == "more"


@pytest.mark.deep
async def test_messages_queue_while_a_reply_runs_and_up_edits_them(sit) -> None:
    gate = asyncio.Event()
    runtime = StageRuntime([["one ", Stop(gate), "two"]])
    async with sit(runtime) as seat:
        await seat.say("first")
        await seat.until(lambda: "one" in seat.shown())
        await seat.say("second")
        await seat.say("third")
        assert len(runtime.submitted) == 1
        await seat.press("up")
        assert seat.talk.composer.text == "third"
        await seat.press("!", "enter")
        gate.set()
        await seat.until(lambda: len(runtime.submitted) == 3)
        assert [text for text, _, _ in runtime.submitted] == ["first", "second", "third!"]
        await seat.until(lambda: not seat.talk.query_one("#waiting").display)


async def test_escape_stops_and_keeps_the_partial_text(sit) -> None:
    runtime = StageRuntime([["half a ", "sentence", Stop(asyncio.Event())]])
    async with sit(runtime) as seat:
        await seat.say("go")
        await seat.until(lambda: "sentence" in seat.shown())
        await seat.press("escape")
        await seat.until(lambda: "Stopped" in seat.shown())
        assert "half a sentence" in seat.shown()
        assert runtime.said["session-0"][-1].state == "partial"
        await seat.say("again")
        await seat.until(lambda: "You said: again" in seat.shown())


async def test_after_a_failure_the_queue_is_held(sit) -> None:
    gate = asyncio.Event()
    problem = ModelUnavailable("the model is not installed", hint="ska models pull it")
    runtime = StageRuntime([[Stop(gate), problem]])
    async with sit(runtime) as seat:
        await seat.say("first")
        await seat.say("second")
        gate.set()
        await seat.until(lambda: "ska models pull it" in seat.shown())
        await seat.settled()
        assert len(runtime.submitted) == 1
        await seat.press("enter")
        await seat.until(lambda: len(runtime.submitted) == 2)


async def test_a_refused_message_returns_to_the_composer(sit) -> None:
    runtime = StageRuntime(refuse=NotFound("there is no agent 'kira'", hint="did you mean kyra?"))
    async with sit(runtime) as seat:
        await seat.say("@kira hello")
        await seat.until(lambda: seat.talk.composer.text == "@kira hello")
        assert "did you mean kyra?" in seat.shown()
        await seat.press("enter")
        await seat.until(lambda: len(runtime.submitted) == 2)


@pytest.mark.deep
async def test_tab_switches_the_agent_within_the_session(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        await seat.say("hello")
        await seat.until(lambda: seat.talk.figures.written)
        await seat.press("tab")
        assert seat.talk.figures.member.name == "Luke"
        await seat.until(lambda: runtime.stored["session-0"].agent == "luke")
        await seat.press("tab", "tab")
        assert seat.talk.figures.member.slug == "kyra", "the paused agent is passed over"
        await seat.press("shift+tab")
        await seat.until(lambda: runtime.stored["session-0"].agent == "ada")
        await seat.say("and you?")
        await seat.until(lambda: len(runtime.submitted) == 2)
        assert runtime.submitted[1][1] == "session-0"


@pytest.mark.deep
async def test_a_mention_in_the_first_message_chooses_the_agent(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        await seat.say("@luke review this")
        await seat.until(lambda: seat.talk.figures.member.slug == "luke")
        assert runtime.submitted[0][2] is None, "the runtime decides whom a message is for"


@pytest.mark.deep
async def test_tab_completes_a_mention(sit) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.press(*"hey @lu", "tab")
        assert seat.talk.composer.text == "hey @luke "
        assert seat.talk.figures.member.slug == "kyra"


@pytest.mark.deep
async def test_the_picker_chooses_and_refuses_the_paused(sit) -> None:
    async with sit(StageRuntime()) as seat:
        await seat.press("ctrl+g")
        await seat.at(AgentPicker)
        await seat.press("down", "down", "enter")
        await seat.until(lambda: seat.talk.figures.member.slug == "ada")


@pytest.mark.deep
async def test_sessions_filter_resume_and_keep_each_draft(sit) -> None:
    runtime = StageRuntime()
    runtime.add_session("Autumn newsletter", "ada", "Plan it", "Planned.")
    runtime.add_session("Parser bug", "luke", "Why?", "Off by one.")
    async with sit(runtime) as seat:
        await seat.press(*"unsent", "ctrl+s")
        await seat.at(SessionList)
        await seat.press(*"autumn", "enter")
        await seat.until(lambda: "Planned." in seat.shown())
        assert seat.talk.figures.member.slug == "ada"
        assert seat.talk.composer.text == ""
        await seat.press("ctrl+n")
        await seat.until(lambda: seat.talk.composer.text == "unsent")


@pytest.mark.deep
async def test_renaming_in_the_list(sit) -> None:
    runtime = StageRuntime()
    session = runtime.add_session("Old", "kyra", "Hi", "Hello")
    async with sit(runtime, session=session.id) as seat:
        await seat.press("ctrl+s")
        await seat.at(SessionList)
        await seat.press("ctrl+e", "ctrl+u", *"New", "enter")
        await seat.until(lambda: runtime.stored[session.id].title == "New")
        await seat.until(lambda: seat.talk.figures.title == "New")
        await seat.press("escape")
        assert seat.talk.figures.title == "New"


@pytest.mark.deep
async def test_coming_back_to_a_running_turn_shows_all_of_it(sit) -> None:
    gate = asyncio.Event()
    runtime = StageRuntime([["before ", Stop(gate), "after"]])
    runtime.add_session("Other", "luke", "Hi", "Hello")
    async with sit(runtime) as seat:
        await seat.say("go")
        await seat.until(lambda: "before" in seat.shown())
        await seat.press("ctrl+n")
        await seat.until(lambda: "before" not in seat.shown())
        await seat.press("ctrl+s")
        await seat.at(SessionList)
        await seat.press(*"go", "enter")
        await seat.until(lambda: "before" in seat.shown())
        gate.set()
        await seat.until(lambda: "before after" in seat.shown())
        assert len(seat.talk.query(UserBlock)) == 1


@pytest.mark.deep
async def test_a_background_conversation_sends_its_queue(sit) -> None:
    gate = asyncio.Event()
    runtime = StageRuntime([[Stop(gate), "done"]])
    async with sit(runtime) as seat:
        await seat.say("first")
        await seat.until(lambda: runtime.submitted)
        await seat.say("second")
        await seat.press("ctrl+n")
        await seat.until(lambda: seat.talk.session_id is None)
        gate.set()
        await seat.until(lambda: len(runtime.submitted) == 2)
        assert runtime.submitted[1][:2] == ("second", "session-0")
        await seat.settled()
        assert not seat.talk.query(ReplyBlock)


async def test_resuming_an_unknown_session_says_so(sit) -> None:
    async with sit(StageRuntime(), session="nowhere") as seat:
        await seat.until(lambda: "ska sessions list" in seat.shown())


ASK = make(
    ApprovalAsked, approval="a1", tool="http_get", arguments={"url": "https://example.org"},
    rule="kyra http_get:example.org", reason="not among the allowed domains", timeout_s=300.0,
)  # fmt: skip


@pytest.mark.deep
async def test_an_approval_needs_f2_and_a_letter(sit) -> None:
    runtime = StageRuntime([[ASK, "ok"]])
    async with sit(runtime) as seat:
        await seat.say("fetch it")
        await seat.until(lambda: seat.talk.approvals.pending)
        await seat.press(*"oad")
        assert runtime.answers == [], "what one types while it appears is text"
        assert seat.talk.composer.text == "oad"
        await seat.until(lambda: seat.talk.approvals.region.area)
        await seat.pilot.click("#approval")
        await seat.press("enter")
        assert runtime.answers == [], "neither a click nor Enter answers"
        await seat.press("f2")
        await seat.press("a")
        await seat.until(lambda: runtime.answers == [("a1", "always")])
        await seat.until(lambda: seat.talk.focused is seat.talk.composer)
        await seat.until(lambda: "ok" in seat.shown())


@pytest.mark.deep
async def test_the_exact_rule_is_shown_and_deny_works(sit) -> None:
    refused = (
        make(ToolStarted, call="c1", tool="http_get", arguments={"url": "https://example.org"}),
        make(
            ToolFinished, call="c1", tool="http_get", ok=False, result="not allowed", seconds=0.0,
        ),
    )  # fmt: skip
    runtime = StageRuntime([[ASK, *refused, "then not"]])
    async with sit(runtime) as seat:
        await seat.say("fetch it")
        await seat.until(lambda: seat.talk.approvals.pending)
        seat.talk.composer.put("a draft")
        await seat.press("f2")
        await seat.settled()
        choices = str(seat.talk.query_one("#approval-choices").render())
        assert "kyra http_get:example.org" in choices
        await seat.press("d")
        await seat.until(lambda: runtime.answers == [("a1", "deny")])
        await seat.until(lambda: "Denied" in seat.shown())
        assert seat.talk.composer.text == "a draft"


@pytest.mark.deep
async def test_memory_shows_what_was_recalled_and_saved(sit) -> None:
    item = RecalledItem(
        id="m1", kind="memory", content="Deploys on Fridays", score=0.9,
        signals={"lexical": 0.8, "recency": 0.0},
        reason="same words", memory_type="semantic", created_at="2026-11-13T00:00:00Z",
    )  # fmt: skip
    recalled = make(MemoryRecalled, items=(item,), tokens=12, budget=2000, seconds=0.01)
    saved = make(
        MemorySaved, memory_id="id-7", content="Likes tea", memory_type="semantic", pinned=True,
        importance=10,
    )  # fmt: skip
    async with sit(StageRuntime([[saved, recalled, "Noted."]]), size=(120, 30)) as seat:
        await seat.say("Remember that I like tea")
        await seat.until(lambda: seat.talk.figures.written)
        shown = str(seat.talk.query_one(Recalled).render())
        assert "A fact, 2026-11-13: same words." in shown and "0.90" not in shown
        shown = str(seat.talk.query_one(Saved).render())
        assert "Likes tea" in shown and "id-7" not in shown, "its story names it"
        assert "id-7" not in seat.shown()
        assert not seat.talk.query_one("#memory").display
        await seat.press("f3", "f4")
        await seat.until(lambda: "recency 0.00" in str(seat.talk.query_one(Recalled).render()))
        await seat.press("f3")
        await seat.until(lambda: not seat.talk.query_one("#memory").display)


@pytest.mark.deep
async def test_tool_calls_open_by_keyboard(sit) -> None:
    from skill_agent.events import ToolFinished, ToolStarted

    start = make(ToolStarted, call="c", tool="http_get", arguments={"url": "https://example.org"})
    end = make(ToolFinished, call="c", tool="http_get", ok=True, result="the body", seconds=0.2)
    async with sit(StageRuntime([[start, end, "Read it."]])) as seat:
        await seat.say("read")
        await seat.until(lambda: seat.talk.figures.written)
        tool = seat.talk.query_one(ToolBlock)
        assert "the body" not in seat.shown()
        await seat.press("alt+up")
        assert seat.talk.focused is tool
        await seat.press("enter")
        await seat.until(lambda: "the body" in seat.shown())
        await seat.press("escape")
        assert seat.talk.focused is seat.talk.composer


@pytest.mark.deep
async def test_why_another_one_answers_is_said_in_words(sit) -> None:
    """Names, and no figure that nobody can weigh."""
    routed = make(
        AgentRouted, came_from="kyra", reason="skill_match", confidence=0.81,
        explanation="Luke matches best, 0.81",
    )  # fmt: skip
    async with sit(StageRuntime([[routed, "Done."]])) as seat:
        await seat.say("@luke review this")
        await seat.until(lambda: seat.talk.figures.written)
        assert "Luke answers instead of Kyra: it is closest to what Luke does" in seat.shown()
        assert "0.81" not in seat.shown()


async def test_thoughts_are_one_line_that_opens(sit) -> None:
    from skill_agent.events import ThoughtDelta

    thoughts = [make(ThoughtDelta, text=text) for text in ("they want ", "a greeting")]
    async with sit(StageRuntime([[*thoughts, "Hello."]])) as seat:
        await seat.say("hi")
        await seat.until(lambda: seat.talk.figures.written)
        assert "▸ thought" in seat.shown() and "a greeting" not in seat.shown()
        assert seat.talk.query_one(ReplyBlock).source == "Hello."
        await seat.press("alt+up")
        assert seat.talk.focused is seat.talk.query_one(ThoughtBlock)
        await seat.press("enter")
        await seat.until(lambda: "they want a greeting" in seat.shown())


async def test_history_comes_back_with_up(sit) -> None:
    async with sit(StageRuntime()) as seat:
        for text in ("one", "two"):
            await seat.say(text)
        await seat.until(lambda: "You said: two" in seat.shown())
        await seat.settled()
        await seat.press("up", "up")
        assert seat.talk.composer.text == "one"
        await seat.press("down", "down")
        assert seat.talk.composer.text == ""


@pytest.mark.deep
async def test_a_long_past_begins_late_and_says_where_the_rest_is(sit) -> None:
    runtime = StageRuntime()
    runtime.add_session("Long", "kyra", *(f"line {number}" for number in range(230)))
    async with sit(runtime, session="Long") as seat:
        await seat.until(lambda: "line 229" in seat.shown())
        await seat.settled()
        assert "earlier messages come as you scroll up" in seat.shown()
        assert "line 29\n" not in seat.shown()


@pytest.mark.deep
async def test_an_unknown_theme_is_told_and_a_known_one_used(sit) -> None:
    from skill_agent.settings.schema import InterfaceSettings, Settings

    wrong = StageRuntime(settings=Settings(tui=InterfaceSettings(theme="nothing")))
    async with sit(wrong) as seat:
        assert seat.app.theme == "workstation"
        assert any("nothing" in one.message for one in seat.app._notifications)
    light = StageRuntime(settings=Settings(tui=InterfaceSettings(theme="workstation-light")))
    async with sit(light) as seat:
        assert seat.app.theme == "workstation-light"
