"""The main screen: conversation, memory, composer, status line, and the keys that drive them.

What the person wants arrives here as messages and actions. What they write goes into the `outbox`
and from there by the `sender` to the home; what comes back is heard by the `listener` and drawn by
`turn_view`. What the first paint can do without is imported where it is used; by then the thread
that opens the home has loaded it.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import TextArea

from skill_agent.errors import SkillAgentError

from ..frame.agents import NOBODY, AgentList, AgentPicker, Member
from ..frame.help import KeyHelp
from ..frame.plain import one_line
from ..frame.status import Figures
from ..frame.terminal import settle_garbage
from ..memory.pane import Entry, MemoryPane, StoryWanted
from .approvals import ApprovalBar
from .blocks import Block, CopyWanted, ErrorBlock, Line, OpeningFailed
from .composer import Composer, Written
from .conversation import Badge, Conversation
from .drafts import NEW
from .footer import Footer, chip
from .outbox import Outbox
from .questions import QuestionBar
from .running_turns import RunningTurns
from .welcome import Welcome

if TYPE_CHECKING:
    from skill_agent.events import Event, TurnFailed, TurnFinished
    from skill_agent.values import Message, Session
    from skill_agent.workstation import Workstation
    from skill_agent.workstation.past import Past

    from .asking import Asking
    from .listener import Listener
    from .reply import PromptWanted, Rated
    from .sender import Sender
    from .turn_view import TurnView

WIDE = 110
"""Columns from which the memory pane is open from the start."""
WAKE_AFTER = 0.6
"""Seconds an agent must stay chosen before it is woken; Tab may pass several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Home:
    """What there is once the home is open."""

    runtime: "Workstation"
    listener: "Listener"
    sender: "Sender"
    asking: "Asking"


class TalkScreen(Screen[None]):
    """Where one talks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop", show=False),
        Binding("ctrl+g", "agents", "Agents", show=False, priority=True),
        Binding("ctrl+s", "sessions", "Conversations", show=False, priority=True),
        Binding("ctrl+n", "new", "New", show=False, priority=True),
        Binding("ctrl+r,f3", "memory", "Memory", show=False, priority=True),
        Binding("f5,ctrl+l", "app.memories", "All memories", show=False, priority=True),
        Binding("f7,ctrl+t", "app.team", "What the team does", show=False, priority=True),
        Binding("f8", "app.inbox", "Inbox", show=False, priority=True),
        Binding("f9", "app.work", "Work in the background", show=False, priority=True),
        Binding("f6", "pane", "Into memory", show=False, priority=True),
        Binding("f4", "signals", "Every signal", show=False, priority=True),
        Binding("ctrl+y", "copy_reply", "Copy reply", show=False, priority=True),
        Binding("ctrl+end", "newest", "Newest", show=False, priority=True),
        Binding("alt+up", "step(-1)", "Message before", show=False, priority=True),
        Binding("alt+down", "step(1)", "Message after", show=False, priority=True),
        Binding("f1", "keys", "Keys", show=False, priority=True),
        Binding("f2", "approval", "Answer", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("end", "newest", show=False),
    ]

    def __init__(self, outbox: Outbox, early: str, folder: str = "") -> None:
        super().__init__()
        self._outbox, self._folder = outbox, folder
        self.turns = RunningTurns()
        self._key = early
        """Whose draft the composer holds: a session id, `new`, or a name for before opening."""
        self._home: _Home | None = None
        self._agents = AgentList()
        self._member = NOBODY
        self._view: TurnView | None = None
        self._waking: Timer | None = None

    def _opened(self) -> _Home:
        assert self._home is not None, "nothing is heard before the home is open"
        return self._home

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
        self.set_class(self.app.size.width >= WIDE, "-memory")
        self.figures = Figures(state="waking up")
        self.footer.show_speaker(self._member)
        self.write()

    def on_resize(self) -> None:
        self.footer.fit()

    def write(self) -> None:
        """Into the composer, now: `Widget.focus` comes too late for a key that is on its way."""
        self.set_focus(self.composer)

    @property
    def conversation(self) -> Conversation:
        return self.query_one(Conversation)

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def footer(self) -> Footer:
        return self.query_one(Footer)

    @property
    def figures(self) -> Figures:
        return self.footer.figures

    @figures.setter
    def figures(self, figures: Figures) -> None:
        self.footer.figures = figures

    @property
    def session_id(self) -> str | None:
        return self._home.listener.session if self._home else None

    @property
    def speaker(self) -> str:
        return self._member.slug

    @property
    def approvals(self) -> ApprovalBar:
        return self.query_one(ApprovalBar)

    @property
    def questions(self) -> QuestionBar:
        return self.query_one(QuestionBar)

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
        self._home = _Home(runtime=runtime, listener=listener, sender=sender, asking=asking)
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
        self.look_for_disputes()
        self.look_for_work()
        self.look_for_unread()
        self.look_for_background()
        self.look_for_questions()
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
        from .history import SHOWN, blocks_of, kept_in
        from .turn_view import TurnView

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
        self.look_for_disputes()
        self.look_for_work()
        self.look_for_background()
        self.look_for_questions()
        self._opened().sender.deliver(self._key)
        self.draw_waiting()

    def set_agent(self, slug: str) -> None:
        """Who answers from now on, on the screen."""
        self._member = self._agents[slug]
        self.figures = replace(self.figures, member=self._member)
        self.footer.show_speaker(self._member)
        if self._waking is not None:
            self._waking.stop()
        self._waking = self.set_timer(WAKE_AFTER, self._wake)
        if self._home is not None:
            looking = self._home.asking.look_up_model(slug)
            self.run_worker(looking, group="model", exclusive=True)

    def set_model(self, model: str, window: int) -> None:
        self.figures = replace(self.figures, model=model, window=window)

    def set_state(self, state: str) -> None:
        self.figures = replace(self.figures, state=state)

    def set_disputed(self, count: int) -> None:
        with suppress(NoMatches):  # counted while the screen was being taken down
            self.figures = replace(self.figures, disputed=count)

    def set_at_work(self, count: int) -> None:
        with suppress(NoMatches):  # counted while the screen was being taken down
            self.figures = replace(self.figures, at_work=count)

    def set_unread(self, count: int) -> None:
        with suppress(NoMatches):  # counted while the screen was being taken down
            self.figures = replace(self.figures, unread=count)

    def look_for_unread(self) -> None:
        if self._home is not None:
            counting = self._home.asking.count_unread
            self.run_worker(counting, group="inbox", exclusive=True)

    def go_on_with(self, session: str) -> None:
        """Opens another conversation; what was typed here stays here."""
        if self._home is not None:
            self.run_worker(self._open(self._home, session), group="dialog", exclusive=True)

    async def _open(self, home: "_Home", session: str) -> None:
        await home.listener.open(await home.runtime.conversations.find(session))

    def ring(self) -> None:
        self.app.bell()

    def set_background(self, brief: str) -> None:
        with suppress(NoMatches):  # looked up while the screen was being taken down
            self.figures = replace(self.figures, background=brief)

    def look_for_background(self) -> None:
        if self._home is not None:
            looking = self._home.asking.count_background
            self.run_worker(looking, group="background", exclusive=True)

    def look_for_work(self) -> None:
        if self._home is not None:
            counting = self._home.asking.count_work
            self.run_worker(counting, group="work", exclusive=True)

    def look_for_questions(self) -> None:
        if self._home is not None:
            asked = self._home.asking.look_for_questions
            self.run_worker(asked, group="questions", exclusive=True)

    def look_for_disputes(self) -> None:
        if self._home is not None:
            counting = self._home.asking.count_disputes
            self.run_worker(counting, group="disputes", exclusive=True)

    async def show_error(self, title: str, error: SkillAgentError) -> None:
        await self.conversation.add(ErrorBlock(title, error.message, error.hint))

    def draw_waiting(self) -> None:
        """The messages that wait, above the composer."""
        waiting = [
            " ".join([*map(chip, one.attachments), one.text])
            for one in self._outbox.draft(self._key).waiting
        ]
        if self._outbox.sending(self._key):
            waiting = waiting[1:]
        held, busy = self._key in self._outbox.held, bool(self.turns.of(self._key))
        self.footer.show_waiting(waiting, held=held, busy=busy)

    # -- writing -----------------------------------------------------------------------------

    @on(TextArea.Changed, "#composer")
    def keep_draft(self) -> None:
        self._type(self._key)

    @on(Composer.Attached)
    def pasted(self) -> None:
        self._type(self._key)
        self.footer.show_pasted(self.composer.attachments)

    def _type(self, key: str) -> None:
        self._outbox.type(key, self.composer.text, self.composer.attachments)

    @on(Composer.Sent)
    def send(self, event: Composer.Sent) -> None:
        if not event.written.empty:
            self._outbox.wait(self._key, event.written.text, event.written.attachments)
        self._outbox.held.discard(self._key)
        if self._home is not None:
            self._home.sender.deliver(self._key)
        self.draw_waiting()

    @on(Composer.TakeBack)
    def take_back(self) -> None:
        if (message := self._outbox.take_back(self._key)) is not None:
            written = self.composer.written  # a key may have been quicker
            beside = (*message.attachments, *written.attachments)
            self.composer.put(message.text + written.text, beside)
        self.draw_waiting()

    def give_back(self, key: str, error_text: str) -> None:
        if key == self._key and self.composer.written.empty:
            if (message := self._outbox.take_back(key, 0)) is not None:
                self.composer.put(message.text, message.attachments)
            self.draw_waiting()
        else:
            self.hold(key, error_text)

    def hold(self, key: str, error_text: str) -> None:
        self._outbox.held.add(key)
        if key == self._key:
            self.draw_waiting()
        else:
            self.notify(error_text, severity="error", markup=False)

    @on(Composer.EndWanted)
    def end_wanted(self) -> None:
        self.action_newest()

    @on(Composer.StopWanted)
    def stop_wanted(self) -> None:
        if not self.turns.of(self._key):
            self.notify("Ctrl+Q quits. Nothing is selected to copy.")
        else:
            self.action_stop()

    # -- agents ------------------------------------------------------------------------------

    @on(Composer.AgentStep)
    def step_agent(self, event: Composer.AgentStep) -> None:
        if self._home is not None:
            self.choose(self._agents.after(self._member.slug, event.step).slug)

    @work(exclusive=True, group="dialog")
    async def action_agents(self) -> None:
        if self._home is None:
            return
        picker = AgentPicker(self._agents.all(), self._member.slug)
        slug = await self.app.push_screen_wait(picker)
        if slug:
            self.choose(slug)

    def members(self) -> list[Member]:
        return self._agents.active()

    def choose(self, slug: str) -> None:
        """Makes the agent the one who answers here."""
        if self._home is not None and slug != self._member.slug:
            self.set_agent(slug)
            for welcome in self.conversation.query(Welcome):
                welcome.greet(self._member)
            if session := self.session_id:
                self.run_worker(self._home.asking.use_agent(session, slug), group="agent")

    def _wake(self) -> None:
        if self._home is not None:
            # The function and not its coroutine: a screen that closes at once never awaits that.
            waking = partial(self._wake_all, self._home.runtime)
            self.run_worker(waking, group="wake", exclusive=True)

    async def _wake_all(self, runtime: "Workstation") -> None:
        """Who answers next is woken first, then the others; their turns tell what goes wrong."""
        with suppress(SkillAgentError):
            await runtime.turns.wake(self._member.slug)
            await runtime.turns.wake_team()

    # -- conversations -----------------------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def action_sessions(self) -> None:
        from .session_list import Chosen, SessionList

        if (home := self._home) is None:
            return
        listing = SessionList(
            home.runtime.conversations,
            agents=self._agents,
            current=self.session_id,
            rename=self._rename,
        )
        chosen = await self.app.push_screen_wait(listing)
        match chosen:
            case Chosen(kind="resume", session=session) if session is not None:
                await home.listener.open(session)
            case Chosen(kind="new"):
                await home.listener.open(None, agent=self.speaker)

    async def _rename(self, session_id: str, title: str) -> "Session | None":
        shown = session_id == self.session_id
        return await self._opened().asking.rename(session_id, title, shown=shown)

    @work(exclusive=True, group="dialog")
    async def action_new(self) -> None:
        if self._home is not None and self._key != NEW:
            await self._home.listener.open(None, agent=self.speaker)

    # -- reading -----------------------------------------------------------------------------

    def action_page(self, step: int) -> None:
        if step < 0:
            self.conversation.action_page_up()
        else:
            self.conversation.action_page_down()

    def action_newest(self) -> None:
        self.conversation.follow()
        if isinstance(self.focused, Block):
            self.write()

    def action_step(self, step: int) -> None:
        block = self.conversation.neighbour(self.focused, step)
        self.set_focus(block or self.composer)

    def action_memory(self) -> None:
        self.toggle_class("-memory")

    def action_signals(self) -> None:
        pane = self.query_one(MemoryPane)
        if self.has_class("-memory"):
            pane.full = not pane.full

    def action_pane(self) -> None:
        """Into the memory column, and out of it."""
        if isinstance(self.focused, Entry):
            self.write()
            return
        self.add_class("-memory")
        if not self.query_one(MemoryPane).enter():
            self.notify("Nothing was recalled or saved here yet. F5 shows all memories.")

    @on(StoryWanted)
    async def story_wanted(self, event: StoryWanted) -> None:
        await self.app.run_action(f"memories({event.memory_id!r})")

    def returned(self) -> None:
        """Back from the memory screen, where disputes may have been settled."""
        self.look_for_work()
        self.look_for_background()
        self.look_for_disputes()
        self.look_for_unread()

    def on_rated(self, event: "Rated") -> None:
        if self._home is not None:
            rating = self._home.asking.rate(event.reply, event.message_id, event.rating)
            self.run_worker(rating, group="rating")

    def action_prompt(self) -> None:
        """What was sent for the last reply."""
        reply = self.conversation.last_reply()
        if reply is None:
            self.notify("There is no reply yet.")
        else:
            self._show_prompt(reply.turn)

    def on_prompt_wanted(self, event: "PromptWanted") -> None:
        self._show_prompt(event.turn)

    def _show_prompt(self, turn: str) -> None:
        from .prompt_screen import PromptScreen  # only who opens it needs it

        if self._home is not None:
            turns = self._home.runtime.turns
            self.app.push_screen(PromptScreen(lambda: turns.prompt(turn)))

    def action_keys(self) -> None:
        self.app.push_screen(KeyHelp())

    def action_copy_reply(self) -> None:
        reply = self.conversation.last_reply()
        if reply is None:
            self.notify("There is no reply to copy yet.")
        else:
            self.app.copy_to_clipboard(reply.source)

    @on(CopyWanted)
    def copy(self, event: CopyWanted) -> None:
        self.app.copy_to_clipboard(event.text)

    @on(Conversation.Followed)
    def badge(self, event: Conversation.Followed) -> None:
        self.query_one(Badge).set_class(event.unseen, "-shown")

    @on(Badge.Pressed)
    def badge_pressed(self) -> None:
        self.action_newest()

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
