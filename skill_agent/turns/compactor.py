"""When a session is compacted, and in which task: after a turn, or before one that has no room.

No turn waits for a slow model's compaction, and a starting turn ends one that runs. What a
compaction does is the shield's work.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from skill_agent.errors import SkillAgentError
from skill_agent.events import Compacted, Event, Notice
from skill_agent.memory.summaries.compaction import VERBATIM, Shield
from skill_agent.ports import Clock, Model
from skill_agent.text.redaction import redact
from skill_agent.values import Compaction

from .fitting import EASY, Fit

FEWEST = 30
"""Messages below which a history is not summed up before the window demands it."""
CROWDED = 0.9
"""Load from which on the window demands it."""
PASS = 40
"""Messages one pass of a slow model takes on: what is done stays done when a turn ends it."""
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A session whose history may have grown too long."""

    session: str
    turn: str
    """The last one, for what is told."""
    agent: str
    model: Model
    measure: Callable[[], Awaitable[tuple[Fit, int]]]
    """How well its history fits now, and how many messages that is."""
    max_messages: int


@dataclass(slots=True)
class _Failures:
    count: int
    again: datetime


def wanted(fit: Fit, messages: int, max_messages: int) -> bool:
    """Whether a history should be summed up before it is cut."""
    many = messages > CROWDED * max_messages
    return many or fit.load > CROWDED or (fit.load > EASY and messages >= FEWEST)


def verbatim(fit: Fit, max_messages: int) -> int:
    """How many of the newest messages stay as they were said."""
    return max(1, min(VERBATIM, fit.half, max_messages * 6 // 10))


def _is_local(model: Model) -> bool:
    return model.info.local


class Compactor:
    """Owns the background task; one session after another."""

    def __init__(
        self,
        shield: Shield,
        *,
        publish: Callable[[Event], None],
        clock: Clock,
        slow: Callable[[Model], bool] = _is_local,
        hosting: bool = True,
    ) -> None:
        """`slow` says of a turn's model that nobody should wait for a compaction beside it. Only a
        process that stays (`hosting`) begins one in the background: others would cut it short."""
        self._hosting = hosting
        self._shield, self._publish, self._clock, self._slow = shield, publish, clock, slow
        self._pressed: dict[str, Pressed] = {}
        self._failed: dict[str, _Failures] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._task: asyncio.Task[None] | None = None
        self._at_work: Pressed | None = None
        self._turns = 0
        self._closed = False

    async def latest(self, session: str) -> Compaction | None:
        """What stands in the session's prompts for its beginning."""
        return await self._shield.latest(session)

    def turn_began(self) -> None:
        """Ends a background pass that would take the person's time."""
        self._turns += 1
        if self._task and self._at_work and self._slow(self._at_work.model):
            self._task.cancel()

    def turn_ended(self, pressed: Pressed | None = None) -> None:
        """Looks at the session, now or when no turn runs any more."""
        self._turns -= 1
        if pressed is not None:
            self._pressed[pressed.session] = pressed
        self._start()

    async def make_room(self, pressed: Pressed) -> Compaction | None:
        """Compacts before a prompt is built, where that is quick; None where nothing came of it."""
        if self._slow(pressed.model) or not self._may_try(pressed.session):
            return None
        async with self._locks[pressed.session]:
            fit, _ = await pressed.measure()
            if not fit.dropped:
                return None
            self._tell(pressed, "summing up what was said earlier")
            return await self._walled(pressed, verbatim(fit, pressed.max_messages))

    async def compact(self, session: str, model: Model | None, agent: str) -> Compaction | None:
        """Because a person asks for it: all but the newest messages, whatever the load. Raises."""
        async with self._locks[session]:
            done = await self._shield.compact(session, model, agent=agent, actor="person")
        if done is not None:
            self._publish(_event(done, done.turn, agent))
        return done

    async def settled(self) -> None:
        """Returns once no background pass is under way."""
        while self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def close(self) -> None:
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # -- the background task -----------------------------------------------------------------

    def _start(self) -> None:
        if self._closed or not self._hosting or self._task is not None or self._next() is None:
            return
        self._task = asyncio.create_task(self._work(), name="compaction")
        self._task.add_done_callback(self._stopped)

    def _stopped(self, _task: "asyncio.Task[None]") -> None:
        self._task = self._at_work = None
        self._start()

    def _next(self) -> Pressed | None:
        """The first that may be worked on now; a slow one waits until no turn runs."""
        for one in self._pressed.values():
            if not self._turns or not self._slow(one.model):
                return one
        return None

    async def _work(self) -> None:
        while (pressed := self._next()) is not None:
            self._at_work = pressed
            while await self._look(pressed):
                continue
            if self._pressed.get(pressed.session) is pressed:
                del self._pressed[pressed.session]

    async def _look(self, pressed: Pressed) -> bool:
        """Whether something was summed up, so that more may be left to do."""
        if not self._may_try(pressed.session):
            return False
        async with self._locks[pressed.session]:
            try:
                fit, messages = await pressed.measure()
            except SkillAgentError as problem:
                _log.info("measuring session %s: %s", pressed.session, redact(problem.message))
                return False
            if not wanted(fit, messages, pressed.max_messages):
                return False
            return bool(await self._walled(pressed, verbatim(fit, pressed.max_messages)))

    async def _walled(self, pressed: Pressed, keep: int) -> Compaction | None:
        """One compaction, under the session's lock; a failure is told and tried again later."""
        problem = ""
        try:
            done = await self._shield.compact(
                pressed.session,
                pressed.model,
                agent=pressed.agent,
                keep=keep,
                most=PASS if self._slow(pressed.model) else 0,
            )
        except SkillAgentError as error:
            problem, done = error.message, None
        except Exception as error:  # the wall: a bug here must not end the workstation
            _log.exception("compaction of session %s", pressed.session)
            problem, done = f"{type(error).__name__}: {error}", None
        if problem:
            self._note_failure(pressed, problem)
        elif done is not None:
            self._failed.pop(pressed.session, None)
            self._publish(_event(done, pressed.turn, pressed.agent))
        return done

    def _note_failure(self, pressed: Pressed, problem: str) -> None:
        before = self._failed.get(pressed.session)
        count = before.count + 1 if before else 1
        wait = min(FIRST_WAIT * 2 ** min(count - 1, 10), LONGEST_WAIT)
        self._failed[pressed.session] = _Failures(count, self._clock() + wait)
        told = f"earlier messages could not be summed up and stay as they are: {redact(problem)}"
        self._tell(pressed, f"{told}; it is tried again later")

    def _may_try(self, session: str) -> bool:
        failures = self._failed.get(session)
        return failures is None or self._clock() >= failures.again

    def _tell(self, pressed: Pressed, text: str) -> None:
        """While one waits; what could not be done is tried again, and so is no part of the talk."""
        self._publish(
            Notice(
                session=pressed.session,
                turn=pressed.turn,
                agent=pressed.agent,
                level="info",
                text=text,
            )
        )


def _event(done: Compaction, turn: str, agent: str) -> Compacted:
    return Compacted(
        session=done.session,
        turn=turn,
        agent=agent,
        messages=done.messages,
        memories=len(done.memories),
        summary=done.summary,
    )
