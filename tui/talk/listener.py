"""The conversation shown: read from the ledger, and what is heard of it from the home, in order.

It hears turns of this window and of others, and of the host, and decides what an event means for
what is shown. It draws nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from skill_agent.conversations.turn_states import told
from skill_agent.errors import SkillAgentError
from skill_agent.events import (
    AgentsChanged,
    AgentWaking,
    ApprovalAnswered,
    ApprovalAsked,
    BackupFailed,
    CollaborationChanged,
    Event,
    HandedOff,
    HostFound,
    HostLost,
    InboxArrived,
    InboxChanged,
    JobRunChanged,
    MemoriesExtracted,
    QuestionAnswered,
    QuestionAsked,
    SeatChanged,
    TaskChanged,
    TextDelta,
    ThoughtDelta,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    WorkChanged,
)
from skill_agent.values import Session
from skill_agent.workstation.past import Past, past_of

from ..frame.terminal import release_garbage
from .display import ConversationDisplay
from .foot.drafts import NEW
from .foot.outbox import Outbox
from .running_turns import RunningTurns
from .shown.history import SHOWN
from .welcome import RECENT

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation


QUIET = 2.0
"""Seconds after a conversation was opened; by then one reads it."""


class Listener:
    """One subscription to everything, and one to each turn that was met midway."""

    def __init__(
        self,
        runtime: "Workstation",
        outbox: Outbox,
        turns: RunningTurns,
        display: ConversationDisplay,
    ) -> None:
        self._runtime, self._outbox, self._display = runtime, outbox, display
        self.turns = turns
        self.session: str | None = None
        """Of the conversation shown; None where it is a new one."""
        self.lock = asyncio.Lock()
        """Held while the conversation shown changes, so that no event lands in the wrong one."""
        self.naming = asyncio.Lock()
        """Held while a conversation is given its id, so that nobody leaves it meanwhile."""
        self.finds = 0
        """How often the home was found again."""
        self.deaf = False
        """Nothing is shown or sent any more: the home is about to close."""
        self._drawn: set[str] = set()
        """Turns whose messages were read from the ledger for the conversation shown."""
        self._followed: set[str] = set()
        self._tidying: asyncio.TimerHandle | None = None

    async def listen(self) -> None:
        """Every event of the home, until it closes."""
        with self._runtime.turns.subscribe() as events:
            async for event in events:
                if isinstance(event, HostLost | HostFound):
                    self._hear_of_host(event)
                else:
                    async with self.lock:
                        await self._hear(event)

    async def catch_up(self, turn: str) -> None:
        """Ends a turn whose end was missed."""
        task = await self._runtime.turns.get(turn)
        if task.state != "running":
            async with self.lock:
                await self._hear(told(task))

    async def acknowledge(self, turn: str, session_id: str) -> None:
        """A turn has begun, by the answer or by its first event, whichever is here first."""
        if (key := self._outbox.acknowledged(turn)) is None:
            return
        self.turns.begin(turn, session_id)
        if key == NEW:
            self._outbox.move(NEW, session_id)
            self.session = session_id
            self._display.named(session_id)
            self._display.became(await self._runtime.conversations.find(session_id))

    # -- the conversation shown --------------------------------------------------------------

    async def open(self, session: Session | None, *, agent: str = "") -> None:
        """Shows a conversation, or a new one with the agent."""
        async with self.naming, self.lock:
            await self._read(session, agent)
        self._tidy_later()
        await self._forget_sent(session.id if session else NEW)

    def _tidy_later(self) -> None:
        """Once nobody waits for the conversation any more: it takes as long as opening it."""
        if self._tidying is not None:
            self._tidying.cancel()
        loop = asyncio.get_running_loop()
        self._tidying = loop.call_later(QUIET, release_garbage)

    async def reload(self) -> None:
        """Reads the conversation shown from the ledger again."""
        if self.session is None:
            return
        session = await self._runtime.conversations.find(self.session)
        if session.id == self.session:
            await self.open(session, agent=self._display.speaker)

    async def _read(self, session: Session | None, agent: str) -> None:
        recent = [] if session else await self._runtime.conversations.list(limit=RECENT)
        past = Past()
        if session:
            await self._join(session.id)
            running = self.turns.of(session.id)
            past = await past_of(self._runtime, session.id, last=SHOWN, but=running)
        self.session = session.id if session else None
        self._drawn = {one.turn for one in past.messages}
        chosen = agent or (session.agent if session else "")
        await self._display.show(session, past, chosen, recent)
        if session:
            await self._replay(session.id)

    async def _join(self, session: str) -> None:
        """Follows the turns that others began in a conversation before it was opened here."""
        for task in await self._runtime.turns.list():
            if task.state == "running" and task.session == session:
                self._follow(task.id, session)

    async def _replay(self, session: str) -> None:
        """Shows what was heard so far of the conversation's running turns."""
        for turn in self.turns.of(session):
            for event in self.turns.heard(turn):
                await self._display.apply(event)
                self._approve(event)

    async def _forget_sent(self, key: str) -> None:
        """Takes out of the queue what a window that is gone had sent already."""
        if key not in self._outbox.held or (message := self._outbox.first(key)) is None:
            return
        try:
            await self._runtime.turns.get(message.key)
        except SkillAgentError:
            return
        self._outbox.sent(key, message.key)
        self._display.draw_waiting()

    # -- turns -------------------------------------------------------------------------------

    def _follow(self, turn: str, session: str) -> None:
        if turn in self._followed or self.turns.heard(turn) or self.turns.over(turn):
            return
        self.turns.begin(turn, session)
        self._followed.add(turn)
        self._work(lambda: self._hear_all_of(turn))

    async def _hear_all_of(self, turn: str) -> None:
        """From its beginning to its end."""
        with self._runtime.turns.subscribe(turn=turn) as events:
            async for event in events:
                if isinstance(event, HostLost | HostFound):
                    continue
                async with self.lock:
                    await self._hear(event, followed=True)
                if isinstance(event, TurnFinished | TurnFailed):
                    return

    async def _hear(self, event: Event, *, followed: bool = False) -> None:
        if self.deaf:
            return
        if not isinstance(event, TurnEvent):
            await self._hear_beside(event)
            return
        if isinstance(event, ApprovalAsked | ApprovalAnswered):
            self._display.look_into_inbox()
        turn = event.turn
        if self.turns.over(turn) or (turn in self._followed and not followed):
            return
        await self.acknowledge(turn, event.session)
        if not isinstance(event, TurnStarted) and not self.turns.heard(turn):
            await self._met_midway(event)
            return
        self.turns.hear(event)
        if isinstance(event, TextDelta | ThoughtDelta):
            self.turns.wrote(turn, event.text)
        if turn in self._drawn and isinstance(event, TurnStarted) and self._shown(event):
            # It began while the conversation was being read; both would show its message.
            self._work(self.reload)
            return
        await self._show(event)

    async def _met_midway(self, event: Event) -> None:
        if not isinstance(event, TurnFinished | TurnFailed):
            self._follow(event.turn, event.session)
            return
        self._end(event)
        if self._shown(event):
            self._work(self.reload)

    async def _show(self, event: Event) -> None:
        if self._shown(event):
            await self._display.apply(event)
        self._approve(event)
        if isinstance(event, TurnFinished | TurnFailed):
            self._end(event)

    def _shown(self, event: Event) -> bool:
        return event.session == self.session

    def _approve(self, event: Event) -> None:
        """Questions of this window's turns, of the conversation one looks at, and of agents that
        work for others: those have no window of their own."""
        own = self.turns.own(event.turn)
        match event:
            case ApprovalAsked() if own or self._shown(event) or event.chain:
                self._display.approvals.ask(event)
                if not self._shown(event):
                    self._display.notify(f"{event.agent} waits for you: F2", markup=False)
            case ApprovalAnswered():
                self._display.approvals.settle(event.approval)
            case _:
                pass

    def _end(self, event: TurnFinished | TurnFailed) -> None:
        self._followed.discard(event.turn)
        self._display.approvals.settle_turn(event.turn)
        self.turns.end(event.turn)
        self._display.ended(event)
        self._display.look_into_inbox()
        self._display.look_at_today()

    async def _hear_beside(self, event: Event) -> None:
        """What may come outside a turn, and so makes no conversation a busy one."""
        if isinstance(event, WorkChanged):  # a line a step would fill its conversation
            self._display.look_for_background()
            return
        if self.turns.known(event.turn):
            self.turns.hear(event)
        if self._shown(event):
            await self._display.apply(event)
            if isinstance(event, HandedOff | SeatChanged):
                self._display.became(await self._runtime.conversations.find(event.session))
        if isinstance(event, MemoriesExtracted):
            if note := _read_out(event):
                self._display.footer.say(note)
            self._display.look_for_disputes()
            self._display.look_into_inbox()
        elif isinstance(event, TaskChanged | CollaborationChanged):
            self._display.look_for_work()
            if self._shown(event) and isinstance(event, CollaborationChanged) and _over(event):
                self._work(self.reload)  # its result is a message of this conversation
        elif isinstance(event, InboxArrived | InboxChanged | JobRunChanged):
            self._display.look_into_inbox()
            if isinstance(event, InboxArrived) and event.rings:
                self._display.ring()
        elif isinstance(event, AgentsChanged):
            self._display.look_for_agents()
        elif isinstance(event, QuestionAsked):
            self._display.look_for_questions()
            self._display.look_into_inbox()
        elif isinstance(event, QuestionAnswered):
            self._display.questions.settle(event.question)
            self._display.look_into_inbox()
        elif isinstance(event, AgentWaking | BackupFailed):
            self._display.footer.say(event.line)

    # -- the host ----------------------------------------------------------------------------

    def _hear_of_host(self, event: HostLost | HostFound) -> None:
        if self.deaf:
            return
        if isinstance(event, HostLost):
            self._display.footer.host("the host went away, taking over …")
            return
        self.finds += 1
        self._display.footer.host("")
        self._display.footer.say("this window is host now" if event.here else "connected again")
        self._work(self._recover)

    async def _recover(self) -> None:
        """What happened while nobody could be heard; then what waits may go."""
        try:
            for turn in self.turns.all():
                await self.catch_up(turn)
            if self.session and await self._missed(self.session):
                await self.reload()
        except SkillAgentError:
            return  # it is gone again: the next time it is found this runs once more
        self._display.recovered()

    async def _missed(self, session: str) -> bool:
        """Whether the conversation has something newer than what is shown of it."""
        last = await self._runtime.conversations.messages(session, last=1)
        return any(
            not (self.turns.known(one.turn) or self.turns.over(one.turn))
            and one.turn not in self._drawn
            for one in last
        )

    def _work(self, work: "Callable[[], Awaitable[None]]") -> None:
        self._display.run_worker(_patient(work), group="hear")


def _read_out(event: MemoriesExtracted) -> str:
    """What became of reading messages for memories, where it is any news; it is no part of the
    conversation, and what waits for a decision is counted as long as it waits."""
    if event.problem:
        return "memories were not read out yet; it is tried again"
    if event.disputed:
        count = len(event.disputed)
        memories = f"{count} {'memory' if count == 1 else 'memories'}"
        return f"{memories} in dispute: F5, then d, to decide"
    count = len(event.created) + len(event.versioned)
    return f"✓ {count} remembered" if count else ""


def _over(event: CollaborationChanged) -> bool:
    return event.status not in ("planning", "active", "synthesizing")


async def _patient(work: "Callable[[], Awaitable[None]]") -> None:
    """Asking again what is also on disk may fail without harm."""
    try:
        await work()
    except SkillAgentError:
        return
