"""A turn as a screen reader says it: each state in words, a reply in whole lines, no sequences."""

from collections.abc import Mapping

from skill_agent.events import (
    AnyEvent,
    ApprovalAnswered,
    ApprovalAsked,
    MemoryRecalled,
    MemorySaved,
    QuestionAsked,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnEvent,
    TurnFinished,
    TurnStarted,
)
from skill_agent.text.decisions import in_one_line

from ..output import narrate
from .render import TextView


class SpokenView(TextView):
    """One turn; `names` has what agents are called, by slug."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self._names = names
        self._line = ""
        """What there is of the line that is being written."""

    def show(self, event: AnyEvent) -> None:
        """As for any reader, but for what has words of its own here."""
        if isinstance(event, QuestionAsked):
            self._aside(f"A question waits: {in_one_line(event.text)}", always=True)
        else:
            super().show(event)

    def _show_turn(self, event: TurnEvent) -> None:
        who = in_one_line(self._names.get(event.agent, event.agent))
        match event:
            case TurnStarted():
                self._aside(f"{who} is thinking")
            case ThoughtDelta():
                pass
            case MemoryRecalled():
                if event.items:
                    self._aside(f"{who} remembers {counted(len(event.items), 'thing')}")
            case MemorySaved():
                self._aside(f"{who} will remember: {in_one_line(event.content)}")
            case ToolStarted():
                self._aside(f"{who} uses {in_one_line(event.tool)}")
            case ToolFinished(ok=True):
                self._aside(f"{in_one_line(event.tool)} is done")
            case ApprovalAsked():
                asked = f"{who} wants to use {in_one_line(event.tool)}"
                self._aside(f"A decision waits: {asked}", always=True)
            case ApprovalAnswered():
                self._aside(f"Decided: {event.choice}", always=True)
            case TurnFinished():
                if not self._wrote:
                    self._write(event.text)
                self._finish_text()
                took = counted(max(1, round(event.usage.total_s)), "second")
                self._aside(f"{who} has answered, {took}")
            case _:
                super()._show_turn(event)

    def _print(self, text: str) -> None:
        """Whole lines: a reader that gets pieces of words says pieces of words."""
        if text:
            self._wrote = True
        *whole, self._line = (self._line + text).split("\n")
        for line in whole:
            super()._print(f"{line}\n")

    def _finish_text(self) -> None:
        self._print(self._printer.rest())
        rest, self._line = self._line, ""
        if rest:
            super()._print(f"{rest}\n")

    def _aside(self, text: str, *, always: bool = False) -> None:
        self._finish_text()
        self._step = ""
        narrate(text)


def counted(count: int, what: str) -> str:
    """`1 second`, `12 seconds`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
