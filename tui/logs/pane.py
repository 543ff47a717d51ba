"""One entry of the log as a whole."""

from textual.containers import VerticalScroll
from textual.widgets import Static

from ..frame.plain import one_line, printable
from .entries import Entry, pretty


class EntryPane(VerticalScroll, can_focus=True):
    """Below the list, while one reads."""

    async def tell(self, entry: Entry) -> None:
        """Draws it."""
        when = f"{entry.day} {entry.time}".strip()
        facts = " · ".join(one for one in (when, entry.level.lower(), entry.part) if one)
        parts = [
            Static(one_line(facts, 300), markup=False, classes="facts"),
            Static(printable(pretty(entry.text)), markup=False, classes="text"),
        ]
        if entry.more:
            parts.append(Static(printable("\n".join(entry.more)), markup=False, classes="more"))
        with self.app.batch_update():
            await self.remove_children()
            await self.mount_all(parts)
        self.scroll_home(animate=False)
