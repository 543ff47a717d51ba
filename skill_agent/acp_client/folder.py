"""Files as a program may reach them through us: inside one folder, and nowhere else.

A program has its own hands too; what it does with them is not bound by this.
"""

import os
import stat
from pathlib import Path

from skill_agent.errors import ToolFailed, UsageError

MOST_BYTES = 2_000_000
"""Of a file that is read or written."""


def folder_named(said: str) -> Path:
    """The folder of a request; raises UsageError for what is none."""
    path = Path(said).expanduser()
    if not path.is_absolute():
        raise UsageError(f"{said} is no whole path", hint="ska ask --in DIR makes it one")
    try:
        found = path.resolve(strict=True)
    except (OSError, ValueError):
        found = path
    if not found.is_dir():
        raise UsageError(f"there is no folder {said}", hint="make it first: mkdir -p …")
    if found == Path(found.anchor):
        raise UsageError("the root of the disk is no folder to work in", hint="name one below it")
    return found


class Folder:
    """What lies in one folder; links are followed only as far as they stay in it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def inside(self, said: str) -> Path:
        """The path that is meant; raises ToolFailed for one outside of the folder."""
        if "\0" in said:
            raise ToolFailed("this is no path")
        try:
            found = (self.root / said).resolve()
        except (OSError, RuntimeError):
            raise ToolFailed("this path leads nowhere") from None
        if not found.is_relative_to(self.root):
            raise ToolFailed(f"not allowed: only what lies in {self.root} can be reached")
        return found

    def shown(self, said: str) -> str:
        """A path as a person is shown it: from the folder on, where it lies in it."""
        try:
            return str(self.inside(said).relative_to(self.root))
        except ToolFailed:
            return said

    def read(self, said: str) -> str:
        """Raises ToolFailed for what is no plain text file of ours."""
        path = self.inside(said)
        handle = _opened(path, os.O_RDONLY)
        with os.fdopen(handle, "rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise ToolFailed(f"the file holds more than {MOST_BYTES:,} bytes")
        return raw.decode("utf-8", "replace")

    def before(self, said: str) -> str:
        """What stands there now; "" where nothing does."""
        return self.read(said) if self.inside(said).exists() else ""

    def write(self, said: str, content: str) -> None:
        """Raises ToolFailed where it cannot be written."""
        raw = content.encode("utf-8", "replace")
        if len(raw) > MOST_BYTES:
            raise ToolFailed(f"more than {MOST_BYTES:,} bytes are not written at once")
        path = self.inside(said)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ToolFailed(f"{said} cannot be written: {error.strerror}") from None
        handle = _opened(path, os.O_WRONLY | os.O_CREAT)
        with os.fdopen(handle, "wb") as file:
            file.truncate(0)
            file.write(raw)


def _opened(path: Path, flags: int) -> int:
    """A plain file, opened without waiting for a pipe; a link put there meanwhile is not taken."""
    try:
        handle = os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ToolFailed(f"{path.name}: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ToolFailed(f"{path.name} is no plain file")
    return handle


def part_of(text: str, line: int | None, limit: int | None) -> str:
    """So many lines from one on, counted from 1."""
    if line is None and limit is None:
        return text
    first = max((line or 1) - 1, 0)
    lines = text.splitlines(keepends=True)[first:]
    return "".join(lines if limit is None else lines[: max(limit, 0)])
