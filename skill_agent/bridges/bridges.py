"""The bridges of a home as front ends see them: how each fares, and who is let in."""

from dataclasses import replace

from skill_agent.values import Pairing, PairingCode

from .host_side import HostSide
from .operations import BridgeOperations, ListOfBridges, ListOfPairings


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
