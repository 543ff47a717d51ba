"""The memory screen's filters above and its keys below, drawn from what it tells them."""

from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from skill_agent.values import Memory

from ..frame.overlay import joined, key_shown


class Chip(Static):
    """One filter: its key, its name, its value; a click steps it like the key."""

    class Pressed(Message):
        """It was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

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


class KeyLine(Static):
    """The keys that do something now, as many as fit, the way out last."""

    _keys: tuple[tuple[str, str], ...] = ()

    def tell(self, memory: Memory | None) -> None:
        """Shows the keys for the chosen memory."""
        self._keys = keys_for(memory)
        self.refresh()

    def render(self) -> Content:
        out = key_shown("Esc", "back")
        left = self.content_size.width - out.cell_length
        shown: list[Content] = []
        for key, what in self._keys:
            part = key_shown(key, what)
            if part.cell_length + 3 > left:
                break
            left -= part.cell_length + 3
            shown.append(part)
        return joined([*shown, out])


def keys_for(memory: Memory | None) -> tuple[tuple[str, str], ...]:
    """Keys and what they do, the most wanted first."""
    search, rest = ("/", "search"), (("Tab", "story"), ("c", "copy"), ("F1", "all keys"))
    if memory is None:
        return (search, ("x", "no filters"), ("F1", "all keys"))
    match memory.status:
        case "superseded":
            return (search, *rest)
        case "archived":
            return (("r", "take back"), ("e", "correct"), search, *rest)
        case "disputed":
            own = (("Enter", "decide"), ("e", "correct"), ("f", "forget"))
        case "active":
            own = (("e", "correct"), ("p", "unpin" if memory.pinned else "pin"), ("f", "forget"))
    return (*own, search, *rest)
