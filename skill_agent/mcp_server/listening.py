"""Which clients are told that their list of tools is another one now, in both eras."""

import asyncio
import logging
from collections.abc import Callable

from mcp.server.context import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import ListenHandler, ServerEvent, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, SubscriptionsListenRequestParams, SubscriptionsListenResult

from .sets import Changed

MOST_LISTENERS = 500
"""Streams of the new era that may be open at the same time."""

Watches = Callable[[Changed], Callable[[], None]]
"""Has somebody told of changes; gives how to stop that."""

_log = logging.getLogger(__name__)


class Listening:
    """Those who listen, by the agent with whose eyes they see; `changed` tells them."""

    def __init__(self, watches: Watches | None = None) -> None:
        """`watches` begins to look for changes, and is called while anybody listens."""
        self._watches = watches
        self._stop: Callable[[], None] | None = None
        self._sessions: dict[int, tuple[str, ServerSession]] = {}
        self._streams: dict[object, tuple[str, Callable[[ServerEvent], None]]] = {}
        self._telling: set[asyncio.Task[None]] = set()

    def changed(self, agent: str) -> None:
        """The list of tools of those who see as this agent is another one; of all where it is
        empty. Called on the server's event loop."""
        for of, session in list(self._sessions.values()):
            if agent in ("", of):
                task = asyncio.get_running_loop().create_task(_told(session))
                self._telling.add(task)
                task.add_done_callback(self._telling.discard)
        for of, deliver in list(self._streams.values()):
            if agent in ("", of):
                deliver(ToolsListChanged())

    def heard(self, session: ServerSession, agent: str) -> None:
        """This client has asked for the list: one of the handshake's era is told from now on, for
        as long as its connection stands."""
        connection = session._connection  # the SDK tells nowhere else when a connection ends
        if not connection.has_standalone_channel or connection.client_params is None:
            return
        if id(connection) not in self._sessions:
            connection.exit_stack.callback(self._left, id(connection))
        self._sessions[id(connection)] = (agent, session)
        self._look()

    def _left(self, connection: int) -> None:
        self._sessions.pop(connection, None)
        self._look()

    def _look(self) -> None:
        """Somebody looks for changes as long as there is anybody to tell."""
        listened = bool(self._sessions or self._streams)
        if listened and self._stop is None and self._watches is not None:
            self._stop = self._watches(self.changed)
        elif not listened and self._stop is not None:
            self._stop()
            self._stop = None

    async def stream(
        self,
        context: ServerRequestContext,
        params: SubscriptionsListenRequestParams,
        agent: str,
    ) -> SubscriptionsListenResult:
        """One stream of the new era, until its client leaves."""
        if len(self._streams) >= MOST_LISTENERS:
            raise MCPError(INTERNAL_ERROR, "too many clients listen already; try again later")
        return await ListenHandler(_Of(self, agent))(context, params)

    def subscribe(self, agent: str, deliver: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Tells one stream of one agent's tools; gives how to stop that."""
        token = object()
        self._streams[token] = (agent, deliver)
        self._look()

        def leave() -> None:
            self._streams.pop(token, None)
            self._look()

        return leave


class _Of:
    """The SDK's bus, for one stream that hears of one agent alone."""

    def __init__(self, listening: Listening, agent: str) -> None:
        self._listening, self._agent = listening, agent

    async def publish(self, event: ServerEvent) -> None:
        """Nothing is published here."""

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        return self._listening.subscribe(self._agent, listener)


async def _told(session: ServerSession) -> None:
    try:
        await session.send_tool_list_changed()
    except Exception as problem:  # a client that is just leaving
        _log.debug("a client could not be told: %s", type(problem).__name__)
