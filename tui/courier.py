"""Between the screen and the home: sends what waits, opens conversations, asks for what is shown.

It owns which conversation is shown; what comes by itself is heard by `hearing`. It draws nothing.
"""

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING

from skill_agent.errors import ConfigError, ModelError, SkillAgentError, UsageError
from skill_agent.events import Choice, Event, TurnFailed, TurnFinished
from skill_agent.values import Message, Rating, Session, TurnRequest

from .blocks import ReplyBlock
from .drafts import NEW, Queued
from .hearing import Hearing
from .post import Post
from .ratings import in_words
from .tidy import release_garbage, settle_garbage

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

    from .desk import Desk

SHOWN = 200
"""The newest messages of a conversation that are drawn; the rest stays in the ledger."""
_NEVER_SAVED = (UsageError, ConfigError, ModelError)
"""Refusals that come before a message is saved; after any other error it may have been."""
_HOST_GONE = ("host_lost", "host_closed")


class Courier:
    """One open home on behalf of one screen."""

    def __init__(self, runtime: "Workstation", post: Post, desk: "Desk") -> None:
        self._runtime, self._post, self._desk = runtime, post, desk
        self._hearing = Hearing(runtime, self, desk)
        self._running = self._hearing.running
        self._sending: set[str] = set()
        self._unconfirmed: dict[str, tuple[str, Queued]] = {}
        """Turn to the conversation and message handed over and not acknowledged yet."""
        # Held while a conversation is given its id, so that nobody leaves it meanwhile.
        self._naming = asyncio.Lock()
        self._leaving = False
        self.session: str | None = None
        self.recent: list[Session] = []

    async def listen(self) -> None:
        """Every event of the home, until it closes."""
        await self._hearing.listen()

    def leave(self) -> None:
        """The home is about to close: nothing more is sent or shown."""
        self._leaving = True
        self._hearing.stop()

    # -- sending -----------------------------------------------------------------------------

    def busy(self, key: str) -> bool:
        return bool(self._running.of(key))

    def sending(self, key: str) -> bool:
        return key in self._sending

    def own(self, turn: str) -> bool:
        """Whether this window asked for the turn."""
        return self._running.own(turn)

    def deliver(self, key: str) -> None:
        """Sends the first waiting message of the conversation, if nothing runs there."""
        if self._leaving or self.busy(key) or self.sending(key) or key in self._post.held:
            return
        if message := self._post.first(key):
            self._sending.add(key)
            self._desk.run_worker(self._send(key, message), group="send")

    async def _send(self, key: str, message: Queued) -> None:
        new, finds = key == NEW, self._hearing.finds
        agent = self._desk.figures.member.slug if new else None
        self._running.claim(message.key)
        self._unconfirmed[message.key] = key, message
        try:
            async with self._naming if new else nullcontext():
                submitted = await self._runtime.turns.submit(
                    TurnRequest(
                        message.text, session=None if new else key, agent=agent, key=message.key
                    )
                )
                async with self._hearing.lock:
                    await self.acknowledged(submitted.turn, submitted.session)
            if finds != self._hearing.finds or message.key in self._post.unsure:
                await self._hearing.catch_up(submitted.turn)
        except SkillAgentError as error:
            self._sending.discard(key)
            if self._unconfirmed.pop(message.key, None):
                await self._not_sent(key, message, error)
        finally:
            self._sending.discard(key)
        self._desk.draw_waiting()

    async def acknowledged(self, turn: str, session_id: str) -> None:
        """A turn has begun, by the answer or by its first event, whichever is here first."""
        if turn not in self._unconfirmed:
            return
        key, message = self._unconfirmed.pop(turn)
        self._running.begin(turn, session_id)
        self._post.sent(key, message)
        if key == NEW:
            self._post.move(NEW, session_id)
            self.session = session_id
            self._desk.became(await self._runtime.conversations.find(session_id))

    async def _not_sent(self, key: str, message: Queued, error: SkillAgentError) -> None:
        if key == (self.session or NEW):
            await self._desk.show_error("Not sent", error)
        if isinstance(error, _NEVER_SAVED):
            self._desk.give_back(key, error.message)
        else:
            # Kept with its key, so that sending it again cannot run it twice.
            self._post.unsure.add(message.key)
            self._desk.hold(key, error.message)

    def ended(self, event: TurnFinished | TurnFailed) -> None:
        """A turn is over: its figures, and what waits for its end."""
        key, own = event.session, self._running.own(event.turn)
        failed = isinstance(event, TurnFailed) and event.reason not in _HOST_GONE
        if failed and self._post.first(key):
            # The next would most likely fail alike; the person decides.
            self._post.held.add(key)
        if key == self.session:
            self._desk.figures = self._desk.figures.plus(event.usage)
        elif own:
            said = "replied" if isinstance(event, TurnFinished) else "could not reply"
            self._desk.notify(f"{event.agent} {said} in another conversation", markup=False)
        self.deliver(key)
        self._desk.draw_waiting()
        settle_garbage()

    def recovered(self) -> None:
        """The home was found again: what waits may go."""
        self.look_for_disputes()
        self.deliver(self.session or NEW)
        self._desk.draw_waiting()

    async def stop(self, key: str) -> None:
        """Cancels the conversation's running turn; its partial text is kept."""
        for turn in self._running.of(key)[:1]:
            await self._runtime.turns.cancel(turn)

    async def answer(self, approval: str, choice: Choice) -> None:
        if not await self._runtime.approvals.answer(approval, choice):
            self._desk.approvals.settle(approval)

    # -- conversations -----------------------------------------------------------------------

    async def show(self, session: Session | None, *, agent: str = "") -> None:
        """Opens a conversation, or a new one with the agent."""
        async with self._naming, self._hearing.lock:
            await self._read(session, agent)
        release_garbage()
        await self._forget_sent(session.id if session else NEW)

    async def _read(self, session: Session | None, agent: str) -> None:
        self.recent = [] if session else await self._runtime.conversations.list(limit=3)
        messages: list[Message] = []
        if session:
            await self._hearing.join(session.id)
            messages = await self._runtime.conversations.messages(session.id, last=SHOWN)
            running = self._running.of(session.id)
            messages = [one for one in messages if one.turn not in running]
        ratings = await self._ratings(messages)
        self.session = session.id if session else None
        self._hearing.drawn = {one.turn for one in messages}
        chosen = agent or (session.agent if session else "")
        await self._desk.show(session, messages, chosen, self.recent, ratings)
        if session:
            await self._hearing.replay(session.id)

    async def reload(self, then: Event | None = None) -> None:
        """Reads the conversation shown from the ledger again, and shows an event after it."""
        if self.session is None:
            return
        session = await self._runtime.conversations.find(self.session)
        if session.id == self.session:
            await self.show(session, agent=self._desk.figures.member.slug)
        if then is not None and then.session == self.session:
            async with self._hearing.lock:
                await self._desk.apply(then)

    async def _forget_sent(self, key: str) -> None:
        """Takes out of the queue what a window that is gone had sent already."""
        if key not in self._post.held or (message := self._post.first(key)) is None:
            return
        try:
            await self._runtime.turns.get(message.key)
        except SkillAgentError:
            return
        self._post.sent(key, message)
        self._desk.draw_waiting()

    async def _ratings(self, messages: list[Message]) -> Mapping[str, Rating]:
        replies = [one.id for one in messages if one.role == "assistant"]
        return await self._runtime.feedback.of(replies) if replies else {}

    async def sessions(self) -> list[Session]:
        return await self._runtime.conversations.list(limit=200)

    async def rename(self, session_id: str, title: str) -> Session | None:
        """The renamed conversation; None, with the reason shown, where it was refused."""
        try:
            renamed = await self._runtime.conversations.rename(session_id, title)
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
            await self._runtime.conversations.set_agent(self.session, slug)
        except SkillAgentError as error:
            await self._desk.show_error("The agent was not changed", error)

    async def look_up(self, slug: str) -> None:
        """Shows the model that would answer and the window that is really loaded."""
        try:
            info = await self._runtime.models.info(slug)
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
        await self._runtime.turns.wake(slug)

    @staticmethod
    def shown_time(moment: datetime) -> str:
        """Local date and time to the minute."""
        return f"{moment.astimezone():%Y-%m-%d %H:%M}"
