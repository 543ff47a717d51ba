"""The list of agents to talk to in this conversation."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from .cast import Member


class AgentPicker(ModalScreen[str | None]):
    """Gives the chosen slug, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g", "dismiss(None)", "Close", show=False),
    ]

    def __init__(self, members: Sequence[Member], current: str) -> None:
        super().__init__()
        self._members, self._current = members, current

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Talk to", classes="dialog-title")
            yield OptionList(*(self._option(member) for member in self._members))
            yield Static("Enter picks · Esc closes · @name asks one of them once", classes="keys")

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        slugs = [member.slug for member in self._members]
        options.highlighted = slugs.index(self._current) if self._current in slugs else 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def _option(self, member: Member) -> Option:
        active = member.status == "active"
        colour = f"${member.accent.replace('accent-', 'agent-')}"
        state = "" if active else f"  {member.status}"
        here = "  here now" if member.slug == self._current else ""
        model = "" if member.model == "default" else f" · {member.model}"
        text = Content.assemble(
            ("● ", colour),
            (member.name, "bold"),
            (f"  @{member.slug}{model}", "$foreground-muted"),
            (here, "$success"),
            (state, "$warning"),
            (f"\n  {member.tagline}" if member.tagline else "", "$foreground-muted"),
        )
        return Option(text, id=member.slug, disabled=not active)
