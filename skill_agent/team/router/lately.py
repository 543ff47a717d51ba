"""Answers kept for a while, as many as are worth it."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


def digest(text: str) -> bytes:
    """Stands for a text in a key, so that texts are not kept."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()


class Lately(Generic[Value]):
    """What was found out by key, for so many seconds; the oldest goes where there are too many."""

    def __init__(
        self, seconds: float, *, most: int = 1_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._kept: OrderedDict[Hashable, tuple[float, Value]] = OrderedDict()

    def get(self, key: Hashable) -> Value | None:
        until, value = self._kept.get(key, (0.0, None))
        return value if self._clock() < until else None

    def keep(self, key: Hashable, value: Value) -> None:
        self._kept.pop(key, None)
        self._kept[key] = self._clock() + self._seconds, value
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def __len__(self) -> int:
        return len(self._kept)
