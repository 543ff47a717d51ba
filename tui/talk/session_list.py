"""The list of conversations: find one by typing, see how it ended, go on with it, keep order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from skill_agent.errors import SkillAgentError
from skill_agent.events import TurnFailed, TurnFinished, TurnStarted
from skill_agent.values import FoundSession, Session

from ..frame.agents import AgentList
from ..frame.deeds import Deed, bindings
from ..frame.growing_list import GrowingList
from ..frame.key_bar import KeyBar
from ..frame.plain import printable
from .deeds import SESSIONS
from .looked import Looked
from .session_deletion import DeleteDialog
from .session_pages import SessionPages
from .session_preview import Preview
from .session_rows import Standing, group_of, heading, told

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

Rename = Callable[[str, str], Awaitable[Session | None]]
"""Session id and new title; gives the renamed session, or None where it was refused."""

PLACEHOLDER = "Type to find: a title, an agent, what was said"
PAUSE = 0.15
"""Seconds of quiet before what is typed is looked for."""
GLANCE = 0.06
"""Seconds a row is chosen before its end is read: arrows pass many."""
TURNS = 200
"""Turns among which those that run are looked for."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the person decided: an existing conversation, or a new one."""

    kind: Literal["resume", "new"]
    session: Session | None = None


class SessionList(ModalScreen[Chosen | None]):
    """Pinned ones, then by day; what is typed is looked for in titles, agents and messages."""

    HORIZONTAL_BREAKPOINTS = [(0, "-one"), (110, "-two")]  # noqa: RUF012
    DEEDS: ClassVar[tuple[Deed, ...]] = SESSIONS
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(SESSIONS),
        Binding("ctrl+s", "dismiss(None)", "Close", show=False, priority=True),
        Binding("down", "move('cursor_down')", show=False, priority=True),
        Binding("up", "move('cursor_up')", show=False, priority=True),
        Binding("pagedown", "move('page_down')", show=False, priority=True),
        Binding("pageup", "move('page_up')", show=False, priority=True),
    ]

    def __init__(
        self,
        runtime: "Workstation",
        *,
        agents: AgentList,
        current: str | None,
        rename: Rename,
        looked: Looked,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__()
        self._runtime, self._conversations = runtime, runtime.conversations
        self._pages = SessionPages(self._conversations)
        self._sessions: dict[str, Session] = {}
        self._agents, self._looked, self._now = agents, looked, now
        self._standing = Standing(now=now(), current=current)
        self._rename = rename
        self._renaming: Session | None = None
        self._filter, self._archived = "", False
        self._group = ""
        """The heading that the last row stands below."""
        self._answered = asyncio.Event()
        """What is shown is the answer to what is typed."""
        self._growing = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -sessions"):
            yield Static("Conversations", classes="dialog-title")
            yield Input(placeholder=PLACEHOLDER, compact=True)
            with Horizontal(id="sessions"):
                yield GrowingList()
                yield Preview(self._conversations, self._agents)
            yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._look()
        self.run_worker(self._listen(), group="listen")

    @property
    def _listing(self) -> GrowingList:
        return self.query_one(GrowingList)

    # -- keys --------------------------------------------------------------------------------

    def foot_label(self, deed: Deed) -> str | None:
        """What can be done with the conversation that is chosen, as it is."""
        if self._renaming is not None:
            names = {"sessions.open": "keeps the title", "sessions.close": "back"}
            return names.get(deed.id)
        chosen = self._highlighted()
        match deed.id:
            case "sessions.archived":
                return "show the list" if self._archived else deed.label
            case "sessions.pin" if chosen and chosen.pinned:
                return "unpin"
            case "sessions.archive" if chosen and chosen.archived:
                return "put back"
            case "sessions.new" | "sessions.close":
                return deed.label
        return deed.label if chosen else None

    def action_back(self) -> None:
        if self._renaming is None:
            self.dismiss(None)
        else:
            self._end_renaming()

    def action_new(self) -> None:
        self.dismiss(Chosen("new"))

    def action_move(self, how: str) -> None:
        if self._renaming is None:
            getattr(self._listing, f"action_{how}")()

    def action_archived(self) -> None:
        """Those that were put away in place of the others, and back."""
        if self._renaming is None:
            self._archived = not self._archived
            title = "Put away" if self._archived else "Conversations"
            self.query_one(".dialog-title", Static).update(title)
            self._look()

    def action_rename(self) -> None:
        session = self._highlighted()
        if session is None or self._renaming is not None:
            return
        self._renaming = session
        box = self.query_one(Input)
        box.placeholder = "New title"
        box.value = printable(session.title)
        box.action_end()
        self._listing.disabled = True
        self.refresh_bindings()

    def action_pin(self) -> None:
        if session := self._chosen():
            pinning = partial(self._conversations.pin, session.id, pinned=not session.pinned)
            self._do(pinning)

    def action_archive(self) -> None:
        if session := self._chosen():
            away = not session.archived
            said = "Put away. Alt+V shows what is." if away else "Back on the list."
            self._do(partial(self._conversations.archive, session.id, archived=away), said)

    def action_branch(self) -> None:
        if session := self._chosen():
            self.run_worker(self._branch(session), group="change", exclusive=True)

    def action_delete(self) -> None:
        if session := self._chosen():
            self.run_worker(self._delete(session), group="dialog", exclusive=True)

    def _chosen(self) -> Session | None:
        return self._highlighted() if self._renaming is None else None

    # -- what is done with one ---------------------------------------------------------------

    def _do(self, change: Callable[[], Awaitable[Any]], said: str = "") -> None:
        self.run_worker(self._changed(change, said), group="change", exclusive=True)

    async def _changed(self, change: Callable[[], Awaitable[Any]], said: str) -> bool:
        """Does it and lists anew; why not, where it is refused."""
        try:
            await change()
        except SkillAgentError as error:
            self.notify(error.message, severity="error", markup=False)
            return False
        if said:
            self.notify(said, timeout=3)
        self._look()
        return True

    async def _branch(self, session: Session) -> None:
        try:
            made = await self._conversations.branch(session.id)
        except SkillAgentError as error:
            self.notify(error.message, severity="error", markup=False)
        else:
            self.dismiss(Chosen("resume", made))

    async def _delete(self, session: Session) -> None:
        if not await self.app.push_screen_wait(DeleteDialog(session)):
            return
        deleting = partial(self._conversations.delete, session.id)
        if await self._changed(deleting, "Deleted.") and session.id == self._standing.current:
            self.dismiss(Chosen("new"))

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
                self._redraw(renamed.id)
        self._end_renaming()

    @on(OptionList.OptionSelected)
    def pick(self, event: OptionList.OptionSelected) -> None:
        self._resume(self._sessions.get(event.option.id or ""))

    @on(OptionList.OptionHighlighted)
    def glance(self) -> None:
        self.refresh_bindings()
        if self.has_class("-two"):
            self.run_worker(self._preview(), group="preview", exclusive=True)

    def on_resize(self) -> None:
        self.call_after_refresh(self.glance)

    async def _preview(self) -> None:
        await asyncio.sleep(GLANCE)
        if session := self._highlighted():
            await self.query_one(Preview).show(session)
        else:
            self.query_one(Preview).clear()

    async def _resume_found(self) -> None:
        """Enter is about what is typed, also where it came before the answer."""
        await self._answered.wait()
        self._resume(self._highlighted())

    def _resume(self, session: Session | None) -> None:
        if session is not None:
            self.dismiss(Chosen("resume", session))

    def _highlighted(self) -> Session | None:
        option = self._listing.highlighted_option
        return self._sessions.get(option.id or "") if option else None

    def _end_renaming(self) -> None:
        self._renaming = None
        box = self.query_one(Input)
        box.placeholder = PLACEHOLDER
        box.value = self._filter
        self._listing.disabled = False
        self.refresh_bindings()
        box.focus()

    # -- what is listed ----------------------------------------------------------------------

    def _look(self, *, after: float = 0.0) -> None:
        """Lists what fits what is typed, once nothing is typed for so long."""
        self._answered.clear()
        self.run_worker(self._list(after), group="look", exclusive=True)

    async def _list(self, after: float) -> None:
        await asyncio.sleep(after)
        pages = SessionPages(self._conversations, self._filter, archived=self._archived)
        try:
            pinned = await pages.pinned()
            found, turns, looked = await asyncio.gather(
                pages.next(),
                self._runtime.turns.list(limit=TURNS),
                asyncio.to_thread(self._looked.load),
            )
        except SkillAgentError as error:
            self._show([], error.message)
            return
        self._pages = pages
        running = frozenset(one.session for one in turns if one.state == "running")
        self._standing = replace(self._standing, now=self._now(), running=running, looked=looked)
        self._show([*pinned, *found], self._nothing())

    def _nothing(self) -> str:
        if self._filter.strip():
            return "Nothing matches."
        return "Nothing is put away." if self._archived else "No conversations yet."

    def _show(self, sessions: Sequence[Session], nothing: str) -> None:
        """`nothing` stands where there are none."""
        options = self._listing
        at, kept = options.highlighted, self._standing.current
        if options.highlighted_option:
            kept = options.highlighted_option.id
        self._sessions, self._group = {one.id: one for one in sessions}, ""
        options.clear_options()
        if sessions:
            options.add_options(self._rows(sessions))
            if kept in self._sessions:
                options.highlighted = options.get_option_index(kept)
            else:  # the one that stood there is gone: the next one
                options.highlighted = min(at or 0, options.option_count - 1)
                self._onto_a_row()
        else:
            options.add_option(Option(nothing, disabled=True))
            self.query_one(Preview).clear()
        self._answered.set()
        self.refresh_bindings()

    def _onto_a_row(self) -> None:
        if self._highlighted() is None:
            self._listing.action_cursor_down()

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
            self._listing.add_options(self._rows(fresh))

    def _rows(self, sessions: Sequence[Session]) -> list[Option]:
        """With the names of days and months between them."""
        rows: list[Option] = []
        for session in sessions:
            group = group_of(session, self._standing, searching=bool(self._filter.strip()))
            if group != self._group:
                first = not self._group
                self._group = group
                rows.append(Option(heading(group, first=first), disabled=True))
            rows.append(Option(self._told(session), id=session.id))
        return rows

    def _told(self, session: Session) -> Any:
        wanted = self._filter if isinstance(session, FoundSession) else ""
        return told(session, self._agents[session.agent], self._standing, wanted)

    def _redraw(self, session: str) -> None:
        if session in self._sessions:
            row = self._told(self._sessions[session])
            self._listing.replace_option_prompt(session, row)

    # -- what goes on meanwhile --------------------------------------------------------------

    async def _listen(self) -> None:
        with self._runtime.turns.subscribe() as heard:
            async for event in heard:
                if isinstance(event, TurnStarted):
                    self._runs(event.session, running=True)
                elif isinstance(event, TurnFinished | TurnFailed):
                    self._runs(event.session, running=False)

    def _runs(self, session: str, *, running: bool) -> None:
        known = self._standing.running
        now = known | {session} if running else known - {session}
        self._standing = replace(self._standing, running=now)
        if not running and session in self._sessions:  # it has more to show than before
            ended = replace(self._sessions[session], updated_at=self._now())
            self._sessions[session] = ended
        self._redraw(session)
