"""What became of calls and turns, in words; the same while it happens and when it is read later."""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from skill_agent.values import Choice, FailureReason, ToolCall

_ANSWERS: Mapping[Choice, str] = MappingProxyType(
    {"once": "Allowed once", "always": "Allowed from now on", "deny": "Denied"}
)
_WHO = MappingProxyType(
    {
        "person": "by you",
        "time-out": "nobody answered in time",
        "no person present": "nobody was there to be asked",
    }
)
_CUT_SHORT: Mapping[FailureReason, str] = MappingProxyType(
    {
        "cancelled": "Stopped",
        "abandoned": "Stopped: whoever asked went away",
        "host_lost": "The process that held the home went away; your message is saved",
        "host_closed": "The process that held the home was closed; your message is saved",
    }
)


def answered(choice: Choice) -> str:
    """What was answered where a call had to be allowed."""
    return _ANSWERS[choice]


def answered_by(choice: Choice, by: str) -> str:
    """Who answered; nothing where a person allowed it, which is the usual."""
    if choice != "deny" and by == "person":
        return ""
    return _WHO.get(by) or f"by {by}"


def cut_short(reason: FailureReason, *, kept: bool) -> str:
    """How a turn ended that somebody or something stopped; empty for one that went wrong."""
    said = _CUT_SHORT.get(reason, "")
    return f"{said}; what came is kept" if said and kept else said


BROKEN_OFF = "Broken off here; what came is kept"
"""Of a reply that went wrong in its midst."""


NOT_ENDED = "stopped before it ended"
"""In the place of what a tool gives, where the turn was over first."""


def in_short(calls: Sequence[ToolCall]) -> Iterator[str]:
    """Calls as a reply without words is told afterwards."""
    for call in calls:
        yield f"{call.name} {json.dumps(call.arguments, ensure_ascii=False)}"


def recalled(count: int) -> str:
    """How much was put beside a message from memory."""
    return f"recalled {count:,} {'memory' if count == 1 else 'memories'}"
