"""How one turn is shown, event by event."""

from typing import Any

import pytest
from skill_agent.cli.output import without_controls
from skill_agent.cli.talk.render import ObjectView, Outcome, TextView

from skill_agent.events import (
    HostFound,
    HostLost,
    MemoryRecalled,
    Notice,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.values import Usage

IDS: dict[str, Any] = {"session": "s", "turn": "t", "agent": "kyra"}


def test_steps_of_one_thing_are_told_once_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    view = TextView()
    for text in ("loading", "reading (0 %)", "reading (50 %)", "reading (99 %)", "ready"):
        view.show(Notice(**IDS, level="info", text=text))
    assert capsys.readouterr().err.splitlines() == ["loading", "reading (0 %)", "ready"]


def test_thoughts_are_not_shown_but_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    view = TextView()
    for text in ("they ", "want", " a greeting"):
        view.show(ThoughtDelta(**IDS, text=text))
    view.show(TextDelta(**IDS, text="Hello."))
    view.close()
    assert capsys.readouterr() == ("Hello.\n", "thinking …\n")


def test_tools_and_failures_are_narrated(capsys: pytest.CaptureFixture[str]) -> None:
    view = TextView()
    view.show(ToolStarted(**IDS, call="c", tool="http_get", arguments={"url": "x" * 500}))
    view.show(ToolFinished(**IDS, call="c", tool="http_get", ok=False, result="404", seconds=0.1))
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("http_get url='xxx")
    assert len(said[0]) < 250
    assert said[1] == "http_get failed: 404"


def test_quiet_leaves_warnings_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    view = TextView(quiet=True)
    view.show(MemoryRecalled(**IDS, items=(), tokens=0, budget=0, seconds=0))
    view.show(Notice(**IDS, level="info", text="loading"))
    view.show(Notice(**IDS, level="warning", text="falling back"))
    view.show(TextDelta(**IDS, text="half"))
    view.show(TurnFailed(**IDS, reason="limit", message="too long", hint="ask for less"))
    said = capsys.readouterr()
    assert said.out == "half\n"
    assert said.err.splitlines() == ["falling back", "error: too long", "hint: ask for less"]


def test_a_lost_host_is_told_also_where_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    view = TextView(quiet=True)
    view.show(TextDelta(**IDS, text="half"))
    view.show(HostLost(pid=7))
    view.show(HostFound(pid=8, here=False))
    view.show(TurnFailed(**IDS, reason="host_lost", message="it was cut short", hint="ask again"))
    said = capsys.readouterr()
    assert said.out == "half\n"
    assert said.err.splitlines() == [
        "the process that held the home went away; taking over …",
        "connected again",
        "error: it was cut short",
        "hint: ask again",
    ]


def test_a_lost_host_beside_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Outcome()
    view = ObjectView(outcome)
    for event in (HostLost(pid=7), HostFound(pid=8, here=True)):
        outcome.take(event)
        view.show(event)
    view.close()
    said = capsys.readouterr()
    assert said.out.startswith("{")
    assert "taking over" in said.err and "this process holds the home now" in said.err


def test_a_reply_without_pieces_is_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    view = TextView(quiet=True)
    view.show(TurnFinished(**IDS, message_id="m", text="all at once", usage=Usage()))
    assert capsys.readouterr().out == "all at once\n"


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("cancelled", 130), ("model_unavailable", 3), ("rejected", 3), ("model_failed", 1),
        ("limit", 1), ("error", 1), ("host_lost", 1), ("host_closed", 1),
    ],
)  # fmt: skip
def test_exit_codes(reason, code: int) -> None:
    outcome = Outcome()
    outcome.take(TurnStarted(**IDS, message_id="m", text="x", model="a/b"))
    outcome.take(TurnFailed(**IDS, reason=reason, message="why", text="half"))
    assert outcome.exit_code == code
    said = outcome.as_json()
    assert (said["id"], said["model"], said["text"]) == ("t", "a/b", "half")
    assert said["error"]["reason"] == reason


def test_control_characters() -> None:
    assert without_controls("a\x1b[0m\x07b\tc\nd\r\x9be\ud800") == "a[0mb\tc\nde"
