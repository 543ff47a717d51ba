"""Tables of a reply: a rule under the head and nothing else, and no cell that vanishes.

Where the columns do not fit beside each other, wide ones fold and share what narrow ones leave;
where not even that fits, a row is told cell by cell. A table is drawn as one text: Textual's own
makes a widget of each cell, and breaks where a table that grows loses its last row. Reaches into
Textual's private block interface, for which its version is pinned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.app import ComposeResult
from textual.content import Content
from textual.selection import Selection
from textual.visual import Visual
from textual.widgets import _markdown as blocks

if TYPE_CHECKING:
    from textual.css.styles import RulesMap
    from textual.strip import Strip
    from textual.style import Style
    from textual.visual import RenderOptions

_GAP = 2
_LEAST = 5
_READABLE = 10
"""Cells of a column below which folding helps nobody."""

Side = Literal["left", "right", "center"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What it says, and where in its column."""

    text: Content
    side: Side = "left"


class FittedText(Visual):
    """A text that is another one at each width."""

    def __init__(self) -> None:
        self._made: dict[int, Content] = {}

    def at(self, width: int) -> Content:
        """The whole of it, each line no wider than that."""
        if width not in self._made:
            self._made = {width: self._make(max(width, 1))}
        return self._made[width]

    def _make(self, width: int) -> Content:
        raise NotImplementedError

    def render_strips(
        self, width: int, height: int | None, style: "Style", options: "RenderOptions"
    ) -> "list[Strip]":
        return self.at(width).render_strips(width, height, style, options)

    def get_optimal_width(self, rules: "RulesMap", container_width: int) -> int:
        return container_width

    def get_height(self, rules: "RulesMap", width: int) -> int:
        return self.at(width).plain.count("\n") + 1


class Grid(FittedText):
    """The rows of a table, the head first."""

    def __init__(self, rows: Sequence[Sequence[Cell]]) -> None:
        super().__init__()
        columns = max(map(len, rows), default=0)
        empty = Cell(Content(""))
        self._rows = [[*row, *[empty] * (columns - len(row))] for row in rows]

    def _make(self, width: int) -> Content:
        wanted = [
            max(_width(cell.text) for cell in column) for column in zip(*self._rows, strict=True)
        ]
        room = width - _GAP * (len(wanted) - 1)
        if sum(wanted) > room:
            if room < sum(min(one, _READABLE) for one in wanted):
                return self._told(width)
            wanted = shared(wanted, room)
        head, *rows = ([*_lines(row, wanted)] for row in self._rows)
        rule = Content.styled("─" * (sum(wanted) + _GAP * (len(wanted) - 1)), "$foreground 30%")
        made = [line.stylize("bold $primary") for line in head] + [rule]
        apart = [Content("")] if any(len(row) > 1 for row in rows) else []
        for number, row in enumerate(rows):
            made += apart * bool(number) + row
        return Content("\n").join(made)

    def _told(self, width: int) -> Content:
        """Cell by cell, each after the head of its column."""
        head, *rows = self._rows
        if not rows:
            rows, head = [head], [Cell(Content(""))] * len(head)
        made: list[Content] = []
        for number, row in enumerate(rows):
            made += [Content("")] * bool(number)
            for name, cell in zip(head, row, strict=True):
                named = Content.assemble(name.text.stylize("bold $primary"), "  ")
                whole = named + cell.text if name.text.plain else cell.text
                made += whole.wrap(width)
        return Content("\n").join(made)


class FittedTable(blocks.MarkdownTable):
    """A table that fits."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # pyright: ignore[reportArgumentType]
        self._grid: Grid | None = None

    def compose(self) -> ComposeResult:
        yield from ()  # its cells are drawn, and are no widgets

    def render(self) -> Grid:
        if self._grid is None:  # its cells come after it is made
            self._grid = self._read()
        return self._grid

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selection.extract(self.render().at(self.content_size.width).plain), "\n"

    async def _update_from_block(self, block: blocks.MarkdownBlock) -> None:
        if isinstance(block, FittedTable):
            self._grid = block._read()
            self.refresh(layout=True)
        else:
            await super()._update_from_block(block)

    def _read(self) -> Grid:
        return Grid(
            [
                [Cell(cell._content, _side(cell)) for cell in row._blocks]
                for part in self._blocks
                for row in part._blocks
            ]
        )


def shared(wanted: Sequence[int], room: int) -> list[int]:
    """Widths that fit the room: who wants less than an even share has it, the others the rest."""
    widths = [0] * len(wanted)
    left, open_columns = room, len(wanted)
    for at in sorted(range(len(wanted)), key=lambda one: wanted[one]):
        widths[at] = max(min(wanted[at], left // open_columns), _LEAST)
        left, open_columns = left - widths[at], open_columns - 1
    return widths


def _lines(row: Sequence[Cell], widths: Sequence[int]) -> list[Content]:
    """The lines of a row, its cells folded each to its width."""
    cells = [cell.text.wrap(width) for cell, width in zip(row, widths, strict=True)]
    gap, made = Content(" " * _GAP), list[Content]()
    for at in range(max(map(len, cells))):
        parts = [
            _placed(lines[at] if at < len(lines) else Content(""), width, cell.side)
            for lines, width, cell in zip(cells, widths, row, strict=True)
        ]
        made.append(gap.join(parts))
    return made


def _placed(text: Content, width: int, side: Side) -> Content:
    free = max(width - text.cell_length, 0)
    before = {"left": 0, "right": free, "center": free // 2}[side]
    return text.pad_left(before).pad_right(free - before)


def _side(cell: blocks.MarkdownBlock) -> Side:
    style = str(cell._token.attrs.get("style", ""))
    return "right" if "right" in style else "center" if "center" in style else "left"


def _width(cell: Content) -> int:
    return max((line.expand_tabs(8).cell_length for line in cell.split("\n")), default=0)
