"""Naming a clone, and being asked before an agent is archived."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..frame.key_bar import keyed


class CloneDialog(ModalScreen[str]):
    """Gives the clone's name; empty where there is to be none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "Leave", show=False, priority=True),
    ]

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(f"Another one like {self._name}", markup=False, classes="dialog-title")
            yield Static("It gets the same table, and none of the memories.", classes="why")
            yield Input(placeholder="Its name", compact=True)
            yield Static(keyed("Enter makes it · Esc leaves"),
                         classes="keys")  # fmt: skip

    def on_mount(self) -> None:
        box = self.query_one(Input)
        box.cursor_blink = self.app.animation_level != "none"
        box.focus()

    @on(Input.Submitted)
    def typed(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(" ".join(event.value.split()))


class ArchiveDialog(ModalScreen[bool]):
    """Whether to archive it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Archive", show=False),
        Binding("n,escape", "dismiss(False)", "Keep", show=False),
    ]

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(f"Archive {self._name}?", markup=False, classes="dialog-title")
            yield Static(
                "It answers nobody any more. Its talks and memories stay, and a takes it back.",
                classes="why",
            )
            yield Static(keyed("Enter archives · Esc keeps it"),
                         classes="keys")  # fmt: skip
