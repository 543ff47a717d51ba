"""The first row of a message: who, what it remembered, and at the right what it took and when."""

from collections.abc import Sequence
from typing import NamedTuple

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widgets import Static

GAP = 2
"""Cells that stay free between the two sides."""
BETWEEN = " · "


class Side(NamedTuple):
    """What stands at the left of the row."""

    name: str
    avatar: str = ""
    mark: tuple[str, str] = ("", "")
    """A rating, and its colour."""
    chip: str = ""
    """Something to press."""


class Head(Static):
    """One row; the least telling of its right side goes first where there is no room for all."""

    class ChipPressed(Message):
        """The person wants to see what is behind the chip."""

    def __init__(self, left: Side, right: Sequence[str] = ()) -> None:
        """`right` has the least telling first."""
        super().__init__(markup=False, classes="who")
        self._left, self._right = left, tuple(right)
        self._chip = range(0)

    def tell(self, *, left: Side | None = None, right: Sequence[str] | None = None) -> None:
        """Another name, mark or chip; other figures."""
        self._left = self._left if left is None else left
        self._right = self._right if right is None else tuple(right)
        self.refresh()

    def render(self) -> Content:
        name = f"{self._left.avatar} {self._left.name}" if self._left.avatar else self._left.name
        line = Content.assemble(name, self._left.mark)
        if self._left.chip:
            begin = line.cell_length + GAP
            line = Content.assemble(line, " " * GAP, (self._left.chip, "not bold $accent"))
            self._chip = range(begin, line.cell_length)
        width = self.content_size.width
        right = Content(fitting(self._right, width - line.cell_length - GAP))
        space = width - line.cell_length - right.cell_length
        if not right.cell_length or space < 0:
            return line
        return Content.assemble(line, " " * space, right.stylize("not bold $foreground-muted"))

    def on_click(self, event: Click) -> None:
        if self._left.chip and event.x in self._chip:
            event.stop()
            self.post_message(self.ChipPressed())


def fitting(parts: Sequence[str], width: int) -> str:
    """As many of the last parts as fit, as one text."""
    for at in range(len(parts)):
        told = BETWEEN.join(parts[at:])
        if Content(told).cell_length <= width:
            return told
    return ""
