"""A tool call that waits for a person, above the composer.

It never takes the focus by itself and no click answers it: what one is typing or clicking when
the question appears must not allow anything. F2 goes to it; then one letter answers.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from ..frame.agents import Member
from ..frame.plain import one_line, printable

if TYPE_CHECKING:
    from skill_agent.events import ApprovalAsked, Choice


class ApprovalBar(Vertical, can_focus=True):
    """The oldest open question; the others wait behind it."""

    FOCUS_ON_CLICK = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "answer('once')", "Allow once", show=False),
        Binding("a", "answer('always')", "Allow always", show=False),
        Binding("d,n", "answer('deny')", "Deny", show=False),
        Binding("escape,tab", "leave", "Back to writing", show=False),
    ]

    class Answered(Message):
        """The person decided."""

        def __init__(self, approval: str, choice: "Choice") -> None:
            super().__init__()
            self.approval = approval
            self.choice: Choice = choice

    class Left(Message):
        """The person goes back to the composer; the question stays."""

    def __init__(self, *, id: str, member: Callable[[str], Member]) -> None:
        super().__init__(id=id)
        self._member = member
        self._asked: dict[str, ApprovalAsked] = {}

    def compose(self) -> ComposeResult:
        yield Static("", markup=False, id="approval-question")
        yield Static("", markup=False, id="approval-choices")

    def on_mount(self) -> None:
        self._redraw()

    @property
    def pending(self) -> "list[ApprovalAsked]":
        return list(self._asked.values())

    def ask(self, event: "ApprovalAsked") -> None:
        self._asked.setdefault(event.approval, event)
        self._redraw()

    def settle(self, approval: str) -> None:
        """The question is answered, by whomever."""
        if self._asked.pop(approval, None) is not None:
            self._redraw()

    def settle_turn(self, turn: str) -> None:
        """The turn is over, and so are its questions."""
        for event in [one for one in self.pending if one.turn == turn]:
            self.settle(event.approval)

    def action_answer(self, choice: "Choice") -> None:
        if self._asked:
            self.post_message(self.Answered(next(iter(self._asked)), choice))

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        if self.is_mounted:
            self._redraw()

    def _redraw(self) -> None:
        self.display = bool(self._asked)
        if not self._asked:
            if self.has_focus:
                self.post_message(self.Left())
            return
        event = next(iter(self._asked.values()))
        self.query_one("#approval-question", Static).update(self._question(event))
        self.query_one("#approval-choices", Static).update(self._choices(event))

    def _question(self, event: "ApprovalAsked") -> Content:
        more = f"  (1 of {len(self._asked)})" if len(self._asked) > 1 else ""
        arguments = "\n".join(
            f"  {one_line(key, 40)}: {one_line(value, 200)}"
            for key, value in event.arguments.items()
        )
        return Content.assemble(
            (self._member(event.agent).name, "bold"),
            " wants to use ",
            (one_line(event.tool, 60), "bold"),
            (more, "$foreground-muted"),
            f"\n{arguments}" if arguments else "",
            (f"\n  {printable(event.reason)}" if event.reason else "", "$foreground-muted"),
        )

    def _choices(self, event: "ApprovalAsked") -> Content:
        if not self.has_focus:
            minutes = max(round(event.timeout_s / 60), 1)
            return Content.assemble(
                ("F2", "bold $warning"),
                (f" to answer · denied by itself after {minutes} min", "$foreground-muted"),
            )
        return Content.assemble(
            ("o", "bold $warning"), " allow once   ",
            ("d", "bold $warning"), " deny   ",
            ("esc", "bold $warning"), " later\n",
            ("a", "bold $warning"), " always allow the rule ",
            (printable(event.rule), "bold"),
        )  # fmt: skip
