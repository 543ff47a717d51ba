"""What can be asked of the process that holds a home, as an interface with its routes."""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import HostStatus, LogLines


class HostOperations(Protocol):
    """The process that holds the home."""

    @route("GET", "/v1/host", scope="admin", local=True)
    async def status(self) -> HostStatus:
        """Who holds the home, since when, who is attached, where it listens."""
        ...

    @route("GET", "/v1/host/log", scope="admin", local=True)
    async def log(self, *, after: str = "", most: int = 1000) -> LogLines:
        """The end of the host's log; with `after`, what an earlier answer gave, what came since.
        The oldest line first; asked again while lines come."""
        ...

    @route("POST", "/v1/host/listeners", scope="admin", local=True, status=201, once=True)
    async def listen(
        self, host: str, port: int, *, auth: bool = True, cors: tuple[str, ...] = ()
    ) -> str:
        """Opens the API on TCP and gives its address."""
        ...

    @route("DELETE", "/v1/host/listeners", scope="admin", local=True, once=True)
    async def unlisten(self, address: str) -> None:
        """Closes an address again."""
        ...

    @route("POST", "/v1/host/stop", scope="admin", local=True, status=202)
    async def stop(self, *, force: bool = False) -> None:
        """Asks a host without a screen to end in good order."""
        ...
