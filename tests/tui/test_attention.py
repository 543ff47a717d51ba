"""What a terminal is told while its person looks elsewhere."""

import asyncio
from typing import Any

import pytest
from skill_agent.tui.frame.attention import Attention
from skill_agent.tui.frame.news import News
from stage import StageRuntime, Stop
from textual.events import AppBlur, AppFocus

from skill_agent.events import (
    AnyEvent,
    ApprovalAnswered,
    ApprovalAsked,
    InboxArrived,
    JobRunChanged,
    QuestionAsked,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.values import Usage

OF_TURN: dict[str, Any] = {"session": "s", "turn": "t", "agent": "kyra"}
BEGUN = TurnStarted(**OF_TURN, message_id="m", text="Hi", model="m")
DONE = TurnFinished(**OF_TURN, message_id="m", text="On Friday.", usage=Usage())
ASKED = ApprovalAsked(
    **OF_TURN, approval="a", tool="http_get", arguments={}, rule="r", reason="", timeout_s=9
)
ANSWERED = ApprovalAnswered(**OF_TURN, approval="a", choice="once", by="person")
FAILED_JOB = JobRunChanged(job="j", run="r", name="daily", state="failed", problem="no net")
QUESTION = QuestionAsked(question="q", text="Go on?")
RINGS = InboxArrived(item="i", sort="result", title="Done", rings=True)


class Window:
    """One with a clock of its own."""

    def __init__(self, **environ: str) -> None:
        self.written, self.clock = list[str](), 0.0
        self.attention = Attention(self.written.append, environ, lambda: self.clock)
        self.news = News(self.attention)

    def hears(self, *events: AnyEvent, session: str = "s") -> str:
        self.written.clear()
        for event in events:
            self.clock += 10
            self.news.hear(event, session, str.capitalize)
        return "".join(self.written)

    def title(self, **more: Any) -> str:
        self.written.clear()
        said: dict[str, Any] = {
            "name": "Kyra",
            "title": "Deploying",
            "waiting": 0,
            "session": "s",
        } | more
        self.news.entitle(**said)
        return "".join(self.written)


@pytest.fixture
def away() -> Window:
    window = Window()
    window.attention.focused = False
    return window


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (DONE, "Kyra: On Friday."),
        (ASKED, "Kyra waits for your decision: http_get"),
        (QUESTION, "A job asks: Go on?"),
        (FAILED_JOB, "The job daily failed: no net"),
        (RINGS, "In the inbox: Done"),
    ],
)
def test_each_thing_that_waits_is_told(away: Window, event: AnyEvent, words: str) -> None:
    said = f"\x1b]9;{words}\x1b\\\x1b]777;notify;skill-agent;{words}\x1b\\\x07"
    assert away.hears(event) == said


def test_what_is_no_news_to_its_person_is_not_told(away: Window) -> None:
    stopped = TurnFailed(**OF_TURN, reason="cancelled", message="cancelled")
    assert away.hears(BEGUN, stopped, ANSWERED) == ""
    assert away.hears(DONE, session="another") == ""


@pytest.mark.parametrize("focused", [True, None])
def test_nothing_is_told_while_the_window_is_looked_at(focused: bool | None) -> None:
    window = Window()
    window.attention.focused = focused
    assert window.hears(DONE, ASKED, QUESTION) == ""


def test_the_settings_decide(away: Window) -> None:
    away.attention.use(notify="never", bell=True)
    assert away.hears(DONE) == ""
    away.attention.use(notify="unfocused", bell=False)
    assert "\x07" not in away.hears(DONE) and away.written
    away.attention.use(notify="always", bell=True)
    away.attention.focused = True
    assert away.hears(DONE).endswith("\x07")


def test_a_bell_rings_once_for_one_thing() -> None:
    window = Window()
    for _ in range(3):
        window.attention.ring()
    assert window.written == ["\x07"], "one that never tells its focus rings"


def test_no_text_gets_out_of_its_sequence(away: Window) -> None:
    evil = "x\x1b\\\x1b]0;owned\x07\x9c\u202e" + "long " * 200
    said = away.hears(TurnFinished(**OF_TURN, message_id="m", text=evil, usage=Usage()))
    assert said.count("\x1b") == 4 and said.count("\x07") == 1 and "\x9c" not in said
    assert "\u202e" not in said and len(said) < 500


def test_tmux_hands_on_what_it_is_asked_to() -> None:
    window = Window(TMUX="/tmp/tmux-1/default,1,0")
    window.attention.focused = False
    assert window.hears(QUESTION).startswith(
        "\x1bPtmux;\x1b\x1b]9;A job asks: Go on?\x1b\x1b\\\x1b\\"
    )


@pytest.mark.parametrize(
    ("environ", "has", "has_not"),
    [
        ({"TERM_PROGRAM": "WezTerm"}, "]9;", "]777;"),
        ({"VTE_VERSION": "7600"}, "]777;", "]9;"),
        ({"TERM": "linux"}, "\x07", "]"),
    ],
)
def test_each_terminal_is_told_once(environ: dict[str, str], has: str, has_not: str) -> None:
    window = Window(**environ)
    window.attention.focused = False
    said = window.hears(DONE)
    assert has in said and has_not not in said


def test_the_title_says_who_what_and_what_waits() -> None:
    window = Window()
    assert window.title() == "\x1b]2;Kyra — Deploying\x1b\\"
    assert window.title() == "", "only what has changed is written"
    window.hears(BEGUN)
    assert window.title() == "\x1b]2;● Kyra — Deploying\x1b\\"
    window.hears(ASKED)
    assert window.title(waiting=2) == "\x1b]2;(2) ● Kyra — Deploying\x1b\\"
    window.hears(DONE)
    assert window.title(title="\x1b]0;evil\x07") == "\x1b]2;Kyra — ]0;evil\x1b\\"
    assert window.title(name="", title="") == "\x1b]2;skill-agent\x1b\\"


async def test_the_app_tells_it(sit) -> None:
    going = asyncio.Event()
    async with sit(StageRuntime([["Noted.", Stop(going)]])) as seat:
        told = list[str]()
        seat.app.attention._write = told.append
        await seat.say("Hello")
        await seat.until(lambda: "\x1b]2;● Kyra — Hello\x1b\\" in told)
        seat.app.post_message(AppBlur())
        await seat.until(lambda: seat.app.attention.focused is False)
        going.set()
        await seat.until(lambda: any("Kyra: Noted." in one for one in told))
        await seat.until(lambda: told[-1] == "\x1b]2;Kyra — Hello\x1b\\")
        seat.app.post_message(AppFocus())
        await seat.until(lambda: seat.app.attention.focused)
        told.clear()
        await seat.say("Again")
        await seat.settled()
        assert not any("]9;" in one or "\x07" in one for one in told)
