"""One turn as a person, a script or a log reads it; nothing here drives the turn.

Reply text goes to stdout as it comes, everything else to stderr. No ANSI sequence is written to
anything but a terminal, and none that a model or a memory contains is passed on.
"""

import os
import sys
from dataclasses import dataclass, field
from typing import Any, Protocol, assert_never

from skill_agent.events import (
    AnyEvent,
    ApprovalAnswered,
    ApprovalAsked,
    HandedOff,
    HostEvent,
    HostFound,
    HostLost,
    MemoriesExtracted,
    MemoryRecalled,
    MemorySaved,
    MemoryUpdated,
    Notice,
    OutsideEvent,
    PlanTold,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    to_json,
)
from skill_agent.text.printing import Printer
from skill_agent.values import FailureReason, Usage

from ..output import (
    INTERRUPTED,
    emit_json,
    emit_jsonl,
    encodable,
    harmless,
    narrate,
    plain,
    tell_error,
)

EXIT_CODES: dict[FailureReason, int] = {
    "cancelled": INTERRUPTED,
    "model_unavailable": 3,
    "rejected": 3,
    "budget": 3,
    "filtered": 1,
    "abandoned": 1,
    "model_failed": 1,
    "limit": 1,
    "error": 1,
    "host_lost": 1,
    "host_closed": 1,
}


_THINKING = "thinking …"
_REPLACE = "\x1b[1A\x1b[2K"
"""One line up, and empty it."""


class View(Protocol):
    """What shows a turn."""

    def show(self, event: AnyEvent) -> None: ...

    def close(self) -> None:
        """The turn is over; whatever is still to be written is written now."""
        ...


@dataclass(slots=True)
class Outcome:
    """What a turn came to, gathered from its events."""

    ids: dict[str, str] = field(default_factory=dict)
    model: str = ""
    tier: str = ""
    why: str = ""
    text: str = ""
    memories: list[dict[str, Any]] = field(default_factory=list)
    saved: list[dict[str, Any]] = field(default_factory=list)
    tools: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    usage: Usage | None = None
    error: dict[str, str] | None = None
    exit_code: int = 1

    def take(self, event: AnyEvent) -> None:
        """Adds what the event says."""
        match event:
            case TurnStarted():
                self.ids = {"id": event.turn, "session": event.session, "agent": event.agent}
                self.model, self.tier, self.why = event.model, event.tier, event.why
            case HandedOff():
                self.ids = {**self.ids, "agent": event.agent}
            case MemoryRecalled():
                self.memories += [plain(item) for item in event.items]
            case MemorySaved():
                self.saved.append(
                    {
                        "id": event.memory_id,
                        "content": event.content,
                        "memory_type": event.memory_type,
                        "importance": event.importance,
                        "pinned": event.pinned,
                    }
                )
            case ToolFinished():
                self.tools.append({"id": event.call, "tool": event.tool, "ok": event.ok})
            case Notice():
                self.notices.append(event.text)
            case TextDelta():
                self.text += event.text
            case TurnFinished():
                self.text, self.usage, self.exit_code = event.text, event.usage, 0
            case TurnFailed():
                self._fail(event)

    def _fail(self, event: TurnFailed) -> None:
        self.ids = {"id": event.turn, "session": event.session, "agent": event.agent}
        self.text = event.text or self.text
        self.usage = event.usage
        self.error = {"reason": event.reason, "message": event.message, "hint": event.hint}
        self.exit_code = EXIT_CODES[event.reason]

    @property
    def on_model(self) -> bool:
        """Whether a model answered, and no outside program."""
        return bool(self.ids) and not self.model.startswith("acp/")

    def as_json(self) -> dict[str, Any]:
        """The object `--json` prints."""
        return {
            **self.ids,
            "model": (self.usage.model if self.usage else "") or self.model,
            "tier": self.tier,
            "why": self.why,
            "text": self.text,
            "memories": self.memories,
            "saved": self.saved,
            "tools": self.tools,
            "notices": self.notices,
            "usage": plain(self.usage),
            "error": self.error,
        }


class TextView:
    """The reply on stdout as it comes, what happens around it on stderr."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._at_line_start = True
        self._wrote = False
        self._printer = Printer()
        self._step = ""
        """What the last aside was a step of, e.g. `loading` for `loading (20 %)`."""

    def show(self, event: AnyEvent) -> None:
        """Writes one event; of one it does not know, the line."""
        if isinstance(event, TurnEvent):
            self._show_turn(event)
            return
        if isinstance(event, OutsideEvent):
            self._aside("\n".join(outside_lines(event)))
            return
        if isinstance(event, HostEvent):
            self._finish_text()
        urgent = isinstance(event, MemoryUpdated) or (
            isinstance(event, MemoriesExtracted) and (event.problem or event.disputed)
        )
        self._aside(event.line, always=bool(urgent) or isinstance(event, HostEvent))

    def close(self) -> None:
        """Ends the last line."""
        self._finish_text()

    def _show_turn(self, event: TurnEvent) -> None:
        match event:
            case TextDelta():
                self._write(event.text)
            case ThoughtDelta():
                self._thinks()
            case TurnStarted():
                if event.tier:
                    self._aside(f"{event.model} answers: {event.why}")
            case MemoryRecalled():
                if event.items:
                    self._aside(event.line)
            case MemorySaved():
                self._aside(f"✓ remembered (undo: {event.undo}): {event.content}")
            case Notice():
                self._noticed(event)
            case ToolStarted():
                self._aside(event.line)
            case ToolFinished():
                if not event.ok:
                    self._aside(f"{event.tool} failed: {event.result}")
            case ApprovalAsked():
                self._end_line()
            case ApprovalAnswered():
                self._aside(event.line, always=event.choice == "deny")
            case TurnFinished():
                if not self._wrote:
                    self._write(event.text)
                self._finish_text()
                self._aside(summary(event, event.usage))
            case TurnFailed():
                self._failed(event)
            case _:
                assert_never(event)

    def _thinks(self) -> None:
        """Said once for a stretch of thoughts, which are not shown."""
        if self._step != _THINKING:
            self._aside(_THINKING)
            self._step = _THINKING

    def _noticed(self, event: Notice) -> None:
        """Steps of one thing share a line on a terminal; elsewhere the first stands for all."""
        step = event.step
        if step and step == self._step:
            if not self._quiet and sys.stderr.isatty():
                aside(event.text, over=True)
            return
        self._aside(event.text, always=event.level == "warning")
        self._step = step

    def _failed(self, event: TurnFailed) -> None:
        self._finish_text()
        if event.reason == "cancelled":
            kept = "; what there was of the reply is kept" if event.message_id else ""
            self._aside(f"interrupted{kept} (session {event.session})", always=True)
        else:
            tell_error(event.message, event.hint)

    def _write(self, text: str) -> None:
        self._print(self._printer.feed(text))

    def _print(self, text: str) -> None:
        if not text:
            return
        sys.stdout.write(encodable(text))
        sys.stdout.flush()
        self._wrote = True
        self._at_line_start = text.endswith("\n")

    def _finish_text(self) -> None:
        self._print(self._printer.rest())
        if self._wrote and not self._at_line_start:
            sys.stdout.write("\n")
            sys.stdout.flush()
            self._at_line_start = True

    def _end_line(self) -> None:
        """A fresh line before narration, where both streams are the same terminal."""
        if sys.stdout.isatty():
            self._finish_text()

    def _aside(self, text: str, *, always: bool = False) -> None:
        if self._quiet and not always:
            return
        self._end_line()
        self._step = ""
        aside(text)


class ObjectView:
    """One JSON object on stdout when the turn is over; stderr gets what a person must know."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def show(self, event: AnyEvent) -> None:
        """Tells of a failure, and of a host that went away; the rest waits for the end."""
        match event:
            case TurnFailed():
                tell_error(event.message or event.reason, event.hint)
            case HostLost() | HostFound():
                narrate(event.line)
            case _:
                pass

    def close(self) -> None:
        """Prints the object."""
        emit_json(self._outcome.as_json())


class LinesView:
    """Every event as one JSON line on stdout, as it happens."""

    def show(self, event: AnyEvent) -> None:
        """Prints the event."""
        emit_jsonl(to_json(event))

    def close(self) -> None:
        """Nothing is held back."""


def outside_lines(event: OutsideEvent) -> list[str]:
    """What a program of another make tells of its work, as lines."""
    if isinstance(event, PlanTold):
        return event.checklist or [event.line]
    return event.unified() or [event.line]


def aside(text: str, *, over: bool = False) -> None:
    """Narration, dim on a terminal that has colours; `over` replaces the line above there."""
    stream = sys.stderr
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        narrate(text)
        return
    lines = "\n".join(harmless(line) for line in text.splitlines())
    stream.write(f"{_REPLACE if over else ''}\x1b[2m{lines}\x1b[0m\n")
    stream.flush()


def summary(event: TurnFinished, usage: Usage) -> str:
    """One line of who spoke, what it took and where to go on."""
    cached = f" ({usage.cached_tokens} cached)" if usage.cached_tokens else ""
    parts = [
        event.agent,
        usage.model,
        f"{usage.prompt_tokens}{cached} + {usage.completion_tokens} tokens",
        f"first after {usage.first_token_s:.1f} s, all after {usage.total_s:.1f} s",
        _cost(usage),
        f"session {event.session}",
    ]
    return " · ".join(part for part in parts if part)


def _cost(usage: Usage) -> str:
    """Nothing for what cost nothing."""
    known = f"${usage.cost_usd:.4f}" if usage.cost_usd else ""
    if usage.priced:
        return known
    return f"{known} + unknown" if known else "price unknown"
