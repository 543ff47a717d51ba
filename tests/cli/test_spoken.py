"""States in words for whoever listens: `ska chat --plain`, and where nothing can be drawn."""

from typing import Any

import pytest
from command_line import Ska
from skill_agent.cli.talk.spoken import SpokenView, counted

from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    MemoryRecalled,
    QuestionAsked,
    RecalledItem,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.values import Usage

OF_TURN: dict[str, Any] = {"session": "s", "turn": "t", "agent": "kyra"}
ITEM = RecalledItem(
    id="m", kind="memory", content="tea", score=1.0, signals={}, reason="", memory_type="semantic",
    created_at="",
)  # fmt: skip
EVENTS = (
    TurnStarted(**OF_TURN, message_id="m", text="Hi", model="m"),
    ThoughtDelta(**OF_TURN, text="Hm."),
    MemoryRecalled(**OF_TURN, items=(ITEM,), tokens=1, budget=2, seconds=0.1),
    ToolStarted(**OF_TURN, call="c", tool="http_get", arguments={}),
    ApprovalAsked(
        **OF_TURN, approval="a", tool="http_get", arguments={}, rule="r", reason="", timeout_s=9
    ),
    ApprovalAnswered(**OF_TURN, approval="a", choice="once", by="person"),
    ToolFinished(**OF_TURN, call="c", tool="http_get", ok=True, result="x", seconds=0.1),
    TextDelta(**OF_TURN, text="On Fri"),
    TextDelta(**OF_TURN, text="day.\x1b[31m\nFrom the re"),
    QuestionAsked(question="q", text="Go on?"),
    TextDelta(**OF_TURN, text="lease branch."),
    TurnFinished(**OF_TURN, message_id="m", text="…", usage=Usage(total_s=12.2)),
)


def test_each_state_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    view = SpokenView({"kyra": "Kyra"})
    for event in EVENTS:
        view.show(event)
    view.close()
    said = capsys.readouterr()
    assert said.out == "On Friday.[31m\nFrom the re\nlease branch.\n"
    assert said.err.splitlines() == [
        "Kyra is thinking",
        "Kyra remembers 1 thing",
        "Kyra uses http_get",
        "A decision waits: Kyra wants to use http_get",
        "Decided: once",
        "http_get is done",
        "A question waits: Go on?",
        "Kyra has answered, 12 seconds",
    ]


def test_a_failure_is_said_as_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    SpokenView({}).show(TurnFailed(**OF_TURN, reason="error", message="it broke", hint="mend it"))
    assert capsys.readouterr().err == "error: it broke\nhint: mend it\n"


def test_a_reply_is_said_in_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    view = SpokenView({})
    for piece in ("one ", "two", "\nthr", "ee\n"):
        view.show(TextDelta(**OF_TURN, text=piece))
        assert capsys.readouterr().out in ("", "one two\n", "three\n")


def test_counting() -> None:
    assert counted(1, "second") == "1 second" and counted(2, "second") == "2 seconds"


def test_a_plain_chat(ska: Ska) -> None:
    ska.model.add("On Friday.")
    done = ska("chat", "--plain", stdin=b"when?\n")
    assert done.code == 0 and done.out == "On Friday.\n"
    assert "Kyra is thinking" in done.err and "Kyra has answered, 1 second" in done.err
