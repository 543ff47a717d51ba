"""The blocks a conversation is made of: what the person said, a reply, a tool call, a line.

A block draws what it is given; where the facts come from is `turn_view`'s business.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.errors import SkillAgentError
from skill_agent.text.attachments import label

from ...frame.agents import AgentList
from ...frame.deeds import Deed, bindings
from ...frame.plain import one_line, printable
from ..deeds import FOLDED, MESSAGE, TURN
from .head import Head, Side
from .long_text import LongText

if TYPE_CHECKING:
    from skill_agent.values import Attachment

SHOWN_RESULT = 4_000
"""Characters of a tool's result that an opened block shows."""

SHOWN_REASON = 80
"""Characters of why a tool failed that its row shows."""

SHOWN_ATTACHED = 60_000
"""Characters of a text beside the words that an opened block shows."""


class CopyWanted(Message):
    """The person wants this text on the clipboard."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


Wish = Literal["quote", "again", "edit", "branch", "sources", "export"]


class Wished(Message):
    """The person wants something done with a block."""

    def __init__(self, block: "Block", wish: Wish) -> None:
        super().__init__()
        self.block = block
        self.wish: Wish = wish


class Block(Vertical, can_focus=True):
    """One focusable piece of a conversation; `source` is what copying it gives."""

    FOCUS_ON_CLICK = False  # a click is for selecting text; typing goes on in the composer
    DEEDS: ClassVar[tuple[Deed, ...]] = MESSAGE
    BINDINGS: ClassVar[list[BindingType]] = bindings(MESSAGE)

    is_reply: ClassVar[bool] = False
    turn: str = ""
    """What it came of."""
    message_id: str | None = None
    """Where it is a message in the ledger."""

    @property
    def source(self) -> str:
        return ""

    def action_copy_block(self) -> None:
        self.post_message(CopyWanted(self.source))

    def action_wish(self, wish: Wish) -> None:
        self.post_message(Wished(self, wish))


class UserBlock(Block):
    """What the person said, as typed, and what came beside it, folded away."""

    DEEDS: ClassVar[tuple[Deed, ...]] = (*FOLDED, *TURN, *MESSAGE)
    BINDINGS: ClassVar[list[BindingType]] = bindings((*FOLDED, *TURN))

    def __init__(
        self,
        text: str,
        attachments: "Sequence[Attachment]" = (),
        *,
        turn: str = "",
        message_id: str | None = None,
        to: str = "",
    ) -> None:
        """`to` is whom it was said to, where that was not who was spoken with before."""
        super().__init__()
        self._to = to
        self.text, self.attachments = text, tuple(attachments)
        self.turn, self.message_id = turn, message_id

    @property
    def source(self) -> str:
        texts = (one.text for one in self.attachments)
        return "\n\n".join(part for part in (self.text, *texts) if part)

    def compose(self) -> ComposeResult:
        yield Head(Side(f"You → {self._to}" if self._to else "You"))
        if self.text or not self.attachments:
            yield LongText(self.text)
        for one in self.attachments:
            yield AttachedBlock(one)

    def action_fold(self) -> None:
        for one in self.query_children(LongText):
            one.open = one.folds and not one.open

    def foot_label(self, deed: Deed) -> str | None:
        """It opens only where it is long."""
        long = any(one.folds for one in self.query_children(LongText))
        return deed.label if deed not in FOLDED or long else None


def addressed(agent: str, before: str, agents: AgentList) -> str:
    """Who a message was for, by name; empty where that is who was spoken with before."""
    return agents[agent].name if agent and before and agent != before else ""


class Line(Static):
    """One quiet line between the blocks: a notice, a save, an approval."""

    def __init__(self, mark: str, text: str, detail: str = "", *, kind: str = "info") -> None:
        super().__init__(classes=f"line -{kind}")
        self._mark, self._text, self._detail = mark, printable(text), printable(detail)

    def render(self) -> Content:
        detail = f"  {self._detail}" if self._detail else ""
        return Content.assemble(
            (f"{self._mark} ", "bold"), self._text, (detail, "$foreground-muted")
        )

    def tell(self, mark: str, text: str, *, kind: str) -> None:
        self._mark, self._text = mark, printable(text)
        self.set_classes(f"line -{kind}")
        self.refresh(layout=True)


class ErrorBlock(Block):
    """What went wrong, and what to do next; `turn` is what can be asked again."""

    DEEDS: ClassVar[tuple[Deed, ...]] = (*TURN, *MESSAGE)
    BINDINGS: ClassVar[list[BindingType]] = bindings(TURN)

    def __init__(self, title: str, message: str, hint: str = "", *, turn: str = "") -> None:
        super().__init__()
        self._title, self.turn = title, turn
        self._message, self._hint = printable(message), printable(hint)

    @property
    def source(self) -> str:
        return "\n".join(part for part in (self._message, self._hint) if part)

    def compose(self) -> ComposeResult:
        yield Static(self._title, markup=False, classes="who")
        yield Static(self._message, markup=False, classes="said")
        if self._hint:
            yield Static(Content.assemble(("→ ", "bold"), self._hint), markup=False, classes="hint")


class FoldedBlock(Block):
    """One line; Enter, Space or a click opens what is behind it."""

    DEEDS: ClassVar[tuple[Deed, ...]] = (*FOLDED, *MESSAGE)
    BINDINGS: ClassVar[list[BindingType]] = bindings(FOLDED)
    open: reactive[bool] = reactive(False)

    def compose(self) -> ComposeResult:
        yield Static(self._headline(), classes="headline")
        yield Static("", markup=False, classes="inside")

    def on_mount(self) -> None:
        self._redraw()

    def watch_open(self) -> None:
        self._redraw()

    def foot_label(self, deed: Deed) -> str | None:
        """What Enter does now."""
        return "close" if self.open and deed.id == "message.fold" else deed.label

    def action_fold(self) -> None:
        self.open = not self.open

    def on_click(self) -> None:
        self.open = not self.open

    @property
    def _arrow(self) -> tuple[str, str]:
        return ("▾ " if self.open else "▸ ", "$foreground-muted")

    def _headline(self) -> Content:
        raise NotImplementedError

    def _inside(self) -> str | Content:
        raise NotImplementedError

    def _redraw(self) -> None:
        if not self.query(".inside"):
            return  # not composed yet
        self.set_class(self.open, "-open")
        self.query_one(".headline", Static).update(self._headline())
        inside = self.query_one(".inside", Static)
        inside.update(self._inside() if self.open else "")


def join(before: Widget, after: Widget) -> None:
    """Folded rows, and the line that tells of one, stand close together."""
    if isinstance(after, FoldedBlock) and isinstance(before, FoldedBlock | Line):
        before.add_class("-joined")


class AttachedBlock(FoldedBlock):
    """A text that came beside the words."""

    def __init__(self, attachment: "Attachment") -> None:
        super().__init__()
        self._attachment = attachment

    @property
    def source(self) -> str:
        return self._attachment.text

    def _headline(self) -> Content:
        said = f"[{one_line(label(self._attachment), 120)}]"
        return Content.assemble(self._arrow, (said, "$accent"))

    def _inside(self) -> str:
        text = self._attachment.text
        cut = len(text) - SHOWN_ATTACHED
        more = f"\n… {cut:,} more characters: ska sessions show" if cut > 0 else ""
        return printable(text[:SHOWN_ATTACHED]) + more


class ThoughtBlock(FoldedBlock):
    """What a model thought before it spoke."""

    def __init__(self) -> None:
        super().__init__()
        self._said: list[str] = []
        self._seconds: float | None = None

    @property
    def source(self) -> str:
        return "".join(self._said).strip()

    def add(self, text: str) -> None:
        self._said.append(text)
        if self.open:
            self._redraw()

    def finish(self, seconds: float) -> None:
        """It has thought enough."""
        self._seconds = seconds
        self._redraw()

    def _headline(self) -> Content:
        if self._seconds is None:
            said = "thinking …"
        else:
            said = f"thought for {self._seconds:.0f} s" if self._seconds >= 1 else "thought"
        return Content.assemble(self._arrow, (said, "$foreground-muted"))

    def _inside(self) -> str:
        return printable(self.source)


class ToolBlock(FoldedBlock):
    """A tool call, its arguments and its result."""

    def __init__(self, tool: str, arguments: Mapping[str, Any]) -> None:
        super().__init__()
        self._tool, self._arguments = tool, dict(arguments)
        self._result: str | None = None
        self._ok: bool | None = True
        self._seconds = 0.0
        self._diffs: list[str] = []
        """Lines of changes it made, as a program tells them."""

    @property
    def source(self) -> str:
        return f"{self._tool} {_as_json(self._arguments)}\n{self._result or ''}"

    @property
    def settled(self) -> bool:
        return self._result is not None

    def finish(self, *, ok: bool | None, result: str, seconds: float = 0.0) -> None:
        """The tool ended; `ok` is None where it was not kept how, seconds 0 where nobody
        measured."""
        self._ok, self._result, self._seconds = ok, result, seconds
        self.set_class(ok is False, "-failed")
        if ok is False and len(result) > SHOWN_REASON:
            self.open = True  # the row does not hold why
        self._redraw()

    def changes(self, lines: Sequence[str]) -> None:
        """Lines of a unified diff, shown with the call."""
        self._diffs += lines
        self._redraw()

    def _counted(self) -> str:
        """How many lines were added and taken away."""
        added, taken = (
            sum(line.startswith(mark) and not line.startswith(mark * 3) for line in self._diffs)
            for mark in "+-"
        )
        return f"  +{added} -{taken}" if added or taken else ""

    def _headline(self) -> Content:
        brief = " ".join(one_line(value, 48) for value in self._arguments.values())
        took = f" {self._seconds:.1f} s" if self._seconds >= 0.1 else ""
        if self._result is None:
            state, style = "running", "$foreground-muted"
        elif self._ok is None:
            state, style = "", "$foreground-muted"
        elif self._ok:
            state, style = f"✓{took}", "$success"
        else:
            why = "" if self.open else f" {one_line(self._result, SHOWN_REASON)}"
            state, style = f"✗{took}{why}", "$error"
        return Content.assemble(
            self._arrow,
            (one_line(self._tool, 60), "bold"),
            "  ",
            (state, style),
            self._counted(),
            (f"  {brief}" if brief else "", "$foreground-muted"),
        )

    def _inside(self) -> Content:
        shown = [Content(printable(_as_lines(self._arguments)))] if self._arguments else []
        if self._diffs:
            shown.append(coloured(self._diffs))
        if self._result:
            cut = len(self._result) - SHOWN_RESULT
            more = f"\n… {cut:,} more characters" if cut > 0 else ""
            style = "$error" if self._ok is False else ""
            shown.append(Content.styled(printable(self._result[:SHOWN_RESULT] + more), style))
        return Content("\n\n").join(shown)


def coloured(lines: Sequence[str]) -> Content:
    """A unified diff; the marks stay, for where there are no colours."""
    styles = {"+": "$success", "-": "$error", "@": "$accent"}
    quiet = "$foreground-muted"
    return Content("\n").join(
        Content.styled(
            printable(line), quiet if line[:3] in ("---", "+++") else styles.get(line[:1], quiet)
        )
        for line in lines
    )


class OpeningFailed(ErrorBlock, inherit_bindings=False):
    """The reason, the hint, and: r tries again, q leaves with the error's exit code."""

    DEEDS: ClassVar[tuple[Deed, ...]] = MESSAGE[:1]
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(MESSAGE[:1]),
        Binding("q", "app.quit", "Quit", show=False),
        Binding("r,enter", "app.retry", "Try again", show=False),
    ]

    def __init__(self, error: SkillAgentError) -> None:
        super().__init__("The home did not open", error.message, error.hint)

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield Static(
            "r tries again · q quits (Esc first, from the composer) · your text is kept",
            classes="keys",
        )


def _as_json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def _as_lines(arguments: Mapping[str, Any]) -> str:
    """`name: value`, a text of several lines below its name."""
    lines: list[str] = []
    for name, value in arguments.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines.append(f"{name}:\n{text}" if "\n" in text else f"{name}: {text}")
    return "\n".join(lines)
