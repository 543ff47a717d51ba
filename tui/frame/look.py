"""Which theme a window has: the settings' own, the one chosen last, or one like the terminal."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from .key_bar import keyed
from .theme import AUTO, DARK, LIGHT, OURS

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Look:
    """The choice that was made last is a file of its own, so that windows do not write into
    settings; the last window that chooses has its way at the next start."""

    file: Path | None = None
    light: bool = False
    """Whether the terminal is."""

    @property
    def like_terminal(self) -> str:
        """The theme where nobody chose one."""
        return LIGHT.name if self.light else DARK.name

    def chosen(self) -> str:
        """The name of what was chosen last; empty where nothing was."""
        try:
            return self.file.read_text("utf-8")[:_LONGEST].strip() if self.file else ""
        except (OSError, UnicodeDecodeError):
            return ""

    def first(self, known: Iterable[str]) -> str:
        """What a window begins with."""
        chosen = self.chosen()
        return chosen if chosen in set(known) else self.like_terminal

    def keep(self, name: str) -> None:
        """Raises OSError and SkillAgentError."""
        from skill_agent.files.private import write_private

        if self.file is not None:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(self.file, f"{name}\n")


_WHAT = {
    AUTO: "as your terminal is",
    "workstation": "dark and calm",
    "workstation-contrast": "dark, strong contrast",
    "workstation-light": "light and calm",
    "workstation-paper": "light and warm",
}


class ThemeList(ModalScreen[str | None]):
    """Gives the name of the chosen one, or nothing; shows each while it is looked at."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, known: Iterable[str], now: str, look: Look) -> None:
        super().__init__()
        ours = [AUTO, *(one.name for one in OURS)]
        self._names = [*ours, *sorted(set(known) - set(ours))]
        self._now, self._look = now, look

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="themes"):
            yield Static("Theme", classes="dialog-title")
            yield OptionList(*(Option(_drawn(name), id=name) for name in self._names))
            yield Static(keyed("Enter keeps it · Esc goes back"), classes="keys")

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        options.highlighted = self._names.index(self._now) if self._now in self._names else 0

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self._show(event.option.id or AUTO)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def action_back(self) -> None:
        """As it was."""
        self._show(self._now)
        self.dismiss(None)

    def _show(self, name: str) -> None:
        self.app.theme = self._look.like_terminal if name == AUTO else name


def _drawn(name: str) -> Content:
    what = f"  {_WHAT[name]}" if name in _WHAT else ""
    return Content.assemble((name, "bold"), (what, "$foreground-muted"))
