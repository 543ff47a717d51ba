"""Changing one setting: choosing it, or writing it. A dialog stays until the home has taken it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from skill_agent.errors import SkillAgentError
from skill_agent.values import Setting

from ..frame.key_bar import keyed
from ..frame.plain import one_line, printable
from .typed import about, lines_of, value_of, written

Write = Callable[[str], Awaitable[Setting]]
"""What is sent to the home; gives the setting as it is then, or raises SkillAgentError."""


class ChoiceDialog(ModalScreen[str | None]):
    """Gives one of the values there are."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Leave", show=False, priority=True),
    ]

    def __init__(self, setting: Setting, choices: Sequence[str]) -> None:
        super().__init__()
        self._setting, self._choices = setting, choices

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(one_line(self._setting.id, 80), markup=False, classes="dialog-title")
            yield Static(about(self._setting), markup=False, classes="why")
            yield OptionList(*(Option(one_line(one, 60), id=one) for one in self._choices),
                             markup=False)  # fmt: skip
            yield Static(keyed("Enter takes it · Esc leaves"), classes="keys")

    def on_mount(self) -> None:
        listing, now = self.query_one(OptionList), str(value_of(self._setting.value))
        if now in self._choices:
            listing.highlighted = self._choices.index(now)
        listing.focus()

    @on(OptionList.OptionSelected)
    def taken(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)


class WriteDialog(ModalScreen[Setting | None]):
    """Gives the setting as it is then; what was typed is lost to no refusal."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "write", "Keep", show=False, priority=True),
        Binding("escape", "leave", "Leave", show=False, priority=True),
    ]

    def __init__(self, setting: Setting, write: Write) -> None:
        super().__init__()
        self._setting, self._write = setting, write
        self._several = setting.kind in ("list", "table")
        self._writing = self._warned = False
        self._begun = printable(lines_of(setting))

    def compose(self) -> ComposeResult:
        begun = self._begun
        with Vertical(classes="dialog -wide"):
            yield Static(one_line(self._setting.id, 80), markup=False, classes="dialog-title")
            yield Static(about(self._setting), markup=False, classes="why")
            if self._several:
                yield TextArea(begun, soft_wrap=True, compact=True, tab_behavior="focus",
                               highlight_cursor_line=False)  # fmt: skip
            else:
                yield Input(begun, compact=True, select_on_focus=False)
            yield Static("", markup=False, classes="problem")
            yield Static(keyed(self._help()), classes="keys")

    def _help(self) -> str:
        hidden = "The password in it is not shown: write all of it anew. " * self._setting.hidden
        if not self._several:
            return f"{hidden}{_upper(self._wanted())} · Enter keeps it · Esc leaves"
        form = 'name = "value"' if self._setting.kind == "table" else "one"
        return f"{hidden}{_upper(form)} a line · Ctrl+S keeps it · Esc leaves"

    def _wanted(self) -> str:
        return self._setting.wanted.replace("text in quotes", "text") or "text"

    def on_mount(self) -> None:
        box = self.query_one(TextArea) if self._several else self.query_one(Input)
        box.cursor_blink = self.app.animation_level != "none"
        if isinstance(box, TextArea):
            box.move_cursor(box.document.end)
        box.focus()

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_write()

    @property
    def _text(self) -> str:
        return self.query_one(TextArea).text if self._several else self.query_one(Input).value

    def action_write(self) -> None:
        if not self._writing:
            self._writing = True
            self._keep(self._text)

    def action_leave(self) -> None:
        """What was typed is thrown away only when one says so twice."""
        if self._text != self._begun and not self._warned:
            self._warned = True
            self._tell("Not kept yet. Esc again throws it away.")
        else:
            self.dismiss(None)

    @work(group="dialog")
    async def _keep(self, text: str) -> None:
        try:
            setting = await self._write(written(self._setting, text))
        except SkillAgentError as error:
            self._tell("\n".join(one for one in (error.message, error.hint) if one))
        except ValueError as error:
            self._tell(str(error))
        else:
            self.dismiss(setting)
        finally:
            self._writing = False

    def _tell(self, words: str) -> None:
        problem = self.query_one(".problem", Static)
        problem.update(printable(words))
        problem.add_class("-shown")


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
