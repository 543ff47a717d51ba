import json
from typing import Any, get_args

import pytest

from skill_agent.events import (
    ApprovalAsked,
    Compacted,
    Event,
    HostFound,
    HostLost,
    MemoriesExtracted,
    MemoryRecalled,
    RecalledItem,
    TextDelta,
    ToolFinished,
    TurnFailed,
    TurnFinished,
    from_json,
    to_bytes,
    to_json,
    type_name,
)
from skill_agent.values import Usage

IDS: Any = {"session": "s", "turn": "t", "agent": "kyra"}
ITEM = RecalledItem(id="m", kind="memory", content="x", score=0.5, signals={"a": 1.0}, reason="r")


@pytest.mark.parametrize(
    "event",
    [
        TextDelta(**IDS, text="hé\u2028llo"),
        MemoryRecalled(**IDS, items=(ITEM,), tokens=3, budget=9, seconds=0.1),
        TurnFinished(**IDS, message_id="m", text="x", usage=Usage(model="a/b", cost_usd=0.1)),
        TurnFinished(**IDS, message_id="m", text="cut o", usage=Usage(), finish="length"),
        MemoriesExtracted(**IDS, created=("a", "b"), versioned=("c",), disputed=("d",), skipped=2),
        Compacted(**IDS, messages=34, memories=7, summary="They spoke of Fridays."),
        ToolFinished(**IDS, call="c", tool="t", ok=False, result="no", seconds=0.0),
        ApprovalAsked(
            **IDS, approval="a", tool="t", arguments={"u": [1]}, rule="r", reason="w", timeout_s=1
        ),
        TurnFailed(**IDS, reason="host_lost", message="gone", usage=Usage(model="a/b")),
        TurnFailed(
            **IDS, reason="host_closed", message="closed", text="so far", message_id="m", usage=None
        ),
        HostLost(pid=12),
        HostFound(pid=13, here=True),
        TextDelta(**IDS, text="half a sign \ud800 and\r\nevery\x85 line\u2028 \u2029\x0b end"),
    ],
)
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
