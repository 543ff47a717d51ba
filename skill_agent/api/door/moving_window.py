"""When requests came, by caller, over the minute that just passed; kept in memory."""

from collections import deque

from skill_agent.ports import Clock

WINDOW_S = 60
SWEEP_EVERY = 1000
"""Requests between two looks for callers that are long gone."""


class MovingWindow:
    """Moments of the requests that were allowed; the window moves with the given clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moments: dict[tuple[str, str], deque[float]] = {}
        self._until_sweep = SWEEP_EVERY

    def __len__(self) -> int:
        return len(self._moments)

    def take(self, caller: tuple[str, str], limit: int) -> bool:
        """Counts a request, unless there were as many already."""
        self._sweep()
        moments = self._current(caller)
        if len(moments) >= limit:
            return False
        moments.append(self._clock().timestamp())
        self._moments[caller] = moments
        return True

    def state(self, caller: tuple[str, str]) -> tuple[float, int]:
        """When the oldest request stops counting, and how many count."""
        moments = self._current(caller)
        oldest = moments[0] if moments else self._clock().timestamp()
        return oldest + WINDOW_S, len(moments)

    def _current(self, caller: tuple[str, str]) -> deque[float]:
        moments = self._moments.get(caller) or deque()
        edge = self._clock().timestamp() - WINDOW_S
        while moments and moments[0] <= edge:
            moments.popleft()
        return moments

    def _sweep(self) -> None:
        self._until_sweep -= 1
        if self._until_sweep > 0:
            return
        self._until_sweep = SWEEP_EVERY
        edge = self._clock().timestamp() - WINDOW_S
        self._moments = {
            caller: moments
            for caller, moments in self._moments.items()
            if moments and moments[-1] > edge
        }
