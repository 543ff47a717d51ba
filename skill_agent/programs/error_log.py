"""What a program writes to its standard error, kept as a file: bounded, without credentials."""

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

_LONGEST_LINE = 2_000
_LAST = 20
_MOST_BYTES = 500_000
"""Of a file; as much again of the one before, which stays beside it as `.1`."""
_MOST_BYTES_A_MINUTE = 100_000
_MINUTE_S = 60.0
_SECRET_CHARS = 6
"""A value shorter than this stands in too many words to be masked everywhere."""


class ErrorLog:
    """The log of one program. Of more than so much a minute only the size and the last line are
    kept, so that a flood neither fills the disk nor keeps the program waiting."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self.file, self._clock = file, clock
        self._secrets: tuple[str, ...] = ()
        self._last: deque[str] = deque(maxlen=_LAST)
        self._begun = self._unkept = b""
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
        self._begun = self._unkept = b""
        self._minute = float("-inf")

    async def drain(self, stream: asyncio.StreamReader) -> None:
        """Takes all that comes until the end."""
        while chunk := await stream.read(1 << 16):
            await self.take(chunk)
        await self.end()

    async def take(self, chunk: bytes) -> None:
        """A piece of what the program wrote."""
        taken = await self._room_for(chunk)
        *lines, self._begun = (self._begun + taken).split(b"\n")
        if len(self._begun) > _LONGEST_LINE or (not taken and self._begun):
            lines, self._begun = [*lines, self._begun], b""
        if lines:
            await asyncio.to_thread(self._write, lines)

    async def note(self, text: str) -> None:
        """A line of ours among the program's, for something it did."""
        if taken := await self._room_for(f"[{text}]".encode()):
            await asyncio.to_thread(self._write, [taken])

    async def _room_for(self, raw: bytes) -> bytes:
        """What of it there is room for in this minute."""
        now = asyncio.get_running_loop().time()
        if now - self._minute >= _MINUTE_S:
            await self._tell_dropped()
            self._minute, self._kept = now, 0
        room = max(0, _MOST_BYTES_A_MINUTE - self._kept)
        self._kept += min(room, len(raw))
        self._dropped += max(0, len(raw) - room)
        self._unkept = (self._unkept + raw[room:])[-_LONGEST_LINE:]
        return raw[:room]

    async def end(self) -> None:
        if self._begun:
            lines, self._begun = [self._begun], b""
            await asyncio.to_thread(self._write, lines)
        self._unkept += b"\n"
        await self._tell_dropped()

    async def _tell_dropped(self) -> None:
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            # Whole lines only: half a line may hold half a credential, which nothing would mask.
            whole = [line for line in self._unkept.split(b"\n")[1:-1] if line.strip()]
            self._unkept = b""
            told = f"[… {dropped:,} bytes more were dropped]".encode()
            await asyncio.to_thread(self._write, [b" ".join((told, *whole[-1:]))])

    def _write(self, lines: list[bytes]) -> None:
        """A log that cannot be written stops no program."""
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
        return masked(text).replace("\n", " ").rstrip() + cut

    def _turn_over(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self.file.stat().st_size >= _MOST_BYTES:
                self.file.replace(_before(self.file))


def last_lines(file: Path, lines: int) -> list[str]:
    """The last lines of a program's log, also of the file before; none where there is no log."""
    found: list[str] = []
    for one in (_before(file), file):
        if one.is_file():
            raw = read_bytes(one, most=1 << 24)
            found += [printable(line) for line in raw.decode("utf-8", "replace").splitlines()]
    return found[-lines:] if lines > 0 else []


def _before(file: Path) -> Path:
    return file.with_name(f"{file.name}.1")
