"""The foot of the main screen: what waits, questions, the composer, the status line.

It shows what it is told; what the person does there goes on to the screen.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from skill_agent.text.attachments import label

from ...frame.agents import Member
from ...frame.key_bar import KeyBar
from ...frame.plain import one_line
from ...frame.status import Figures, StatusLine
from .approvals import ApprovalBar
from .composer import Composer
from .drafts import Beside
from .questions import QuestionBar
from .throbber import Throbber


def chip(one: Beside) -> str:
    """What goes beside the words, in brief."""
    from skill_agent.values import Image

    if isinstance(one, Image):
        kind = one.media_type.removeprefix("image/").upper()
        return f"[Image {kind}, {max(len(one.data) * 3 // 4000, 1):,} kB]"
    return f"[{one_line(label(one), 60)}]"


def said_of(one: Beside) -> str:
    """What it is, in full."""
    from skill_agent.values import Image

    if isinstance(one, Image):
        return "A picture: its bytes are shown to the model as they are."
    return one.text


class Footer(Vertical):
    """Below the conversation."""

    def __init__(
        self, *, id: str, member: Callable[[str], Member], seconds: Callable[[], float]
    ) -> None:
        super().__init__(id=id)
        self._member, self._seconds = member, seconds

    def compose(self) -> ComposeResult:
        yield Static("", id="waiting")
        yield ApprovalBar(id="approval", member=self._member, seconds=self._seconds)
        yield QuestionBar(id="question", member=self._member)
        yield Throbber(id="throbber")
        with Vertical(id="writing"):
            with Horizontal(id="writer"):
                yield Static("", id="speaker")
                yield KeyBar(id="hint")
            yield Static("", id="pasted")
            yield Composer(id="composer")
        yield StatusLine(id="status")

    def on_resize(self) -> None:
        self.fit()

    def fit(self) -> None:
        """Gives a question the rows that there are; the keys below it stay in view."""
        for bar in (self.query_one(ApprovalBar), self.query_one(QuestionBar)):
            around = self.outer_size.height + self.styles.margin.height - bar.outer_size.height
            bar.fit(self.screen.size.height - around)

    @property
    def figures(self) -> Figures:
        return self.query_one(StatusLine).figures

    @figures.setter
    def figures(self, figures: Figures) -> None:
        self.query_one(StatusLine).figures = figures

    def host(self, state: str) -> None:
        """How it stands with the process that holds the home; empty when nothing is wrong."""
        self.figures = replace(self.figures, host=state)

    def say(self, note: str) -> None:
        """A quiet note in the status line."""
        self.query_one(StatusLine).say(note)

    def show_waiting(
        self, waiting: Sequence[str], *, held: bool, on_its_way: Sequence[str] = ()
    ) -> None:
        """The messages that wait, above the composer, below what is being sent for long."""
        lines = [
            Content.assemble((mark, "$foreground-muted"), one_line(text, 200))
            for mark, texts in (("▸ ", on_its_way), ("◦ ", waiting))
            for text in texts
        ]
        if on_its_way:
            lines.insert(len(on_its_way), Content.styled("  being sent …", "$foreground-muted"))
        if waiting:
            how = "held: Enter sends, Up edits" if held else "queued: Up edits the last, Alt+W any"
            lines.append(Content.styled(f"  {how}", "$foreground-muted"))
        box = self.query_one("#waiting", Static)
        box.display = bool(lines)
        box.update(Content("\n").join(lines))
        self.query_one(Composer).waiting = bool(waiting)
        self.screen.refresh_bindings()

    def show_pasted(self, attachments: Sequence[Beside]) -> None:
        """What goes with the message and is too long to stand among its words."""
        box = self.query_one("#pasted", Static)
        box.display = bool(attachments)
        chips = (Content.styled(chip(one), "bold $accent") for one in attachments)
        out = Content.styled(" Alt+W: look, take out", "$foreground-muted")
        box.update(Content(" ").join([*chips, out]))

    def show_speaker(self, member: Member) -> None:
        """Who is written to, and the accent that goes with it."""
        box = self.query_one("#writing")
        for name in [one for one in box.classes if one.startswith("accent-")]:
            box.remove_class(name)
        box.add_class(member.accent)
        speaker = Content.assemble(("to ", "$foreground-muted"), (member.name or "…", "bold"))
        self.query_one("#speaker", Static).update(speaker)
