"""The main screen: conversation, memory, composer, status line, and the keys that drive them.

What the person wants arrives here as messages and actions. What they write goes into the `outbox`
and from there by the `sender` to the home; what comes back is heard by the `listener` and drawn by
`turn_view`. What the first paint can do without is imported where it is used; by then the thread
that opens the home has loaded it.
"""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches

from skill_agent.errors import SkillAgentError

from ..frame.agents import NOBODY, AgentList
from ..frame.deeds import Deed, bindings
from ..frame.plain import one_line
from ..frame.status import Figures, StatusLine
from ..frame.terminal import settle_garbage
from ..memory.pane import MemoryPane
from .deeds import TALK
from .foot.approvals import ApprovalBar
from .foot.composer import Composer, Written
from .foot.drafts import NEW
from .foot.footer import Footer
from .foot.questions import QuestionBar
from .foot.suggestions import Suggestions
from .foot.throbber import OPENING
from .foot.wish import as_typed
from .parts import OpenHome
from .revisiting import Revisiting
from .shown.blocks import ErrorBlock, OpeningFailed
from .shown.conversation import Badge, Conversation
from .shown.earlier import Earlier
from .welcome import Welcome

if TYPE_CHECKING:
    from skill_agent.events import Event, TurnFailed, TurnFinished
    from skill_agent.values import Message, Session
    from skill_agent.workstation import Workstation
    from skill_agent.workstation.past import Past


class TalkScreen(Revisiting):
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
        yield Footer(id="foot", member=lambda slug: self._agents[slug], seconds=self.turns.seconds)
        yield Suggestions(id="suggestions")

    def on_mount(self) -> None:
        self.throbber.attend(self.turns, lambda: self.moves)
        self._wake_up()
        self.footer.show_speaker(self._member)
        self.watch(self.query_one(StatusLine), "figures", self.look_home, init=False)
        self.write()

    def _wake_up(self) -> None:
        self.figures = replace(self.figures, state="waking up")
        self.throbber.busy(OPENING, NOBODY, "Waking the team")

    def on_resize(self) -> None:
        self.footer.fit()
        self.fit_memory()

    # -- opening -----------------------------------------------------------------------------

    async def opened(self, runtime: "Workstation", session: str | None, agent: str | None) -> None:
        """The home is open: who is here, which conversation, and what waits to be sent."""
        self._agents = AgentList(await runtime.agents.list())
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
        self.throbber.over(OPENING)
        if problem is not None:
            await self.show_error("That conversation was not found", problem)
        self.look_around()
        self.suggest_anew()
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
        self.throbber.clear()
        block = OpeningFailed(error)
        await self.conversation.replace([block])
        # Letters one is just typing must not quit.
        if not self.composer.text:
            self.set_focus(block)

    async def reopening(self) -> None:
        """Another try is under way."""
        self._wake_up()
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
        from .shown.history import blocks_of, kept_in
        from .shown.turn_view import TurnView

        key = session.id if session else NEW
        self.look()
        if key != self._key:
            self._type(self._key)
            self._key = key
            self.composer.put(self._outbox.open(key), self._outbox.draft(key).attachments)
            self.composer.sent = []
        messages = past.messages
        said = [_written(one) for one in messages if one.role == "user"]
        # What was sent while the home was opening is the newest.
        self.composer.sent = [*said, *(one for one in self.composer.sent if one not in said)]
        self.throbber.clear()
        self._view = TurnView(
            self.conversation,
            self.query_one(MemoryPane),
            self._agents,
            self.throbber,
            own=self.turns.own,
        )
        asked = [one.agent for one in messages if one.role == "user" and one.agent]
        self._view.spoke_with = asked[-1] if asked else ""
        title = one_line(session.title, 200) if session else ""
        before = self.figures
        figures = Figures(
            title=title,
            disputed=before.disputed,
            at_work=before.at_work,
            host=before.host,
            waiting=before.waiting,
            today=before.today,
            background=before.background,
        )
        for message in messages:
            figures = figures.plus(message.usage)
        self.figures = figures
        self.set_agent(agent)
        earlier = Earlier(past, partial(self._before, key), partial(blocks_of, agents=self._agents))
        home = Welcome(self._member, self._agents, recent, now=self.now(), news=self._news)
        await self.conversation.replace(earlier.newest() or [home], earlier)
        self.look_home()
        await self.query_one(MemoryPane).clear()
        for memory in kept_in(past):
            await self.query_one(MemoryPane).saved(memory)
        self.draw_waiting()
        self.write()

    async def _before(self, session: str, message: "Message") -> "Past":
        """What was said before a message."""
        from skill_agent.workstation.past import past_of

        from .shown.history import SHOWN

        return await past_of(self._opened().runtime, session, last=SHOWN, before=message)

    def named(self, session_id: str) -> None:
        if (model := self._models.pop(self._key, None)) is not None:
            self._models[session_id] = model
        self._key = session_id

    def became(self, session: "Session") -> None:
        if session.agent != self._member.slug:
            self.set_agent(session.agent)
        self.figures = replace(self.figures, title=one_line(session.title, 200))

    async def apply(self, event: "Event") -> None:
        if self._view is not None:
            await self._view.apply(event)

    async def steered(self, turn: str, text: str) -> None:
        if self._view is not None:
            await self._view.steered(turn, text)

    def ended(self, event: "TurnFinished | TurnFailed") -> None:
        home = self._opened()
        shown = event.session == home.listener.session
        if shown:
            self.figures = self.figures.plus(event.usage)
            self.look()
        home.sender.after(event, shown=shown)
        self.draw_waiting()
        settle_garbage()

    def recovered(self) -> None:
        self.look_around()
        self.look_for_agents()
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
        if deed.id == "read.before" and self.conversation.query(Welcome):
            return "choose here"
        if deed.id == "write.send" and busy:
            return "queues"
        if deed.id == "write.steer" and not busy:
            return None
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
    beside = (*context.images, *context.attachments) if context else ()
    return Written(as_typed(message.content), beside)
