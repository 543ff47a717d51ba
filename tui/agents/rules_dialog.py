"""What an agent may always do unasked, to take one of it back."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ..frame.plain import one_line


class RulesDialog(ModalScreen[str | None]):
    """Gives the rule that is to be taken back, or nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Leave", show=False),
    ]

    def __init__(self, name: str, rules: Sequence[str]) -> None:
        super().__init__()
        self._name, self._rules = name, rules

    def compose(self) -> ComposeResult:
        keys = (("Enter", "bold"), " takes it back · ", ("Esc", "bold"), " leaves it")
        title = f"{self._name} may always do this unasked"
        with Vertical(classes="dialog -wide"):
            yield Static(one_line(title, 200), markup=False, classes="dialog-title")
            yield OptionList(*(Option(Content(one_line(one, 400))) for one in self._rules))
            yield Static(Content.assemble(*keys), classes="keys")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._rules[event.option_index])
