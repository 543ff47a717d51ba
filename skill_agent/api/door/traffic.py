"""What is under way through a listener, so that a closing host ends it in good order.

A plain ASGI wrapper: it changes no request and no answer until `end` is called.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

QUIET_S = 0.05
"""A stream that said nothing for so long has told its listener all there was."""
STREAMS_S = 0.5
REQUESTS_S = 1.0
"""The most a closing host gives streams that go on talking, and requests being answered."""

SERVICE_RESTART = 1012
_FAREWELL = b": the host is closing\n\n"
_REFUSAL = {
    "error": "closing",
    "message": "the host of this home is closing",
    "details": {"kind": "Closing", "hint": "try again in a second"},
}


class Traffic:
    """An ASGI app that knows its open requests."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._open: set[_Exchange] = set()
        self._ending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        exchange = _Exchange(scope, send)
        if self._ending:
            await exchange.farewell()
            return
        self._open.add(exchange)
        try:
            await self._app(scope, receive, exchange.send)
        except asyncio.CancelledError:
            if not exchange.ended:
                raise
            exchange.task.uncancel()
            await exchange.farewell()
        finally:
            self._open.discard(exchange)

    async def end(self) -> None:
        """Refuses what comes from now on, lets answers be finished and ends streams that have
        nothing more to tell; returns within REQUESTS_S."""
        self._ending = True
        clock = asyncio.get_running_loop().time
        began = clock()
        while self._open and clock() - began < REQUESTS_S:
            for exchange in list(self._open):
                silence = clock() - max(exchange.spoke, began)
                if exchange.streams and (silence >= QUIET_S or clock() - began >= STREAMS_S):
                    exchange.end()
            await asyncio.sleep(QUIET_S / 5)
        for exchange in list(self._open):
            exchange.end()


class _Exchange:
    """One request or WebSocket, from its arrival to its end."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self._socket = scope["type"] == "websocket"
        self._started = self._over = False
        self._events = False
        self._clock = asyncio.get_running_loop().time
        task = asyncio.current_task()
        assert task is not None
        self.task = task
        self.spoke = self._clock()
        self.ended = False

    @property
    def streams(self) -> bool:
        """Whether it stays open until somebody ends it."""
        return self._socket or self._events

    async def send(self, message: Message) -> None:
        """Passes on what the app says, and takes note of it."""
        self.spoke = self._clock()
        match message["type"]:
            case "http.response.start":
                self._started = True
                self._events = _media_type(message).startswith(b"text/event-stream")
            case "http.response.body":
                self._over = not message.get("more_body", False)
            case "websocket.accept":
                self._started = True
            case "websocket.close":
                self._over = True
        await self._send(message)

    def end(self) -> None:
        """Stops the app where it stands; the listener gets the farewell."""
        if not self.ended:
            self.ended = True
            self.task.cancel()

    async def farewell(self) -> None:
        """Says that the host is closing, in the manner the listener understands.

        An answer cut short that is no event stream is left incomplete, so that nobody takes it
        for whole.
        """
        if self._over:
            return
        if self._socket:
            reason = "the host is closing"
            await self._send({"type": "websocket.close", "code": SERVICE_RESTART, "reason": reason})
        elif self._events:
            await self._send({"type": "http.response.body", "body": _FAREWELL})
        elif not self._started:
            await self._refuse()

    async def _refuse(self) -> None:
        body = json.dumps(_REFUSAL).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"retry-after", b"1"),
            (b"connection", b"close"),
        ]
        await self._send({"type": "http.response.start", "status": 503, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _media_type(message: Message) -> bytes:
    for name, value in message.get("headers", ()):
        if name.lower() == b"content-type":
            return value.lower()
    return b""
