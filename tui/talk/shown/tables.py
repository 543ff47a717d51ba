"""Tables of a reply whose columns keep what is in them, in any script.

Textual gives a column what its longest word needs, and takes it from the others; text written
without blanks is one long word, and leaves nothing to the columns beside it. Reaches into
Textual's private block interface, for which its version is pinned.
"""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.events import Resize
from textual.widgets import _markdown as blocks

_PADDING = 2
_LEAST = 5


class FittedContent(blocks.MarkdownTableContent):
    """The cells; where not all fit beside each other, wide columns share what narrow ones leave."""

    DEFAULT_CSS = """
    FittedContent > .cell, FittedContent > .header { text-overflow: fold; }
    """

    def __init__(self, headers: list[Content], rows: list[list[Content]]) -> None:
        super().__init__(headers, rows)
        self._fitted: list[int] = []

    def on_resize(self, event: Resize) -> None:
        self._fit(event.size.width)

    async def _update_rows(self, updated_rows: list[list[Content]]) -> None:
        known = len(self.rows)
        await super()._update_rows(updated_rows)
        self.rows = [*self.rows[: max(known - 1, 0)], *updated_rows]
        self._fit(self.size.width)

    def _fit(self, width: int) -> None:
        columns = len(self.headers)
        room = width - 2 - max(columns - 1, 0)
        wanted = [
            max(_width(row[at]) for row in (self.headers, *self.rows) if at < len(row)) + _PADDING
            for at in range(columns)
        ]
        fitted = shared(wanted, room) if 0 < room < sum(wanted) else []
        if fitted != self._fitted:
            self._fitted = fitted
            sizes = " ".join(map(str, fitted)) or "auto"
            self.styles.grid_columns = sizes  # pyright: ignore[reportAttributeAccessIssue]


class FittedTable(blocks.MarkdownTable):
    """A table around such cells."""

    def compose(self) -> ComposeResult:
        self._headers, self._rows = self._get_headers_and_rows()
        yield FittedContent(self._headers, self._rows)


def shared(wanted: Sequence[int], room: int) -> list[int]:
    """Widths that fit the room: who wants less than an even share has it, the others the rest."""
    widths = [0] * len(wanted)
    left, open_columns = room, len(wanted)
    for at in sorted(range(len(wanted)), key=lambda one: wanted[one]):
        widths[at] = max(min(wanted[at], left // open_columns), _LEAST)
        left, open_columns = left - widths[at], open_columns - 1
    return widths


def _width(cell: Content) -> int:
    return max((line.cell_length for line in cell.split("\n")), default=0)
