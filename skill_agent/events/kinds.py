"""The closed set of events a turn is made of, and their one JSON form.

Events are plain values: no future, widget or provider object, so any of them can cross a
process boundary. Approvals travel by id. Each turn ends in exactly one `TurnFinished` or
`TurnFailed`. Each event has a `line`; a front end matches exhaustively (`assert_never`) within a
family it shows, such as `TurnEvent`, and shows any other event by its line.
"""

import dataclasses
import json
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from skill_agent.values import (
    Attachment,
    Choice,
    FailureReason,
    Finish,
    MemoryType,
    Origin,
    ToolCall,
    Usage,
)

from .any_event import LONGEST_LINE, AnyEvent, counted, one_line, type_name
from .automation import AutomationEvent
from .outside import OutsideEvent, PlanStep, PlanTold
from .team import TeamEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted(AnyEvent):
    """The user's message is in the ledger and work begins."""

    message_id: str
    text: str
    model: str
    attachments: tuple[Attachment, ...] = ()
    """Texts that came with the words, and are no part of `text`."""
    tier: str = ""
    """What the message was found to need; empty where nothing was chosen."""
    why: str = ""
    """Why it is this model."""
    at: str = ""
    """When the message was written, ISO 8601."""

    @property
    def line(self) -> str:
        return one_line(f"{self.agent} is asked: {self.text}")


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
class MemoryRecalled(AnyEvent):
    """What recall put into this turn's prompt, and why."""

    items: tuple[RecalledItem, ...]
    tokens: int
    budget: int
    seconds: float
    told: int = 0
    """How many stand in the prompt because of it: those of `items` that were not there already, and
    what is always known of the person and the team."""

    @property
    def line(self) -> str:
        memories = counted(len(self.items), "memory", "memories")
        return f"recalled {memories}, {self.tokens} tokens, {self.seconds * 1000:.0f} ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySaved(AnyEvent):
    """A memory was written and is durable; nothing else may claim a save."""

    memory_id: str
    content: str
    memory_type: MemoryType
    pinned: bool
    importance: int

    @property
    def line(self) -> str:
        return one_line(f"✓ remembered (undo: {self.undo}): {self.content}")

    @property
    def undo(self) -> str:
        """The command that takes it back."""
        return f"ska memory forget {self.memory_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoriesExtracted(AnyEvent):
    """Messages were read in the background; `turn` is the last one read."""

    created: tuple[str, ...] = ()
    versioned: tuple[str, ...] = ()
    """New versions of something known."""
    disputed: tuple[str, ...] = ()
    skipped: int = 0
    """Already known."""
    problem: str = ""
    """Why it failed; it is kept and tried again."""

    @property
    def line(self) -> str:
        if self.problem:
            return f"memories were not read out yet: {' '.join(self.problem.split())}"
        parts = (
            (len(self.created), "new"),
            (len(self.versioned), "brought up to date"),
            (len(self.disputed), "in dispute (ska memory disputes)"),
            (self.skipped, "known already"),
        )
        told = ", ".join(f"{count} {what}" for count, what in parts if count)
        return f"memories read out: {told or 'none'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUpdated(AnyEvent):
    """Something newer was said about a memory; `turn` is where, empty where it was in none."""

    older: str
    newer: str
    memory_id: str
    """Of the newer one."""

    @property
    def undo(self) -> str:
        """The command that takes it back."""
        return f"ska memory resolve {self.memory_id} --undo"

    @property
    def line(self) -> str:
        return one_line(f"updated (undo: {self.undo}): {self.older} → {self.newer}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted(AnyEvent):
    """Earlier messages now stand in the prompt as a summary; they stay in the ledger."""

    messages: int
    """How many of them."""
    memories: int
    """Kept from them, each read back from the store."""
    summary: str

    @property
    def line(self) -> str:
        messages = counted(self.messages, "earlier message", "earlier messages")
        return f"{messages} summed up, {counted(self.memories, 'memory', 'memories')} kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(AnyEvent):
    """Something the person should know that is not part of the reply."""

    level: Literal["info", "warning"]
    text: str

    @property
    def line(self) -> str:
        return one_line(self.text)

    @property
    def step(self) -> str:
        """What goes on, where the text tells how far it is: each takes the place of the last."""
        found = re.fullmatch(r"(.+) \(\d+ %(?:, [^)]+)?\)", self.text)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta(AnyEvent):
    """The next piece of the reply."""

    text: str

    @property
    def line(self) -> str:
        return one_line(f"{self.agent}: {self.text}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThoughtDelta(AnyEvent):
    """The next piece of what a reasoning model thinks before it answers; it is not kept."""

    text: str

    @property
    def line(self) -> str:
        return one_line(f"{self.agent} thinks: {self.text}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted(AnyEvent):
    """A tool begins to run."""

    call: str
    tool: str
    arguments: dict[str, Any]

    @property
    def line(self) -> str:
        return f"{self.tool} {_arguments(self.arguments)}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished(AnyEvent):
    """A tool ended; `result` is what the model gets to read."""

    call: str
    tool: str
    ok: bool
    result: str
    seconds: float
    origins: tuple[Origin, ...] = ()
    """Who wrote the result, beside this program."""
    choice: Choice | None = None
    """What was answered where somebody had to allow the call."""
    by: str = ""
    """Who answered."""

    @property
    def line(self) -> str:
        if self.ok:
            return f"{self.tool} finished in {self.seconds:.1f} s"
        return one_line(f"{self.tool} failed: {self.result}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAsked(AnyEvent):
    """The turn waits for a person; answer with `runtime.answer(approval, choice)`."""

    approval: str
    tool: str
    arguments: dict[str, Any]
    rule: str
    """The exact rule that `always` stores."""
    reason: str
    timeout_s: float
    origins: tuple[Origin, ...] = ()
    """Who, beside the person, wrote what the model was told before it asked for this."""
    chain: tuple[str, ...] = ()
    """Who asked whom for what, where an agent works for another one: `Kyra`, `Luke: look at …`."""

    @property
    def line(self) -> str:
        asked = f"{self.tool} {_arguments(self.arguments)}".rstrip()
        who = " → ".join(self.chain) or self.agent
        return f"{who} waits for a decision: {asked}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAnswered(AnyEvent):
    """The approval is settled, by a person, a stored rule, a time-out or for want of a person."""

    approval: str
    choice: Choice
    by: str
    words: str = ""
    """What is to be done instead."""

    @property
    def line(self) -> str:
        told = f"{self.choice} (by {self.by})"
        return one_line(f"{told}: {self.words}" if self.words else told)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFinished(AnyEvent):
    """The reply is whole and in the ledger."""

    message_id: str
    text: str
    usage: Usage
    finish: Finish = "stop"
    tool_calls: tuple[ToolCall, ...] = ()
    """Of a client program's tools, for that program to carry out."""

    @property
    def line(self) -> str:
        return f"{self.agent} answered in {self.usage.total_s:.1f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFailed(AnyEvent):
    """The turn ended without a whole reply; what there was of it is kept."""

    reason: FailureReason
    message: str
    hint: str = ""
    message_id: str | None = None
    """The kept partial reply, where there is one."""
    text: str = ""
    usage: Usage | None = None

    @property
    def line(self) -> str:
        if self.reason == "cancelled":
            return f"{self.agent} was interrupted"
        return one_line(f"{self.agent} could not answer: {self.message or self.reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _HostEvent(AnyEvent):
    session: str = ""
    turn: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLost(_HostEvent):
    """The process that owns the home does not answer any more; told by an attached one."""

    pid: int

    @property
    def line(self) -> str:
        return "the process that held the home went away; taking over …"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFound(_HostEvent):
    """The home is open again; events in between may have been missed."""

    pid: int
    here: bool
    """This process owns it now."""

    @property
    def line(self) -> str:
        return "this process holds the home now" if self.here else "connected again"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentWaking(_HostEvent):
    """The host reads an agent's instructions ahead of its first turn, which takes a while."""

    name: str
    number: int
    of: int
    """So many agents are woken one after another."""

    @property
    def line(self) -> str:
        return f"waking {self.name} ({self.number} of {self.of})"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFailed(_HostEvent):
    """The daily backup could not be made; told once, until one was made again."""

    problem: str
    hint: str = ""

    @property
    def line(self) -> str:
        return one_line(f"the daily backup failed: {self.problem} (ska doctor)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsChanged(_HostEvent):
    """An agent was added, or its table in agents.toml was changed by command."""

    @property
    def line(self) -> str:
        return one_line(f"agent {self.agent} has changed")


TurnEvent = (
    TurnStarted
    | MemoryRecalled
    | MemorySaved
    | Notice
    | TextDelta
    | ThoughtDelta
    | ToolStarted
    | ToolFinished
    | ApprovalAsked
    | ApprovalAnswered
    | TurnFinished
    | TurnFailed
)
"""What a turn tells of itself."""

MemoryEvent = MemoriesExtracted | MemoryUpdated | Compacted
"""What happens to a conversation beside its turns."""

HostEvent = HostLost | HostFound | AgentWaking | BackupFailed | AgentsChanged
"""What happens to the process that holds the home."""

Event = TurnEvent | MemoryEvent | HostEvent | TeamEvent | AutomationEvent | OutsideEvent


_LINE_BREAKS = (
    ("\x85".encode(), rb"\u0085"),
    ("\u2028".encode(), rb"\u2028"),
    ("\u2029".encode(), rb"\u2029"),
)


def _arguments(arguments: dict[str, Any]) -> str:
    shown = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    return shown if len(shown) <= LONGEST_LINE else shown[: LONGEST_LINE - 1] + "…"


def to_json(event: AnyEvent) -> dict[str, Any]:
    """An event as a JSON object with its `type` first."""
    return {"type": type_name(type(event)), **dataclasses.asdict(event)}


def to_bytes(event: AnyEvent) -> bytes:
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
    """The event that `to_json` gave; raises ValueError for an unknown type. Fields that only a
    newer host knows are left out."""
    kinds = {type_name(kind): kind for kind in get_args(Event)}
    fields = dict(data)
    kind = kinds.get(fields.pop("type", ""))
    if kind is None:
        raise ValueError(f"unknown event type {data.get('type')!r}")
    if fields.get("usage") is not None and kind in (TurnFinished, TurnFailed):
        fields["usage"] = Usage(**_known(Usage, fields["usage"]))
    if kind is TurnStarted:
        beside = fields.get("attachments", ())
        fields["attachments"] = tuple(Attachment(**_known(Attachment, one)) for one in beside)
    if kind is TurnFinished:
        calls = fields.get("tool_calls", ())
        fields["tool_calls"] = tuple(ToolCall(**_known(ToolCall, one)) for one in calls)
    for name in {"origins", "participants", "chain"} & fields.keys():
        fields[name] = tuple(fields[name])
    if kind is MemoriesExtracted:
        for name in ("created", "versioned", "disputed"):
            fields[name] = tuple(fields[name])
    if kind is MemoryRecalled:
        fields["items"] = tuple(
            RecalledItem(**_known(RecalledItem, item)) for item in fields["items"]
        )
    if kind is PlanTold:
        fields["steps"] = tuple(PlanStep(**_known(PlanStep, one)) for one in fields["steps"])
    return kind(**_known(kind, fields))


def _known(kind: Any, data: dict[str, Any]) -> dict[str, Any]:
    names = {one.name for one in dataclasses.fields(kind)}
    return {name: value for name, value in data.items() if name in names}
