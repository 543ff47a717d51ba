"""The list of the inbox: each item two rows, what was not read first to the eye."""

from collections.abc import Sequence

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from skill_agent.values import Delivery, InboxItem

from ..frame.plain import one_line, shown_time


class ItemList(OptionList):
    """Remembers which item is chosen by its id, whatever the rows around it do."""

    class Chosen(Message):
        """Another one is highlighted, or the same one has changed."""

        def __init__(self, item: InboxItem) -> None:
            super().__init__()
            self.item = item

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._items: dict[str, InboxItem] = {}

    @property
    def chosen(self) -> InboxItem | None:
        option = self.highlighted_option
        return self._items.get(option.id or "") if option else None

    @property
    def items(self) -> list[InboxItem]:
        return list(self._items.values())

    def put(self, items: Sequence[InboxItem]) -> None:
        """Replaces the rows; the chosen one stays, or where it is gone, its place."""
        before = self.chosen.id if self.chosen else None
        place, scrolled = self.highlighted or 0, self.scroll_y
        self._items = {one.id: one for one in items}
        with self.app.batch_update(), self.prevent(OptionList.OptionHighlighted):
            self.clear_options()
            self.add_options([_row(one) for one in items])
            if items:
                self.scroll_to(y=scrolled, animate=False, immediate=True)
                ids = list(self._items)
                there = ids.index(before) if before in self._items else min(place, len(ids) - 1)
                self.highlighted = there
        if self.chosen is not None:
            self.post_message(self.Chosen(self.chosen))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if item := self._items.get(event.option.id or ""):
            self.post_message(self.Chosen(item))


def _row(item: InboxItem) -> Option:
    new = item.read_at is None
    facts = " · ".join(one for one in (item.sort, item.agent, shown_time(item.created_at)) if one)
    lost = any(one.state == "given_up" for one in item.deliveries)
    return Option(
        Content.assemble(
            ("● " if new else "  ", "bold $accent"),
            (one_line(item.title, 200), "bold" if new else "$foreground-muted"),
            ("\n  ", ""),
            ("✗ not delivered · " if lost else "", "$error"),
            (one_line(facts, 100), "$error" if item.sort == "failure" else "$foreground-muted"),
        ),
        id=item.id,
    )


def way_in_words(way: Delivery) -> tuple[str, str]:
    """One way in a line, and its colour."""
    tried = f", {way.attempts} tries" if way.attempts > 1 else ""
    again = f", again {shown_time(way.next_try)}" if way.next_try else ""
    said = one_line(way.error or way.receipt, 200)
    line = f"{one_line(way.target, 80)}: {way.state.replace('_', ' ')}{tried}{again}"
    line += f" · {said}" if said else ""
    match way.state:
        case "delivered":
            return f"✓ {line}", "$success"
        case "given_up":
            return f"✗ {line}", "$error"
        case "failed":
            return f"… {line}", "$warning"
        case _:
            return f"· {line}", "$foreground-muted"
