"""A real HTTP server that speaks OpenAI's and Anthropic's protocols and fails on request."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Say:
    """Streams these words, after its thoughts; `drop_after` cuts the connection after that many
    words."""

    words: tuple[str, ...] = ("Hel", "lo")
    thoughts: tuple[str, ...] = ()
    finish: str = "stop"
    drop_after: int | None = None
    pause_s: float = 0.0


@dataclass(frozen=True)
class Call:
    """Streams a tool call whose arguments come in two pieces."""

    name: str
    arguments: str


@dataclass(frozen=True)
class Fail:
    """Answers with this status."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "scripted failure"


@dataclass(frozen=True)
class Hang:
    """Accepts the request and says nothing until the test ends."""


@dataclass(frozen=True)
class Raw:
    """Answers with these bytes, piece by piece, whatever they are; `breaks` cuts the connection
    behind them instead of ending the body, `stays` leaves it open without a further word."""

    pieces: tuple[bytes, ...]
    type: str = "text/event-stream"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    breaks: bool = False
    stays: bool = False


Behaviour = Say | Call | Fail | Hang | Raw


def delta(finish: str | None = None, **said: Any) -> bytes:
    """An event with one chunk of a chat completion."""
    return event({"choices": [{"index": 0, "delta": said, "finish_reason": finish}]})


def event(data: Any) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


END = delta("stop") + b"data: [DONE]\n\n"


class Provider:
    """What the server will do next, and what it was asked."""

    def __init__(self, behaviours: list[Behaviour]) -> None:
        self.behaviours = behaviours
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.hung_up = threading.Event()
        """Set when a client went away in the middle of a stream."""
        self.over = threading.Event()
        self.base = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: Provider

    def do_GET(self) -> None:
        self._json(200, {"data": [], "models": [{"name": "tiny:latest"}]})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.provider.bodies.append(json.loads(self.rfile.read(length)))
        self.provider.keys.append(self.headers.get("Authorization", ""))
        behaviours = self.provider.behaviours
        match behaviours.pop(0) if len(behaviours) > 1 else behaviours[0]:
            case Fail(status, headers, message):
                self._json(status, {"error": {"message": message, "type": "fake"}}, headers)
            case Hang():
                self.provider.over.wait(30)
            case Say() as say if self.path.endswith("/messages"):
                self._say_as_anthropic(say)
            case Say() as say:
                self._say(say)
            case Call() as call:
                self._call(call)
            case Raw() as raw:
                self._answer(raw)

    def _answer(self, raw: Raw) -> None:
        self._open(raw.status, raw.type, raw.headers)
        for piece in raw.pieces:
            self._raw(piece)
            time.sleep(0.01)
        if raw.stays:
            self.provider.over.wait(30)
        if not raw.breaks:
            self._raw(b"")
            return
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _say(self, say: Say) -> None:
        self._open()
        for thought in say.thoughts:
            self._event({"choices": [_choice({"reasoning_content": thought})]})
        for number, word in enumerate(say.words):
            if number == say.drop_after:
                self.close_connection = True
                self.connection.close()
                return
            if not self._event({"choices": [_choice({"content": word})]}):
                return
            time.sleep(say.pause_s)
        self._end(say.finish)

    def _say_as_anthropic(self, say: Say) -> None:
        self._open()
        usage = {
            "input_tokens": 4,
            "cache_read_input_tokens": 8,
            "cache_creation_input_tokens": 0,
            "output_tokens": 1,
        }
        message = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "m"}
        self._named({"type": "message_start", "message": {**message, "usage": usage}})
        blocks = [("thinking", "thinking", say.thoughts), ("text", "text", say.words)]
        for number, (kind, name, pieces) in enumerate(block for block in blocks if block[2]):
            at = {"index": number}
            start = {"type": kind, name: ""}
            self._named({"type": "content_block_start", **at, "content_block": start})
            for piece in pieces:
                delta = {"type": f"{kind}_delta", name: piece}
                if not self._named({"type": "content_block_delta", **at, "delta": delta}):
                    return
                time.sleep(say.pause_s)
            self._named({"type": "content_block_stop", **at})
        end = {"stop_reason": "end_turn", "stop_sequence": None}
        self._named({"type": "message_delta", "delta": end, "usage": {"output_tokens": 2}})
        self._named({"type": "message_stop"})
        self._raw(b"")

    def _named(self, data: dict[str, Any]) -> bool:
        return self._raw(f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode())

    def _call(self, call: Call) -> None:
        self._open()
        half = len(call.arguments) // 2
        function = {"name": call.name, "arguments": call.arguments[:half]}
        first = {"index": 0, "id": "call_1", "type": "function", "function": function}
        self._event({"choices": [_choice({"tool_calls": [first]})]})
        rest = {"index": 0, "function": {"arguments": call.arguments[half:]}}
        self._event({"choices": [_choice({"tool_calls": [rest]})]})
        self._end("tool_calls")

    def _end(self, finish: str) -> None:
        self._event({"choices": [_choice({}, finish)]})
        usage = {
            "prompt_tokens": 12,
            "completion_tokens": 2,
            "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 8},
        }
        self._event({"choices": [], "usage": usage})
        if self._raw(b"data: [DONE]\n\n"):
            self._raw(b"")

    def _open(
        self,
        status: int = 200,
        kind: str = "text/event-stream",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        told = {"Content-Type": kind, "Transfer-Encoding": "chunked", **(headers or {})}
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()

    def _event(self, data: dict[str, Any]) -> bool:
        frame = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", **data}
        return self._raw(f"data: {json.dumps(frame)}\n\n".encode())

    def _raw(self, data: bytes) -> bool:
        try:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
        except OSError:
            self.provider.hung_up.set()
            return False
        return True

    def _json(self, status: int, data: dict[str, Any], headers: dict[str, str] | None = None):
        body = json.dumps(data).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}


@contextmanager
def provider(*behaviours: Behaviour) -> Iterator[Provider]:
    """Serves on loopback; each request takes the next behaviour, the last one stays."""
    script = Provider(list(behaviours))
    handler = type("Handler", (_Handler,), {"provider": script})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    script.base = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield script
    finally:
        script.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
