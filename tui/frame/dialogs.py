"""Being asked: yes or no, a line of words, or to read something long.

One that writes stays open until it is written, so a refusal loses nothing that was typed.
"""

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from skill_agent.errors import SkillAgentError

from .key_bar import keyed
from .plain import one_line, printable

Write = Callable[[str], Awaitable[Any]]
"""Takes what was typed; raises SkillAgentError where it does not do."""


class ConfirmDialog(ModalScreen[bool]):
    """Whether to do it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Do it", show=False),
        Binding("n,escape", "dismiss(False)", "Leave", show=False),
    ]

    def __init__(self, title: str, why: str, *, does: str, leaves: str = "leaves it") -> None:
        """`does` is what Enter does, in a word or two."""
        super().__init__()
        self._title, self._why, self._does, self._leaves = title, why, does, leaves

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(printable(self._title), markup=False, classes="dialog-title")
            yield Static(printable(self._why), markup=False, classes="why")
            yield Static(keyed(f"Enter {self._does} · Esc {self._leaves}"), classes="keys")


class LineDialog(ModalScreen[str]):
    """Gives what was typed; empty where nothing is to be said."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "Leave", show=False, priority=True),
        Binding("down,pagedown", "read('page_down')", show=False, priority=True),
        Binding("up,pageup", "read('page_up')", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        *,
        about: Content | str = "",
        hint: str = "",
        write: Write | None = None,
        does: str = "sends",
    ) -> None:
        """`about` is read above the line, whole; `write` is what is done with it."""
        super().__init__()
        self._title, self._hint, self._does = title, hint, does
        self._about = about if isinstance(about, Content) else Content(printable(about))
        self._write = write
        self._busy = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide"):
            yield Static(one_line(self._title, 200), markup=False, classes="dialog-title")
            with VerticalScroll(classes="about", can_focus=False):
                yield Static(self._about)
            yield Input(placeholder=self._hint, compact=True)
            yield Static("", markup=False, classes="problem")
            yield Static(keyed(f"Enter {self._does} · Esc leaves"), classes="keys")

    def on_mount(self) -> None:
        self.query_one(".about").display = bool(self._about.plain)
        box = self.query_one(Input)
        box.cursor_blink = self.app.animation_level != "none"
        box.focus()

    def action_read(self, how: str) -> None:
        getattr(self.query_one(VerticalScroll), f"scroll_{how}")(animate=False)

    @on(Input.Submitted)
    def typed(self, event: Input.Submitted) -> None:
        event.stop()
        words = event.value.strip()
        if words and not self._busy:
            self._busy = True
            self._take(words)

    @work(group="write")
    async def _take(self, words: str) -> None:
        try:
            if self._write is not None:
                await self._write(words)
        except SkillAgentError as error:
            problem = self.query_one(".problem", Static)
            problem.update(told(error))
            problem.display = True
        else:
            self.dismiss(words)
        finally:
            self._busy = False


class TextDialog(ModalScreen[None]):
    """Something long, to be read and copied. It is there at once, and its text when it has come."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss(None)", "Close", show=False),
        Binding("c,y", "copy", "Copy", show=False),
    ]

    def __init__(self, title: str, read: Callable[[], Awaitable[str]]) -> None:
        super().__init__()
        self._title, self._read, self._text = title, read, ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -full"):
            yield Static(one_line(self._title, 200), markup=False, classes="dialog-title")
            with VerticalScroll():
                yield Static("Reading …", markup=False, classes="why")
            yield Static(keyed("↑ ↓ scroll · c copies · Esc closes"), classes="keys")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self._fill()

    @work(group="load")
    async def _fill(self) -> None:
        words = self.query_one(".why", Static)
        try:
            self._text = await self._read()
        except SkillAgentError as error:
            words.update(told(error))
            return
        words.update(printable(self._text) or "There is no text.")
        words.set_classes("content")

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._text)


def told(error: SkillAgentError) -> str:
    """What is wrong and what to do about it, on one line."""
    return printable(error.message + (f" → {error.hint}" if error.hint else ""))
