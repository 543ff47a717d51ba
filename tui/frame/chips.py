"""Filters above a list, each with its key, its name and its value."""

from textual.content import Content
from textual.dom import DOMNode
from textual.message import Message
from textual.widgets import Static


class Chip(Static):
    """One filter; a click steps it like the key."""

    class Pressed(Message):
        """It was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

        @property
        def control(self) -> DOMNode | None:
            """The chip, for selectors."""
            return self._sender if isinstance(self._sender, DOMNode) else None

    def __init__(self, key: str, label: str, action: str) -> None:
        super().__init__(classes="chip")
        self._key, self._label, self._action = key, label, action

    def tell(self, value: str, *, lit: bool) -> None:
        """Shows a value; lit where it narrows the list."""
        self.update(
            Content.assemble(
                (self._key, "bold $foreground-muted"),
                (f" {self._label} ", "$foreground-muted"),
                (value, "bold $accent" if lit else ""),
            )
        )

    def on_click(self) -> None:
        self.post_message(self.Pressed(self._action))
