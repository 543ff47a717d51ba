"""A long text of the person: its first lines, and the rest when one wants it."""

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from ...frame.plain import printable

FIRST = 12
"""Lines that are always shown."""
LONGEST = 2_400
"""Characters of them."""


class LongText(Static):
    """What was typed; where it is long, folded until it is opened."""

    open: reactive[bool] = reactive(False, layout=True)

    def __init__(self, text: str) -> None:
        super().__init__(markup=False, classes="said")
        self._whole = printable(text)
        first = "\n".join(self._whole.split("\n")[:FIRST])
        self._first = first[:LONGEST]

    @property
    def folds(self) -> bool:
        """Whether there is more than the first lines."""
        rest = self._whole[len(self._first) :]
        return rest.count("\n") > 1 or len(rest) > LONGEST // 4

    def render(self) -> Content:
        if self.open or not self.folds:
            return Content(self._whole)
        rest = self._whole[len(self._first) :]
        lines = rest.count("\n")
        more = f"{lines:,} more lines" if lines > 1 else f"{len(rest):,} more characters"
        return Content.assemble(
            self._first.rstrip(), "\n", (f"… {more}, Enter opens", "$foreground-muted")
        )

    def on_click(self) -> None:
        if self.folds:
            self.open = not self.open
