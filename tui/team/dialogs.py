"""Beginning something together: a goal, a way of working, and who takes part."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar, get_args

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from skill_agent.errors import SkillAgentError
from skill_agent.values import NewCollaboration, Participant
from skill_agent.values.team import Pattern

from ..frame.dialogs import told
from ..frame.key_bar import keyed

PATTERNS: tuple[Pattern, ...] = get_args(Pattern)
WAYS: dict[Pattern, str] = {
    "supervisor_worker": "the lead parts the work, the others do it, the lead sums up",
    "pipeline": "one after another; each has all that came before",
    "peer_review": "one writes, the other reviews, until it is approved",
    "brainstorm": "everyone has ideas, the lead sums up",
    "consensus": "everyone proposes and votes, with reasons",
    "delegation": "the lead gives all of it to one other",
}


class TogetherDialog(ModalScreen[bool]):
    """Gives whether it was begun. It stays open until it is, so nothing that was typed is lost."""

    CSS_PATH = Path(__file__).with_name("team.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before what is typed next: a box that is still at work would get it.
        Binding("tab", "app.focus_next", "Next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", "Before", show=False, priority=True),
        Binding("ctrl+s", "begin", "Begin", show=False, priority=True),
        Binding("escape", "dismiss(False)", "Leave", show=False, priority=True),
    ]

    def __init__(self, names: str, begin: Callable[[NewCollaboration], Awaitable[object]]) -> None:
        """`names` are those of agents that can be named."""
        super().__init__()
        self._names, self._begin = names, begin
        self._busy = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide -together"):
            yield Static("Work together", classes="dialog-title")
            yield Label("Goal")
            yield Input(placeholder="What is to come of it", id="together-goal", compact=True)
            yield Label("Who")
            yield Input(
                placeholder=f"{self._names}; empty: the lead chooses", id="together-who",
                compact=True,
            )  # fmt: skip
            yield Label("How")
            yield OptionList(*(_way(one) for one in PATTERNS))
            yield Static("", markup=False, classes="problem")
            yield Static(keyed("Tab next · Enter begins · Esc leaves"), classes="keys")

    def on_mount(self) -> None:
        for box in self.query(Input):
            box.cursor_blink = self.app.animation_level != "none"
        self.query_one(OptionList).highlighted = 0
        self.query_one("#together-goal").focus()

    def now(self) -> NewCollaboration:
        goal = self.query_one("#together-goal", Input).value.strip()
        who = self.query_one("#together-who", Input).value.replace("@", " ").replace(",", " ")
        return NewCollaboration(
            goal,
            pattern=PATTERNS[self.query_one(OptionList).highlighted or 0],
            participants=tuple(Participant(slug=one) for one in who.split()),
        )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_begin()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_begin()

    def action_begin(self) -> None:
        if not self._busy:
            self._busy = True
            self._start(self.now())

    @work(group="write")
    async def _start(self, new: NewCollaboration) -> None:
        problem = self.query_one(".problem", Static)
        try:
            if new.goal:
                await self._begin(new)
        except SkillAgentError as error:
            problem.update(f"Not begun: {told(error)}")
            problem.display = True
        else:
            if new.goal:
                self.dismiss(True)
            problem.update("A goal is needed.")
            problem.display = True
        finally:
            self._busy = False


def _way(pattern: Pattern) -> Option:
    name = pattern.replace("_", " ")
    return Option(Content.assemble((f"{name:<18}", "bold"), (WAYS[pattern], "$foreground-muted")))
