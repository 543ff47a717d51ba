"""One HTTP connection that grants strangers little: a bounded head, a bounded wait, few at once.

Only what uvicorn leaves open is closed here; bodies and rates are the guards' business.
"""

import json
import time
from asyncio import TimerHandle, Transport
from uuid import uuid4

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .limiting import address_of

HEAD_BYTES = 65_536
"""The most a request line and its headers may have together."""
HEAD_S = 20.0
"""How long a request may take to arrive as far as its body."""
BODY_BYTES_S = 16_384
"""A stranger's body may take a second more for so many bytes of it that have come."""
MOST_CONNECTIONS = 500
MOST_IDLE = 50
"""Connections of one address that have asked for nothing yet, or for nothing with a key that holds:
one more ends the oldest of them, so that who comes with a key always finds room."""


class Connection(HttpToolsProtocol):
    """Refuses in the words of our API what is no HTTP."""

    _head_bytes = 0
    _framing = 0
    _waiting: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = self._framing = 0
        self._wait()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        self._framing += name.lower() in (b"content-length", b"transfer-encoding")
        if self._framing > 1:  # two readers would take different bytes for the body
            raise HttpParserError("the length of the body is told twice")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._wait_no_more()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        self._wait_no_more()  # from here on uvicorn's own clock runs
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP hears so in the shape of every other error."""
        self._end_with(b"400 Bad Request", "bad_request", "this is no HTTP request")

    def _end_with(self, status: bytes, error: str, message: str) -> None:
        self._wait_no_more()
        told = {"error": error, "message": message, "details": {}, "request_id": uuid4().hex}
        body = json.dumps(told).encode()
        head = (
            b"HTTP/1.1 %b\r\ncontent-type: application/json\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n" % (status, len(body))
        )
        self.transport.write(head + body)
        self.transport.close()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            raise HttpParserError("the head of the request is too large")

    def _wait(self) -> None:
        self._wait_no_more()
        self._waiting = self.loop.call_later(HEAD_S, self._give_up)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self.transport.abort()


class StrangersConnection(Connection):
    """As many at once as cannot use up what the home itself needs, and none that only waits."""

    body_s = 20.0
    """How long a body may take to arrive, however short it is."""
    _known = False
    _body_bytes = 0
    _body_began = 0.0
    _receiving: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._came = time.monotonic()
        if len(self.connections) <= MOST_IDLE:
            return
        idle = sorted(
            (one for one in self.connections if isinstance(one, StrangersConnection) and one.idle),
            key=lambda one: one._came,
        )
        near = [one for one in idle if one.address == self.address]
        if len(near) > MOST_IDLE:
            near[0].transport.abort()
        elif len(self.connections) > MOST_CONNECTIONS:
            idle[0].transport.abort()  # at worst this one

    @property
    def address(self) -> str:
        """Whose it is, as it is counted."""
        return address_of(self.client)

    @property
    def idle(self) -> bool:
        """Whether nothing is being answered, and nobody has shown a key that holds."""
        answering = self.cycle is not None and not self.cycle.response_complete
        return not (self._known or answering or self.transport.is_closing())

    def connection_lost(self, exc: Exception | None) -> None:
        self._received()
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._body_bytes, self._body_began = 0, self.loop.time()
        self._receive()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._received()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._received()
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        state = self.cycle.scope.get("state", {})
        self._known = self._known or state.get("caller") is not None
        super().on_response_complete()

    def _receive(self) -> None:
        now = self.loop.time()
        if self.flow.read_paused:  # the delay is ours
            self._body_began = now
        until = self._body_began + self.body_s + self._body_bytes / BODY_BYTES_S
        if until <= now:
            self._too_slow()
        else:
            self._receiving = self.loop.call_at(until, self._receive)

    def _received(self) -> None:
        if self._receiving is not None:
            self._receiving.cancel()
            self._receiving = None

    def _too_slow(self) -> None:
        if self.cycle is None or self.cycle.response_started:
            self.transport.abort()
        else:
            self._end_with(
                b"408 Request Timeout", "request_timeout", "the body took too long to arrive"
            )
