"""What a bridge in the process of the host works with: who is let in, its chats, how it fares."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from skill_agent.events import BridgeChanged, Event
from skill_agent.ports import Clock, Sink
from skill_agent.values import BridgeState, BridgeStatus

from .chats import Chats
from .pairing import Pairings

TELEGRAM = "telegram"


class Board:
    """How a bridge fares; a change of its state is told."""

    def __init__(self, bridge: str, clock: Clock, publish: Callable[[Event], None]) -> None:
        self._clock, self._publish = clock, publish
        self.now = BridgeStatus(id=bridge)

    def set(self, state: BridgeState, problem: str = "", hint: str = "") -> None:
        """Another problem of the same state is no news."""
        before = self.now
        self.now = replace(before, state=state, problem=problem, hint=hint)
        if before.state != state:
            self.now = replace(self.now, since=self._clock())
            self._publish(BridgeChanged(bridge=before.id, state=state, problem=problem))

    def note(self, **what: Any) -> None:
        """Other figures, which are no news."""
        self.now = replace(self.now, **what)

    def heard(self) -> None:
        self.note(last_heard=self._clock())


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSide:
    """All of it."""

    pairings: Pairings
    chats: Chats
    board: Board
    add_sink: Callable[[Sink], None]
    """A way out of the home that is there from now on …"""
    drop_sink: Callable[[str], None]
    """… and not any more, by its kind."""
