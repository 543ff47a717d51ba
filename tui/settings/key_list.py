"""The lists of the settings: the sections, and beside them each key with its value."""

from collections.abc import Sequence

from rich.cells import set_cell_size
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from skill_agent.values import Setting

from ..frame.plain import one_line
from .typed import section_of, shown, waits

NAME = 20
"""Columns of a key."""


class KeyList(OptionList):
    """Remembers which setting is chosen by its key."""

    class Chosen(Message):
        """Another one is highlighted, or the same one has changed."""

        def __init__(self, setting: Setting) -> None:
            super().__init__()
            self.setting = setting

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._settings: dict[str, Setting] = {}

    @property
    def chosen(self) -> Setting | None:
        option = self.highlighted_option
        return self._settings.get(option.id or "") if option else None

    @property
    def settings(self) -> list[Setting]:
        return list(self._settings.values())

    def put(self, settings: Sequence[Setting], choose: str | None = None) -> None:
        """Replaces the rows; the chosen one stays where it is there."""
        wanted = choose or (self.chosen.id if self.chosen else None)
        scrolled = self.scroll_y
        self._settings = {one.id: one for one in settings}
        rows: list[Option] = []
        for one in settings:
            section = section_of(one)
            if not rows or section != section_of(settings[settings.index(one) - 1]):
                rows.append(_heading(section, first=not rows))
            rows.append(_row(one))
        with self.app.batch_update(), self.prevent(OptionList.OptionHighlighted):
            self.clear_options()
            self.add_options(rows)
            self.scroll_to(y=scrolled, animate=False, immediate=True)
            self.choose(wanted if wanted in self._settings else next(iter(self._settings), None))

    def choose(self, key: str | None) -> None:
        """Highlights one, and tells it."""
        if key is None or key not in self._settings:
            return
        self.highlighted = self.get_option_index(key)
        self.call_after_refresh(self.scroll_to_highlight)
        self.post_message(self.Chosen(self._settings[key]))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if setting := self._settings.get(event.option.id or ""):
            self.post_message(self.Chosen(setting))


class SectionList(OptionList):
    """The tables of config.toml; where one stands is where the keys begin."""

    def put(self, sections: Sequence[str]) -> None:
        """Replaces them."""
        if [one.id for one in self.options] != [*sections]:
            with self.prevent(OptionList.OptionHighlighted):
                self.clear_options()
                self.add_options([Option(one_line(one, 40), id=one) for one in sections])

    def show(self, section: str) -> None:
        """Highlights the one a key is in; tells nobody."""
        with self.prevent(OptionList.OptionHighlighted):
            if section in {one.id for one in self.options}:
                self.highlighted = self.get_option_index(section)


def _heading(section: str, *, first: bool) -> Option:
    above = "" if first else "\n"
    return Option(Content.assemble((f"{above}{section}", "bold $foreground-muted")), disabled=True)


def _row(one: Setting) -> Option:
    own = one.origin != "default"
    mark = {"file": ("● ", "$accent"), "env": ("▲ ", "$warning")}.get(one.origin, ("  ", ""))
    name = one_line(one.id.rpartition(".")[2], NAME)
    return Option(
        Content.assemble(
            mark,
            (f"{set_cell_size(name, NAME)}  ", ""),
            (one_line(shown(one), 200), "bold" if own else "$foreground-muted"),
            ("  ↻" if waits(one) else "", "$warning"),
        ),
        id=one.id,
    )
