"""The empty conversation: who is here, what was talked about last, what waits, one tip.

The composer keeps the focus. Rows are reached with Alt+Up or by a click; what is typed on one goes
where it belongs.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click, Key
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from ..frame.agents import AgentList, Member
from ..frame.ago import ago
from ..frame.deeds import Deed, bindings
from ..frame.plain import one_line
from .deeds import HOME
from .home_news import HomeNews

if TYPE_CHECKING:
    from skill_agent.values import Session

RECENT = 3
MOST_AGENTS = 6
"""Agents that have a row; the others are a key away."""
WORDMARK = (
    "█▀ █▄▀ █ █   █     ▄▀█ █▀▀ █▀▀ █▄ █ ▀█▀",
    "▄█ █ █ █ █▄▄ █▄▄   █▀█ █▄█ ██▄ █ ▀█  █ ",
)
TIPS = (
    "Say “remember that …”, and it is kept: F5 shows it.",
    "@name asks another agent once; this one stays with you.",
    "Ctrl+S finds a conversation by what was said in it.",
    "F3 shows what was recalled for a reply, and why.",
    "Write on while a reply runs: it is sent when that ends.",
    "Ctrl+O goes to every place: memory, team, inbox …",
    "Alt+Up steps through the messages; there, c copies one.",
    "Ctrl+P has every command by name.",
    "Esc stops a reply; what came until then stays.",
    "Tab changes who answers. Each has a memory of its own.",
    "A long paste stays beside your words, folded.",
    "What you type is kept, even if the window closes.",
)
_MUTED = "$foreground-muted"


class HomeRow(Static, can_focus=True):
    """A row to press."""

    FOCUS_ON_CLICK = False
    DEEDS: ClassVar[tuple[Deed, ...]] = HOME
    BINDINGS: ClassVar[list[BindingType]] = bindings(HOME)

    class Pressed(Message):
        """Click or Enter."""

        def __init__(self, row: "HomeRow") -> None:
            super().__init__()
            self.row = row

    class Typed(Message):
        """A letter that is meant for the composer."""

        def __init__(self, letter: str) -> None:
            super().__init__()
            self.letter = letter

    def __init__(
        self, left: Content, right: Content, *, goes: str, kind: str, far: bool = False
    ) -> None:
        """`goes` says what it does: `agent SLUG`, `talk ID`, `inbox`; one that is `far` is not
        shown where there is little room."""
        super().__init__(classes=f"row {kind}")
        self.set_class(far, "-far")
        self._left, self._right, self.goes = left, right, goes

    def become(self, other: "HomeRow") -> None:
        """The same row with other words."""
        self._left, self._right = other._left, other._right
        for mark in ("-far", "-none"):
            self.set_class(other.has_class(mark), mark)
        self.refresh()

    def render(self) -> Content:
        width = self.content_size.width
        room = max(0, width - self._right.cell_length - 2)
        left = self._left.truncate(room, ellipsis=True)
        gap = " " * (width - left.cell_length - self._right.cell_length)
        return Content.assemble(left, gap, self._right)

    def action_press(self) -> None:
        self.post_message(self.Pressed(self))

    def action_recent(self, place: int) -> None:
        """By its number, from any row; from the composer a digit is a digit."""
        rows = self.screen.query(HomeRow).filter(".talk")
        if place <= len(rows):
            rows[place - 1].action_press()

    def on_click(self, event: Click) -> None:
        event.stop()
        self.action_press()

    def on_key(self, event: Key) -> None:
        if event.is_printable and event.character and event.key not in ("enter", "space", *"123"):
            event.stop()
            self.post_message(self.Typed(event.character))


class Welcome(Vertical):
    """Shown until the first message; without a team while the home opens."""

    def __init__(
        self,
        member: Member,
        agents: AgentList,
        recent: "Sequence[Session]" = (),
        *,
        now: datetime | None = None,
        news: HomeNews | None = None,
    ) -> None:
        super().__init__(classes="welcome")
        self._member, self._agents, self._recent = member, agents, recent[:RECENT]
        self._now, self._news = now or datetime.now(UTC), news

    def greet(self, member: Member) -> None:
        """Another agent will answer, or the team is another."""
        self._member = member
        self._tell_anew()

    def tell(self, news: HomeNews) -> None:
        """What each knows, and what waits."""
        if news != self._news:
            self._news = news
            self._tell_anew()

    def _tell_anew(self) -> None:
        """In the rows that are there; other rows only where others are to be shown."""
        there = list(self.query(HomeRow))
        wanted = [*self._agent_rows(), *self._talk_rows(), self._waiting_row()]
        if [one.goes for one in there] != [one.goes for one in wanted]:
            self.refresh(recompose=True)
            return
        for row, told in zip(there, wanted, strict=True):
            row.become(told)

    def neighbour(self, row: Widget | None, step: int) -> HomeRow | None:
        """The row `step` away; from outside, the last one."""
        rows = [one for one in self.query(HomeRow) if one.display]
        if row not in rows:
            return rows[-1] if step < 0 and rows else None
        at = rows.index(row) + step  # type: ignore[arg-type]
        return rows[at] if 0 <= at < len(rows) else (None if step > 0 else rows[0])

    def compose(self) -> ComposeResult:
        with Vertical(id="home"):
            yield Static("\n".join(WORDMARK), markup=False, classes="wordmark")
            yield Static("skill-agent", classes="name")
            if not self._member.slug:
                yield Static("Waking the team. You can write already.", classes="said")
                return
            yield from self._agent_rows()
            if (more := len(self._agents.active()) - MOST_AGENTS) > 0:
                yield Static(f"and {more} more: Ctrl+G", classes="more -far")
            if self._recent:
                yield Static("Go on with", classes="heading")
            yield from self._talk_rows()
            yield self._waiting_row()
            yield Static(self._tip(), markup=False, classes="tip")

    def _agent_rows(self) -> "list[HomeRow]":
        active = self._agents.active()
        shown = active[:MOST_AGENTS]
        if self._member not in shown and self._member in active:  # who answers is always there
            shown = [*shown[:-1], self._member]
        wide = min(max((Content(one.name).cell_length for one in shown), default=0), 16)
        rows: list[HomeRow] = []
        for place, member in enumerate(shown):
            far = place >= 3 and member != self._member
            left, right = self._agent(member, wide)
            rows.append(HomeRow(left, right, goes=f"agent {member.slug}", kind="agent", far=far))
        return rows

    def _agent(self, member: Member, wide: int) -> tuple[Content, Content]:
        here = member.slug == self._member.slug
        name = Content(member.name).truncate(wide, ellipsis=True, pad=True)
        left = Content.assemble(
            member.mark,
            name.stylize(f"bold {member.colour}" if here else "bold"),
            (f"  {member.tagline}", _MUTED),
        )
        known = self._news.knows(member.slug) if self._news else 0
        things = "thing" if known == 1 else "things"
        right = f"knows {known:,} {things}" if known else ""
        return left, Content.styled(right, _MUTED)

    def _talk_rows(self) -> "list[HomeRow]":
        rows: list[HomeRow] = []
        for place, session in enumerate(self._recent, start=1):
            member = self._agents[session.agent]
            left = Content.assemble(
                (f"{place}  ", _MUTED), one_line(session.title, 120) or "Untitled"
            )
            right = Content.assemble(
                (member.name, member.colour), (f" · {ago(session.updated_at, self._now)}", _MUTED)
            )
            far = place == RECENT
            rows.append(HomeRow(left, right, goes=f"talk {session.id}", kind="talk", far=far))
        return rows

    def _waiting_row(self) -> HomeRow:
        """Not shown while nothing waits."""
        words = self._news.waiting if self._news else ""
        left = Content.assemble(("▲ ", "$warning"), f"Waiting for you: {words}")
        row = HomeRow(left, Content.styled("F8", _MUTED), goes="inbox", kind="waits")
        row.set_class(not words, "-none")
        return row

    def _tip(self) -> Content:
        """Another one on each day on which there was talk; the first one for who is new."""
        days = max((one.updated_at.toordinal() for one in self._recent), default=0)
        return Content.assemble(("Tip  ", "bold"), TIPS[days % len(TIPS)])
