"""Erasing a memory for ever: what goes with it is told first, and no single key does it."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from skill_agent.values import Erasure

from .plain import one_line

WORD = "erase"
"""What one must type."""
ALIKE = 3
"""Memories of nearly the same meaning that are named."""


class EraseDialog(ModalScreen[bool]):
    """Whether to erase what the plan says."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "Keep", show=False, priority=True),
    ]

    def __init__(self, plan: Erasure) -> None:
        super().__init__()
        self._plan = plan

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Erase this for ever?", classes="dialog-title")
            yield Static(one_line(self._plan.memories[0].content, 300), markup=False)
            yield Static(goes_with_it(self._plan), classes="why")
            yield Input(placeholder=f"Type “{WORD}” and press Enter", compact=True)
            yield Static("It cannot be taken back · Esc keeps it", classes="keys")

    def on_mount(self) -> None:
        box = self.query_one(Input)
        box.cursor_blink = self.app.animation_level != "none"
        box.focus()

    @on(Input.Submitted)
    def typed(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip().lower() == WORD:
            self.dismiss(True)


def goes_with_it(plan: Erasure) -> Content:
    """What else is erased, and what only resembles it and stays."""
    counts = [f"{count} {what}" for what, count in plan.counts.items() if count]
    lines = [
        Content.assemble("\nGone with it: ", ", ".join(one for one in counts if "alike" not in one))
    ]
    if plan.alike:
        lines.append(Content("\nThese say nearly the same and stay:"))
        lines += [Content(f"  {one_line(one.content, 52)}") for one in plan.alike[:ALIKE]]
    return Content("\n").join(lines)
