"""A line of a page that leads somewhere."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static


class Link(Static, can_focus=True):
    """Enter or a click follows it; Up and Down go to its neighbours."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "follow", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    class Followed(Message):
        """Somebody wants to go there."""

        def __init__(self, to: str, what: str) -> None:
            super().__init__()
            self.to, self.what = to, what

    def __init__(self, text: Content, *, to: str, what: str) -> None:
        """`to` is the place, `what` is what is to be looked at there."""
        super().__init__(text, classes="link")
        self._to, self._what = to, what

    def action_follow(self) -> None:
        self.post_message(self.Followed(self._to, self._what))

    def on_click(self) -> None:
        self.action_follow()
