"""Serves bytes over HTTP with ranges, and can cut a download off or give the wrong bytes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hub:
    """What the server gives and what it was asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.cut_after: int | None = None
        """Bytes after which the next download breaks off, once."""
        self.ranges: list[str] = []
        self.url = ""


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        hub = self.hub
        wanted = self.headers.get("Range", "")
        hub.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-") or 0) if wanted else 0
        body = hub.data[start:]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if hub.cut_after is not None:
            body, hub.cut_after = body[: hub.cut_after], None
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def hub(data: bytes) -> Iterator[Hub]:
    """A hub on loopback with one file at `url`."""
    made = Hub(data)
    handler = type("Handler", (_Handler,), {"hub": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}/model.bin"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
