"""Text piped into a command, read without ever hanging on a pipe that stays silent.

Only text: bytes that are no text are refused. What to do with the text is the command's business.
"""

import io
import queue
import stat
import sys
import threading
import time
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from skill_agent.errors import UsageError

FIRST_BYTE_S = 2.0
"""How long a prompt waits for a pipe's first byte; `-` waits for ever."""
LIMIT_BYTES = 10_000_000
_CHUNK = 65_536


class Say(Protocol):
    """Tells the person something on stderr."""

    def __call__(self, text: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class _Failed:
    error: OSError


class PipedText:
    """Reads a stream in the background from the moment it is made, up to `LIMIT_BYTES`.

    A thread, because only a thread can wait for a pipe on every system; a daemon, because a pipe
    that never ends must not keep the process alive.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._started = time.monotonic()
        self._pieces: queue.SimpleQueue[bytes | _Failed | None] = queue.SimpleQueue()
        threading.Thread(target=self._pump, args=(stream,), daemon=True, name="stdin").start()

    def text(self, *, wait_s: float | None, say: Say) -> str:
        """Everything up to the end of the stream, decoded.

        With `wait_s`, a stream that has given nothing for so long since it was opened counts as
        empty. Raises UsageError for binary or too much input.
        """
        first = self._first(wait_s)
        if first is None:
            say(f"nothing on standard input within {wait_s:g} s; going on without it "
                "(add - to wait for it)")  # fmt: skip
            return ""
        data = bytearray()
        piece: bytes | None = first
        while piece:
            data += piece
            if len(data) > LIMIT_BYTES:
                raise UsageError(
                    f"standard input is larger than {LIMIT_BYTES // 1_000_000} MB",
                    hint="pass the part that matters, e.g. with head or grep",
                )
            piece = self._next(say)
        return decode(bytes(data))

    def _first(self, wait_s: float | None) -> bytes | None:
        """The first piece, empty at the end of the stream; None when it did not come in time."""
        if wait_s is None:
            return self._checked(self._pieces.get())
        rest = max(0.0, wait_s - (time.monotonic() - self._started))
        try:
            return self._checked(self._pieces.get(timeout=rest))
        except queue.Empty:
            return None

    def _next(self, say: Say) -> bytes:
        try:
            return self._checked(self._pieces.get(timeout=5.0))
        except queue.Empty:
            say("waiting for the end of standard input (Ctrl+C stops)")
            return self._checked(self._pieces.get())

    @staticmethod
    def _checked(piece: "bytes | _Failed | None") -> bytes:
        if isinstance(piece, _Failed):
            raise UsageError(f"standard input cannot be read: {piece.error.strerror}")
        return piece or b""

    def _pump(self, stream: BinaryIO) -> None:
        read = 0
        try:
            while read <= LIMIT_BYTES and (piece := stream.read(_CHUNK)):
                read += len(piece)
                self._pieces.put(piece)
            self._pieces.put(None)
        except OSError as error:
            self._pieces.put(_Failed(error))


def process_stdin() -> BinaryIO | None:
    """The process's standard input where something may be piped into it; None for a terminal.

    Unbuffered: a buffered reader blocked in a thread would trip the interpreter's exit.
    """
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return None
    try:
        mode = _mode(sys.stdin.fileno())
    except (OSError, ValueError):
        return None
    if stat.S_ISCHR(mode):  # /dev/null and its like
        return None
    return io.FileIO(sys.stdin.fileno(), closefd=False)  # pyright: ignore[reportReturnType]


def decode(data: bytes) -> str:
    """Bytes as text: UTF-8, or UTF-16 with its mark; raises UsageError for anything else."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _binary(
            f"byte {error.start} is not {encoding.removesuffix('-sig').upper()}"
        ) from None
    if "\0" in text:
        raise _binary("it contains zero bytes")
    return text


def _mode(descriptor: int) -> int:
    import os

    return os.fstat(descriptor).st_mode


def _binary(why: str) -> UsageError:
    return UsageError(
        f"standard input is not text: {why}", hint="convert it first, e.g. with iconv or base64"
    )
