"""Writing to an agent that is at work, and being asked before all of it is stopped."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..frame.plain import one_line


class TellDialog(ModalScreen[str]):
    """Gives what is to be said; empty where nothing is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "Leave", show=False, priority=True),
    ]

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        self._name, self._title = name, title

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide"):
            yield Static(f"Say to {self._name}", markup=False, classes="dialog-title")
            yield Static(one_line(self._title, 200), markup=False, classes="why")
            yield Input(placeholder="It is read before the next step", compact=True)
            yield Static("Enter sends · Esc leaves", classes="keys")

    def on_mount(self) -> None:
        box = self.query_one(Input)
        box.cursor_blink = self.app.animation_level != "none"
        box.focus()

    @on(Input.Submitted)
    def typed(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip())


class StopAllDialog(ModalScreen[bool]):
    """Whether to stop all that runs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Stop", show=False),
        Binding("n,escape", "dismiss(False)", "Leave", show=False),
    ]

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def compose(self) -> ComposeResult:
        what = "the one that runs" if self._count == 1 else f"all {self._count} that run"
        with Vertical(classes="dialog"):
            yield Static(f"Stop {what}?", classes="dialog-title")
            yield Static("What there is of them is kept, and r begins them anew.", classes="why")
            yield Static(
                Content.from_markup("[b]Enter[/b] stops · [b]Esc[/b] leaves them"), classes="keys"
            )
