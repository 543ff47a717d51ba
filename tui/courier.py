"""Between the screen and the runtime: sends what waits, hears events, opens conversations.

It owns which conversation is shown and what is known of running turns. It draws nothing.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from skill_agent.errors import SkillAgentError
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Choice,
    Compacted,
    Event,
    MemoriesExtracted,
    TurnFailed,
    TurnFinished,
)
from skill_agent.values import Message, Rating, Session

from .blocks import ReplyBlock
from .drafts import NEW
from .post import Post
from .ratings import in_words
from .tidy import release_garbage, settle_garbage

if TYPE_CHECKING:
    from skill_agent.runtime import Runtime

    from .desk import Desk

SHOWN = 200
"""The newest messages of a conversation that are drawn; the rest stays in the ledger."""


class Courier:
    """One open runtime on behalf of one screen."""

    def __init__(self, runtime: "Runtime", post: Post, desk: "Desk") -> None:
        self._runtime, self._post, self._desk = runtime, post, desk
        self._turns: dict[str, str] = {}
        """Session to its running turn."""
        self._heard: dict[str, list[Event]] = {}
        """Session to its running turn's events so far, for coming back to it."""
        self._sending: set[str] = set()
        self._leaving = False
        # Held while the conversation shown changes, so that no event lands in the wrong one.
        self._lock = asyncio.Lock()
        self.session: str | None = None
        self.recent: list[Session] = []

    # -- sending -----------------------------------------------------------------------------

    def busy(self, key: str) -> bool:
        return key in self._turns

    def sending(self, key: str) -> bool:
        return key in self._sending

    def deliver(self, key: str) -> None:
        """Sends the first waiting message of the conversation, if nothing runs there."""
        if self._leaving or self.busy(key) or self.sending(key) or key in self._post.held:
            return
        if text := self._post.first(key):
            self._sending.add(key)
            self._desk.run_worker(self._send(key, text), group="send")

    async def _send(self, key: str, text: str) -> None:
        new = key == NEW
        agent = self._desk.figures.member.slug if new else None
        try:
            async with self._lock:
                submitted = await self._runtime.submit(
                    text, session=None if new else key, agent=agent
                )
                self._turns[submitted.session] = submitted.turn
                self._post.sent(key)
                if new:
                    await self._adopt(submitted.session)
        except SkillAgentError as error:
            self._sending.discard(key)
            if key == (self.session or NEW):
                await self._desk.show_error("Not sent", error)
            self._desk.give_back(key, error.message)
            return
        finally:
            self._sending.discard(key)
        self._desk.set_state("")
        self._desk.draw_waiting()

    async def _adopt(self, session_id: str) -> None:
        """The conversation that had no id has one."""
        self._post.move(NEW, session_id)
        self.session = session_id
        self._desk.became(await self._runtime.find_session(session_id))

    def leave(self) -> None:
        """The home is about to close: nothing more is sent or shown."""
        self._leaving = True

    # -- hearing -----------------------------------------------------------------------------

    async def listen(self) -> None:
        """Every event of the home, until the runtime closes."""
        with self._runtime.subscribe() as events:
            async for event in events:
                async with self._lock:
                    if not self._leaving:
                        await self._hear(event)

    async def _hear(self, event: Event) -> None:
        if isinstance(event, Compacted | MemoriesExtracted):
            await self._hear_beside(event)
            return
        self._turns.setdefault(event.session, event.turn)
        self._heard.setdefault(event.session, []).append(event)
        shown = event.session == self.session
        if shown:
            await self._desk.apply(event)
        match event:
            case ApprovalAsked():
                self._desk.approvals.ask(event)
                if not shown:
                    self._desk.notify(f"{event.agent} waits for you: F2", markup=False)
            case ApprovalAnswered():
                self._desk.approvals.settle(event.approval)
            case TurnFinished() | TurnFailed():
                await self._ended(event, shown)
            case _:
                pass

    async def _hear_beside(self, event: Compacted | MemoriesExtracted) -> None:
        """What may come outside a turn, and so makes no conversation a busy one."""
        if self._turns.get(event.session) == event.turn:
            self._heard.setdefault(event.session, []).append(event)
        if event.session == self.session:
            await self._desk.apply(event)
        if isinstance(event, MemoriesExtracted):
            if count := len(event.created) + len(event.versioned):
                self._desk.remembered(count)
            self.look_for_disputes()

    async def _ended(self, event: TurnFinished | TurnFailed, shown: bool) -> None:
        self._turns.pop(event.session, None)
        self._heard.pop(event.session, None)
        self._desk.approvals.settle_turn(event.turn)
        if isinstance(event, TurnFailed) and self._post.first(event.session):
            # The next would most likely fail alike; the person decides.
            self._post.held.add(event.session)
        if shown:
            self._desk.figures = self._desk.figures.plus(event.usage)
        else:
            said = "replied" if isinstance(event, TurnFinished) else "could not reply"
            self._desk.notify(f"{event.agent} {said} in another conversation", markup=False)
        self.deliver(event.session)
        self._desk.draw_waiting()
        settle_garbage()

    async def stop(self, key: str) -> None:
        """Cancels the conversation's running turn; its partial text is kept."""
        if turn := self._turns.get(key):
            await self._runtime.cancel(turn)

    async def answer(self, approval: str, choice: Choice) -> None:
        if not await self._runtime.answer(approval, choice):
            self._desk.approvals.settle(approval)

    # -- conversations -----------------------------------------------------------------------

    async def show(self, session: Session | None, *, agent: str = "") -> None:
        """Opens a conversation, or a new one with the agent."""
        async with self._lock:
            self.session = session.id if session else None
            self.recent = [] if session else await self._runtime.sessions(limit=3)
            messages = []
            if session:
                messages = await self._runtime.messages(session.id, last=SHOWN)
                running = self._turns.get(session.id)
                messages = [one for one in messages if one.turn != running]
            chosen = agent or (session.agent if session else "")
            await self._desk.show(
                session, messages, chosen, self.recent, await self._ratings(messages)
            )
            for event in self._heard.get(self.session or "", []):
                await self._desk.apply(event)
        release_garbage()

    async def _ratings(self, messages: list[Message]) -> Mapping[str, Rating]:
        replies = [one.id for one in messages if one.role == "assistant"]
        return await self._runtime.feedback.of(replies) if replies else {}

    async def sessions(self) -> list[Session]:
        return await self._runtime.sessions(limit=200)

    async def rename(self, session_id: str, title: str) -> Session | None:
        """The renamed conversation; None, with the reason shown, where it was refused."""
        try:
            renamed = await self._runtime.rename_session(session_id, title)
        except SkillAgentError as error:
            self._desk.notify(error.message, severity="error", markup=False)
            return None
        if session_id == self.session:
            self._desk.became(renamed)
        return renamed

    async def use_agent(self, slug: str) -> None:
        """The agent of the conversation shown, from its next message on."""
        if self.session is None:
            return
        try:
            await self._runtime.set_session_agent(self.session, slug)
        except SkillAgentError as error:
            await self._desk.show_error("The agent was not changed", error)

    async def look_up(self, slug: str) -> None:
        """Shows the model that would answer and the window that is really loaded."""
        try:
            info = await self._runtime.model_info(slug)
        except SkillAgentError as error:
            self._desk.set_model("no model", 0)
            self._desk.notify(error.hint or error.message, title=error.message, markup=False)
            return
        self._desk.set_model(info.name, info.context_window)

    async def rate(self, reply: ReplyBlock, message_id: str, rating: Rating) -> None:
        """Keeps what the person thinks of a reply, and shows it on the block once it is kept."""
        try:
            outcome = await self._runtime.feedback.rate(message_id, rating)
        except SkillAgentError as error:
            self._desk.notify(error.hint or "", title=error.message, severity="error", markup=False)
            return
        reply.rating = rating
        self._desk.notify(in_words(rating, outcome), timeout=3, markup=False)

    def look_for_disputes(self) -> None:
        """Counts what waits for a decision, for the status line."""
        self._desk.run_worker(self._count_disputes, group="disputes", exclusive=True)

    async def _count_disputes(self) -> None:
        try:
            disputes = await self._runtime.memory.disputes()
        except SkillAgentError:
            return  # the memory screen tells why, where one looks
        self._desk.set_disputed(len(disputes))

    async def wake(self, slug: str) -> None:
        """Makes the agent's first reply quick."""
        await self._runtime.wake(slug)

    @staticmethod
    def shown_time(moment: datetime) -> str:
        """Local date and time to the minute."""
        return f"{moment.astimezone():%Y-%m-%d %H:%M}"
