"""One turn as a person, a script or a log reads it; nothing here drives the turn.

Reply text goes to stdout as it comes, everything else to stderr. No ANSI sequence is written to
anything but a terminal, and none that a model or a memory contains is passed on.
"""

import os
import sys
from dataclasses import dataclass, field
from typing import Any, Protocol, assert_never

from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Compacted,
    Event,
    HostFound,
    HostLost,
    MemoriesExtracted,
    MemoryRecalled,
    MemorySaved,
    Notice,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    to_json,
)
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
    without_controls,
)

_EXIT_CODES: dict[FailureReason, int] = {
    "cancelled": INTERRUPTED,
    "model_unavailable": 3,
    "rejected": 3,
    "model_failed": 1,
    "limit": 1,
    "error": 1,
    "host_lost": 1,
    "host_closed": 1,
}


_REPLACE = "\x1b[1A\x1b[2K"
"""One line up, and empty it."""


class View(Protocol):
    """What shows a turn."""

    def show(self, event: Event) -> None: ...

    def close(self) -> None:
        """The turn is over; whatever is still to be written is written now."""
        ...


@dataclass(slots=True)
class Outcome:
    """What a turn came to, gathered from its events."""

    ids: dict[str, str] = field(default_factory=dict)
    model: str = ""
    text: str = ""
    memories: list[dict[str, Any]] = field(default_factory=list)
    saved: list[dict[str, Any]] = field(default_factory=list)
    tools: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    usage: Usage | None = None
    error: dict[str, str] | None = None
    exit_code: int = 1

    def take(self, event: Event) -> None:
        """Adds what the event says."""
        match event:
            case TurnStarted():
                self.ids = {"id": event.turn, "session": event.session, "agent": event.agent}
                self.model = event.model
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
        self.exit_code = _EXIT_CODES[event.reason]

    def as_json(self) -> dict[str, Any]:
        """The object `--json` prints."""
        return {
            **self.ids,
            "model": (self.usage.model if self.usage else "") or self.model,
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
        self._step = ""
        """What the last aside was a step of, e.g. `loading` for `loading (20 %)`."""

    def show(self, event: Event) -> None:
        """Writes one event."""
        match event:
            case TextDelta():
                self._write(event.text)
            case TurnStarted():
                pass
            case MemoryRecalled():
                self._recalled(event)
            case MemorySaved():
                self._aside(f"remembered ({event.memory_id}): {event.content}")
            case MemoriesExtracted():
                self._aside(extracted(event), always=bool(event.problem or event.disputed))
            case Compacted():
                self._aside(
                    f"{event.messages} earlier messages summed up, {event.memories} memories kept"
                )
            case Notice():
                self._noticed(event)
            case ToolStarted():
                self._aside(f"{event.tool} {_arguments(event.arguments)}")
            case ToolFinished():
                if not event.ok:
                    self._aside(f"{event.tool} failed: {event.result}")
            case ApprovalAsked():
                self._end_line()
            case ApprovalAnswered():
                self._aside(f"{event.choice} (by {event.by})", always=event.choice == "deny")
            case TurnFinished():
                if not self._wrote:
                    self._write(event.text)
                self._finish_text()
                self._aside(summary(event, event.usage))
            case TurnFailed():
                self._failed(event)
            case HostLost() | HostFound():
                self._finish_text()
                self._aside(host_news(event), always=True)
            case _:
                assert_never(event)

    def close(self) -> None:
        """Ends the last line."""
        self._finish_text()

    def _noticed(self, event: Notice) -> None:
        """Steps of one thing share a line on a terminal; elsewhere the first stands for all."""
        step = event.text.partition(" (")[0] if event.text.endswith("%)") else ""
        if step and step == self._step:
            if not self._quiet and sys.stderr.isatty():
                aside(event.text, over=True)
            return
        self._aside(event.text, always=event.level == "warning")
        self._step = step

    def _recalled(self, event: MemoryRecalled) -> None:
        if event.items:
            count = len(event.items)
            self._aside(f"recalled {count} {'memory' if count == 1 else 'memories'}, "
                        f"{event.tokens} tokens, {event.seconds * 1000:.0f} ms")  # fmt: skip

    def _failed(self, event: TurnFailed) -> None:
        self._finish_text()
        if event.reason == "cancelled":
            kept = "; what there was of the reply is kept" if event.message_id else ""
            self._aside(f"interrupted{kept} (session {event.session})", always=True)
        else:
            tell_error(event.message, event.hint)

    def _write(self, text: str) -> None:
        text = without_controls(text)
        if not text:
            return
        sys.stdout.write(encodable(text))
        sys.stdout.flush()
        self._wrote = True
        self._at_line_start = text.endswith("\n")

    def _finish_text(self) -> None:
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

    def show(self, event: Event) -> None:
        """Tells of a failure, and of a host that went away; the rest waits for the end."""
        match event:
            case TurnFailed():
                tell_error(event.message or event.reason, event.hint)
            case HostLost() | HostFound():
                narrate(host_news(event))
            case _:
                pass

    def close(self) -> None:
        """Prints the object."""
        emit_json(self._outcome.as_json())


class LinesView:
    """Every event as one JSON line on stdout, as it happens."""

    def show(self, event: Event) -> None:
        """Prints the event."""
        emit_jsonl(to_json(event))

    def close(self) -> None:
        """Nothing is held back."""


def aside(text: str, *, over: bool = False) -> None:
    """Narration, dim on a terminal that has colours; `over` replaces the line above there."""
    stream = sys.stderr
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        narrate(text)
        return
    lines = "\n".join(harmless(line) for line in text.splitlines())
    stream.write(f"{_REPLACE if over else ''}\x1b[2m{lines}\x1b[0m\n")
    stream.flush()


def host_news(event: HostLost | HostFound) -> str:
    """What became of the process that held the home, in one line."""
    if isinstance(event, HostLost):
        return "the process that held the home went away; taking over …"
    return "this process holds the home now" if event.here else "connected again"


def extracted(event: MemoriesExtracted) -> str:
    """One line of what was read out of messages, or why it was not."""
    if event.problem:
        return f"memories were not read out yet: {event.problem}"
    parts = (
        (len(event.created), "new"),
        (len(event.versioned), "brought up to date"),
        (len(event.disputed), "in dispute (ska memory disputes)"),
        (event.skipped, "known already"),
    )
    told = ", ".join(f"{count} {what}" for count, what in parts if count)
    return f"memories read out: {told or 'none'}"


def summary(event: TurnFinished, usage: Usage) -> str:
    """One line of who spoke, what it took and where to go on."""
    cached = f" ({usage.cached_tokens} cached)" if usage.cached_tokens else ""
    parts = [
        event.agent,
        usage.model,
        f"{usage.prompt_tokens}{cached} + {usage.completion_tokens} tokens",
        f"first after {usage.first_token_s:.1f} s, all after {usage.total_s:.1f} s",
        f"${usage.cost_usd:.4f}" if usage.cost_usd else "",
        f"session {event.session}",
    ]
    return " · ".join(part for part in parts if part)


def _arguments(arguments: dict[str, Any]) -> str:
    shown = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    return shown if len(shown) <= 200 else shown[:199] + "…"
