"""The list of conversations: filter by typing, resume, rename, start a new one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from skill_agent.values import Session

from ..frame.agents import AgentList
from ..frame.plain import one_line, printable, shown_time

Rename = Callable[[str, str], Awaitable[Session | None]]
"""Session id and new title; gives the renamed session, or None where it was refused."""

KEYS = "Enter resumes · Ctrl+E renames · Ctrl+N new · Esc closes"
KEYS_RENAMING = "Enter keeps the title · Esc goes back"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the person decided: an existing conversation, or a new one."""

    kind: Literal["resume", "new"]
    session: Session | None = None


class SessionList(ModalScreen[Chosen | None]):
    """Newest first; words typed filter by title and agent."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Close", show=False),
        Binding("ctrl+s", "dismiss(None)", "Close", show=False, priority=True),
        Binding("ctrl+n", "new", "New", show=False, priority=True),
        Binding("ctrl+e,f2", "rename", "Rename", show=False, priority=True),
        Binding("down", "move('cursor_down')", show=False, priority=True),
        Binding("up", "move('cursor_up')", show=False, priority=True),
        Binding("pagedown", "move('page_down')", show=False, priority=True),
        Binding("pageup", "move('page_up')", show=False, priority=True),
    ]

    def __init__(
        self,
        sessions: Sequence[Session],
        *,
        agents: AgentList,
        current: str | None,
        rename: Rename,
    ) -> None:
        super().__init__()
        self._sessions = list(sessions)
        self._agents, self._current = agents, current
        self._rename = rename
        self._renaming: Session | None = None
        self._filter = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide"):
            yield Static("Conversations", classes="dialog-title")
            yield Input(placeholder="Type to filter", compact=True)
            yield OptionList()
            yield Static(KEYS, classes="keys")

    def on_mount(self) -> None:
        self._fill()
        self.query_one(Input).focus()

    def action_back(self) -> None:
        if self._renaming is None:
            self.dismiss(None)
        else:
            self._end_renaming()

    def action_new(self) -> None:
        self.dismiss(Chosen("new"))

    def action_move(self, how: str) -> None:
        if self._renaming is None:
            getattr(self.query_one(OptionList), f"action_{how}")()

    def action_rename(self) -> None:
        session = self._highlighted()
        if session is None or self._renaming is not None:
            return
        self._renaming = session
        box = self.query_one(Input)
        box.placeholder = "New title"
        box.value = printable(session.title)
        box.action_end()
        self.query_one(".keys", Static).update(KEYS_RENAMING)
        self.query_one(OptionList).disabled = True

    @on(Input.Changed)
    def filter(self, event: Input.Changed) -> None:
        if self._renaming is None and event.value != self._filter:
            self._filter = event.value
            self._fill()

    @on(Input.Submitted)
    async def accept(self, event: Input.Submitted) -> None:
        event.stop()
        if self._renaming is None:
            self._resume(self._highlighted())
            return
        title = event.value.strip()
        if title and title != printable(self._renaming.title):
            renamed = await self._rename(self._renaming.id, title)
            if renamed is not None:
                kept = [
                    replace(one, title=renamed.title) if one.id == renamed.id else one
                    for one in self._sessions
                ]
                self._sessions = kept
        self._end_renaming()

    @on(OptionList.OptionSelected)
    def pick(self, event: OptionList.OptionSelected) -> None:
        self._resume(next((one for one in self._sessions if one.id == event.option.id), None))

    def _resume(self, session: Session | None) -> None:
        if session is not None:
            self.dismiss(Chosen("resume", session))

    def _highlighted(self) -> Session | None:
        option = self.query_one(OptionList).highlighted_option
        return next((one for one in self._sessions if option and one.id == option.id), None)

    def _end_renaming(self) -> None:
        self._renaming = None
        box = self.query_one(Input)
        box.placeholder = "Type to filter"
        box.value = self._filter
        self.query_one(".keys", Static).update(KEYS)
        self.query_one(OptionList).disabled = False
        self._fill()
        box.focus()

    def _fill(self) -> None:
        words = self._filter.lower().split()
        shown = [
            one for one in self._sessions if all(word in self._haystack(one) for word in words)
        ]
        options = self.query_one(OptionList)
        kept = options.highlighted_option.id if options.highlighted_option else self._current
        options.clear_options()
        options.add_options([self._option(one) for one in shown])
        if not shown:
            nothing = "Nothing matches." if self._sessions else "No conversations yet."
            options.add_option(Option(nothing, disabled=True))
            return
        ids = [one.id for one in shown]
        options.highlighted = ids.index(kept) if kept in ids else 0

    def _haystack(self, session: Session) -> str:
        return f"{session.title} {session.agent} {self._agents[session.agent].name}".lower()

    def _option(self, session: Session) -> Option:
        member = self._agents[session.agent]
        colour = f"${member.accent.replace('accent-', 'agent-')}"
        here = " · open now" if session.id == self._current else ""
        count = f"{session.messages} message" + ("" if session.messages == 1 else "s")
        detail = f"\n  {member.name} · {count} · {shown_time(session.updated_at)}{here}"
        title = one_line(session.title, 120) or "Untitled"
        return Option(
            Content.assemble(("● ", colour), title, (detail, "$foreground-muted")), id=session.id
        )
