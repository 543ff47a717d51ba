"""A question that waits for a person, above the composer: of a job, a collaboration, a tool.

As with a tool call it never takes the focus by itself. F2 goes to it; what is typed there answers,
and an answer that is not clear is told so and changes nothing.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from skill_agent.text.attachments import writers
from skill_agent.text.clock import minute_of
from skill_agent.text.decisions import in_a_row, in_one_line, value_lines

from ...frame.agents import Member

if TYPE_CHECKING:
    from skill_agent.values import Question

HINT = "yes · no · or what is to be different, as in: change the title"
_TALK, _LEAST = 3, 2
"""Rows that are left to the conversation, and to a question whatever else there is."""


class QuestionText(VerticalScroll, can_focus=False):
    """All that is to be decided on; what does not fit is scrolled."""

    def compose(self) -> ComposeResult:
        yield Static("", markup=False, id="question-text")


class QuestionBar(Vertical):
    """The oldest open question; the others wait behind it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,tab", "leave", "Back to writing", show=False, priority=True),
        Binding("down,pagedown", "read('page_down')", show=False, priority=True),
        Binding("up,pageup", "read('page_up')", show=False, priority=True),
    ]

    class Answered(Message):
        """The person wrote an answer."""

        def __init__(self, question: str, words: str) -> None:
            super().__init__()
            self.question, self.words = question, words

    class Left(Message):
        """The person goes back to the composer; the question stays."""

    def __init__(self, *, id: str, member: Callable[[str], Member]) -> None:
        super().__init__(id=id)
        self._member = member
        self._asked: dict[str, Question] = {}
        self._drawn = ""

    def compose(self) -> ComposeResult:
        yield Static("", markup=False, id="question-head")
        yield QuestionText()
        yield Static("", markup=False, id="question-problem")
        yield Input(placeholder=HINT, id="question-words", compact=True)
        yield Static("", markup=False, id="question-keys")

    def on_mount(self) -> None:
        self._words.compact = True
        self._words.display = False
        self.query_one("#question-problem").display = False
        self._redraw()

    @property
    def pending(self) -> "list[Question]":
        return list(self._asked.values())

    def ask(self, question: "Question") -> None:
        self._asked.setdefault(question.id, question)
        self._redraw()

    def settle(self, question: str) -> None:
        """It is answered, by whomever."""
        if self._asked.pop(question, None) is not None:
            self._redraw()

    def only(self, waiting: "list[Question]") -> None:
        """These wait and no others."""
        self._asked = {one.id: one for one in waiting}
        self._redraw()

    def answer(self) -> None:
        """Gives the person a line to write in."""
        if self._asked:
            self._words.display = True
            self._words.focus()
            self._redraw()

    def refuse(self, told: str) -> None:
        """What was said is no answer; the question goes on waiting."""
        problem = self.query_one("#question-problem", Static)
        problem.update(Content.styled(in_one_line(told), "$warning"))
        problem.display = True

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._asked and event.value.strip():
            self.post_message(self.Answered(next(iter(self._asked)), event.value))

    def action_read(self, how: str) -> None:
        getattr(self.query_one(QuestionText), f"scroll_{how}")(animate=False)

    def action_leave(self) -> None:
        self._close()
        self.post_message(self.Left())

    def fit(self, rows: int) -> None:
        """There are so many rows for it and the conversation."""
        text = self.query_one(QuestionText)
        around = self.outer_size.height - text.size.height
        text.styles.max_height = max(_LEAST, rows - around - _TALK)

    @property
    def _words(self) -> Input:
        return self.query_one(Input)

    def _close(self) -> None:
        self._words.display = False
        self._words.value = ""
        self.query_one("#question-problem").display = False
        self._redraw()

    def _redraw(self) -> None:
        self.display = bool(self._asked)
        first = next(iter(self._asked), "")
        if first != self._drawn and self._drawn and self._words.display:
            # What was being typed was for the one before.
            self._drawn = first
            self.action_leave()
            return
        self._drawn = first
        if not first:
            return
        one = self._asked[first]
        self.query_one("#question-head", Static).update(self._head(one))
        self.query_one("#question-text", Static).update(_whole(one))
        self.query_one("#question-keys", Static).update(self._keys(one))

    def _head(self, one: "Question") -> Content:
        who = self._member(one.agent).name if one.agent else f"a {one.source}"
        more = f"  (1 of {len(self._asked)})" if len(self._asked) > 1 else ""
        return Content.assemble((who, "bold"), " asks you", (more, "$foreground-muted"))

    def _keys(self, one: "Question") -> Content:
        if self._words.display:
            return Content.assemble(
                ("Enter", "bold $warning"), " answers   ", ("esc", "bold $warning"), " later"
            )
        until = minute_of(one.expires)
        return Content.assemble(
            ("F2", "bold $warning"),
            (f" to answer · {one.default} if nobody does until {until}", "$foreground-muted"),
        )


def _whole(one: "Question") -> Content:
    """What is to be decided on stands behind a bar, so that no line of it passes for ours."""
    parts = [Content(line) for line in value_lines(one.text)]
    if one.chain:
        parts.insert(0, Content.styled(f"asked for by {in_a_row(one.chain)}", "$warning"))
    for line in value_lines(one.detail) if one.detail else ():
        parts.append(Content.assemble(("│ ", "$foreground-muted"), line))
    if one.origins:
        parts.append(Content.styled(f"! {writers(one.origins)} stands in it", "$warning"))
    return Content("\n").join(parts)
