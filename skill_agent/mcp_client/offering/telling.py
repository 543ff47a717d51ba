"""What a person is told of servers while a turn runs: how far a call is, what is not to be had."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from skill_agent.events import Event, Notice
from skill_agent.ports import ToolsWanted

from .schemas import told

OFTEN_S, SELDOM_S = 0.5, 10.0
"""The least time between two words on a call: where it says how far it is, and where not."""
_LONGEST = 80


def notice(wanted: ToolsWanted, text: str, level: Literal["info", "warning"]) -> Notice:
    """A word to whoever watches the turn."""
    return Notice(
        session=wanted.session, turn=wanted.turn, agent=wanted.agent, level=level, text=text
    )


@dataclass(slots=True)
class Steps:
    """Tells how far a call is; each word takes the place of the one before, and none is owed."""

    publish: Callable[[Event], None]
    wanted: ToolsWanted
    server: str
    tool: str
    now: Callable[[], float] = time.monotonic
    _last: float = field(default=-math.inf)

    def __call__(self, done: float, whole: float | None, what: str) -> None:
        known = whole is not None and whole > 0 and math.isfinite(whole) and math.isfinite(done)
        at = self.now()
        if at - self._last < (OFTEN_S if known else SELDOM_S):
            return
        self._last = at
        text = f"{self.server} {told(self.tool, _LONGEST)}"
        if said := told(what, _LONGEST):
            text += f": {said}"
        if known and whole:
            text += f" ({max(0, min(100, int(100 * done / whole)))} %)"
        self.publish(notice(self.wanted, text, "info"))
