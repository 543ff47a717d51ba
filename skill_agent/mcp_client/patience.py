"""How long one call is waited for."""

import asyncio
from types import TracebackType
from typing import Self


class Patience:
    """A time-out that begins anew with each sign of progress, a bounded number of times, and that
    stands still while a person is asked. Raises TimeoutError."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._timeout = asyncio.timeout(seconds)
        self._last = 0.0
        self._held = self._asked = 0

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._last = self._now() + self._seconds * self._most
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._held = -1
        return await self._timeout.__aexit__(kind, error, trace)

    def sign(self) -> None:
        """It is at work."""
        if self._held == 0 and not self._timeout.expired():
            self._timeout.reschedule(min(self._now() + self._seconds, self._last))

    def ask(self) -> int:
        """How many questions there were in this call, with this one."""
        self._asked += 1
        return self._asked

    def hold(self) -> None:
        """Somebody else is waited for."""
        if self._held >= 0 and not self._timeout.expired():
            self._held += 1
            self._timeout.reschedule(None)

    def go_on(self) -> None:
        if self._held > 0 and not self._timeout.expired():
            self._held -= 1
            self._last = max(self._last, self._now() + self._seconds)
            self.sign()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
