"""What a page shows of the chosen one, beside or below its list."""

from collections.abc import Callable, Sequence

from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from .plain import printable

MOST = 20_000
"""Characters of one text that are drawn."""


class Detail(VerticalScroll, can_focus=True):
    """Quiet until something is chosen."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.shown: str | None = None
        """The id of what is drawn."""
        self._facts: object = None

    async def show(self, about: str, facts: object, draw: Callable[[], Sequence[Widget]]) -> None:
        """Draws what there is to know about one; where one reads is left alone while the facts are
        the same."""
        if (about, facts) == (self.shown, self._facts):
            return
        moved = about != self.shown
        self.shown, self._facts = about, facts
        await self._fill(draw())
        if moved:
            self.scroll_home(animate=False)

    async def say(self, words: str) -> None:
        """Words in its place."""
        self.shown = self._facts = None
        await self._fill([said(words, "empty")] if words else [])

    async def _fill(self, widgets: Sequence[Widget]) -> None:
        with self.app.batch_update():
            await self.remove_children()
            await self.mount_all(widgets)


def said(text: str, kind: str = "text") -> Static:
    """A text of any origin; `kind` is its look."""
    return Static(printable(text), markup=False, classes=kind)


def section(title: str, text: str, *, bad: bool = False, more: str = "") -> list[Widget]:
    """A text under its title; of a very long one the beginning, and `more` says where all of it
    is."""
    cut = len(text) - MOST
    rest = f"\n… {cut:,} more characters{f': {more}' if more else ''}" if cut > 0 else ""
    return [said(title, "section"), said(text[:MOST] + rest, "bad" if bad else "text")]
