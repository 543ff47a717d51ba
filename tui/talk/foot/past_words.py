"""A search in what the person sent: in this conversation first, then in all of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from skill_agent.errors import SkillAgentError

from ...frame.key_bar import keyed
from ...frame.plain import one_line

if TYPE_CHECKING:
    from skill_agent.values import Message
    from skill_agent.workstation import Workstation

MOST_HERE, MOST_ELSEWHERE = 100, 50


NONE = "Nothing you sent holds that."


class PastWords(ModalScreen[str | None]):
    """Gives the chosen text, or None; the newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+r", "dismiss(None)", "Close", show=False, priority=True),
        Binding("down", "step(1)", show=False, priority=True),
        Binding("up", "step(-1)", show=False, priority=True),
    ]

    def __init__(self, here: Sequence[str], runtime: "Workstation | None", typed: str = "") -> None:
        """`here` is what was sent in this conversation, oldest first."""
        super().__init__()
        self._here = [one for one in reversed(here) if one.strip()][:MOST_HERE]
        self._runtime, self._typed = runtime, typed
        self._shown: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide"):
            yield Static("What you sent", classes="dialog-title")
            yield Input(self._typed, placeholder="search", compact=True, id="past-search")
            yield OptionList(id="past-list", markup=False)
            yield Static("", markup=False, id="past-none")
            yield Static(keyed("Enter takes it · Esc closes"), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.search()

    @on(Input.Changed)
    def search(self) -> None:
        typed = self.query_one(Input).value.strip()
        here = [one for one in self._here if _holds(one, typed)]
        self._show(here, here, looking=bool(typed))
        if typed and self._runtime is not None:
            self.run_worker(self._everywhere(self._runtime, typed, here), exclusive=True)

    async def _everywhere(self, runtime: "Workstation", typed: str, here: list[str]) -> None:
        try:
            found = await runtime.conversations.search(typed, limit=MOST_ELSEWHERE)
        except SkillAgentError as error:
            self._show(here, here, problem=error.message)
            return
        said = [one.content for one in found if _is_own(one)]
        self._show([*here, *(one for one in said if one not in here)], here)

    def _show(
        self, texts: list[str], here: list[str], *, looking: bool = False, problem: str = ""
    ) -> None:
        self._shown = list(dict.fromkeys(texts))
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options(Option(_row(one, elsewhere=one not in here)) for one in self._shown)
        listed.highlighted = 0 if self._shown else None
        listed.display = bool(self._shown)
        none = self.query_one("#past-none", Static)
        typed = self.query_one(Input).value.strip()
        nothing = NONE if typed else "Type what you remember of it: all talks are searched."
        nothing = "looking …" if looking else nothing
        none.update(problem or nothing)
        none.display = bool(problem) or not self._shown

    def action_step(self, by: int) -> None:
        listed = self.query_one(OptionList)
        if by > 0:
            listed.action_cursor_down()
        else:
            listed.action_cursor_up()

    @on(Input.Submitted)
    def take(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._shown):
            self.dismiss(self._shown[at])

    @on(OptionList.OptionSelected)
    def take_clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index])


def _holds(text: str, typed: str) -> bool:
    low = text.lower()
    return all(word in low for word in typed.lower().split())


def _is_own(message: "Message") -> bool:
    """Whether the words are the person's, and not a program's or another agent's."""
    return message.role == "user" and bool(message.content.strip()) and not message.words_origins


def _row(text: str, *, elsewhere: bool) -> Content:
    where = ("  another conversation", "$foreground-muted") if elsewhere else ("", "")
    return Content.assemble(one_line(text, 160), where)
