"""OpenCode for real, its model on this machine: run by hand where it is installed."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from outside_home import OutsideHome, said, the, those

from skill_agent.events import ApprovalAsked, DiffShown, ToolFinished, TurnFinished

NAMES = (
    "OPENCODE_CONFIG", "OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_AUTOUPDATE",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS", "OPENCODE_DISABLE_LSP_DOWNLOAD",
)  # fmt: skip
OPENCODE = os.environ.get("SKA_TEST_OPENCODE") or shutil.which("opencode") or ""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not OPENCODE, reason="no opencode: SKA_TEST_OPENCODE names its program"),
]


class Canned(BaseHTTPRequestHandler):
    """A model behind the usual address: has a file written when asked to, else says Hello."""

    asked: list[dict[str, Any]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(body)
        last = json.dumps(body["messages"][-1])
        write = body.get("tools") and "write it" in last
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        if write:
            arguments = {"filePath": str(self.server.folder / "made.txt"), "content": "hi\n"}  # type: ignore[attr-defined]
            call = {"index": 0, "id": "c1", "type": "function",
                    "function": {"name": "write", "arguments": json.dumps(arguments)}}  # fmt: skip
            self.piece({"role": "assistant", "tool_calls": [call]})
            self.piece({}, "tool_calls")
        else:
            self.piece({"role": "assistant", "content": "Hello."})
            self.piece({}, "stop")
        usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
        self.line({"id": "x", "object": "chat.completion.chunk", "choices": [], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")

    def piece(self, delta: dict[str, Any], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        self.line({"id": "x", "object": "chat.completion.chunk", "choices": [choice]})

    def line(self, told: dict[str, Any]) -> None:
        self.wfile.write(f"data: {json.dumps(told)}\n\n".encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def base(work: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Canned)
    server.folder = work  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def settled(tmp_path: Path, base: str) -> dict[str, str]:
    """OpenCode's own settings: one model, nothing fetched, and it asks before it changes."""
    config = tmp_path / "opencode.json"
    model = {"name": "local", "limit": {"context": 100_000, "output": 1_000}}
    config.write_text(json.dumps({
        "provider": {"local": {
            "npm": "@ai-sdk/openai-compatible", "options": {"baseURL": base, "apiKey": "none"},
            "models": {"model": model},
        }},
        "model": "local/model", "small_model": "local/model", "enabled_providers": ["local"],
        "permission": {"edit": "ask", "bash": "ask"}, "autoupdate": False, "share": "disabled",
    }))  # fmt: skip
    folders = {
        f"XDG_{one}_HOME": str(tmp_path / one) for one in ("CONFIG", "DATA", "STATE", "CACHE")
    }
    return {
        **folders, "HOME": str(tmp_path), "OPENCODE_CONFIG": str(config),
        "OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1", "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    }  # fmt: skip


async def test_it_answers_asks_and_writes(
    outside: OutsideHome, base: str, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settled(tmp_path, base).items():
        monkeypatch.setenv(name, value)
    async with outside.opened(command=[OPENCODE, "acp", "--pure"], env=NAMES) as runtime:
        events = await said(runtime, "hello", folder=str(work))
        end = the(events, TurnFinished)
        assert end.text == "Hello."
        events = await said(runtime, "write it", session=end.session, answer="once")
        asked = those(events, ApprovalAsked)
        print([one.rule for one in asked], [one.line for one in events])
        assert (work / "made.txt").read_text() == "hi\n"
        assert those(events, DiffShown)
        assert the(events, ToolFinished).ok
        assert "we ship" not in json.dumps(Canned.asked)
