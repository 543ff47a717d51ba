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
        self.paths: list[str] = []
        self.linked: dict[str, str] = {}
        """Headers of a redirect that comes before the file, as a hub's large-file storage has it;
        without any the file is served at once."""
        self.status = 0
        """Answered to everything instead of the file, where set."""
        self.base = ""
        self.url = ""


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        hub = self.hub
        if hub.status:
            self.send_error(hub.status)
            return
        if hub.linked and not self.path.startswith("/storage"):
            hub.paths.append(self.path)
            self.send_response(302)
            for name, value in {
                **hub.linked,
                "Location": "/storage",
                "Content-Length": "0",
            }.items():
                self.send_header(name, value)
            self.end_headers()
            return
        self._serve()

    def _serve(self) -> None:
        hub = self.hub
        wanted = self.headers.get("Range", "")
        hub.ranges.append(wanted)
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first or 0), int(last or len(hub.data) - 1) + 1
        body = hub.data[start:end]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body)))
        if wanted:
            last_byte = start + len(body) - 1
            self.send_header("Content-Range", f"bytes {start}-{last_byte}/{len(hub.data)}")
        self.end_headers()
        if hub.cut_after is not None:
            body, hub.cut_after = body[: hub.cut_after], None
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def hub(data: bytes) -> Iterator[Hub]:
    """A hub on loopback with one file, at `url` and at every other path."""
    made = Hub(data)
    handler = type("Handler", (_Handler,), {"hub": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    made.base = f"http://127.0.0.1:{server.server_address[1]}"
    made.url = f"{made.base}/model.bin"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
