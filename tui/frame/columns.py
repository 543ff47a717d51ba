"""Facts in two columns: what each is called, and what it is."""

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

Row = tuple[str, Content]


class Columns(Widget):
    """Two columns; the first is as wide as its longest label, or as `gap` where that is more."""

    DEFAULT_CSS = "Columns { height: auto; }"

    def __init__(self, rows: Sequence[Row], *, classes: str = "", gap: int = 0) -> None:
        super().__init__(classes=classes)
        self._rows, self._gap = list(rows), gap
        self._drawn: tuple[int, list[Content]] = (0, [])

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return container.width

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.content_size.width))

    def _lines(self, width: int) -> list[Content]:
        if self._drawn[0] != width:
            gap = max(max((len(label) for label, _ in self._rows), default=0) + 2, self._gap)
            room = max(width - gap, 10)
            lines: list[Content] = []
            for label, text in self._rows:
                wrapped = text.wrap(room) or [Content("")]
                for index, part in enumerate(wrapped):
                    head = label if index == 0 else ""
                    lines.append(
                        Content.assemble((f"{head:<{gap}}", "$foreground-muted"), part.rstrip())
                    )
            self._drawn = width, lines
        return self._drawn[1]
