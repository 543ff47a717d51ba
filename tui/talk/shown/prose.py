"""Markdown of a reply, cheap to stream.

Textual removes and remounts a whole list for every piece that arrives; a list of sixty items then
stalls the screen for a third of a second. Here a growing list keeps its rows and only its last
one changes. Reaches into Textual's private block interface, for which its version is pinned.
"""

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal, Vertical
from textual.widgets import Markdown
from textual.widgets import _markdown as blocks

from skill_agent.text.printing import Printer

from ...frame.plain import printable
from .code_colours import ColouredFence
from .tables import FittedTable

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

BEAT = 0.08
"""Seconds between two updates of streamed text; more where an update is slow."""


class _GrowingList(blocks.MarkdownList):
    """What both kinds of list do when the same list comes again with more in it."""

    async def _update_from_block(self, block: blocks.MarkdownBlock) -> None:
        rows = list(self.query_children(Horizontal))
        items = [one for one in block._blocks if isinstance(one, blocks.MarkdownListItem)]
        if type(block) is not type(self) or not rows or len(items) < len(rows):
            await super()._update_from_block(block)
            return
        symbols = self._symbols(items)
        for row, symbol in zip(rows, symbols, strict=False):
            row.query_children(blocks.MarkdownBullet).first().symbol = symbol
        await _refill(rows[-1], items[len(rows) - 1])
        fresh = zip(symbols[len(rows) :], items[len(rows) :], strict=True)
        await self.mount_all([_row(symbol, item) for symbol, item in fresh])

    def _symbols(self, items: list[blocks.MarkdownListItem]) -> list[str]:
        raise NotImplementedError


# Textual takes default styles along the first base only, hence the order of bases.
class GrowingBulletList(blocks.MarkdownBulletList, _GrowingList):
    """Bullets."""

    def _symbols(self, items: list[blocks.MarkdownListItem]) -> list[str]:
        return [item.bullet for item in items]


class GrowingOrderedList(blocks.MarkdownOrderedList, _GrowingList):
    """Numbers, right-aligned from the list's own first one."""

    def _symbols(self, items: list[blocks.MarkdownListItem]) -> list[str]:
        first = items[0].bullet if items else ""
        start = int(first) if first.isdecimal() else 1
        symbols = [f"{number}. " for number in range(start, start + len(items))]
        width = max((len(one) for one in symbols), default=0)
        return [one.rjust(width + 1) for one in symbols]


class Prose(Markdown):
    """Markdown of a reply; a link opens only where it leads to the web or a mail address."""

    BLOCKS = {  # noqa: RUF012 Textual declares it as it is
        **Markdown.BLOCKS,
        "bullet_list_open": GrowingBulletList,
        "ordered_list_open": GrowingOrderedList,
        "table_open": FittedTable,
        "fence": ColouredFence,
        "code_block": ColouredFence,
    }

    def __init__(self, text: str | None = None) -> None:
        shown = None if text is None else printable(text)
        super().__init__(shown, parser_factory=_parser, open_links=False)

    @on(Markdown.LinkClicked)
    def open_safely(self, event: Markdown.LinkClicked) -> None:
        event.stop()
        if event.href.startswith(("https://", "http://", "mailto:")):
            self.app.open_url(event.href)
        else:
            self.notify(printable(event.href), title="Not opened: not a web address", markup=False)


class Flow:
    """Feeds streamed text to a Prose at a pace that leaves the screen time for keys."""

    def __init__(self, prose: Prose) -> None:
        self._prose = prose
        self._printer = Printer(printable)
        self._pending: list[str] = []
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def write(self, text: str) -> None:
        """Takes the next piece; it is drawn together with those that come until the next beat."""
        self._take(self._printer.feed(text))

    def _take(self, shown: str) -> None:
        self._pending.append(shown)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def finish(self) -> None:
        """Draws what is left, without waiting for the beat."""
        self._ending.set()
        if rest := self._printer.rest():
            self._take(rest)
        if self._task is not None:
            await asyncio.wait([self._task])

    def drop(self) -> None:
        """Forgets what is left; its Prose is going."""
        self._pending.clear()
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while self._pending and self._prose.is_attached:
            text = "".join(self._pending)
            self._pending.clear()
            begun = time.perf_counter()
            await self._prose.append(text)
            rest = max(BEAT, 3 * (time.perf_counter() - begun))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), rest)


def _parser() -> "MarkdownIt":
    """As Textual's own, but `<name>` is text: a widget draws no HTML, and so would leave it out."""
    from markdown_it import MarkdownIt

    return MarkdownIt("gfm-like", {"html": False})


def _row(symbol: str, item: blocks.MarkdownListItem) -> Horizontal:
    bullet = blocks.MarkdownBullet()
    bullet.symbol = symbol
    return Horizontal(bullet, Vertical(*item._blocks))


async def _refill(row: Horizontal, item: blocks.MarkdownListItem) -> None:
    """Brings the row that was last up to date; a lone paragraph, the common case, in place."""
    cell = row.query_children(Vertical).first()
    old = list(cell.query_children(blocks.MarkdownBlock))
    new = list(item._blocks)
    match old, new:
        case [blocks.MarkdownParagraph() as before], [blocks.MarkdownParagraph() as after, *rest]:
            await before._update_from_block(after)
            await cell.mount_all(rest)
        case _:
            await cell.remove_children()
            await cell.mount_all(new)
