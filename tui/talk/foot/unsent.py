"""What is not sent yet, one by one: what lies beside the words, and the messages that wait."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ...frame.plain import one_line, printable

SHOWN = 20_000
"""Characters of one that are shown."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """One thing that would be sent."""

    kind: Literal["beside", "waiting"]
    ref: str
    """Its place beside the words, or the message's key."""
    label: str
    text: str


class UnsentList(ModalScreen[Unsent | None]):
    """Gives the waiting message to be edited, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,alt+w", "dismiss(None)", "Close", show=False),
        Binding("d,delete,backspace", "take_out", "Take out", show=False),
        Binding("pagedown,space", "page('down')", show=False, priority=True),
        Binding("pageup", "page('up')", show=False, priority=True),
    ]

    def __init__(
        self, read: Callable[[], list[Unsent]], take_out: Callable[[Unsent], None]
    ) -> None:
        super().__init__()
        self._read, self._take_out = read, take_out
        self._rows: list[Unsent] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide", id="unsent-dialog"):
            yield Static("Not sent yet", classes="dialog-title")
            yield OptionList(id="unsent-list", markup=False)
            with VerticalScroll(id="unsent-text", can_focus=False):
                yield Static("", markup=False)
            yield Static("", markup=False, classes="keys")

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self._draw()

    def _draw(self) -> None:
        self._rows = self._read()
        if not self._rows:
            self.dismiss(None)
            return
        listed = self.query_one(OptionList)
        at = min(listed.highlighted or 0, len(self._rows) - 1)
        listed.clear_options()
        listed.add_options(Option(_row(one)) for one in self._rows)
        listed.highlighted = at

    @property
    def _chosen(self) -> Unsent | None:
        at = self.query_one(OptionList).highlighted
        return self._rows[at] if at is not None and at < len(self._rows) else None

    @on(OptionList.OptionHighlighted)
    def look(self) -> None:
        if (one := self._chosen) is None:
            return
        cut = len(one.text) - SHOWN
        more = f"\n… {cut:,} more characters" if cut > 0 else ""
        self.query_one("#unsent-text Static", Static).update(printable(one.text[:SHOWN]) + more)
        self.query_one("#unsent-text").scroll_home(animate=False)
        edits = "Enter edits · " if one.kind == "waiting" else ""
        keys = f"{edits}d takes it out · Space reads on · Esc closes"
        self.query_one(".keys", Static).update(keys)

    @on(OptionList.OptionSelected)
    def choose(self) -> None:
        one = self._chosen
        if one is not None and one.kind == "waiting":
            self.dismiss(one)

    def action_take_out(self) -> None:
        if (one := self._chosen) is not None:
            self._take_out(one)
            self._draw()

    def action_page(self, way: str) -> None:
        getattr(self.query_one("#unsent-text", VerticalScroll), f"scroll_page_{way}")(animate=False)


def _row(one: Unsent) -> Content:
    mark = "◦ " if one.kind == "waiting" else "▪ "
    kind = "waits" if one.kind == "waiting" else "beside your words"
    return Content.assemble(
        (mark, "$foreground-muted"), one_line(one.label, 120), (f"  {kind}", "$foreground-muted")
    )
