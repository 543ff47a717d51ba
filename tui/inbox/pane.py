"""One item beside the list: its text, and how far each way of telling got."""

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.values import InboxItem

from ..frame.plain import one_line, printable, shown_time
from .item_list import way_in_words


class ItemPane(VerticalScroll, can_focus=True):
    """Quiet until something is chosen."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._drawn: InboxItem | None = None

    async def tell(self, item: InboxItem | None) -> None:
        """Draws it; where one reads is left alone while it is the same item."""
        if item == self._drawn:
            return
        moved = self._drawn is None or item is None or item.id != self._drawn.id
        self._drawn = item
        with self.app.batch_update():
            await self.remove_children()
            await self.mount_all(_drawn(item) if item else [])
        if moved:
            self.scroll_home(animate=False)


def _drawn(item: InboxItem) -> list[Widget]:
    by = f"by {item.agent}" if item.agent else ""
    origins = f"with words of: {', '.join(item.origins)}" if item.origins else ""
    parts = (item.sort, by, shown_time(item.created_at), "private" * item.private, origins)
    facts = " · ".join(one for one in parts if one)
    found: list[Widget] = [
        Static(one_line(item.title, 400), markup=False, classes="title"),
        Static(one_line(facts, 400), markup=False, classes="empty"),
        Static(printable(item.text), markup=False, classes="text"),
    ]
    if ways := [way_in_words(one) for one in item.deliveries[1:]]:
        found.append(Static("Delivered elsewhere", classes="section"))
        found += [Static(Content.styled(line, colour), classes="way") for line, colour in ways]
    words = "o opens its conversation." if item.session else "It came from no conversation."
    found.append(Static(words, classes="empty"))
    return found
