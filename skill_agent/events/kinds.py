"""The closed set of events a turn is made of, and their one JSON form.

Events are plain values: no future, widget or provider object, so any of them can cross a
process boundary. Approvals travel by id. Each turn ends in exactly one `TurnFinished` or
`TurnFailed`. Front ends match on the union `Event` and end with `assert_never`.
"""

import dataclasses
import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, get_args

from skill_agent.identifiers import new_id
from skill_agent.values import FailureReason, Finish, MemoryType, Usage

Choice = Literal["once", "always", "deny"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    session: str
    turn: str
    agent: str
    parent: str | None = None
    """The turn that started this one; a sub-agent is a nested turn."""
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted(_Event):
    """The user's message is in the ledger and work begins."""

    message_id: str
    text: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledItem:
    """One item put into the prompt, with each signal's value."""

    id: str
    kind: str
    content: str
    score: float
    signals: dict[str, float]
    reason: str
    memory_type: str | None = None
    created_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRecalled(_Event):
    """What recall put into this turn's prompt, and why."""

    items: tuple[RecalledItem, ...]
    tokens: int
    budget: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySaved(_Event):
    """A memory was written and is durable; nothing else may claim a save."""

    memory_id: str
    content: str
    memory_type: MemoryType
    pinned: bool
    importance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoriesExtracted(_Event):
    """Messages were read in the background; `turn` is the last one read."""

    created: tuple[str, ...] = ()
    versioned: tuple[str, ...] = ()
    """New versions of something known."""
    disputed: tuple[str, ...] = ()
    skipped: int = 0
    """Already known."""
    problem: str = ""
    """Why it failed; it is kept and tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted(_Event):
    """Earlier messages now stand in the prompt as a summary; they stay in the ledger."""

    messages: int
    """How many of them."""
    memories: int
    """Kept from them, each read back from the store."""
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(_Event):
    """Something the person should know that is not part of the reply."""

    level: Literal["info", "warning"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta(_Event):
    """The next piece of the reply."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted(_Event):
    """A tool begins to run."""

    call: str
    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished(_Event):
    """A tool ended; `result` is what the model gets to read."""

    call: str
    tool: str
    ok: bool
    result: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAsked(_Event):
    """The turn waits for a person; answer with `runtime.answer(approval, choice)`."""

    approval: str
    tool: str
    arguments: dict[str, Any]
    rule: str
    """The exact rule that `always` stores."""
    reason: str
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAnswered(_Event):
    """The approval is settled, by a person, a stored rule, a time-out or for want of a person."""

    approval: str
    choice: Choice
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFinished(_Event):
    """The reply is whole and in the ledger."""

    message_id: str
    text: str
    usage: Usage
    finish: Finish = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFailed(_Event):
    """The turn ended without a whole reply; what there was of it is kept."""

    reason: FailureReason
    message: str
    hint: str = ""
    message_id: str | None = None
    """The kept partial reply, where there is one."""
    text: str = ""
    usage: Usage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _HostEvent(_Event):
    session: str = ""
    turn: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLost(_HostEvent):
    """The process that owns the home does not answer any more; told by an attached one."""

    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFound(_HostEvent):
    """The home is open again; events in between may have been missed."""

    pid: int
    here: bool
    """This process owns it now."""


Event = (
    TurnStarted
    | MemoryRecalled
    | MemorySaved
    | MemoriesExtracted
    | Compacted
    | Notice
    | TextDelta
    | ToolStarted
    | ToolFinished
    | ApprovalAsked
    | ApprovalAnswered
    | TurnFinished
    | TurnFailed
    | HostLost
    | HostFound
)


_LINE_BREAKS = (
    ("\x85".encode(), rb"\u0085"),
    ("\u2028".encode(), rb"\u2028"),
    ("\u2029".encode(), rb"\u2029"),
)


@cache
def type_name(kind: type) -> str:
    """`TurnStarted` -> `turn_started`, the `type` of its JSON form."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def to_json(event: Event) -> dict[str, Any]:
    """An event as a JSON object with its `type` first."""
    return {"type": type_name(type(event)), **dataclasses.asdict(event)}


def to_bytes(event: Event) -> bytes:
    """`to_json` as one line of UTF-8, also for readers who break lines at every sign that Unicode
    has for it; those are escaped, and so is what UTF-8 cannot say (half a surrogate)."""
    import msgspec

    try:
        fields = msgspec.json.encode(event)
    except (UnicodeEncodeError, TypeError):
        return json.dumps(to_json(event)).encode()
    for sign, escaped in _LINE_BREAKS:
        if sign in fields:
            fields = fields.replace(sign, escaped)
    return b'{"type":"' + type_name(type(event)).encode() + b'",' + fields[1:]


def from_json(data: dict[str, Any]) -> Event:
    """The event that `to_json` gave; raises ValueError for an unknown type."""
    kinds = {type_name(kind): kind for kind in get_args(Event)}
    fields = dict(data)
    kind = kinds.get(fields.pop("type", ""))
    if kind is None:
        raise ValueError(f"unknown event type {data.get('type')!r}")
    if fields.get("usage") is not None and kind in (TurnFinished, TurnFailed):
        fields["usage"] = Usage(**fields["usage"])
    if kind is MemoriesExtracted:
        for name in ("created", "versioned", "disputed"):
            fields[name] = tuple(fields[name])
    if kind is MemoryRecalled:
        fields["items"] = tuple(RecalledItem(**item) for item in fields["items"])
    return kind(**fields)
