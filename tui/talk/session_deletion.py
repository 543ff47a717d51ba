"""Asks before a conversation is deleted, and says what that means."""

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from ..frame.key_bar import keyed
from ..frame.plain import one_line

if TYPE_CHECKING:
    from skill_agent.values import Session


class DeleteDialog(ModalScreen[bool]):
    """Whether to delete it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Delete", show=False),
        Binding("n,escape", "dismiss(False)", "Keep", show=False),
    ]

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        count = self._session.messages
        messages = "its message leaves" if count == 1 else f"its {count} messages leave"
        with Vertical(classes="dialog"):
            yield Static("Delete this conversation?", classes="dialog-title")
            yield Static(one_line(self._session.title, 300), markup=False, classes="content")
            yield Static(
                f"It leaves every list, and {messages} recall. The ledger keeps it, and memories "
                "made from it stay. To erase words for good, erase the memory that holds them: "
                "ska memory forget ID --purge",
                markup=False,
                classes="keys",
            )
            yield Static(keyed("Enter deletes · Esc keeps it"), classes="keys")
