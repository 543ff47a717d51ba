"""Drives turns for the line-oriented front ends, with signals and approvals under control.

The runtime lives on an event loop in a thread of its own, so that the main thread can sit in a
plain `input()` while agents wake and stores are tended. Nothing is printed here.
"""

import asyncio
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from skill_agent.errors import UsageError
from skill_agent.events import (
    ApprovalAsked,
    Choice,
    Event,
    QuestionAsked,
    TurnFailed,
    TurnFinished,
)

from ..ending import TOLD, Ended, heeding
from ..event_loop import leave_workers
from ..surroundings import Surroundings

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from skill_agent.workstation import Workstation

Decided = tuple[Choice, str]
"""A choice, and what is to be done instead of what was denied."""
Answer = Callable[[ApprovalAsked], Decided]
"""Asks the person; may raise KeyboardInterrupt, which denies and cancels the turn."""
Reply = Callable[[QuestionAsked], str]
"""Asks the person in words; may raise KeyboardInterrupt, which leaves the question and cancels the
turn."""


@dataclass(frozen=True, slots=True)
class _Interrupt:
    """Ctrl+C was pressed, or the process is told to end."""

    signal: int


@dataclass(frozen=True, slots=True)
class _Over:
    """The stream of events ended, with an error if it did not end by itself."""

    error: BaseException | None


_Item = Event | _Interrupt | _Over


@contextmanager
def talking(around: Surroundings, *, role: str, hosting: bool = False) -> "Iterator[Talk]":
    """Opens the home on a loop of its own and closes it at the end."""
    from anyio.from_thread import start_blocking_portal

    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(around.open_home(role=role, hosting=hosting)) as runtime,
    ):
        portal.call(leave_workers)
        yield Talk(portal, runtime)


class Talk:
    """A runtime as the main thread uses it."""

    def __init__(self, portal: "BlockingPortal", runtime: "Workstation") -> None:
        self._portal = portal
        self.runtime = runtime

    def call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Runs a coroutine function of the runtime and gives its result."""

        async def called() -> Any:
            return await function(*arguments, **named)

        return self._portal.call(called)

    def start(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Runs a coroutine function in the background; the portal owns it until the end."""
        return self._portal.start_task_soon(function, *arguments)

    def turn(
        self,
        text: str,
        *,
        show: Callable[[Event], None],
        answer: Answer | None,
        reply: Reply | None = None,
        **options: Any,
    ) -> None:
        """One turn from submission to its last event.

        The first Ctrl+C cancels the turn and keeps what was said; a second one raises
        KeyboardInterrupt. Told to end, it does the same and raises Ended. However this ends, so
        does the turn. Raises what `submit` raises, and what `show` raises.
        """
        items: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        pump = self._portal.call(self._begin, text, options, items)
        turn = _Turn(self, show, answer, reply)
        try:
            with _interrupts(items, turn):
                while not turn.over:
                    turn.take(items.get())
                    if turn.interrupted and not turn.id:
                        raise KeyboardInterrupt
        except BaseException:
            self._portal.call(_stopped, pump)
            if turn.ended_by:
                raise Ended(turn.ended_by) from None
            raise
        self._portal.call(asyncio.wait, {pump})
        if turn.ended_by:
            raise Ended(turn.ended_by)

    async def _begin(
        self, text: str, options: dict[str, Any], items: "queue.SimpleQueue[_Item]"
    ) -> "asyncio.Task[None]":
        return asyncio.create_task(self._pump(text, options, items))

    async def _pump(
        self, text: str, options: dict[str, Any], items: "queue.SimpleQueue[_Item]"
    ) -> None:
        error: BaseException | None = None
        try:
            async with aclosing(self.runtime.ask(text, **options)) as events:
                async for event in events:
                    items.put(event)
        except Exception as raised:  # handed to the main thread, which raises it
            error = raised
        items.put(_Over(error))


async def _stopped(pump: "asyncio.Task[None]") -> None:
    """Nobody listens any more: the turn is cancelled."""
    pump.cancel()
    await asyncio.gather(pump, return_exceptions=True)


class _Turn:
    """The state of one turn on the main thread."""

    def __init__(
        self,
        talk: Talk,
        show: Callable[[Event], None],
        answer: Answer | None,
        reply: Reply | None,
    ) -> None:
        self._talk, self._show, self._answer, self._reply = talk, show, answer, reply
        self.id = ""
        self.over = False
        self.interrupted = self.asking = False
        self.ended_by = 0
        """The signal by which the process is told to end."""

    def take(self, item: _Item) -> None:
        match item:
            case _Interrupt():
                self._interrupt()
            case _Over(error):
                self.over = True
                if error is not None:
                    raise error
            case _:
                self._event(item)

    def _event(self, event: Event) -> None:
        self.id = self.id or event.turn
        self._show(event)
        if isinstance(event, ApprovalAsked) and self._answer and not self.interrupted:
            self._approve(event, self._answer)
        if isinstance(event, QuestionAsked) and self._reply and not self.interrupted:
            self._say(event, self._reply)
        if isinstance(event, TurnFinished | TurnFailed) and event.turn == self.id:
            self.over = True

    def _approve(self, event: ApprovalAsked, answer: Answer) -> None:
        with _default_interrupt():
            self.asking = True
            try:
                choice, words = answer(event)
            except (KeyboardInterrupt, EOFError, Ended):
                choice, words = "deny", ""
                self._interrupt()
            finally:
                self.asking = False
        self._talk.call(self._talk.runtime.approvals.answer, event.approval, choice, words=words)

    def _say(self, event: QuestionAsked, reply: Reply) -> None:
        """Asks until the answer is clear, or somebody else gave one."""
        again = True
        while again and not self.interrupted:
            with _default_interrupt():
                self.asking = True
                try:
                    said = reply(event)
                except (KeyboardInterrupt, EOFError, Ended):
                    self._interrupt()
                    return
                finally:
                    self.asking = False
            again = self._answered(event, said)

    def _answered(self, event: QuestionAsked, said: str) -> bool:
        """Whether it has to be asked again."""
        from .questions import BY, not_taken

        questions = self._talk.runtime.questions
        try:
            self._talk.call(questions.answer, event.question, said, by=BY)
        except UsageError as problem:
            return not_taken(problem)
        return False

    def _interrupt(self) -> None:
        self.interrupted = True
        if self.id:
            self._talk.call(self._talk.runtime.turns.cancel, self.id)


@contextmanager
def _interrupts(items: "queue.SimpleQueue[_Item]", turn: _Turn) -> Iterator[None]:
    """Turns Ctrl+C and what tells the process to end into items of the queue, so that no event is
    lost to an exception."""

    def told(number: int) -> None:
        turn.ended_by = number
        items.put(_Interrupt(number))
        if turn.asking:  # the main thread waits for a person
            raise Ended(number)

    with heeding(told, signals=TOLD):
        if not _owns_interrupt():
            yield
            return
        presses = count(1)

        def pressed(number: int, _: object) -> None:
            if next(presses) > 1:
                raise KeyboardInterrupt
            items.put(_Interrupt(number))  # a SimpleQueue may be used inside a signal handler

        previous = signal.signal(signal.SIGINT, pressed)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)


@contextmanager
def _default_interrupt() -> Iterator[None]:
    """Lets Ctrl+C raise again while a person is being asked."""
    if not _owns_interrupt():
        yield
        return
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _owns_interrupt() -> bool:
    """False off the main thread, and where the process was started to ignore Ctrl+C."""
    return (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    )
