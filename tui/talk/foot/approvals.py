"""A tool call that waits for a person, as a card above the composer: who wants what of whom, why,
the whole of it, and how long it waits.

It never takes the focus by itself and no click answers it: what one is typing or clicking when
the question appears must not allow anything. F2 goes to it; then one letter answers, once all
that is asked has been in view.
"""

import math
import time
from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from skill_agent.identifiers import made_ago
from skill_agent.text.attachments import writers
from skill_agent.text.decisions import (
    hosts_in,
    in_a_row,
    in_one_line,
)

from ...frame.agents import Member
from ...frame.asked import argument_lines

if TYPE_CHECKING:
    from skill_agent.events import ApprovalAsked, Choice

_TALK, _LEAST = 3, 2
"""Rows that are left to the conversation, and to a question whatever else there is."""
_LONGEST_RULE = 80
"""Characters of a rule that stands beside its key, and of a host in the headline: of a longer
rule the question has all, and of longer hosts the headline has the end, which says who it is."""


class AskedText(VerticalScroll, can_focus=False):
    """All that is asked; as much of the screen as there is, and the rest by scrolling."""

    class Moved(Message):
        """Other lines of it may be in view."""

    def compose(self) -> ComposeResult:
        yield Static("", markup=False, id="approval-question")

    @property
    def ends_in_view(self) -> bool:
        return self.size.height > 0 and self.scroll_y >= self.max_scroll_y

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())


class Instead(Input):
    """What a person wants done instead of a call."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back to the question", show=False),
    ]

    class Left(Message):
        """Nothing is to be done instead."""

    def action_leave(self) -> None:
        self.value = ""
        self.post_message(self.Left())


_DOES = MappingProxyType(
    {"http_get": "read", "search_memory": "search your memories", "remember": "remember"}
)
"""What tools of our own do, in words; others are used, by their name."""
_COUNTED = 5.0
"""Seconds after which a question is known to be older than it was heard."""


class ApprovalBar(Vertical, can_focus=True):
    """The oldest open question; the others wait behind it."""

    FOCUS_ON_CLICK = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "answer('once')", "Allow once", show=False),
        Binding("a", "answer('always')", "Allow always", show=False),
        Binding("d,n", "answer('deny')", "Deny", show=False),
        Binding("r", "instead", "Deny, and say what to do instead", show=False),
        Binding("escape,tab", "leave", "Back to writing", show=False),
        Binding("down", "read('down')", show=False),
        Binding("up", "read('up')", show=False),
        Binding("pagedown,space", "read('page_down')", show=False),
        Binding("pageup", "read('page_up')", show=False),
        Binding("end", "read('end')", show=False),
        Binding("home", "read('home')", show=False),
    ]

    class Answered(Message):
        """The person decided."""

        def __init__(self, approval: str, choice: "Choice", words: str = "") -> None:
            super().__init__()
            self.approval = approval
            self.choice: Choice = choice
            self.words = words

    class Left(Message):
        """The person goes back to the composer; the question stays."""

    def __init__(
        self,
        *,
        id: str,
        member: Callable[[str], Member],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(id=id)
        self._member, self._seconds = member, seconds
        self._asked: dict[str, ApprovalAsked] = {}
        self._until: dict[str, float] = {}
        """When each is denied by itself, by that clock."""
        self._ticking: Timer | None = None
        self._drawn = ""
        """The question that is on the screen."""
        self._read = ""
        """The question whose end was in view."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="approval-top"):
            yield Static("", markup=False, id="approval-head")
            yield Static("", markup=False, id="approval-left")
        yield AskedText(id="approval-asked")
        yield Instead(placeholder="what is to be done instead", id="approval-words", compact=True)
        yield Static("", markup=False, id="approval-choices")

    def on_mount(self) -> None:
        self._words.compact = True
        self._words.display = False
        self._redraw()

    @property
    def pending(self) -> "list[ApprovalAsked]":
        return list(self._asked.values())

    def ask(self, event: "ApprovalAsked") -> None:
        if event.approval not in self._asked:
            self._asked[event.approval] = event
            waited = made_ago(event.id)
            left = event.timeout_s - (waited if waited > _COUNTED else 0)
            self._until[event.approval] = self._seconds() + left
        self._redraw()

    def settle(self, approval: str) -> None:
        """The question is answered, by whomever."""
        if self._asked.pop(approval, None) is not None:
            self._until.pop(approval, None)
            self._redraw()

    def settle_turn(self, turn: str) -> None:
        """The turn is over, and so are its questions."""
        for event in [one for one in self.pending if one.turn == turn]:
            self.settle(event.approval)

    def action_answer(self, choice: "Choice") -> None:
        if not self._asked:
            return
        first = next(iter(self._asked))
        if self._read == first:
            self.post_message(self.Answered(first, choice))
        else:
            self.app.bell()

    def action_instead(self) -> None:
        """Gives the person a line to write in."""
        if self._asked and self._read == next(iter(self._asked)):
            self._words.display = True
            self._words.focus()
        else:
            self.app.bell()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._asked and event.value.strip():
            self.post_message(self.Answered(next(iter(self._asked)), "deny", event.value.strip()))

    def on_instead_left(self) -> None:
        self._words.display = False
        self.focus()

    @property
    def _words(self) -> "Instead":
        return self.query_one(Instead)

    def action_read(self, how: str) -> None:
        getattr(self._text, f"scroll_{how}")(animate=False)

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        if self.is_mounted:
            self._redraw()

    def on_resize(self) -> None:
        self._look()

    def on_asked_text_moved(self) -> None:
        self._look()

    @property
    def _text(self) -> AskedText:
        return self.query_one(AskedText)

    def fit(self, rows: int) -> None:
        """There are so many rows for it and the conversation."""
        around = self.outer_size.height - self._text.size.height
        self._text.styles.max_height = max(_LEAST, rows - around - _TALK)
        self.call_after_refresh(self._look)

    def _redraw(self) -> None:
        self.display = bool(self._asked)
        writing = self._words.has_focus
        if writing and self._drawn != next(iter(self._asked), ""):
            # What was being typed was for the one before.
            self._words.display, self._words.value = False, ""
            if self._asked:
                self.focus()
        self._tick()
        if not self._asked:
            self._drawn = self._read = ""
            if self.has_focus or writing:
                self.post_message(self.Left())
            return
        event = next(iter(self._asked.values()))
        self.query_one("#approval-head", Static).update(self._head(event))
        if self._drawn != event.approval:
            self._drawn = event.approval
            self.query_one("#approval-question", Static).update(self._whole(event))
            self._text.scroll_home(animate=False)
        self._draw_choices(event)
        self.call_after_refresh(self._look)

    def _look(self) -> None:
        """Whether all of the question has been in view, its keys with it."""
        if not self._asked or self._drawn != next(iter(self._asked)):
            return
        keys = self.query_one("#approval-choices", Static).region
        whole = bool(keys.area) and self.screen.region.contains_region(keys)
        if self.has_focus and whole and self._text.ends_in_view and self._read != self._drawn:
            self._read = self._drawn
        self._draw_choices(self._asked[self._drawn])

    def _tick(self) -> None:
        """Counts down while somebody waits, and only then."""
        if self._asked and self._ticking is None:
            self._ticking = self.set_interval(1, self._draw_left)
        elif not self._asked and self._ticking is not None:
            self._ticking.stop()
            self._ticking = None
        self._draw_left()

    def _draw_left(self) -> None:
        if not self._asked:
            return
        first = next(iter(self._asked))
        more = f"1 of {len(self._asked)} · " if len(self._asked) > 1 else ""
        left = max(math.ceil(self._until[first] - self._seconds()), 0)
        said = f"{more}denied in {left // 60}:{left % 60:02}"
        self.query_one("#approval-left", Static).update(said)

    def _head(self, event: "ApprovalAsked") -> Content:
        """Who wants to do what, and with which host: nothing of it reads as anything else."""
        hosts = hosts_in(event.arguments)
        if len(hosts) > _LONGEST_RULE:
            hosts = f"…{hosts[-_LONGEST_RULE:]}"
        tool = in_one_line(event.tool)
        verb = _DOES.get(tool) or f"use {tool}"
        return Content.assemble(
            (self._member(event.agent).name, "bold"),
            " wants to ",
            (verb, "bold"),
            (" from" if hosts and tool not in _DOES else "", "$foreground-muted"),
            " " if hosts else "",
            (hosts, "bold $warning"),
        )

    def _draw_choices(self, event: "ApprovalAsked") -> None:
        self.query_one("#approval-choices", Static).update(self._choices(event))

    def _choices(self, event: "ApprovalAsked") -> Content:
        if not self.has_focus:
            return Content.assemble(
                ("F2", "bold $warning"),
                (" to answer; nothing here is answered by a click", "$foreground-muted"),
            )
        if self._read != event.approval:
            below = round(self._text.max_scroll_y - self._text.scroll_y)
            return Content.assemble(
                ("↓", "bold $warning"), f" {below} more rows: read to the end to answer   ",
                ("esc", "bold $warning"), " later",
            )  # fmt: skip
        rule = in_one_line(event.rule)
        return Content.assemble(
            ("o", "bold $warning"), " allow once   ",
            ("d", "bold $warning"), " deny   ",
            ("r", "bold $warning"), " say what instead   ",
            ("esc", "bold $warning"), " later\n",
            ("a", "bold $warning"), " always allow the rule ",
            (rule, "bold") if len(rule) <= _LONGEST_RULE else "above",
        )  # fmt: skip

    def _whole(self, event: "ApprovalAsked") -> Content:
        whole = self._question(event)
        if not event.origins:
            return whole
        there = f"! {writers(event.origins)} stands in this conversation"
        return Content("\n").join([whole, Content.styled(there, "$warning")])

    def _question(self, event: "ApprovalAsked") -> Content:
        """Several lines stand behind a bar, so that none of them passes for ours."""
        parts: list[Content] = []
        if event.chain:
            asked = (f"asked for by {in_a_row(event.chain)}", "$warning")
            parts.append(Content.assemble(asked))
        if event.reason:
            why = in_one_line(event.reason)
            parts.append(Content.assemble(("why: ", "$foreground-muted"), why))
        if (tool := in_one_line(event.tool)) in _DOES:
            parts.append(Content.assemble(("tool: ", "$foreground-muted"), tool))
        parts += argument_lines(event.arguments)
        if len(rule := in_one_line(event.rule)) > _LONGEST_RULE:
            told = Content.assemble(("always stores the rule: ", "$foreground-muted"), rule)
            parts.append(told)
        return Content("\n").join(parts)
