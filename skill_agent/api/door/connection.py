"""One HTTP connection that grants strangers little: a bounded head, a bounded wait, few at once.

Only what uvicorn leaves open is closed here; bodies and rates are the guards' business.
"""

import json
from asyncio import TimerHandle, Transport
from uuid import uuid4

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 65_536
"""The most a request line and its headers may have together."""
HEAD_S = 20.0
"""How long a request may take to arrive as far as its body."""
MOST_CONNECTIONS = 500


class Connection(HttpToolsProtocol):
    """Refuses in the words of our API what is no HTTP."""

    _head_bytes = 0
    _waiting: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        self._wait()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._wait_no_more()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        self._wait_no_more()  # from here on uvicorn's own clock runs
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP hears so in the shape of every other error."""
        self._wait_no_more()
        error = {
            "error": "bad_request",
            "message": "this is no HTTP request",
            "details": {},
            "request_id": uuid4().hex,
        }
        body = json.dumps(error).encode()
        head = (
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
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
    """As many at once as cannot use up what the home itself needs."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
