"""A receiver of webhooks over real HTTP, which believes nothing that is not signed.

It checks signatures by itself, with the command `openssl`'s arithmetic written out: RFC 2104 over
SHA-256, without Python's `hmac` and without a line of the product.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BLOCK = 64


def mac(secret: bytes, text: bytes) -> str:
    """HMAC-SHA256 as RFC 2104 defines it, in hex."""
    key = hashlib.sha256(secret).digest() if len(secret) > BLOCK else secret
    key = key.ljust(BLOCK, b"\0")
    inner = hashlib.sha256(bytes(one ^ 0x36 for one in key) + text).digest()
    return hashlib.sha256(bytes(one ^ 0x5C for one in key) + inner).hexdigest()


@dataclass(frozen=True)
class Got:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> str:
        return self.headers["x-webhook-event"]

    @property
    def id(self) -> str:
        return self.headers["x-webhook-id"]

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.body)

    def is_signed(self, secret: str) -> bool:
        stamp = self.headers["x-webhook-timestamp"].encode()
        expected = "sha256=" + mac(secret.encode(), stamp + b"." + self.body)
        return self.headers["x-webhook-signature"] == expected


Answering = Callable[["Handler", Got], None]


@dataclass
class Receiver:
    """What came, and how it is answered: by a status, or in any other way."""

    url: str
    got: list[Got] = field(default_factory=list)
    answer: int | Answering = 200
    headers: dict[str, str] = field(default_factory=dict)
    came: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    @property
    def events(self) -> list[str]:
        return [one.event for one in self.got]

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.got]

    def cleared(self) -> list[Got]:
        got, self.got = self.got, []
        return got


class Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        got = Got(self.path, headers, body)
        receiver = self.receiver
        receiver.got.append(got)
        receiver.came.set()
        if callable(receiver.answer):
            receiver.answer(self, got)
            return
        self.send_response(receiver.answer)
        for name, value in receiver.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self) -> None:
        self.receiver.got.append(Got(self.path, {"x-webhook-event": "GET"}, b"{}"))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def receiving(host: str = "127.0.0.1") -> Iterator[Receiver]:
    handler = type("OwnHandler", (Handler,), {})
    server = ThreadingHTTPServer((host, 0), handler)
    server.daemon_threads = True
    receiver = Receiver(f"http://{host}:{server.server_port}/hook")
    handler.receiver = receiver  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        server.shutdown()
        server.server_close()


# -- ways to answer ------------------------------------------------------------------------------


def never(handler: Handler, _got: Got) -> None:
    """Takes the request and says nothing."""
    handler.receiver.let_go.wait(20)


def by_drops(handler: Handler, _got: Got) -> None:
    """One byte of a head that never ends, every so often."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.receiver.let_go.wait(0.05):
        handler.wfile.write(b"x")
        handler.wfile.flush()


def ten_megabytes(handler: Handler, _got: Got) -> None:
    handler.send_response(200)
    handler.send_header("content-length", str(10_000_000))
    handler.end_headers()
    try:
        for _ in range(100):
            handler.wfile.write(b"x" * 100_000)
    except OSError:  # nobody reads it
        pass


def nonsense(handler: Handler, _got: Got) -> None:
    handler.wfile.write(b"SECRET-OF-THE-RECEIVER \x00\xff\r\n\r\n")


def hangs_up(handler: Handler, _got: Got) -> None:
    handler.connection.close()


def slowly(seconds: float) -> Answering:
    def answer(handler: Handler, _got: Got) -> None:
        time.sleep(seconds)
        handler.send_response(204)
        handler.end_headers()

    return answer
