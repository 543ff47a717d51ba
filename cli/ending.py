"""How a process ends that is told to: what it does is closed in good order, within a bound.

The first signal is heeded: what is under way is ended, and what there is of it kept. A second one
ends the process at once, and so does a clock where closing takes too long. Threads that still
compute are not waited for: nobody wants their work any more.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

TOLD = tuple(one for one in signal.Signals if one.name in ("SIGTERM", "SIGHUP"))
"""What says that a process shall end. Ctrl+C may also mean a part of what it does."""
ENDING = (*TOLD, signal.SIGINT)
CLOSING_S = 10.0
"""How long closing in good order may take; the ledger is whole at any moment."""

_LEAVING_S = 1.0
"""How long threads may take to come to their end after everything is closed."""
_SAME_S = 0.5
"""`timeout`, shells and terminals send one signal several times in a row."""


class Ended(BaseException):
    """A signal ends the process; as KeyboardInterrupt, nothing but the outer wall handles it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)

    @property
    def exit_code(self) -> int:
        return 128 + self.signal


class Told:
    """What a process has been told, and the clock that runs since."""

    def __init__(self, last_words: Callable[[], None]) -> None:
        self._last_words = last_words
        self._clock: threading.Timer | None = None
        self._at = 0.0
        self.signal: signal.Signals | None = None

    def first(self, number: int) -> bool:
        """Takes note of a signal and starts the clock; a second one ends the process."""
        if self.signal is None:
            self.signal, self._at = signal.Signals(number), time.monotonic()
            self.hurry()
            return True
        again = signal.Signals(number).name != "SIGHUP"  # a terminal sends it to all it started
        if again and time.monotonic() - self._at > _SAME_S:
            self._vanish()
        return False

    def hurry(self) -> None:
        """From now on the clock runs: past it the process ends, whatever it is doing. Nothing stops
        that clock but the end."""
        if self._clock is None:
            self._clock = threading.Timer(CLOSING_S, self._late)
            self._clock.daemon = True
            self._clock.start()

    def _late(self) -> None:
        said = f"closing takes longer than {CLOSING_S:.0f} s; ending without it\n"
        with suppress(OSError):  # the stream may be a screen's, which does not draw any more
            os.write(2, said.encode())
        self._vanish()

    def _vanish(self) -> NoReturn:
        self._last_words()
        os._exit(128 + (self.signal or signal.SIGTERM))


def nothing() -> None:
    """The last words of who has none."""


@contextmanager
def heeding(
    end: Callable[[int], None],
    *,
    signals: Collection[signal.Signals] = ENDING,
    last_words: Callable[[], None] = nothing,
) -> Iterator[Told]:
    """The first of the signals calls `end` on the main thread, where it may raise. From then on the
    clock runs, and it is never as if nothing had been told: the process must end. `last_words` are
    said before it ends without closing.

    Signals the process was started to ignore stay ignored.
    """
    told = Told(last_words)

    def heed(number: int, _: FrameType | None) -> None:
        if told.first(number):
            end(number)

    previous = {one: signal.signal(one, heed) for one in signals if _is_ours(one)}
    try:
        yield told
    finally:
        if told.signal is None:
            for one, before in previous.items():
                signal.signal(one, before)


def end_here(number: int) -> NoReturn:
    """Raises Ended: all it takes where nothing but the main thread is at work."""
    raise Ended(number)


def leave(code: int) -> NoReturn:
    """Ends the process with this exit code, whatever its threads are doing."""
    if threading.active_count() > 1:
        clock = threading.Timer(_LEAVING_S, os._exit, (code,))
        clock.daemon = True
        clock.start()
    sys.exit(code)


def _is_ours(one: signal.Signals) -> bool:
    """False off the main thread, and for what the process was started to ignore."""
    return threading.current_thread() is threading.main_thread() and signal.getsignal(one) not in (
        signal.SIG_IGN,
        None,
    )
