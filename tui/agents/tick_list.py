"""A list of things to tick, readable without any colour."""

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option


class TickList(OptionList):
    """Space or a click ticks and unticks."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "tick", show=False)]

    class Ticked(Message):
        """What is ticked is something else now."""

        def __init__(self, names: tuple[str, ...]) -> None:
            super().__init__()
            self.names = names

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._rows: dict[str, Content] = {}
        self._ticked: dict[str, None] = {}

    @property
    def names(self) -> Collection[str]:
        """What there is to tick."""
        return self._rows.keys()

    def put(self, rows: Sequence[tuple[str, Content]]) -> None:
        """Replaces the rows; each has a name."""
        self._rows = dict(rows)
        self._draw()

    def tick(self, *names: str) -> None:
        """Ticks what there is of these."""
        self._ticked |= dict.fromkeys(one for one in names if one in self._rows)
        self._draw()
        self.post_message(self.Ticked(tuple(self._ticked)))

    def action_tick(self) -> None:
        option = self.highlighted_option
        if option is not None and option.id is not None:
            self._turn(option.id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._turn(event.option.id or "")

    def _turn(self, name: str) -> None:
        if name in self._ticked:
            del self._ticked[name]
        else:
            self._ticked[name] = None
        self._draw()
        self.post_message(self.Ticked(tuple(self._ticked)))

    def _draw(self) -> None:
        place = self.highlighted
        self.clear_options()
        self.add_options([Option(self._row(name), id=name) for name in self._rows])
        if self._rows:
            self.highlighted = place or 0

    def _row(self, name: str) -> Content:
        sign = ("[x] ", "bold $success") if name in self._ticked else ("[ ] ", "$foreground-muted")
        return Content.assemble(sign, self._rows[name])
