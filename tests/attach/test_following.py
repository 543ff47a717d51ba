"""What a listener has seen: nothing twice, nothing without an end."""

from datetime import UTC, datetime
from typing import Any

from skill_agent.attach.following import MOST_ENDED, Following
from skill_agent.events import (
    Event,
    MemoriesExtracted,
    Notice,
    TextDelta,
    ThoughtDelta,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.values import TurnState, Usage

IDS: dict[str, Any] = {"session": "s", "turn": "t", "agent": "kyra"}
START = TurnStarted(**IDS, message_id="m", text="hi", model="x")
TOOL = ToolStarted(**IDS, call="c", tool="http_get", arguments={})
END = TurnFinished(**IDS, message_id="r", text="one two three", usage=Usage())
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def said(text: str) -> TextDelta:
    return TextDelta(**IDS, text=text)


def task(state: Any, **more: Any) -> TurnState:
    return TurnState(id="t", state=state, session="s", agent="kyra", started_at=NOW, **more)


def taken(following: Following, *events: Event) -> list[Event]:
    return [fresh for event in events if (fresh := following.take(event))]


def texts(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, TextDelta)]


def test_a_turn_told_twice_is_heard_once() -> None:
    following = Following("t")
    first = [START, said("one "), TOOL, said("tw")]
    assert taken(following, *first) == first
    following.repeating()
    rest = taken(following, START, said("one two"), TOOL, said(" three"), END, END)
    assert texts(rest) == ["o", " three"]
    assert rest[-1] is END and len(rest) == 3
    assert taken(following, START, said("one"), END) == []
    late = [MemoriesExtracted(**IDS), Notice(**IDS, level="info", text="x")]
    assert taken(following, *late) == late
    assert following.open == []


def test_thoughts_told_twice_are_heard_once() -> None:
    following = Following("t")
    taken(following, START, ThoughtDelta(**IDS, text="they "), ThoughtDelta(**IDS, text="gre"))
    following.repeating()
    again = (START, ThoughtDelta(**IDS, text="they greet"), said("Hello"), END)
    assert [event.line for event in taken(following, *again)][:2] == [
        "kyra thinks: et", "kyra: Hello",
    ]  # fmt: skip


def test_the_rest_of_a_turn_that_ended_elsewhere() -> None:
    following = Following()
    taken(following, START, said("one "))
    assert list(following.settle(task("running"))) == []
    rest = list(following.settle(task("finished", text="one two", message_id="r")))
    assert texts(rest) == ["two"] and isinstance(rest[-1], TurnFinished)
    assert list(following.settle(task("finished", text="one two"))) == []


def test_a_turn_that_died_keeps_the_longer_text() -> None:
    for kept, expected in (("", "one "), ("one two", "one two")):
        following = Following()
        taken(following, START, said("one "))
        (end,) = following.settle(task("interrupted", text=kept))
        assert isinstance(end, TurnFailed)
        assert (end.reason, end.text) == ("host_lost", expected)
    following = Following()
    following.expect("t", "s", "kyra")
    (end,) = following.lose("t", "gone")
    assert isinstance(end, TurnFailed) and (end.session, end.agent) == ("s", "kyra")
    assert list(following.lose("t", "gone")) == []


def test_only_what_began_is_open() -> None:
    following = Following("t")
    assert following.open == ["t"] and not following.began("t")
    taken(following, END)
    following.expect("t", "s", "kyra")
    assert following.open == []


def test_old_turns_are_forgotten() -> None:
    following = Following()
    for number in range(MOST_ENDED + 10):
        following.take(TurnFinished(
            session="s", turn=str(number), agent="a", message_id="", text="", usage=Usage()
        ))  # fmt: skip
    assert len(following._ended) == MOST_ENDED
