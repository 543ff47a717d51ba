"""F1: every key on one page, made from the deeds there are."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from .deeds import Deed, Part, key_words, keys_of
from .key_bar import keyed


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
                    for deed in part.deeds:
                        if keys := self._keys_of(deed):
                            yield KeyLine(keys, deed.what)
            yield Static(keyed("Esc closes"), classes="keys")

    def _keys_of(self, deed: Deed) -> str:
        """What to press for it; nothing for what needs no line of its own."""
        if not deed.what:
            return ""
        if own := self._own.get(deed.id):
            return ", ".join(map(key_words, own.split(",")))
        return keys_of(deed) or (f"/{deed.slash}" if deed.slash else "")


class KeyLine(Horizontal):
    """A key and what it does; below each other where it is narrow."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(classes="help-line")
        self._key, self._what = key, what

    def compose(self) -> ComposeResult:
        yield Static(self._key, markup=False, classes="key")
        yield Static(self._what, markup=False, classes="what")
