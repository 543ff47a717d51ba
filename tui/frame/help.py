"""F1: every key on one page, made from the deeds there are."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from .deeds import Deed, Part, key_words, keys_of
from .key_bar import keyed

KEYS_WIDE = 24
"""Columns of the keys, with what they do beside them."""
NARROW = 60
"""Below so many columns it stands under them."""


class KeyHelp(ModalScreen[None]):
    """Closes with Esc, F1 or q."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "dismiss(None)", "Close", show=False),
    ]

    def __init__(self, parts: Sequence[Part], own: Mapping[str, str], *, first: str = "") -> None:
        """`own` are the person's own keys by deed; `first` is the part to begin with."""
        super().__init__()
        self._parts = sorted(parts, key=lambda part: part.title != first)
        self._own = own

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide -tall"):
            yield Static("Keys", classes="dialog-title")
            with VerticalScroll():
                for part in self._parts:
                    yield Static(part.title, classes="help-section")
                    yield KeyLines([(self._keys_of(one), one.what) for one in part.deeds])
            yield Static(keyed("Esc closes"), classes="keys")

    def _keys_of(self, deed: Deed) -> str:
        """What to press for it; nothing for what needs no line of its own."""
        if not deed.what:
            return ""
        if own := self._own.get(deed.id):
            return ", ".join(map(key_words, own.split(",")))
        return keys_of(deed) or (f"/{deed.slash}" if deed.slash else "")


class KeyLines(Widget):
    """Keys and what they do, side by side, or below each other where it is narrow.

    All of a part is one widget: a hundred lines of widgets take a second to lay out.
    """

    def __init__(self, lines: Sequence[tuple[str, str]]) -> None:
        super().__init__(classes="help-lines")
        self._lines = [(keys, what) for keys, what in lines if keys]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._laid(width))

    def render(self) -> Content:
        return Content("\n").join(self._laid(self.size.width))

    def _laid(self, width: int) -> list[Content]:
        beside = width >= NARROW
        indent = KEYS_WIDE if beside else 2
        laid: list[Content] = []
        for keys, what in self._lines:
            key = Content.styled(keys, "bold")
            rows = Content.styled(what, "$foreground-muted").wrap(max(width - indent, 1))
            if beside and len(keys) < indent:
                laid.append(key.pad_right(indent - len(keys)) + rows.pop(0))
            else:
                laid += key.wrap(max(width, 1))
            laid += [row.pad_left(indent) for row in rows]
        return laid
