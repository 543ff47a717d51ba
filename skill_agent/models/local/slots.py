"""Who may use which slot of a loaded model and what each holds; knows nothing of llama.cpp."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

CONTINUES = 0.8
"""A prompt that keeps this share of a slot's text goes on with its conversation."""


@dataclass(slots=True, eq=False)
class Slot:
    """One place for a conversation in the model's memory."""

    number: int
    text: str = ""
    """What the slot's cache holds, as far as we know; losing track costs only time."""
    used: int = 0
    """Higher is more recent."""
    busy: bool = False
    background: bool = False
    reading: str = ""
    """The prefix background work is reading into it."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set to end the work in the slot."""
    worker: "asyncio.Future[None] | None" = None
    """The thread at work in it."""

    def shared(self, prompt: str) -> int:
        """Characters the slot's text and the prompt begin with in common."""
        return len(common_prefix(self.text, prompt))


class SlotBoard:
    """Gives slots to requests: a person's before background work, which is told to stop for them.

    Background work runs only while nothing else does: both would share the same cores.
    """

    def __init__(self, count: int) -> None:
        self._slots = [Slot(number) for number in range(count)]
        self._queue: deque[object] = deque()
        self._changed = asyncio.Event()
        self._clock = 0

    @property
    def full(self) -> bool:
        """Whether a person's request would have to wait."""
        return bool(self._queue) or all(slot.busy for slot in self._slots)

    def reading(self, prefix: str) -> bool:
        """Whether background work is already reading just this prefix."""
        return bool(prefix) and any(slot.busy and slot.reading == prefix for slot in self._slots)

    async def take(self, prompt: str, prefix: str, *, restorable: Callable[[], bool]) -> Slot:
        """A slot for a person's request, first come first served.

        Background work is stopped, unless it reads the very prefix wanted: then it is awaited.
        With `restorable` the prefix can be had cheaply in any slot, so that no other conversation
        need be overwritten for it.
        """
        for slot in self._slots:
            if slot.busy and slot.background and slot.reading != prefix:
                slot.stop.set()
        ticket = object()
        self._queue.append(ticket)
        try:
            await self._until(lambda: self._queue[0] is ticket and self._has_room(prefix))
            return self._mark(self._choose(prompt, prefix, restorable()))
        finally:
            self._queue.remove(ticket)
            self._tell()

    async def take_aside(self, prefix: str) -> Slot:
        """A slot for a request nobody waits for, once no other runs or waits.

        It gets the slot least recently used and leaves it the first to be overwritten, so that
        conversations keep theirs.
        """
        await self._until(lambda: not self._queue and not any(slot.busy for slot in self._slots))
        return self._mark(self._oldest(prefix), aged=True)

    async def take_idle(self, prefix: str) -> Slot:
        """The slot least recently used, once no request runs or waits."""
        await self._until(lambda: not self._queue and not any(slot.busy for slot in self._slots))
        slot = self._oldest(prefix)
        # Its age stays: after an interruption the same slot is taken, not a conversation's.
        slot.busy = slot.background = True
        slot.reading = prefix
        slot.stop = threading.Event()
        return slot

    def give_back(self, slot: Slot) -> None:
        slot.busy = slot.background = False
        slot.reading = ""
        slot.worker = None
        self._tell()

    async def drained(self) -> None:
        """Stops all work and waits until every slot is free."""
        for slot in self._slots:
            slot.stop.set()
        await self._until(lambda: not any(slot.busy for slot in self._slots))

    async def _until(self, ready: Callable[[], bool]) -> None:
        while not ready():
            await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _choose(self, prompt: str, prefix: str, restorable: bool) -> Slot:
        """The slot whose conversation this goes on with, else the one least worth keeping."""
        free = [slot for slot in self._slots if not slot.busy]
        best = max(free, key=lambda slot: slot.shared(prompt))
        if best.text and best.shared(prompt) >= CONTINUES * len(best.text):
            return best
        if prefix and not restorable and best.shared(prompt) >= len(prefix):
            return best
        return self._oldest(prefix)

    def _oldest(self, prefix: str) -> Slot:
        """The least recently used free slot; among unused ones, one that has the prefix."""
        free = [slot for slot in self._slots if not slot.busy]
        return min(free, key=lambda slot: (slot.used, -slot.shared(prefix)))

    def _has_room(self, prefix: str) -> bool:
        return not self.reading(prefix) and not all(slot.busy for slot in self._slots)

    def _mark(self, slot: Slot, *, aged: bool = False) -> Slot:
        self._clock += 1
        slot.used = 0 if aged else self._clock
        slot.busy = True
        slot.stop = threading.Event()
        return slot


def common_prefix(one: str, other: str) -> str:
    """What both texts begin with, found by halving."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(other[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return one[:low]
