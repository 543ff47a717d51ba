"""The list of the log's entries: a row each, or whole."""

from collections.abc import Sequence

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ..frame.plain import one_line, printable
from .entries import Entry

LONGEST = 2_000
"""Characters of an entry in the list."""
_INK = {"WARNING": "$warning", "ERROR": "$error", "CRITICAL": "bold $error"}
_WIDE = 100
"""Columns from which on day and part of the program are shown."""


class EntryList(OptionList):
    """Follows its end, until somebody goes up."""

    class Left(Message):
        """Somebody went up from the end."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._entries: list[Entry] = []
        self._wide = True

    @property
    def chosen(self) -> Entry | None:
        at = self.highlighted
        return self._entries[at] if at is not None and at < len(self._entries) else None

    @property
    def entries(self) -> list[Entry]:
        return self._entries

    def put(self, entries: Sequence[Entry], *, follow: bool) -> None:
        """Shows these; what is there already is left alone."""
        wide = self.app.size.width >= _WIDE
        same = 0
        if wide == self._wide:
            pairs = zip(self._entries, entries, strict=False)
            same = next((at for at, (old, new) in enumerate(pairs) if old != new),
                        min(len(self._entries), len(entries)))  # fmt: skip
        kept, scrolled = self.chosen, self.scroll_y
        before, self._entries, self._wide = len(self._entries), list(entries), wide
        with self.app.batch_update(), self.prevent(OptionList.OptionHighlighted):
            if same < before:
                same = 0
                self.clear_options()
            self.add_options([Option(_row(one, wide)) for one in entries[same:]])
            self._stand(kept, scrolled, rebuilt=same == 0, follow=follow)

    def _stand(self, kept: Entry | None, scrolled: float, *, rebuilt: bool, follow: bool) -> None:
        if not self._entries:
            return
        if follow:
            self.to_end()
        elif rebuilt:
            there = self._entries.index(kept) if kept in self._entries else None
            self.highlighted = len(self._entries) - 1 if there is None else there
            self.scroll_to(y=scrolled, animate=False, immediate=True)

    def to_end(self) -> None:
        """To the newest entry."""
        with self.prevent(OptionList.OptionHighlighted):
            self.highlighted = len(self._entries) - 1
        self.scroll_end(animate=False)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_index < len(self._entries) - 1:
            self.post_message(self.Left())


def _row(one: Entry, wide: bool) -> Content:
    ink = _INK.get(one.level, "")
    text = one_line(one.text, LONGEST) + (f" (+{len(one.more):,} lines)" if one.more else "")
    if not one.time:
        return Content.styled(printable(text), "$foreground-muted")
    when = f"{one.day[5:]} {one.time}" if wide else one.time
    named = ".".join(one.part.split(".")[-2:])
    part = f"{one_line(named, 20):<20}  " if wide else ""
    return Content.assemble(
        (f"{when}  ", "$foreground-muted"),
        (f"{one.level[:7]:<7}  ", ink or "$foreground-muted"),
        (part, "$foreground-muted"),
        (text, ink),
    )
