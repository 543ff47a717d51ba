"""An Ollama with one model, over real HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SHOWN = {
    "capabilities": ["completion", "vision", "tools", "thinking"],
    "details": {"parameter_size": "7.6B"},
    "model_info": {"general.architecture": "qwen2", "qwen2.context_length": 32_768},
}


@contextmanager
def ollama(shown: dict | None, asked: list[str], *, port: int = 0) -> Iterator[str]:
    """A server with one model, `big:7b`; every question to it is noted."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._give({"models": [{"name": "big:7b", "size": 4_700_000_000}]})

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            asked.append(json.loads(self.rfile.read(length))["model"])
            self._give(shown)

        def _give(self, answer: dict | None) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200 if answer is not None else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
