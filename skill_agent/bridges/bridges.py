"""The bridges of a home as front ends see them: how each fares, and who is let in."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from skill_agent.events import BridgeChanged, Event
from skill_agent.ports import Clock
from skill_agent.values import BridgeState, BridgeStatus, Pairing, PairingCode

from .chats import Chats
from .operations import BridgeOperations, ListOfBridges, ListOfPairings
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
    """What a bridge in the process of the host works with."""

    pairings: Pairings
    chats: Chats
    board: Board


class Bridges(BridgeOperations):
    """There is one."""

    def __init__(self, side: HostSide) -> None:
        self._side = side

    async def status(self) -> ListOfBridges:
        return [replace(self._side.board.now, chats=len(self._side.pairings.let_in))]

    async def pair(self) -> PairingCode:
        """Raises Conflict where enough codes wait."""
        return self._side.pairings.make_code()

    async def pairings(self) -> ListOfPairings:
        return self._side.pairings.listed()

    async def approve(self, chat: str) -> Pairing:
        """Raises NotFound where none such waits."""
        return self._side.pairings.approve(chat)

    async def revoke(self, chat: str) -> Pairing:
        """Raises NotFound, and UsageError for one that the settings name."""
        return self._side.pairings.revoke(chat)

    def host_side(self) -> HostSide:
        return self._side
