"""What is heard from the home, in order: turns of this window and of others, and of the host.

It decides what an event means for the conversation shown; sending and opening are `courier`'s.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from skill_agent.conversations.turn_states import told
from skill_agent.errors import SkillAgentError
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Compacted,
    Event,
    HostFound,
    HostLost,
    MemoriesExtracted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)

from .running import Running

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

    from .desk import Desk


class Conversations(Protocol):
    """What hearing needs of the courier."""

    session: str | None

    async def acknowledged(self, turn: str, session_id: str) -> None:
        """A turn that was asked for has begun."""
        ...

    def ended(self, event: TurnFinished | TurnFailed) -> None:
        """A turn is over."""
        ...

    async def reload(self, then: Event | None = None) -> None:
        """Reads the conversation shown from the ledger again, and shows an event after it."""
        ...

    def recovered(self) -> None:
        """The home was found again."""
        ...


class Hearing:
    """One subscription to everything, and one to each turn that was met midway."""

    def __init__(self, runtime: "Workstation", courier: Conversations, desk: "Desk") -> None:
        self._runtime, self._courier, self._desk = runtime, courier, desk
        self.running = Running()
        self.lock = asyncio.Lock()
        """Held while the conversation shown changes, so that no event lands in the wrong one."""
        self.drawn: set[str] = set()
        """Turns whose messages were read from the ledger for the conversation shown."""
        self.finds = 0
        """How often the home was found again."""
        self._followed: set[str] = set()
        self._deaf = False

    def stop(self) -> None:
        """Nothing is shown any more."""
        self._deaf = True

    async def listen(self) -> None:
        """Every event of the home, until it closes."""
        with self._runtime.turns.subscribe() as events:
            async for event in events:
                if isinstance(event, HostLost | HostFound):
                    self._hear_of_host(event)
                else:
                    async with self.lock:
                        await self._hear(event)

    async def join(self, session: str) -> None:
        """Follows the turns that others began in a conversation before it was opened here."""
        for task in await self._runtime.turns.list():
            if task.state == "running" and task.session == session:
                self._follow(task.id, session)

    async def catch_up(self, turn: str) -> None:
        """Ends a turn whose end was missed."""
        task = await self._runtime.turns.get(turn)
        if task.state != "running":
            async with self.lock:
                await self._hear(told(task))

    async def replay(self, session: str) -> None:
        """Shows what was heard so far of the conversation's running turns."""
        for turn in self.running.of(session):
            for event in self.running.heard(turn):
                await self._desk.apply(event)
                self._approve(event)

    # -- turns -------------------------------------------------------------------------------

    def _follow(self, turn: str, session: str) -> None:
        if turn in self._followed or self.running.heard(turn) or self.running.over(turn):
            return
        self.running.begin(turn, session)
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
        if self._deaf:
            return
        if isinstance(event, Compacted | MemoriesExtracted):
            await self._hear_beside(event)
            return
        turn = event.turn
        if self.running.over(turn) or (turn in self._followed and not followed):
            return
        await self._courier.acknowledged(turn, event.session)
        if not isinstance(event, TurnStarted) and not self.running.heard(turn):
            await self._met_midway(event)
            return
        self.running.hear(event)
        if turn in self.drawn and isinstance(event, TurnStarted) and self._shown(event):
            # It began while the conversation was being read; both would show its message.
            self._work(self._courier.reload)
            return
        await self._show(event)

    async def _met_midway(self, event: Event) -> None:
        if not isinstance(event, TurnFinished | TurnFailed):
            self._follow(event.turn, event.session)
            return
        self._end(event)
        if self._shown(event):
            failed = event if isinstance(event, TurnFailed) else None
            self._work(lambda: self._courier.reload(failed))

    async def _show(self, event: Event) -> None:
        if self._shown(event):
            await self._desk.apply(event)
        self._approve(event)
        if isinstance(event, TurnFinished | TurnFailed):
            self._end(event)

    def _shown(self, event: Event) -> bool:
        return event.session == self._courier.session

    def _approve(self, event: Event) -> None:
        """Questions of this window's turns, and of the conversation one looks at."""
        own = self.running.own(event.turn)
        match event:
            case ApprovalAsked() if own or self._shown(event):
                self._desk.approvals.ask(event)
                if not self._shown(event):
                    self._desk.notify(f"{event.agent} waits for you: F2", markup=False)
            case ApprovalAnswered():
                self._desk.approvals.settle(event.approval)
            case _:
                pass

    def _end(self, event: TurnFinished | TurnFailed) -> None:
        self._followed.discard(event.turn)
        self._desk.approvals.settle_turn(event.turn)
        self.running.end(event.turn)
        self._courier.ended(event)

    async def _hear_beside(self, event: Compacted | MemoriesExtracted) -> None:
        """What may come outside a turn, and so makes no conversation a busy one."""
        if self.running.known(event.turn):
            self.running.hear(event)
        if self._shown(event):
            await self._desk.apply(event)
        if isinstance(event, MemoriesExtracted):
            if count := len(event.created) + len(event.versioned):
                self._desk.foot.say(f"✓ {count} remembered")
            self._desk.look_for_disputes()

    # -- the host ----------------------------------------------------------------------------

    def _hear_of_host(self, event: HostLost | HostFound) -> None:
        if self._deaf:
            return
        if isinstance(event, HostLost):
            self._desk.foot.host("the host went away, taking over …")
            return
        self.finds += 1
        self._desk.foot.host("")
        self._desk.foot.say("this window is host now" if event.here else "connected again")
        self._work(self._recover)

    async def _recover(self) -> None:
        """What happened while nobody could be heard; then what waits may go."""
        try:
            for turn in self.running.all():
                await self.catch_up(turn)
            if self._courier.session and await self._missed(self._courier.session):
                await self._courier.reload()
        except SkillAgentError:
            return  # it is gone again: the next time it is found this runs once more
        self._courier.recovered()

    async def _missed(self, session: str) -> bool:
        """Whether the conversation has something newer than what is shown of it."""
        last = await self._runtime.conversations.messages(session, last=1)
        return any(
            not (self.running.known(one.turn) or self.running.over(one.turn))
            and one.turn not in self.drawn
            for one in last
        )

    def _work(self, work: "Callable[[], Awaitable[None]]") -> None:
        self._desk.run_worker(_patient(work), group="hearing")


async def _patient(work: "Callable[[], Awaitable[None]]") -> None:
    """Asking again what is also on disk may fail without harm."""
    try:
        await work()
    except SkillAgentError:
        return
