"""What can be done with bridges, as an interface with its routes."""

from typing import TYPE_CHECKING, Protocol

from skill_agent.route import route
from skill_agent.values import BridgeStatus, Pairing, PairingCode

if TYPE_CHECKING:
    from .host_side import HostSide

ListOfBridges = list[BridgeStatus]
ListOfPairings = list[Pairing]


class BridgeOperations(Protocol):
    """Who may talk to the agents from a chat, and how the bridge to it fares."""

    @route("GET", "/v1/bridges", scope="read")
    async def status(self) -> ListOfBridges: ...

    @route("POST", "/v1/bridges/telegram/codes", scope="admin", status=201, once=True)
    async def pair(self) -> PairingCode:
        """Makes a code; the chat that sends it within the hour is let in."""
        ...

    @route("GET", "/v1/bridges/telegram/chats", scope="admin")
    async def pairings(self) -> ListOfPairings:
        """Those let in, then those that wait."""
        ...

    @route("POST", "/v1/bridges/telegram/chats/{chat}", scope="admin")
    async def approve(self, chat: str) -> Pairing:
        """Lets a waiting chat in, by its id or the code it was told."""
        ...

    @route("DELETE", "/v1/bridges/telegram/chats/{chat}", scope="admin")
    async def revoke(self, chat: str) -> Pairing:
        """Lets a chat in no longer; what it has open ends."""
        ...

    def host_side(self) -> "HostSide":
        """What a bridge works with. In the process of the host only."""
        ...
