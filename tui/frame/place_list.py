"""Ctrl+O: the places there are, each with a number to press."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Protocol

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from .deeds import key_words
from .key_bar import keyed

TALK = "talk"
NUMBERS = "1234567890"


class _Place(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def keys(self) -> str: ...


class PlaceList(ModalScreen[str | None]):
    """Gives the name of a place, or nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+o", "dismiss(None)", "Close", show=False),
    ]

    def __init__(
        self, places: Sequence[_Place], waiting: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """`waiting` is what is known to wait or go on, by the name of its place."""
        super().__init__()
        self._places, self._waiting = places, waiting

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide"):
            yield Static("Go to", classes="dialog-title")
            yield OptionList(*self._options())
            yield Static(keyed("A number or Enter goes there · Esc closes"), classes="keys")

    def on_key(self, event: events.Key) -> None:
        names = [TALK, *(one.name for one in self._places)]
        if event.character in NUMBERS[: len(names)] if event.character else False:
            event.stop()
            self.dismiss(names[NUMBERS.index(event.character or "")])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def _options(self) -> list[Option]:
        rows = [(TALK, "Talk", "the conversation", "")]
        rows += [(one.name, one.label, one.what, one.keys) for one in self._places]
        wide = max(len(label) for _, label, _, _ in rows)
        return [
            Option(
                _drawn(number, f"{label:<{wide}}", what, keys, self._waiting.get(name, "")),
                id=name,
            )
            for number, (name, label, what, keys) in zip(NUMBERS, rows, strict=False)
        ]


def _drawn(number: str, label: str, what: str, keys: str, waits: str) -> Content:
    key = f"  {key_words(keys.split(',')[0]) if keys else '':<3}"
    muted = "$foreground-muted"
    return Content.assemble(
        (f"{number} ", muted),
        (label, "bold"),
        (key, "$accent"),
        (f"  {waits}" if waits else "", "bold $warning"),
        (f"  {what}", muted),
    )
