import json
from dataclasses import dataclass
from typing import Any, get_args

import pytest
from skill_agent.cli.talk.render import LinesView, ObjectView, Outcome, TextView

from skill_agent.api.answers.chat_frames import frame_of
from skill_agent.attach.following import Following
from skill_agent.events import (
    AgentRouted,
    AgentsChanged,
    AgentWaking,
    AgentWrote,
    AnyEvent,
    ApprovalAnswered,
    ApprovalAsked,
    BackupFailed,
    BridgeChanged,
    CollaborationChanged,
    Compacted,
    DiffShown,
    Event,
    HandedOff,
    HostFound,
    HostLost,
    InboxArrived,
    InboxChanged,
    JobRunChanged,
    MemoriesExtracted,
    MemoryRecalled,
    MemorySaved,
    MemoryUpdated,
    Notice,
    PlanStep,
    PlanTold,
    QuestionAnswered,
    QuestionAsked,
    RecalledItem,
    SeatChanged,
    TaskChanged,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    WebhookFailing,
    WorkChanged,
    from_json,
    to_bytes,
    to_json,
    type_name,
)
from skill_agent.values import Attachment, Usage

IDS: dict[str, Any] = {"session": "s", "turn": "t", "agent": "kyra"}
ITEM = RecalledItem(id="m", kind="memory", content="x", score=0.5, signals={"a": 1.0}, reason="r")


EVENTS: list[Event] = [
    PlanTold(
        **IDS, steps=(PlanStep(text="read it", state="in_progress"), PlanStep(text="mend it"))
    ),
    DiffShown(**IDS, path="a.py", before="", after="x = 1\n", call="c"),
    TextDelta(**IDS, text="hé\u2028llo"),
    MemoryRecalled(**IDS, items=(ITEM,), tokens=3, budget=9, seconds=0.1),
    TurnFinished(**IDS, message_id="m", text="x", usage=Usage(model="a/b", cost_usd=0.1)),
    TurnFinished(**IDS, message_id="m", text="cut o", usage=Usage(), finish="length"),
    MemoryUpdated(**IDS, older="It was red", newer="It is blue", memory_id="m1"),
    MemoriesExtracted(**IDS, created=("a", "b"), versioned=("c",), disputed=("d",), skipped=2),
    Compacted(**IDS, messages=34, memories=7, summary="They spoke of Fridays."),
    ToolFinished(**IDS, call="c", tool="t", ok=False, result="no", seconds=0.0),
    ApprovalAsked(
        **IDS,
        approval="a",
        tool="t",
        arguments={"u": [1]},
        rule="r",
        reason="w",
        timeout_s=1,
        origins=("pipe", "web"),
        chain=("Kyra", "Luke: look at it"),
    ),
    TurnFailed(**IDS, reason="host_lost", message="gone", usage=Usage(model="a/b")),
    AgentRouted(**IDS, came_from="kyra", reason="skill_match", confidence=0.8),
    TaskChanged(
        **IDS, task="t", title="Look", status="completed", created_by="kyra", depth=1, seconds=2.0
    ),
    CollaborationChanged(
        **IDS,
        collaboration="c",
        pattern="peer_review",
        goal="A text",
        status="active",
        stage="round 1",
        participants=("kyra", "luke"),
    ),
    AgentWrote(
        **IDS, message_id="m", to=None, channel="team", message_type="notification", content="Hi"
    ),
    HandedOff(**IDS, came_from="kyra", reason="code"),
    SeatChanged(**IDS, change="invited"),
    TurnFailed(
        **IDS, reason="host_closed", message="closed", text="so far", message_id="m", usage=None
    ),
    HostLost(pid=12),
    HostFound(pid=13, here=True),
    AgentWaking(agent="luke", name="Luke", number=2, of=4),
    BackupFailed(problem="the disk is full", hint="make room"),
    JobRunChanged(job="j", run="r", name="news", state="failed", late=True, problem="no model"),
    WorkChanged(work="w", kind="rebuild", title="Anew", state="running", progress=0.5, message="x"),
    QuestionAsked(question="q", text="Send it?", detail="to all", timeout_s=60.0),
    QuestionAnswered(question="q", action="revise", by="person", words="to Ada alone"),
    BridgeChanged(bridge="telegram", state="unhealthy", problem="another copy polls"),
    WebhookFailing(webhook="w1", url="https://example.org/…", problem="HTTP 500"),
    TextDelta(**IDS, text="half a sign \ud800 and\r\nevery\x85 line\u2028 \u2029\x0b end"),
    TurnStarted(**IDS, message_id="m", text="hi\nthere", model="a/b"),
    TurnStarted(
        **IDS,
        message_id="m",
        text="",
        model="a/b",
        attachments=(Attachment("a\nb", origin="pipe"), Attachment("c", origin="file", name="d")),
    ),
    MemorySaved(
        **IDS, memory_id="m", content="x", memory_type="semantic", pinned=True, importance=3
    ),
    MemoriesExtracted(**IDS, problem="no model\nis there"),
    Notice(**IDS, level="info", text="two\nlines"),
    ThoughtDelta(**IDS, text="they want\na greeting"),
    ToolStarted(**IDS, call="c", tool="t", arguments={}),
    ToolFinished(**IDS, call="c", tool="t", ok=True, result="yes", seconds=0.3),
    ApprovalAnswered(**IDS, approval="a", choice="once", by="person"),
    InboxArrived(item="i", sort="summary", title="The\nday", rings=True),
    AgentsChanged(agent="luke"),
    InboxChanged(item="i", target="desktop", state="given_up"),
]


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_survives_json(event: Event) -> None:
    line = json.dumps(to_json(event))
    assert "\n" not in line
    assert from_json(json.loads(line)) == event
    quick = to_bytes(event)
    assert json.loads(quick) == json.loads(line)
    assert quick.startswith(f'{{"type":"{type_name(type(event))}",'.encode()) or b"ud800" in quick
    assert len(quick.decode().splitlines()) == 1
    assert from_json(json.loads(quick)) == event


def test_a_host_that_does_not_tell_how_a_reply_ended_yet_is_understood() -> None:
    event = TurnFinished(**IDS, message_id="m", text="x", usage=Usage())
    older = to_json(event)
    del older["finish"]
    assert from_json(older) == event


def test_fields_that_only_a_newer_host_knows_are_left_out() -> None:
    usage, recalled = Usage(model="a/b"), MemoryRecalled(**IDS, items=(ITEM,), tokens=3, budget=9,
                                                         seconds=0.1)  # fmt: skip
    for event in (TurnFinished(**IDS, message_id="m", text="x", usage=usage), recalled):
        newer = {**json.loads(to_bytes(event)), "mood": "calm"}
        for inner in [newer.get("usage"), *newer.get("items", [])]:
            if inner is not None:
                inner["more"] = 1
        assert from_json(newer) == event


@dataclass(frozen=True, slots=True, kw_only=True)
class TeaServed(AnyEvent):
    """Of a kind no front end has heard of."""

    cups: int

    @property
    def line(self) -> str:
        return f"{self.cups} cups of tea are served"


class NapTaken(AnyEvent):
    """With no words for itself."""


def test_an_event_nobody_knows_breaks_no_front_end(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Outcome()
    event: Any = TeaServed(**IDS, cups=2)
    outcome.take(event)
    for view in (TextView(), ObjectView(outcome), LinesView()):
        view.show(event)
    said = capsys.readouterr()
    assert said.err == "2 cups of tea are served\n"
    assert json.loads(said.out)["type"] == "tea_served"
    assert frame_of(event) == {
        "type": "notice", "level": "info", "text": "2 cups of tea are served"
    }  # fmt: skip
    following = Following("t")
    assert following.take(event) is event and following.open == ["t"]


def test_every_event_has_a_line_of_its_own() -> None:
    assert [kind for kind in get_args(Event) if "line" not in vars(kind)] == []
    assert [event.line for event in EVENTS if not event.line or "\n" in event.line] == []
    assert {type(event) for event in EVENTS} == {*get_args(Event)}
    assert NapTaken(**IDS).line == "nap taken", "what an event without one says"


def test_what_happens_to_the_host_belongs_to_no_turn() -> None:
    lost = HostLost(pid=1)
    assert (lost.session, lost.turn, lost.agent) == ("", "", "")
    assert to_json(lost)["type"] == "host_lost"


def test_types_are_named_once_and_ids_are_distinct() -> None:
    names = [type_name(kind) for kind in get_args(Event)]
    assert len(set(names)) == len(names) == len(get_args(Event))
    assert TextDelta(**IDS, text="").id != TextDelta(**IDS, text="").id


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown event type 'nonsense'"):
        from_json({"type": "nonsense"})


def test_a_notice_that_tells_how_far_it_is_is_a_step() -> None:
    def step(text: str) -> str:
        return Notice(session="s", turn="t", agent="a", level="info", text=text).step

    assert step("reading the conversation (14 %)") == "reading the conversation"
    assert step("reading the conversation (57 %, 43 tokens/s)") == "reading the conversation"
    assert step("loading the model") == ""
    assert step("this holds (5 % of it)") == ""
