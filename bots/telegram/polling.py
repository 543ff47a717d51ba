"""Long polling: what comes is confirmed only once it is taken in for good, and given on once.

A line that fails is made anew, with growing waits; how it fares stands on the board. While
something that came is not taken in yet, it is asked for again, and known again by its number.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from skill_agent.errors import SkillAgentError
from skill_agent.files.private import read_json, write_private
from skill_agent.values import BridgeState

from .line import Flooded, Line, LineError, Me, OtherCopy, Unreachable, WrongToken
from .pace import Pace, doubling

if TYPE_CHECKING:
    from telegram import Update

_TROUBLE_AFTER = 3
"""So many failures in a row are more than bad luck."""
_MOST_TAKEN = 1_000

_log = logging.getLogger("skill_agent.bots.telegram")


class Tells(Protocol):
    """Where it stands how the bridge fares."""

    def set(self, state: BridgeState, problem: str = "", hint: str = "") -> None: ...
    def note(self, **what: Any) -> None: ...
    def heard(self) -> None: ...


class Taken:
    """Which updates were taken in and are perhaps not confirmed yet; kept in a file of the home, so
    that a process that dies in between does nothing twice."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._bot, self._ids = 0, list[int]()
        self._writing = asyncio.Lock()

    def read(self, bot: int) -> None:
        """What an earlier process left, if it was the same bot's."""
        self._bot, self._ids = bot, []
        try:
            found = read_json(self._file)
            if found["bot"] == bot:
                self._ids = [int(one) for one in found["taken"]]
        except (SkillAgentError, KeyError, TypeError, ValueError):
            return

    def __contains__(self, update: int) -> bool:
        return update in self._ids

    async def add(self, update: int) -> None:
        async with self._writing:
            self._ids = [*self._ids, update][-_MOST_TAKEN:]
            text = json.dumps({"bot": self._bot, "taken": self._ids})
            with contextlib.suppress(SkillAgentError):  # a full disk: the ledger knows turns anyway
                await asyncio.to_thread(write_private, self._file, text)


class Polling:
    """The loop that hears what comes."""

    def __init__(
        self,
        line: Line,
        *,
        taken: Taken,
        board: Tells,
        pace: Pace,
        ready: Callable[[Me], Awaitable[None]],
        give: "Callable[[Update], None]",
    ) -> None:
        """`ready` is told when the line stands; `give` takes an update, of which `done` or `back`
        is told later."""
        self._line, self._taken, self._board, self._pace = line, taken, board, pace
        self._ready, self._give = ready, give
        self._open: set[int] = set()
        """Given on, and not taken in yet."""
        self._offset = 0
        self._failures = 0
        self._heard = time.monotonic()

    async def run(self) -> None:
        """Until it is cancelled, or the token turns out to be none."""
        self._board.set("starting")
        while True:
            try:
                await self._listen()
            except WrongToken as problem:
                self._board.set(
                    "stopped",
                    problem.message,
                    "ska telegram token stores the one that @BotFather gives; then begin the host "
                    "anew: ska down && ska up",
                )
                return
            except LineError as problem:
                await self._failed(problem)
            except TimeoutError:
                await self._failed(Unreachable("Telegram does not answer"))
            except Exception as problem:  # the loop outlives whatever nobody thought of
                _log.warning("polling failed: %s", type(problem).__name__)
                await self._failed(Unreachable(type(problem).__name__))

    async def done(self, update: int) -> None:
        """It is taken in: nothing of it can get lost any more."""
        await self._taken.add(update)
        self._open.discard(update)

    async def back(self, update: int) -> None:
        """It could not be taken in, and is asked for again after a while."""
        await asyncio.sleep(self._pace.back_off_s)
        self._open.discard(update)
        self._offset = min(self._offset, update)

    async def _listen(self) -> None:
        me = await self._line.open(anew=self._deaf)
        self._taken.read(me.id)
        self._board.note(name=f"@{me.username}" if me.username else "")
        await self._ready(me)
        wait_s: float | None = 0.0  # the first one says at once whether the line stands
        while True:
            async with asyncio.timeout(self._pace.stall_s):
                found = await self._line.updates(self._next(), wait_s=wait_s)
            self._answered()
            wait_s = None
            fresh = [one for one in found if self._is_new(one.update_id)]
            for one in fresh:
                self._give(one)
            if self._open and not fresh:
                await asyncio.sleep(self._pace.again_s)

    def _next(self) -> int:
        """What is asked for from: all before it is confirmed."""
        return min(self._open, default=self._offset)

    def _is_new(self, update: int) -> bool:
        self._offset = update + 1
        if update in self._open or update in self._taken:
            return False
        self._open.add(update)
        return True

    @property
    def _deaf(self) -> bool:
        return time.monotonic() - self._heard > self._pace.stall_s

    def _answered(self) -> None:
        self._heard, self._failures = time.monotonic(), 0
        self._board.heard()
        self._board.set("working")

    async def _failed(self, problem: LineError) -> None:
        self._failures += 1
        if isinstance(problem, Flooded):
            await asyncio.sleep(problem.after)
            return
        if isinstance(problem, OtherCopy):
            hint = "end the other one, or give it another bot's token; it is tried again by itself"
            self._board.set("unhealthy", problem.message, hint)
        elif self._deaf or self._failures >= _TROUBLE_AFTER:
            self._board.set(
                "unhealthy", problem.message, "it is tried again by itself; see ska logs"
            )
        wait = doubling(self._pace.back_off_s, self._pace.most_back_off_s, self._failures)
        await asyncio.sleep(wait)
