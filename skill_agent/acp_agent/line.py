"""The line to an editor: one JSON-RPC message a line, each way.

The SDK's connection stands on it. What is no message is answered here, for that connection would
end by it; a request is cancelled here, for it has no means to.
"""

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable
from typing import Any

MOST_BYTES = 64_000_000
"""Of one message: more than the longest prompt with its images."""
_PIECE = 1 << 16
_HEAD = 500
_ID = re.compile(rb'"id"\s*:\s*(-?\d{1,18}|"[^"\\]{1,100}")')
_CANCEL = "$/cancel_request"
PARSE_ERROR, INVALID_REQUEST = -32700, -32600

Message = dict[str, Any]
Work = Callable[[], Awaitable[None]]
_Task = asyncio.Task[Any]


class EditorLine:
    """Messages from and to one editor."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int = MOST_BYTES
    ) -> None:
        self._reader, self._writer, self._most = reader, writer, most
        self._buffer = bytearray()
        self._writing = asyncio.Lock()
        self._prompts: dict[str | int, str] = {}
        """Which session each prompt is for that is not answered yet, by request."""
        self._asked: dict[_Task, int] = {}
        """What each task of ours asked the editor for last."""
        self._after: dict[_Task, list[Work]] = {}
        self._works: set[_Task] = set()

    # -- what the connection uses -------------------------------------------------------------

    async def receive(self) -> Message | None:
        """The next message; None at the end."""
        while True:
            raw = await self._next()
            if raw is None:
                return None
            if not raw.strip():
                continue
            message = await self._read(raw)
            if message is not None:
                return message

    async def send(self, message: Message) -> None:
        task = asyncio.current_task()
        if task is not None and "method" in message and "id" in message:
            self._asked[task] = message["id"]
        if "method" not in message:
            self._prompts.pop(message.get("id", ""), None)
            if "error" in message:
                _shorten(message["error"])
        try:
            await self._write(message)
        except ConnectionError:
            if "method" in message:
                raise
            return  # an answer nobody waits for any more
        if task is not None and "method" not in message:
            for work in self._after.pop(task, ()):
                self._begin(work)

    async def close(self) -> None:
        for work in self._works:
            work.cancel()
        await asyncio.gather(*self._works, return_exceptions=True)

    # -- what the agent uses ------------------------------------------------------------------

    def after_answer(self, work: Work) -> None:
        """Does something once the request that is handled just now has been answered."""
        task = asyncio.current_task()
        if task is not None:
            self._after.setdefault(task, []).append(work)

    async def withdraw(self, task: _Task) -> None:
        """Ends a task that waits for the editor's answer; the editor need not give one any more."""
        request = self._asked.pop(task, None)
        if request is not None and not task.done():
            await self._write(
                {"jsonrpc": "2.0", "method": _CANCEL, "params": {"requestId": request}}
            )
        task.cancel()

    def forget(self, task: _Task) -> None:
        """A task that asked something has ended."""
        self._asked.pop(task, None)

    # -- bytes --------------------------------------------------------------------------------

    async def _next(self) -> bytes | None:
        """The next whole line; None at the end, whatever was begun then."""
        looked, head = 0, b""
        while True:
            at = self._buffer.find(b"\n", looked)
            if at >= 0:
                line = bytes(self._buffer[:at])
                del self._buffer[: at + 1]
                if not head and len(line) <= self._most:
                    return line
                await self._refuse(head or line[:_HEAD])
                looked, head = 0, b""
                continue
            looked = len(self._buffer)
            if looked > self._most:
                head = head or bytes(self._buffer[:_HEAD])
                self._buffer.clear()
                looked = 0
            piece = await self._reader.read(_PIECE)
            if not piece:
                return None
            self._buffer += piece

    async def _refuse(self, head: bytes) -> None:
        """A line that is too long; its request is named where its beginning tells it."""
        found = _ID.search(head.partition(b'"params"')[0])
        megabytes = self._most // 1_000_000
        told = f"the message is longer than {megabytes} MB; send less of it at once"
        await self._error(json.loads(found[1]) if found else None, INVALID_REQUEST, told)

    async def _read(self, raw: bytes) -> Message | None:
        """The message of a line; what is none is answered."""
        try:
            message = json.loads(raw)
        except (ValueError, RecursionError):
            await self._error(None, PARSE_ERROR, "the line is not JSON")
            return None
        if not isinstance(message, dict) or not _sound(message):
            request = message.get("id") if isinstance(message, dict) else None
            known = request if isinstance(request, str | int) else None
            await self._error(known, INVALID_REQUEST, "this is no JSON-RPC request or answer")
            return None
        return self._noted(message)

    def _noted(self, message: Message) -> Message | None:
        """As the connection may have it; None where there is nothing for it to do."""
        method, params = message.get("method"), message.get("params")
        if isinstance(params, dict):
            params.pop("_meta", None)  # the SDK would make arguments of it
        if method == "session/prompt" and "id" in message and isinstance(params, dict):
            session = params.get("sessionId")
            if isinstance(session, str):
                self._prompts[message["id"]] = session
        if isinstance(method, str) and method.startswith("$/"):
            return self._cancelled(params) if method == _CANCEL else None
        return message

    def _cancelled(self, params: Any) -> Message | None:
        """A prompt that is cancelled as a request is cancelled as a turn."""
        request = params.get("requestId") if isinstance(params, dict) else None
        session = self._prompts.get(request) if isinstance(request, str | int) else None
        if session is None:
            return None
        return {"jsonrpc": "2.0", "method": "session/cancel", "params": {"sessionId": session}}

    async def _error(self, request: str | int | None, code: int, told: str) -> None:
        error = {"code": code, "message": told}
        await self._write({"jsonrpc": "2.0", "id": request, "error": error})

    async def _write(self, message: Message) -> None:
        raw = json.dumps(message, separators=(",", ":"), default=str).encode() + b"\n"
        async with self._writing:
            self._writer.write(raw)
            await self._writer.drain()

    def _begin(self, work: Work) -> None:
        task = asyncio.ensure_future(work())
        self._works.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: _Task) -> None:
        self._works.discard(task)
        if not task.cancelled():
            task.exception()  # an editor that is gone; the line's end tells it


def _sound(message: Message) -> bool:
    """Whether the connection can read it without breaking."""
    request = message.get("id")
    if isinstance(request, bool) or not isinstance(request, str | int | None):
        return False
    if "method" in message:
        return isinstance(message["method"], str)
    return "id" in message and ("result" in message or isinstance(message.get("error"), dict))


def _shorten(error: Any) -> None:
    """Of what is wrong with parameters, where and what; not the parameters once more."""
    data = error.get("data") if isinstance(error, dict) else None
    errors = data.get("errors") if isinstance(data, dict) else None
    if isinstance(errors, list):
        named = ("type", "loc", "msg")
        kept = [{name: str(one.get(name, ""))[:200] for name in named} for one in errors[:5]]
        error["data"] = {"errors": kept}


async def open_line(given: int, taken: int) -> EditorLine:
    """A line over two descriptors, which are the line's from then on; raises ValueError where they
    are no pipes."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_PIECE)
    protocol = asyncio.StreamReaderProtocol(reader)
    await loop.connect_read_pipe(lambda: protocol, os.fdopen(given, "rb", 0))
    transport, flow = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(taken, "wb", 0)
    )
    return EditorLine(reader, asyncio.StreamWriter(transport, flow, None, loop))
