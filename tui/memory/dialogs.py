"""Correcting a memory, and being asked before one is forgotten or erased for ever.

The dialog for correcting stays open until the store has taken the text, so a failed write loses
nothing. Erasing tells first what goes with it, and no single key does it.
"""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static, TextArea

from skill_agent.errors import SkillAgentError
from skill_agent.values import Erasure, Memory

from ..frame.key_bar import keyed
from ..frame.plain import one_line, printable, shown_time

Correct = Callable[[str, str], Awaitable[Memory]]
"""New content and reason; gives the new version, or raises SkillAgentError."""

KEYS = "Ctrl+S keeps it as a new version · Tab to the reason · Esc leaves"


class EditDialog(ModalScreen[Memory | None]):
    """Gives the new version, or None where nothing was changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Keep", show=False, priority=True),
        Binding("escape", "leave", "Leave", show=False, priority=True),
    ]

    def __init__(self, memory: Memory, correct: Correct) -> None:
        super().__init__()
        self._memory, self._correct = memory, correct
        self._warned = False
        self._saving = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide"):
            yield Static("Correct a memory", classes="dialog-title")
            yield TextArea(
                printable(self._memory.content),
                id="edit-content",
                soft_wrap=True,
                compact=True,
                tab_behavior="focus",
                highlight_cursor_line=False,
            )
            yield Input(placeholder="Why? (for its story; may stay empty)", id="edit-reason")
            yield Static("", markup=False, classes="problem")
            yield Static(keyed(KEYS), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Input).compact = True
        area = self.query_one(TextArea)
        area.cursor_blink = self.app.animation_level != "none"
        area.move_cursor(area.document.end)
        area.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_save()

    def action_leave(self) -> None:
        changed = self.query_one(TextArea).text.strip() != printable(self._memory.content).strip()
        if changed and not self._warned:
            self._warned = True
            self._tell("Not kept yet: Ctrl+S keeps it, Esc again throws the change away")
        else:
            self.dismiss(None)

    def on_text_area_changed(self) -> None:
        self._warned = False

    def action_save(self) -> None:
        if not self._saving:
            self._saving = True
            self._save()

    @work(group="write")
    async def _save(self) -> None:
        text = self.query_one(TextArea).text.strip()
        if text == printable(self._memory.content).strip():
            self.dismiss(None)
            return
        try:
            new = await self._correct(text, self.query_one(Input).value.strip())
        except SkillAgentError as error:
            self._tell(f"Not kept: {error.message}" + (f" → {error.hint}" if error.hint else ""))
            return
        finally:
            self._saving = False
        self.dismiss(new)

    def _tell(self, words: str) -> None:
        self.query_one(".problem", Static).update(words)
        self.query_one(".problem").display = True


class ForgetDialog(ModalScreen[bool]):
    """Whether to forget it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Forget", show=False),
        Binding("n,escape", "dismiss(False)", "Keep", show=False),
    ]

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Forget this?", classes="dialog-title")
            yield Static(one_line(self._memory.content, 300), markup=False, classes="content")
            yield Static(
                "No agent will see it any more. Its story stays, and r takes it back.",
                classes="keys",
            )
            yield Static(keyed("Enter forgets · Esc keeps it"), classes="keys")


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
            yield Static(keyed("It cannot be taken back · Esc keeps it"), classes="keys")

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
    counts = [one for one in counts if "alike" not in one]
    counts.append(f"what models were sent since {shown_time(plan.since)}")
    lines = [Content.assemble("\nGone with it: ", ", ".join(counts))]
    if plan.alike:
        lines.append(Content("\nThese say nearly the same and stay:"))
        lines += [Content(f"  {one_line(one.content, 52)}") for one in plan.alike[:ALIKE]]
    return Content("\n").join(lines)
