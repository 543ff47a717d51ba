"""Code in a reply: its language above it, what is cut at the edge marked, colours from a thread.

Textual's own guesses the language by trying every one there is, colours the whole of it at each
piece that arrives, and does both where keys wait. Reaches into Textual's private block interface,
for which its version is pinned.
"""

import asyncio
import time
from collections.abc import Callable
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.reactive import reactive
from textual.selection import Selection
from textual.style import Style
from textual.visual import Visual
from textual.widgets import _markdown as blocks
from textual.worker import Worker

from ...frame.deeds import Deed, bindings
from ..deeds import CODE
from .blocks import Block, CopyWanted
from .tables import FittedText

_TAB = 4
_PAUSE = 0.2
"""Seconds between two colourings of code that grows; more where one takes long."""
_LABEL = 40
"""Characters of a language's name, which a model may make as long as it likes."""


class _Code(FittedText):
    """A line about it, and the lines of it."""

    def __init__(self, head: Callable[[bool], Content], code: Content, *, wrapped: bool) -> None:
        """`head` is told whether some lines are longer than there is room for."""
        super().__init__()
        self._head, self._wrapped = head, wrapped
        self._lines = code.split("\n", allow_blank=True)

    def _make(self, width: int) -> Content:
        head = self._head(any(one.cell_length > width for one in self._lines))
        head = head.truncate(width, ellipsis=True)
        made = [head.pad_left(max(width - head.cell_length, 0))]
        for line in self._lines:
            made += _folded(line, width) if self._wrapped else [_cut(line, width)]
        return Content("\n").join(made)


class CodeBlock(blocks.MarkdownFence):
    """One stretch of code."""

    DEFAULT_CSS = """
    CodeBlock { overflow: hidden hidden; padding: 0 1; }
    """
    wrapped: reactive[bool] = reactive(False, layout=True)
    """Whether long lines go on below themselves."""
    attended: reactive[bool] = reactive(False)
    """Whether keys reach it, and so are named."""
    chosen: reactive[bool] = reactive(False)
    """Whether it is the one that keys are about, of several."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # pyright: ignore[reportArgumentType]
        self._drawn: tuple[object, _Code] | None = None
        self._coloured = ("", "", "")
        """The code, language and theme that its colours are of."""
        self._colouring: Worker[None] | None = None

    @classmethod
    def highlight(cls, code: str, language: str, ansi: bool = False, dark: bool = False) -> Content:
        """Without colours; those come later."""
        return Content("\n".join(code.splitlines()).expandtabs(_TAB))

    def compose(self) -> ComposeResult:
        yield from ()

    def on_mount(self) -> None:
        self._content = self._highlighted_code
        self._colour_soon()

    def notify_style_update(self) -> None:
        super(blocks.MarkdownFence, self).notify_style_update()
        if self.is_mounted:
            self._colour_soon()

    @property
    def language(self) -> str:
        return self.lexer.strip()

    def render(self) -> Visual:
        known = (self.language, self.wrapped, self.attended, self.chosen)
        if self._drawn is None or self._drawn[0] != known:
            self._drawn = known, _Code(self._head, self._content, wrapped=self.wrapped)
        return self._drawn[1]

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        visual = self.render()
        assert isinstance(visual, _Code)
        return selection.extract(visual.at(self.content_size.width).plain), "\n"

    def set_content(self, content: Content) -> None:
        self._content, self._drawn = content, None  # its colours are no part of what it equals
        self.refresh(layout=True)

    async def _update_from_block(self, block: blocks.MarkdownBlock) -> None:
        if not isinstance(block, CodeBlock):
            await super()._update_from_block(block)
            return
        self._copy_context(block)
        new, old = block._highlighted_code, self._content
        kept = old.spans if new.plain.startswith(old.plain) else ()
        self.set_content(new.add_spans(kept))
        self._colour_soon()

    def _head(self, long: bool) -> Content:
        """What it is, and what can be done with it by key or click."""
        muted = "$foreground-muted"
        wrap, copy = ("w ", "C ") if self.attended else ("", "")
        made = Content.styled(self.language[:_LABEL], "$accent" if self.chosen else muted)
        if long:
            said = "cut" if self.wrapped else "wrap"
            made += _pressed(f"   {wrap}{said}", "wrap")
        return made + _pressed(f"   {copy}copy", "copy")

    def action_wrap(self) -> None:
        self.wrapped = not self.wrapped

    def action_copy(self) -> None:
        self.post_message(CopyWanted(self.code))

    # -- colours -----------------------------------------------------------------------------

    def _wanted(self) -> tuple[str, str, str]:
        return self._content.plain, self.language, self.app.theme

    def _colour_soon(self) -> None:
        if not self.language or self._coloured == self._wanted():
            return
        if self._colouring is None or self._colouring.is_finished:
            self._colouring = self.run_worker(self._colour, group="colour")

    async def _colour(self) -> None:
        """Until its colours are those of what is shown."""
        while self._coloured != (wanted := self._wanted()):
            begun = time.perf_counter()
            code, language, _ = wanted
            ansi, dark = self.app.native_ansi_color, self.app.current_theme.dark
            made = await asyncio.to_thread(_highlighted, code, language, ansi, dark)
            self._coloured = wanted
            now = self._content
            if now.plain.startswith(made.plain):
                self.set_content(Content(now.plain, list(made.spans)))
            if self._coloured != self._wanted():
                await asyncio.sleep(max(_PAUSE, 3 * (time.perf_counter() - begun)))


class HoldsCode(Block):
    """What can be done with the code in a block, where one is on the block."""

    DEEDS: ClassVar[tuple[Deed, ...]] = CODE
    BINDINGS: ClassVar[list[BindingType]] = bindings(CODE)

    def code_blocks(self) -> list[CodeBlock]:
        return list(self.query(CodeBlock))

    def on_focus(self) -> None:
        self._attend(attended=True)

    def on_blur(self) -> None:
        self._attend(attended=False)

    def _attend(self, *, attended: bool) -> None:
        for one in self.code_blocks():
            one.attended, one.chosen = attended, False

    def action_copy_code(self) -> None:
        """The last code there is; again, the one before it."""
        every = self.code_blocks()
        if not every:
            return
        before = next((at for at, one in enumerate(every) if one.chosen), 0)
        chosen = every[before - 1]
        for one in every:
            one.chosen = one is chosen and len(every) > 1
        chosen.scroll_visible(animate=False)
        chosen.action_copy()

    def action_wrap_code(self) -> None:
        """Of the code chosen, or of all there is."""
        every = self.code_blocks()
        which = [one for one in every if one.chosen] or every
        wrapped = not all(one.wrapped for one in which)
        for one in which:
            one.wrapped = wrapped

    def foot_label(self, deed: Deed) -> str | None:
        """Nothing of code where there is none."""
        return deed.label if deed not in CODE or self.code_blocks() else None


def _highlighted(code: str, language: str, ansi: bool, dark: bool) -> Content:
    """In a thread: this loads the language. A terminal with colours of its own keeps those."""
    from .code_colours import coloured

    if ansi:
        return blocks.MarkdownFence.highlight(code, language, ansi, dark)
    return coloured(code, language)


def _pressed(said: str, action: str) -> Content:
    shown = Content.styled(said, "$foreground-muted")
    return shown.stylize(Style.from_meta({"@click": action}), len(said) - len(said.lstrip()))


def _cut(line: Content, width: int) -> Content:
    """As much as fits, and how much does not."""
    hidden = line.cell_length - width
    if hidden <= 0:
        return line
    mark = f"… +{hidden + len(f'… +{hidden}')}"
    kept = line.truncate(max(width - len(mark), 0))
    return kept.pad_right(max(width - len(mark) - kept.cell_length, 0)) + Content.styled(
        mark, "bold $foreground-muted"
    )


def _folded(line: Content, width: int) -> list[Content]:
    """The line on as many as it needs; every one but the first is marked."""
    mark = Content.styled("↪ ", "$foreground-muted")
    cuts, room, used = list[int](), width, 0
    for at, char in enumerate(line.plain):
        cells = cell_len(char)
        if used + cells > room:
            cuts.append(at)
            room, used = max(width - 2, 2), 0
        used += cells
    first, *rest = line.divide(cuts) if cuts else [line]
    return [first, *(mark + one for one in rest)]
