"""What happens beside the words of a reply, folded into one row each: work given to other agents,
a conversation handed over, a plan.
"""

from collections.abc import Sequence

from textual.content import Content
from textual.message import Message

from ...frame.plain import one_line, printable
from .blocks import FoldedBlock

LONGEST = 300
"""Characters of a row."""


class Aside(FoldedBlock):
    """A mark, a text, and what else there is to it."""

    def __init__(self, mark: str, text: str, inside: str = "", *, kind: str = "info") -> None:
        super().__init__()
        self._mark, self._text, self._kind = mark, text, kind
        self._more = inside

    @property
    def source(self) -> str:
        return "\n".join(part for part in (self._text, self._more) if part)

    def tell(self, mark: str, text: str, inside: str = "", *, kind: str = "info") -> None:
        """It stands otherwise now."""
        self._mark, self._text, self._kind = mark, text, kind
        self._more = inside
        self._redraw()

    def _headline(self) -> Content:
        colour = "$warning" if self._kind == "warning" else "$foreground-muted"
        told = one_line(self._text, LONGEST)
        return Content.assemble(self._arrow, (f"{self._mark} ", f"bold {colour}"), (told, colour))

    def _inside(self) -> str:
        return printable(self.source)


class WorkBlock(Aside):
    """A piece of team work: one row that changes, and inside what came of it."""

    class Opened(Message):
        """What came of it is wanted."""

        def __init__(self, block: "WorkBlock") -> None:
            super().__init__()
            self.block = block

    def __init__(self, work: str, mark: str, text: str, inside: str, *, kind: str) -> None:
        super().__init__(mark, text, inside, kind=kind)
        self.work = work
        """The id of the task or collaboration."""
        self._result = ""

    def fill(self, result: str) -> None:
        """What came of it."""
        self._result = result
        self._redraw()

    def watch_open(self) -> None:
        super().watch_open()
        if self.open and self.is_mounted:
            self.post_message(self.Opened(self))

    def _inside(self) -> str:
        return printable("\n\n".join(part for part in (self.source, self._result) if part))


class PlanBlock(Aside):
    """The steps an agent means to take; open, for it is read while they are taken."""

    def __init__(self, turn: str, told: str, steps: Sequence[str]) -> None:
        super().__init__("≡", told, "\n".join(steps))
        self.turn = turn
        self.open = True

    def _inside(self) -> str:
        return printable(self._more)
