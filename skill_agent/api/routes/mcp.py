"""The home's MCP server in an app: `/mcp` over HTTP, and a WebSocket for `ska mcp serve`.

What makes the server is imported by the first client that comes, or by `warm`. An app is served
without a lifespan, so the sessions run in a task of our own, until `end`.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from skill_agent.api.answers.error_answers import answer, fault_of, status_of
from skill_agent.api.door.auth import caller_of, count_again
from skill_agent.api.door.refusals import Refusal, request_id_of
from skill_agent.api.door.rules import MAX_BODY
from skill_agent.errors import SkillAgentError, UsageError
from skill_agent.mcp_server.sets import Changed, Sets
from skill_agent.mcp_server.sets_of import sets_of, watching
from skill_agent.mcp_server.visit import Visit
from skill_agent.workstation import Workstation

from .seen import seen_by

if TYPE_CHECKING:
    from skill_agent.mcp_server.hosting import Hosting

RELAY = "/v1/mcp/relay"
"""Where `ska mcp serve` brings what its client says; on the home's own socket only."""
_YES, _NO = ("1", "true", "yes"), ("", "0", "false", "no")


class McpDoor:
    """The server of one app, made when somebody needs it."""

    def __init__(
        self,
        station: Workstation,
        *,
        local: bool,
        offered: Callable[[], Sets] = sets_of,
        watching: Callable[[Workstation, Changed], Callable[[], None]] = watching,
    ) -> None:
        self._station, self._local = station, local
        self._offered, self._watching = offered, watching
        self._making: asyncio.Task[Hosting] | None = None
        self._running: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    def routes(self) -> list[BaseRoute]:
        """With and without a slash at the end: a redirect would lose a client its message."""
        found: list[BaseRoute] = [Route(path, _Http(self)) for path in ("/mcp", "/mcp/")]
        if self._local:
            found.append(WebSocketRoute(RELAY, self.relayed))
        return found

    async def hosting(self) -> "Hosting":
        """The server, once it is imported and runs."""
        if self._making is None or (self._making.done() and self._making.exception()):
            self._making = asyncio.create_task(self._made(), name="mcp")
        return await asyncio.shield(self._making)

    async def end(self) -> None:
        """Ends the sessions and what they have under way."""
        self._over.set()
        tasks: list[asyncio.Task[Any]] = [
            one for one in (self._making, self._running) if one is not None
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _made(self) -> "Hosting":
        await asyncio.to_thread(warm)
        hosting, begun = self._hosting(), asyncio.Event()

        async def run() -> None:
            async with hosting.running():
                begun.set()
                await self._over.wait()

        self._running = asyncio.create_task(run(), name="mcp sessions")
        await begun.wait()
        return hosting

    def _hosting(self) -> "Hosting":
        from skill_agent.mcp_server.hosting import Hosting

        return Hosting(self._station, self._offered(), self._watching, longest=MAX_BODY)

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request of a client with a key; what its tools may do, each asks for itself."""
        connection = HTTPConnection(scope)
        visit, hosting = await self._visit(connection), await self.hosting()
        check = scope["state"].get("check")

        def holds() -> bool:
            try:
                return check is None or check() is None
            except Refusal:
                return False

        await hosting.http(scope, receive, send, visit, holds=holds)

    async def relayed(self, socket: WebSocket) -> None:
        """One client's whole stay, a message a frame."""
        try:
            visit = await self._visit(socket)
        except SkillAgentError as problem:
            told = fault_of(problem, request_id_of(socket.scope))
            await socket.send_denial_response(answer(told, status_of(problem)))
            return
        await socket.accept()
        await (await self.hosting()).over(socket, visit)

    async def _visit(self, connection: HTTPConnection) -> Visit:
        """Raises NotFound, naming the nearest, for an agent that is none, and UsageError for one
        that has left the team."""
        station, caller = seen_by(self._station, connection), caller_of(connection)
        name, asked = connection.query_params.get("as", ""), connection.query_params
        agent = await station.agents.get(name.lstrip("@")) if name else None
        if agent is not None and agent.status == "archived":
            raise UsageError(f"{agent.name} is archived", hint=f"ska agents activate {agent.slug}")

        def counted(scope: str) -> None:
            if scope == "chat":
                _count(connection)

        return Visit(
            station=station,
            sees_as=agent.slug if agent else "",
            read_only=_flag("read_only", asked.get("read_only", "")),
            requester=caller.requester,
            counted=counted,
        )


class _Http:
    """The door as an ASGI app, which is how a route knows it from a function of a request."""

    def __init__(self, door: McpDoor) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._door.http(scope, receive, send)


def warm() -> Any:
    """Imports what a server takes; blocking, for a thread."""
    from skill_agent.mcp_server import hosting

    return hosting


def _count(connection: HTTPConnection) -> None:
    try:
        count_again(connection, "chat")
    except Refusal as refused:
        raise SkillAgentError(refused.message, hint=str(refused.details.get("hint", ""))) from None


def _flag(name: str, text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise UsageError(f"{name}={text[:40]!r} is neither yes nor no", hint=f"{name}=1")
