"""One home's server for many clients: over HTTP, and over a socket that carries a message a frame.

Imports the SDK, which takes seconds: loaded when the first client comes, or before by a host that
has nothing else to do. Who may come in is decided before anything gets here.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp import types
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from pydantic import ValidationError
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from skill_agent.workstation import Workstation

from .listening import Listening
from .server import Context, HomeServer
from .sets import Changed, Sets
from .visit import Visit

IDLE_S = 15 * 60.0
"""A session over HTTP of which nothing was heard for so long is ended."""
MOST_SESSIONS = 200
_SESSION = b"mcp-session-id"

_log = logging.getLogger(__name__)

Watching = Callable[[Workstation, Changed], Callable[[], None]]
"""Has somebody look for changes of a home's tools; gives how to stop that."""


class Hosting:
    """The server, for as long as `running` is open."""

    def __init__(
        self, station: Workstation, sets: Sets, watching: Watching, *, longest: int
    ) -> None:
        """`longest` is how many bytes a request's body may have."""
        listening = Listening(partial(watching, station))
        self._server = HomeServer(sets, _visit_of, listening=listening).made()
        self._sessions = StreamableHTTPSessionManager(
            self._server,
            # Host and Origin were looked at by our own guard, which knows sockets and proxies.
            security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            session_idle_timeout=IDLE_S,
            max_sessions=MOST_SESSIONS,
            max_request_body_size=longest,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Once; what is under way at its end is cancelled."""
        _complain_in_our_log()
        async with self._sessions.run():
            yield

    async def http(
        self, scope: Scope, receive: Receive, send: Send, visit: Visit, *, holds: Callable[[], bool]
    ) -> None:
        """Answers one request. A session is the key's that opened it; `holds` says whether that
        key still counts, and where it does not, what its session has under way is ended."""
        scope["state"]["visit"] = visit
        if visit.requester is not None:
            token = AccessToken(token="", client_id=visit.requester.key, scopes=[])
            scope["user"] = AuthenticatedUser(token)
        try:
            await self._sessions.handle_request(scope, receive, send)
        except asyncio.CancelledError:
            if not holds():
                await self._end(scope)
            raise

    async def _end(self, scope: Scope) -> None:
        """Ends the session of a request, by what its client could have asked for itself."""
        if _SESSION not in dict(scope["headers"]):
            return

        async def nothing(message: Message) -> None:
            return None

        async def empty() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        with suppress(Exception):
            await self._sessions.handle_request({**scope, "method": "DELETE"}, empty, nothing)

    async def over(self, socket: WebSocket, visit: Visit) -> None:
        """Serves one client over an accepted socket, until it leaves; then its calls are ended."""
        socket.scope["state"]["visit"] = visit
        heard, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        outgoing, said = anyio.create_memory_object_stream[SessionMessage](0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_speak, socket, said)
            tasks.start_soon(_hear, socket, heard, outgoing.clone())
            options = self._server.create_initialization_options()
            await self._server.run(incoming, outgoing, options)
            tasks.cancel_scope.cancel()


class _Forwarding(logging.Handler):
    """Takes the SDK's complaints to our own log, so that none reaches a screen."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.handle(record)


def _complain_in_our_log() -> None:
    theirs = logging.getLogger("mcp")
    if not any(isinstance(one, _Forwarding) for one in theirs.handlers):
        theirs.addHandler(_Forwarding(logging.WARNING))
        theirs.setLevel(logging.WARNING)
        theirs.propagate = False


def _visit_of(context: Context) -> Visit:
    request: Request | WebSocket | None = context.request
    assert request is not None, "each message comes with the request that carried it"
    return request.scope["state"]["visit"]


async def _hear(
    socket: WebSocket,
    heard: MemoryObjectSendStream[SessionMessage | Exception],
    answers: MemoryObjectSendStream[SessionMessage],
) -> None:
    metadata: Any = ServerMessageMetadata(request_context=socket)  # type: ignore[arg-type]
    async with heard, answers:
        with suppress(WebSocketDisconnect, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                text = await socket.receive_text()
                try:
                    message = types.jsonrpc_message_adapter.validate_json(text, by_name=False)
                except ValidationError:
                    await answers.send(_REFUSED)
                    continue
                await heard.send(SessionMessage(message, metadata=metadata))


async def _speak(socket: WebSocket, said: MemoryObjectReceiveStream[SessionMessage]) -> None:
    async with said:
        async for one in said:
            if socket.application_state is not WebSocketState.CONNECTED:
                return
            with suppress(WebSocketDisconnect, RuntimeError, OSError):  # it has just left
                text = one.message.model_dump_json(by_alias=True, exclude_unset=True)
                await socket.send_text(text)


_REFUSED = SessionMessage(
    types.JSONRPCError(
        jsonrpc="2.0",
        id=None,
        error=types.ErrorData(
            code=types.INVALID_REQUEST, message="this is no message of JSON-RPC 2.0"
        ),
    )
)
