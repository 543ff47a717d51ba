"""The list of conversations: find one by typing, resume, rename, start a new one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from skill_agent.errors import SkillAgentError
from skill_agent.values import FoundSession, Session

from ..frame.agents import AgentList
from ..frame.growing_list import GrowingList
from ..frame.plain import one_line, printable, shown_time
from .session_pages import SessionPages

if TYPE_CHECKING:
    from skill_agent.conversations.operations import ConversationOperations

Rename = Callable[[str, str], Awaitable[Session | None]]
"""Session id and new title; gives the renamed session, or None where it was refused."""

KEYS = "Enter resumes · Ctrl+E renames · Ctrl+N new · Esc closes"
PLACEHOLDER = "Type to find: a title, an agent, what was said"
PAUSE = 0.15
"""Seconds of quiet before what is typed is looked for."""
KEYS_RENAMING = "Enter keeps the title · Esc goes back"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the person decided: an existing conversation, or a new one."""

    kind: Literal["resume", "new"]
    session: Session | None = None


class SessionList(ModalScreen[Chosen | None]):
    """Newest first; what is typed is looked for in titles, agents and messages."""

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
        conversations: "ConversationOperations",
        *,
        agents: AgentList,
        current: str | None,
        rename: Rename,
    ) -> None:
        super().__init__()
        self._conversations = conversations
        self._pages = SessionPages(conversations)
        self._sessions: dict[str, Session] = {}
        self._agents, self._current = agents, current
        self._rename = rename
        self._renaming: Session | None = None
        self._filter = ""
        self._answered = asyncio.Event()
        """What is shown is the answer to what is typed."""
        self._growing = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide"):
            yield Static("Conversations", classes="dialog-title")
            yield Input(placeholder=PLACEHOLDER, compact=True)
            yield GrowingList()
            yield Static(KEYS, classes="keys")

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._look()

    def action_back(self) -> None:
        if self._renaming is None:
            self.dismiss(None)
        else:
            self._end_renaming()

    def action_new(self) -> None:
        self.dismiss(Chosen("new"))

    def action_move(self, how: str) -> None:
        if self._renaming is None:
            getattr(self.query_one(GrowingList), f"action_{how}")()

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
        self.query_one(GrowingList).disabled = True

    @on(Input.Changed)
    def filter(self, event: Input.Changed) -> None:
        if self._renaming is None and event.value != self._filter:
            self._filter = event.value
            self._look(after=PAUSE)

    @on(Input.Submitted)
    async def accept(self, event: Input.Submitted) -> None:
        event.stop()
        if self._renaming is None:
            self.run_worker(self._resume_found(), group="resume", exclusive=True)
            return
        title = event.value.strip()
        if title and title != printable(self._renaming.title):
            renamed = await self._rename(self._renaming.id, title)
            if renamed is not None:
                session = replace(self._sessions[renamed.id], title=renamed.title)
                self._sessions[renamed.id] = session
                told = self._told(session)
                self.query_one(GrowingList).replace_option_prompt(renamed.id, told)
        self._end_renaming()

    @on(OptionList.OptionSelected)
    def pick(self, event: OptionList.OptionSelected) -> None:
        self._resume(self._sessions.get(event.option.id or ""))

    async def _resume_found(self) -> None:
        """Enter is about what is typed, also where it came before the answer."""
        await self._answered.wait()
        self._resume(self._highlighted())

    def _resume(self, session: Session | None) -> None:
        if session is not None:
            self.dismiss(Chosen("resume", session))

    def _highlighted(self) -> Session | None:
        option = self.query_one(GrowingList).highlighted_option
        return self._sessions.get(option.id or "") if option else None

    def _end_renaming(self) -> None:
        self._renaming = None
        box = self.query_one(Input)
        box.placeholder = PLACEHOLDER
        box.value = self._filter
        self.query_one(".keys", Static).update(KEYS)
        self.query_one(GrowingList).disabled = False
        box.focus()

    # -- what is listed ----------------------------------------------------------------------

    def _look(self, *, after: float = 0.0) -> None:
        """Lists what fits what is typed, once nothing is typed for so long."""
        self._answered.clear()
        self.run_worker(self._list(after), group="look", exclusive=True)

    async def _list(self, after: float) -> None:
        await asyncio.sleep(after)
        pages = SessionPages(self._conversations, self._filter)
        try:
            found = await pages.next()
        except SkillAgentError as error:
            self._show([], error.message)
            return
        self._pages = pages
        nothing = "Nothing matches." if self._filter.strip() else "No conversations yet."
        self._show(found, nothing)

    def _show(self, sessions: Sequence[Session], nothing: str) -> None:
        """`nothing` stands where there are none."""
        options = self.query_one(GrowingList)
        kept = options.highlighted_option.id if options.highlighted_option else self._current
        self._sessions = {one.id: one for one in sessions}
        options.clear_options()
        if sessions:
            options.add_options([self._option(one) for one in sessions])
            options.highlighted = list(self._sessions).index(kept) if kept in self._sessions else 0
        else:
            options.add_option(Option(nothing, disabled=True))
        self._answered.set()

    @on(GrowingList.MoreWanted)
    def grow(self) -> None:
        if self._pages.more and not self._growing:
            self._growing = True
            self.run_worker(self._grow(self._pages), group="grow")

    async def _grow(self, pages: SessionPages) -> None:
        try:
            found = await pages.next()
        except SkillAgentError as error:
            found, pages.more = [], False
            self.notify(error.message, severity="error", markup=False)
        finally:
            self._growing = False
        if pages is self._pages:  # nothing else was typed meanwhile
            fresh = [one for one in found if one.id not in self._sessions]
            self._sessions |= {one.id: one for one in fresh}
            self.query_one(GrowingList).add_options([self._option(one) for one in fresh])

    def _option(self, session: Session) -> Option:
        return Option(self._told(session), id=session.id)

    def _told(self, session: Session) -> Content:
        member = self._agents[session.agent]
        colour = f"${member.accent.replace('accent-', 'agent-')}"
        here = " · open now" if session.id == self._current else ""
        count = f"{session.messages} message" + ("" if session.messages == 1 else "s")
        detail = f"\n  {member.name} · {count} · {shown_time(session.updated_at)}{here}"
        title = one_line(session.title, 120) or "Untitled"
        hit = one_line(session.hit, 200) if isinstance(session, FoundSession) else ""
        said = f"\n  “{hit}”" if hit not in ("", title) else ""
        muted = "$foreground-muted"
        return Content.assemble(("● ", colour), title, (detail, muted), (said, f"italic {muted}"))
