"""What can be done here and now, in one line that follows the focus; each part can be clicked."""

import re

from textual.content import Content
from textual.events import Click
from textual.widgets import Static

from .deeds import ALWAYS, Offered, offered

BETWEEN = " · "
_KEY = re.compile(
    r"\b(?:Enter|Esc|Tab|Up|Down|PgUp|PgDn|(?:Ctrl|Alt|Shift)\+\w+)\b"
    r"|[←→↑↓]|(?:^|(?<=· ))[a-z](?= )"
)


class KeyBar(Static):
    """As many as fit."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())
        self._spans: list[tuple[int, int, Offered]] = []

    def on_resize(self) -> None:
        self.refresh()

    def render(self) -> Content:
        if not self.is_mounted or not self.screen.is_active:
            return Content("")
        shown = fitting(list(offered(self.screen)), self.content_size.width)
        parts = [_drawn(one) for one in shown]
        line = Content.styled(BETWEEN, "$foreground-muted").join(parts)
        at = 0
        if str(self.styles.text_align) in ("right", "end"):
            at = self.content_size.width - line.cell_length
        self._spans = []
        for one, part in zip(shown, parts, strict=True):
            self._spans.append((at, at + part.cell_length, one))
            at += part.cell_length + len(BETWEEN)
        return line

    async def on_click(self, event: Click) -> None:
        """A click does what the key does."""
        at = event.x - self.gutter.left
        for begin, end, one in self._spans:
            if begin <= at < end and one.deed.action:
                event.stop()
                await self.app.run_action(one.deed.action, default_namespace=one.node)


def keyed(words: str) -> Content:
    """What a dialog's keys do, in words, with the keys as they stand in every other such line."""
    return Content(words).highlight_regex(_KEY, style="bold $foreground")


def fitting(parts: list[Offered], width: int) -> list[Offered]:
    """The first that fit, and behind them the ways out and on, which are never left out."""
    always = [one for one in parts if one.deed.foot >= ALWAYS]
    left = width - sum(_drawn(one).cell_length + len(BETWEEN) for one in always)
    shown = list[Offered]()
    for one in parts:
        if one.deed.foot >= ALWAYS:
            continue
        left -= _drawn(one).cell_length + len(BETWEEN)
        if left < 0:
            break
        shown.append(one)
    return [*shown, *always]


def _drawn(one: Offered) -> Content:
    return Content.assemble((one.key, "bold"), (f" {one.label}", "$foreground-muted"))
