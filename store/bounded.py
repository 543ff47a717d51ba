"""A mapping that holds only so much: what was not asked for longest goes first.

Safe to call from several threads. Nothing here knows what is held.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Bounded(Generic[Key, Value]):
    """At most so much in all, as `size` counts it; a value above a quarter of that is not held."""

    def __init__(self, most: int, size: Callable[[Value], int]) -> None:
        self._most, self._size = most, size
        self._held: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = Lock()
        self.total = 0
        """Of what is held now."""

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Key) -> Value | None:
        """What is held, which then counts as just used."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: Key, value: Value) -> None:
        """Holds a value, in place of the key's last one."""
        size = self._size(value)
        with self._lock:
            self._drop(key)
            if size * 4 > self._most:
                return
            self._held[key] = (value, size)
            self.total += size
            while self.total > self._most:
                _, (_, gone) = self._held.popitem(last=False)
                self.total -= gone

    def drop(self, key: Key) -> None:
        """Forgets a key, held or not."""
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._held.clear()
            self.total = 0

    def _drop(self, key: Key) -> None:
        if (found := self._held.pop(key, None)) is not None:
            self.total -= found[1]
