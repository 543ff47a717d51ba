"""A list above the composer of what could be meant, over the conversation and never moving it.

It never takes the focus: the composer hands it the keys that are for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ...frame.plain import one_line

MOST_ROWS, MOST_COLUMNS = 8, 110
_LEAST_LEFT = 2
"""Rows of the screen above it that stay in view."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing to choose."""

    id: str
    name: str
    what: str = ""
    beside: str = ""
    """At the right: its keys, or what kind of thing it is."""
    mark: str = " "
    colour: str = "$foreground-muted"
    value: tuple[str, str] = ("", "")
    """Its kind and what it stands for, for whoever offers it."""
    lit: bool = False
    """Enter takes it without one having gone to it: what is typed begins its name."""


class Suggestions(OptionList, can_focus=False):
    """At most eight rows; the chosen one stays chosen while others come and go."""

    BINDINGS: ClassVar[list[BindingType]] = []

    class Picked(Message):
        """The person wants this one."""

        def __init__(self, suggestion: Suggestion) -> None:
            super().__init__()
            self.suggestion = suggestion

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._offered: tuple[Suggestion, ...] = ()
        self._drawn_at = 0
        self._above = Region()

    @property
    def offered(self) -> tuple[Suggestion, ...]:
        return self._offered

    @property
    def chosen(self) -> Suggestion | None:
        at = self.highlighted
        return self._offered[at] if at is not None and at < len(self._offered) else None

    def offer(self, suggestions: Sequence[Suggestion], above: Region, *, fresh: bool) -> None:
        """Shows these over the rows above a region; with `fresh` the first one is chosen."""
        before = None if fresh else self.chosen
        if tuple(suggestions) != self._offered or above != self._above:
            self._offered, self._above = tuple(suggestions), above
            self._redraw()
        self.display = bool(self._offered)
        ids = [one.id for one in self._offered]
        if before and before.id in ids:
            self.highlighted = ids.index(before.id)
        else:
            self.highlighted = next((i for i, one in enumerate(self._offered) if one.lit), None)

    def close(self) -> None:
        self.offer((), Region(), fresh=True)

    def step(self, by: int) -> None:
        """The next or the previous one, around the end."""
        if self._offered:
            at = self.highlighted
            start = (-1 if by > 0 else 0) if at is None else at
            self.highlighted = (start + by) % len(self._offered)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_index < len(self._offered):
            self.post_message(self.Picked(self._offered[event.option_index]))

    def _redraw(self) -> None:
        above = self._above
        rows = max(min(len(self._offered), MOST_ROWS, above.y - _LEAST_LEFT), 1)
        wide = max(min(above.width, MOST_COLUMNS), 1)
        self.styles.width, self.styles.height = wide, rows
        self.styles.offset = (above.x, max(above.y - rows, 0))
        width = max(wide - 4 - (len(self._offered) > rows), 1)
        told = (Content(one.name).cell_length for one in self._offered if one.what)
        named = min(max(told, default=0), max(width // 3, 12))
        self.clear_options()
        self.add_options(Option(_row(one, named, width)) for one in self._offered)


def _row(one: Suggestion, named: int, width: int) -> Content:
    """Mark, name, what it is, and at the right what is beside it; what has only a name has all
    the room for it."""
    mark = Content.styled(f"{one.mark} ", one.colour)
    beside = Content.styled(one.beside, "$foreground-muted")
    room = width - mark.cell_length - beside.cell_length - 2
    if room < named + 2:  # no room for more than the name
        return Content.assemble(mark, _fitted(one.name, width - mark.cell_length, "bold"))
    if not one.what:
        return Content.assemble(mark, _fitted(one.name, room, "bold"), "  ", beside)
    what = _fitted(one.what, max(room - named - 2, 0), "$foreground-muted")
    return Content.assemble(
        mark, _fitted(one.name, named, "bold"), "  ", what, "  " if what else "", beside
    )


def _fitted(text: str, width: int, style: str) -> Content:
    """In so many cells, filled up to them."""
    return Content(one_line(text, 400)).truncate(width, ellipsis=True, pad=True).stylize(style)
