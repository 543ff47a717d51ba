"""What is shown when the home cannot be opened, with the keys that lead out of it."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from skill_agent.errors import SkillAgentError

from .blocks import Block, ErrorBlock

LEAD_OUT = "r tries again · q quits (Esc first, from the composer) · your text is kept"


class OpeningFailed(ErrorBlock):
    """The reason, the hint, and: r tries again, q leaves with the error's exit code."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *Block.BINDINGS,
        Binding("q", "app.quit", "Quit", show=False),
        Binding("r,enter", "app.retry", "Try again", show=False),
    ]

    def __init__(self, error: SkillAgentError) -> None:
        super().__init__("The home did not open", error.message, error.hint)

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield Static(
            "r tries again · q quits (Esc first, from the composer) · your text is kept",
            classes="keys",
        )
