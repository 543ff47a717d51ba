"""When requests came, by caller, for the rate limiter; kept in memory on the given clock.

The library's own memory reads the wall clock and starts a thread every hundredth of a second.
"""

from collections import deque

from limits.storage import MovingWindowSupport, Storage

from skill_agent.ports import Clock

SWEEP_EVERY = 1000
"""Requests between two looks for callers that are long gone."""


class ClockedMemory(Storage, MovingWindowSupport):
    """Moments of requests by caller; only what a moving window takes is there."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._moments: dict[str, deque[float]] = {}
        self._until_sweep = SWEEP_EVERY
        self._longest = 0

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        self._longest = max(self._longest, expiry)
        self._sweep()
        moments = self._current(key, expiry)
        if len(moments) + amount > limit:
            return False
        moments.extend([self._clock().timestamp()] * amount)
        self._moments[key] = moments
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        moments = self._current(key, expiry)
        return (moments[0] if moments else self._clock().timestamp()), len(moments)

    def _current(self, key: str, expiry: int) -> deque[float]:
        moments = self._moments.get(key) or deque()
        edge = self._clock().timestamp() - expiry
        while moments and moments[0] <= edge:
            moments.popleft()
        return moments

    def _sweep(self) -> None:
        self._until_sweep -= 1
        if self._until_sweep > 0:
            return
        self._until_sweep = SWEEP_EVERY
        edge = self._clock().timestamp() - self._longest
        self._moments = {
            key: moments for key, moments in self._moments.items() if moments and moments[-1] > edge
        }

    def __len__(self) -> int:
        return len(self._moments)

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError("only a moving window is kept")

    def get(self, key: str) -> int:
        return len(self._moments.get(key, ()))

    def get_expiry(self, key: str) -> float:
        moments = self._moments.get(key)
        return (moments[0] if moments else self._clock().timestamp()) + self._longest

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        count = len(self._moments)
        self._moments.clear()
        return count

    def clear(self, key: str) -> None:
        self._moments.pop(key, None)
