"""Work in memory, in front of the ledger: what was asked for lately is not read again.

What lies here is let go of after an hour in which nobody asked for it, or when something was
erased; the ledger keeps it, and the next who asks warms it again.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from skill_agent.ports import Clock

from .limits import KEPT_IN_MEMORY_S
from .records import Kept

Read = Callable[[str], Awaitable[Kept | None]]


class Remembered:
    """What is known of pieces of work, by id."""

    def __init__(self, clock: Clock, read: Read, *, seconds: float = KEPT_IN_MEMORY_S) -> None:
        """`read` gives what is not here from the ledger; what was asked for stays `seconds`."""
        self._clock, self._read = clock, read
        self._stays = timedelta(seconds=seconds)
        self._known: dict[str, tuple[Kept, datetime]] = {}
        self._erased = 0
        """How often all was let go of."""

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def put(self, kept: Kept) -> None:
        self._known[kept.work.id] = kept, self._clock()

    async def get(self, name: str) -> Kept | None:
        """By its exact id, from memory or from the ledger."""
        if (here := self._known.get(name)) is not None:
            self.put(here[0])
            return here[0]
        erased = self._erased
        found = await self._read(name)
        if (newer := self._known.get(name)) is not None:
            return newer[0]
        if found is not None and erased == self._erased:
            self.put(found)
        return found

    def drop(self, name: str) -> None:
        self._known.pop(name, None)

    def clean(self) -> int:
        """Lets go of what nobody asked for lately; how much that was."""
        since = self._clock() - self._stays
        old = [name for name, (_, asked) in self._known.items() if asked < since]
        for name in old:
            self.drop(name)
        return len(old)

    def clear(self) -> None:
        """Something was erased: nothing of it may be told from here."""
        self._erased += 1
        self._known.clear()
