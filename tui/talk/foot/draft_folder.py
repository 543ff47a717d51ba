"""A folder for each window below a shared one, so that two windows never write the same file.

A window holds its folder by an operating-system lock, which ends with its process however that
ends; what a window that is gone has left may be taken over. Nothing is read or written here.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from skill_agent.identifiers import new_id

try:
    import fcntl
except ImportError:  # no such locks on this platform: every other window counts as gone
    fcntl = None


class DraftFolder:
    """This window's folder, made on first use; and those that others have left."""

    def __init__(self, shared: Path) -> None:
        self._shared = shared
        self._own: Path | None = None
        self._held = -1

    @property
    def made(self) -> bool:
        return self._own is not None

    @property
    def path(self) -> Path:
        """Made and held now; raises OSError where the disk refuses."""
        if self._own is None:
            self._own = self._made()
        return self._own

    def left_behind(self) -> Iterator[Path]:
        """Each folder whose window is gone, held while one looks into it, and the shared one,
        where an earlier version wrote. Those one has emptied are removed."""
        with suppress(OSError):
            folders = sorted(one for one in self._shared.iterdir() if one.is_dir())
            for folder in (self._shared, *folders):
                if folder == self._own or (held := _hold(folder)) is None:
                    continue
                try:
                    yield folder
                    if folder != self._shared:
                        with suppress(OSError):  # something is left in it
                            folder.rmdir()
                finally:
                    os.close(held)

    def close(self) -> None:
        """Lets go of the folder, and removes it where it is empty."""
        if self._own is not None:
            with suppress(OSError):
                self._own.rmdir()
            os.close(self._held)
            self._own = None

    def _made(self) -> Path:
        self._shared.mkdir(parents=True, exist_ok=True, mode=0o700)
        while True:
            folder = self._shared / f"window-{new_id()}"
            folder.mkdir(mode=0o700)
            held = _hold(folder)
            # Another window may have found it before it was held, and removed it.
            if held is not None and folder.is_dir():
                self._held = held
                return folder
            if held is not None:
                os.close(held)


def _hold(folder: Path) -> int | None:
    """A descriptor that holds the folder until it is closed; None where another one does."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
    return descriptor
