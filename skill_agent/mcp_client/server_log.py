"""What a server writes to its standard error, kept as a file: bounded, and without credentials."""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Collection
from pathlib import Path

from skill_agent.files.private import read_bytes
from skill_agent.identifiers import iso
from skill_agent.ports import Clock
from skill_agent.text.printing import printable
from skill_agent.text.redaction import masked

from .limits import Limits

_LONGEST_LINE = 2_000
_LAST = 20
_MINUTE_S = 60.0
_SECRET_CHARS = 6
"""A value shorter than this stands in too many words to be masked everywhere."""


class ServerLog:
    """The log of one server. More than so much a minute is counted and not kept, so that a flood
    neither fills the disk nor keeps the server waiting."""

    def __init__(self, file: Path, clock: Clock, limits: Limits) -> None:
        self.file = file
        self._clock, self._limits = clock, limits
        self._secrets: tuple[str, ...] = ()
        self._last: deque[str] = deque(maxlen=_LAST)
        self._begun = b""
        self._minute = float("-inf")
        self._kept = self._dropped = 0

    @property
    def last(self) -> tuple[str, ...]:
        """Its last lines since it was started."""
        return tuple(self._last)

    def begin(self, secrets: Collection[str]) -> None:
        """A new process writes now; `secrets` are values it was given, which are not to be kept."""
        self._secrets = tuple(value for value in secrets if len(value) >= _SECRET_CHARS)
        self._last.clear()
        self._begun, self._minute = b"", float("-inf")

    async def drain(self, stream: asyncio.StreamReader) -> None:
        """Takes all that comes until the end."""
        while chunk := await stream.read(1 << 16):
            await self.take(chunk)
        await self.end()

    async def take(self, chunk: bytes) -> None:
        """A piece of what the server wrote."""
        taken = await self._room_for(chunk)
        *lines, self._begun = (self._begun + taken).split(b"\n")
        if len(self._begun) > _LONGEST_LINE or (not taken and self._begun):
            lines, self._begun = [*lines, self._begun], b""
        if lines:
            await asyncio.to_thread(self._write, lines)

    async def note(self, text: str) -> None:
        """A line of ours among the server's, for something it did."""
        if taken := await self._room_for(f"[{text}]".encode()):
            await asyncio.to_thread(self._write, [taken])

    async def _room_for(self, raw: bytes) -> bytes:
        """What of it there is room for in this minute."""
        now = asyncio.get_running_loop().time()
        if now - self._minute >= _MINUTE_S:
            await self._tell_dropped()
            self._minute, self._kept = now, 0
        room = max(0, self._limits.log_bytes_a_minute - self._kept)
        self._kept += min(room, len(raw))
        self._dropped += max(0, len(raw) - room)
        return raw[:room]

    async def end(self) -> None:
        if self._begun:
            lines, self._begun = [self._begun], b""
            await asyncio.to_thread(self._write, lines)
        await self._tell_dropped()

    async def _tell_dropped(self) -> None:
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            line = f"[… {dropped:,} bytes more were dropped]".encode()
            await asyncio.to_thread(self._write, [line])

    def _write(self, lines: list[bytes]) -> None:
        """A log that cannot be written stops no server."""
        shown = [line for raw in lines if (line := self._shown(raw))]
        self._last.extend(shown)
        at = iso(self._clock())
        with contextlib.suppress(OSError):
            self._turn_over()
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "ab") as stream:
                stream.write("".join(f"{at} {line}\n" for line in shown).encode())

    def _shown(self, raw: bytes) -> str:
        text = printable(raw[:_LONGEST_LINE].decode("utf-8", "replace"))
        for secret in self._secrets:
            text = text.replace(secret, "[redacted]")
        cut = f" … {len(raw):,} bytes" if len(raw) > _LONGEST_LINE else ""
        return masked(text).replace("\n", " ") + cut

    def _turn_over(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self.file.stat().st_size >= self._limits.log_bytes:
                self.file.replace(_before(self.file))


def last_lines(file: Path, lines: int) -> list[str]:
    """The last lines of a server's log, also of the file before; none where there is no log."""
    found: list[str] = []
    for one in (_before(file), file):
        if one.is_file():
            raw = read_bytes(one, most=1 << 24)
            found += [printable(line) for line in raw.decode("utf-8", "replace").splitlines()]
    return found[-lines:] if lines > 0 else []


def _before(file: Path) -> Path:
    return file.with_name(f"{file.name}.1")
