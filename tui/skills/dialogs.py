"""Being asked before a skill is trusted, and whose tool it is to be."""

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from skill_agent.values import SkillPage

from ..frame.agents import Member
from ..frame.key_bar import keyed


class ApproveDialog(ModalScreen[bool]):
    """Whether to trust it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Approve", show=False),
        Binding("n,escape", "dismiss(False)", "Leave", show=False),
    ]

    def __init__(self, page: SkillPage) -> None:
        super().__init__()
        self._page = page

    def compose(self) -> ComposeResult:
        odd, files = len(self._page.findings), len(self._page.files)
        told = [f"{odd} things were found odd" if odd > 1 else "one thing was found odd"] * (
            odd > 0
        )
        told += [
            f"{files} further files lie beside it" if files > 1 else "a file lies beside it"
        ] * (files > 0)
        with Vertical(classes="dialog"):
            yield Static(f"Approve {self._page.skill.name}?", markup=False, classes="dialog-title")
            yield Static(
                "Its words count as yours for every agent that has it, and opening it asks nobody. "
                "Once a file of it changes, it asks again.",
                classes="why",
            )
            if told:
                yield Static("; ".join(told).capitalize() + ".", classes="content")
            yield Static(keyed("Enter approves · Esc leaves it"),
                         classes="keys")  # fmt: skip


class ToolDialog(ModalScreen[str | None]):
    """Gives whose tool it is to be, or no longer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Leave", show=False),
    ]

    def __init__(self, skill: str, members: Sequence[Member], has: Collection[str]) -> None:
        """`has` are the slugs whose tool it is."""
        super().__init__()
        self._skill, self._members, self._has = skill, members, has

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(f"{self._skill} as a tool of", markup=False, classes="dialog-title")
            yield OptionList(*(self._option(one) for one in self._members))
            yield Static(keyed("Enter gives or takes it · Esc leaves"),
                         classes="keys")  # fmt: skip

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def _option(self, member: Member) -> Option:
        now = "  has it" if member.slug in self._has else ""
        return Option(
            Content.assemble(member.mark, (member.name, "bold"), (now, "$success")), id=member.slug
        )
