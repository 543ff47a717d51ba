"""The list of a page: things with an id, under headings where there are several kinds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Row(Generic[Thing]):
    """How a thing stands in the list; without a thing it is a heading, which is never chosen."""

    id: str
    drawn: Content
    thing: Thing | None = None


def heading(words: str, *, first: bool = False) -> Row[Any]:
    """A blank line parts it from what is above."""
    drawn = Content.styled(words, "$foreground-muted bold")
    return Row(f"heading {words}", drawn if first else Content.assemble("\n", drawn))


class Listing(OptionList, Generic[Thing]):
    """Remembers which is chosen by its id, whatever the rows around it do."""

    class Chosen(Message):
        """Another one is highlighted, or the same one may have changed."""

        def __init__(self, thing: Any) -> None:
            super().__init__()
            self.thing = thing

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._rows: dict[str, Row[Thing]] = {}

    @property
    def chosen(self) -> Thing | None:
        row = self._rows.get(self.chosen_id)
        return row.thing if row else None

    @property
    def chosen_id(self) -> str:
        option = self.highlighted_option
        return (option.id or "") if option else ""

    @property
    def things(self) -> list[Thing]:
        return [one.thing for one in self._rows.values() if one.thing is not None]

    def put(self, rows: Iterable[Row[Thing]], *, choose: str | None = None) -> None:
        """Replaces the rows; the chosen one stays, or where it is gone, its place. `choose` is the
        id of another one that is to be chosen."""
        before = choose or self.chosen_id
        place, scrolled = self.highlighted or 0, self.scroll_y
        self._rows = {one.id: one for one in rows}
        with self.app.batch_update(), self.prevent(OptionList.OptionHighlighted):
            self.clear_options()
            self.add_options([_option(one) for one in self._rows.values()])
            if self._rows:
                self.scroll_to(y=scrolled, animate=False, immediate=True)
                self.highlighted = self._near(list(self._rows.values()), before, place)
        if self.chosen is not None:
            self.post_message(self.Chosen(self.chosen))

    @staticmethod
    def _near(rows: Sequence[Row[Thing]], wanted: str, place: int) -> int | None:
        """Where the wanted one is, or the nearest to its place."""
        things = [at for at, one in enumerate(rows) if one.thing is not None]
        found = next((at for at in things if rows[at].id == wanted), None)
        return found if found is not None else min(
            things, key=lambda at: abs(at - place), default=None
        )  # fmt: skip

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        row = self._rows.get(event.option.id or "")
        if row is not None and row.thing is not None:
            self.post_message(self.Chosen(row.thing))


def _option(row: Row[Any]) -> Option:
    return Option(row.drawn, id=row.id, disabled=row.thing is None)
