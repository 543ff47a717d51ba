"""The code in a reply, and choosing one piece of several to copy."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ..frame.plain import one_line


class Code(NamedTuple):
    """One block."""

    text: str
    language: str


def code_of(source: str) -> list[Code]:
    """The code blocks of a Markdown text, fenced or indented, in order."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("gfm-like", {"html": False}).parse(source)
    return [
        Code(one.content, one.info.split()[0] if one.info.split() else "")
        for one in tokens
        if one.type in ("fence", "code_block")
    ]


class CodeChoice(ModalScreen[str | None]):
    """Gives the text of the chosen piece, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", show=False),
    ]

    def __init__(self, pieces: Sequence[Code]) -> None:
        super().__init__()
        self._pieces = pieces

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Copy which code?", classes="dialog-title")
            yield OptionList(*map(_option, self._pieces))
            yield Static("Enter copies · Esc closes", classes="keys")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._pieces[event.option_index].text)


def _option(piece: Code) -> Option:
    lines = piece.text.strip("\n").splitlines()
    count = f"{len(lines)} {'line' if len(lines) == 1 else 'lines'}"
    kind = f"{one_line(piece.language, 20)} · {count}" if piece.language else count
    first = one_line(next((one for one in lines if one.strip()), ""), 50)
    return Option(Content.assemble(first, (f"\n{kind}", "$foreground-muted")))
