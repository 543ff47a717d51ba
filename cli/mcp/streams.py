"""The standard streams of a process that speaks a protocol over them: lines in, lines out.

Both are served by threads of their own that nobody waits for, since a read or a write may block for
ever. Whatever else prints to stdout from here on goes to stderr.
"""

import asyncio
import os
import queue
import threading
from collections.abc import AsyncIterator

from skill_agent.mcp_server.relay import ClientGone, TooLong

MOST_LINE = 10 * 1024 * 1024
"""Bytes of one line."""
_PIECE = 65_536
_MOST_WAITING = 256


class Standard:
    """This process's own; made once."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()
        threading.Thread(target=self._write_on, daemon=True, name="stdout").start()

    async def write(self, text: str) -> None:
        """Returns once it is written; raises ClientGone where nobody reads."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._waiting.put((text.encode("utf-8", "replace") + b"\n", done))
        await done

    async def lines(self) -> AsyncIterator[bytes | TooLong]:
        """Each line that is not empty, a TooLong in the place of one that is."""
        pieces: asyncio.Queue[bytes] = asyncio.Queue(_MOST_WAITING)
        threading.Thread(target=self._read_on, args=(pieces,), daemon=True, name="stdin").start()
        lines = Lines()
        while piece := await pieces.get():
            for line in lines.after(piece):
                yield line
        for line in lines.after(b"\n"):
            yield line

    def _read_on(self, pieces: "asyncio.Queue[bytes]") -> None:
        while True:
            try:
                piece = os.read(0, _PIECE)
            except OSError:
                piece = b""
            try:
                asyncio.run_coroutine_threadsafe(pieces.put(piece), self._loop).result()
            except Exception:  # the loop is closed: the process ends
                return
            if not piece:
                return

    def _write_on(self) -> None:
        while True:
            data, done = self._waiting.get()
            written = _written(self._out, data)
            try:
                self._loop.call_soon_threadsafe(_settle, done, written)
            except RuntimeError:  # the loop is closed: the process ends
                return


class Lines:
    """Cuts what comes into lines, and keeps no more of one than it may have."""

    def __init__(self, most: int = MOST_LINE) -> None:
        self._most = most
        self._begun: list[bytes] = []
        self._size = 0

    def after(self, piece: bytes) -> list[bytes | TooLong]:
        """The lines that end in this piece."""
        found: list[bytes | TooLong] = []
        *ended, rest = piece.split(b"\n")
        for part in ended:
            self._keep(part)
            if self._size > self._most:
                found.append(TooLong(f"a line has at most {self._most} bytes"))
            elif line := b"".join(self._begun).strip():
                found.append(line)
            self._begun, self._size = [], 0
        self._keep(rest)
        return found

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._most:
            self._begun = []
        elif part:
            self._begun.append(part)


def _written(descriptor: int, data: bytes) -> bool:
    """False where nobody reads."""
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except OSError:
            return False
    return True


def _settle(done: "asyncio.Future[None]", written: bool) -> None:
    if done.done():
        return
    if written:
        done.set_result(None)
    else:
        done.set_exception(ClientGone())
