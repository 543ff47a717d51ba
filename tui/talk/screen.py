"""The main screen: conversation, memory, composer, status line, and the keys that drive them.

What the person wants arrives here as messages and actions. What they write goes into the `outbox`
and from there by the `sender` to the home; what comes back is heard by the `listener` and drawn by
`turn_view`. What the first paint can do without is imported where it is used; by then the thread
that opens the home has loaded it.
"""

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.events import Resize

from skill_agent.errors import SkillAgentError

from ..frame.agents import AgentList
from ..frame.deeds import Deed, bindings
from ..frame.plain import one_line
from ..frame.status import Figures
from ..frame.terminal import settle_garbage
from ..memory.pane import MemoryPane
from .deeds import TALK
from .foot.approvals import ApprovalBar
from .foot.composer import Composer, Written
from .foot.drafts import NEW
from .foot.footer import Footer
from .foot.questions import QuestionBar
from .parts import OpenHome
from .reading import Reading
from .shown.blocks import ErrorBlock, Line, OpeningFailed
from .shown.conversation import Badge, Conversation
from .welcome import Welcome

if TYPE_CHECKING:
    from skill_agent.events import Event, TurnFailed, TurnFinished
    from skill_agent.values import Message, Session
    from skill_agent.workstation import Workstation
    from skill_agent.workstation.past import Past

WIDE = 110
"""Columns from which the memory pane is open from the start."""
ROOM = 100
"""Columns below which it is not left open when the window gets smaller."""


class TalkScreen(Reading):
    """Where one talks."""

    DEEDS: ClassVar[tuple[Deed, ...]] = TALK
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(TALK),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("end", "newest", show=False),
    ]

    # -- layout ------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with Horizontal(id="stage"):
            with Vertical(id="talk"):
                with Conversation(id="conversation"):
                    yield Welcome(self._member, self._agents)
                yield Badge("↓ new", id="badge")
            yield MemoryPane(id="memory")
        yield Footer(id="foot", member=lambda slug: self._agents[slug])

    def on_mount(self) -> None:
        self._width, self._pane_waits = self.app.size.width, False
        self.set_class(self._width >= WIDE, "-memory")
        self.figures = Figures(state="waking up")
        self.footer.show_speaker(self._member)
        self.write()

    def on_resize(self, event: Resize) -> None:
        self._fit_memory(event.size.width)
        self.footer.fit()

    def _fit_memory(self, width: int) -> None:
        """The memories beside the talk give way where it gets narrow, and come back."""
        before, self._width = self._width, width
        if before >= ROOM > width:
            self._pane_waits = self.has_class("-memory")
            self.remove_class("-memory")
        elif before < ROOM <= width and self._pane_waits:
            self.add_class("-memory")

    # -- opening -----------------------------------------------------------------------------

    async def opened(self, runtime: "Workstation", session: str | None, agent: str | None) -> None:
        """The home is open: who is here, which conversation, and what waits to be sent."""
        self._agents = AgentList(await runtime.agents.list())
        self.composer.mentions = [member.slug for member in self._agents.active()]
        from .asking import Asking
        from .listener import Listener
        from .sender import Sender

        listener = Listener(runtime, self._outbox, self.turns, self)
        sender = Sender(runtime, self._outbox, listener, self, self._folder)
        asking = Asking(runtime, self)
        self._home = OpenHome(runtime=runtime, listener=listener, sender=sender, asking=asking)
        found, problem = None, None
        if session:
            try:
                found = await runtime.conversations.find(session)
            except SkillAgentError as error:
                problem = error
        chosen = agent or (found.agent if found else runtime.settings.general.default_agent)
        self._take_drafts(found.id if found else NEW)
        self.run_worker(listener.listen(), group="listen", exit_on_error=True)
        await listener.open(found, agent=chosen)
        if problem is not None:
            await self.show_error("That conversation was not found", problem)
        self.look_around()
        sender.deliver(self._key)

    def _take_drafts(self, key: str) -> None:
        """What was typed before opening goes behind what an earlier window left unsent."""
        early, self._key = self._key, key
        self._type(early)  # the news of the last key may be on its way
        self._outbox.open(key)
        self._outbox.move(early, key)
        draft = self._outbox.draft(key)
        if Written(draft.text, draft.attachments) != self.composer.written:
            self.composer.put(draft.text, draft.attachments)

    async def failed(self, error: SkillAgentError) -> None:
        """The home did not open; what was typed stays in the composer and on disk."""
        self.figures = replace(self.figures, state="not open")
        block = OpeningFailed(error)
        await self.conversation.replace([block])
        # Letters one is just typing must not quit.
        if not self.composer.text:
            self.set_focus(block)

    async def reopening(self) -> None:
        """Another try is under way."""
        self.figures = replace(self.figures, state="waking up")
        self.write()
        await self.conversation.replace([Welcome(self._member, self._agents)])

    def leave(self) -> None:
        """The person goes; what waits stays on disk."""
        self.set_state("closing")
        if self._home is not None:
            self._home.listener.deaf = True

    # -- what is asked of the screen (see `display`) -------------------------------------------

    async def show(
        self,
        session: "Session | None",
        past: "Past",
        agent: str,
        recent: "list[Session]",
    ) -> None:
        from .shown.history import SHOWN, blocks_of, kept_in
        from .shown.turn_view import TurnView

        key = session.id if session else NEW
        if key != self._key:
            self._type(self._key)
            self._key = key
            self.composer.put(self._outbox.open(key), self._outbox.draft(key).attachments)
            self.composer.sent = []
        messages = past.messages
        said = [_written(one) for one in messages if one.role == "user"]
        # What was sent while the home was opening is the newest.
        self.composer.sent = [*said, *(one for one in self.composer.sent if one not in said)]
        self._view = TurnView(
            self.conversation, self.query_one(MemoryPane), self._agents, own=self.turns.own
        )
        title = one_line(session.title, 200) if session else ""
        before = self.figures
        figures = Figures(
            title=title,
            disputed=before.disputed,
            at_work=before.at_work,
            host=before.host,
            unread=before.unread,
            background=before.background,
        )
        for message in messages:
            figures = figures.plus(message.usage)
        self.figures = figures
        self.set_agent(agent)
        blocks = blocks_of(past, self._agents)
        if session and (earlier := session.messages - len(messages)) > 0 and len(messages) >= SHOWN:
            more = f"{earlier} earlier messages: ska sessions show {session.id}"
            blocks.insert(0, Line("·", more))
        await self.conversation.replace(blocks or [Welcome(self._member, self._agents, recent)])
        await self.query_one(MemoryPane).clear()
        for memory in kept_in(past):
            await self.query_one(MemoryPane).saved(memory)
        self.draw_waiting()
        self.write()

    def named(self, session_id: str) -> None:
        self._key = session_id

    def became(self, session: "Session") -> None:
        if session.agent != self._member.slug:
            self.set_agent(session.agent)
        self.figures = replace(self.figures, title=one_line(session.title, 200))

    async def apply(self, event: "Event") -> None:
        if self._view is not None:
            await self._view.apply(event)

    def ended(self, event: "TurnFinished | TurnFailed") -> None:
        home = self._opened()
        shown = event.session == home.listener.session
        if shown:
            self.figures = self.figures.plus(event.usage)
        home.sender.after(event, shown=shown)
        self.draw_waiting()
        settle_garbage()

    def recovered(self) -> None:
        self.look_around()
        self._opened().sender.deliver(self._key)
        self.draw_waiting()

    def set_model(self, model: str, window: int) -> None:
        self.figures = replace(self.figures, model=model, window=window)

    def ring(self) -> None:
        self.app.bell()

    async def show_error(self, title: str, error: SkillAgentError) -> None:
        await self.conversation.add(ErrorBlock(title, error.message, error.hint))

    # -- turns -------------------------------------------------------------------------------

    def action_stop(self) -> None:
        """Esc: back to the composer first, then stop the running turn."""
        if self.focused is not self.composer:
            self.write()
        elif self._home is None:
            for failed in self.conversation.query(OpeningFailed):
                self.set_focus(failed)
        else:
            self.run_worker(self._home.sender.stop(self._key), group="stop")

    @on(Composer.StopWanted)
    def stop_wanted(self) -> None:
        if not self.turns.of(self._key):
            self.notify("Ctrl+Q quits. Nothing is selected to copy.")
        else:
            self.action_stop()

    def foot_label(self, deed: Deed) -> str | None:
        """What keys do now: Esc stops only what runs, and Enter waits for it."""
        busy = bool(self.turns.of(self._key))
        if deed.id == "talk.stop":
            away = self.focused is not self.composer
            return "back" if away else deed.label if busy else None
        if deed.id == "write.send" and busy:
            return "queues"
        return deed.label

    def action_approval(self) -> None:
        if self.approvals.pending:
            self.approvals.focus()
        elif self.questions.pending:
            self.questions.answer()

    @on(ApprovalBar.Answered)
    def answered(self, event: ApprovalBar.Answered) -> None:
        if self._home is not None:
            answering = self._home.asking.answer(event.approval, event.choice, event.words)
            self.run_worker(answering, group="answer")

    @on(QuestionBar.Answered)
    def question_answered(self, event: QuestionBar.Answered) -> None:
        if self._home is not None:
            answering = self._home.asking.answer_question(event.question, event.words)
            self.run_worker(answering, group="answer")

    @on(ApprovalBar.Left)
    @on(QuestionBar.Left)
    def approval_left(self) -> None:
        with suppress(NoMatches):
            self.write()


def _written(message: "Message") -> Written:
    """What the person wrote, to be written again."""
    context = message.client_context
    return Written(message.content, context.attachments if context else ())
