"""What is handed in to be called: the clock, and who hears of progress."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

Clock = Callable[[], datetime]
"""Gives now, in UTC; injected so that tests own time."""

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what); total 0 is unknown."""
