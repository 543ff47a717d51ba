"""A small JSON file that only the owner may read, shared by processes.

What stands in it is its user's business; here are reading it again when it changed, one writer at
a time, and what is said of a file that cannot be used.
"""

import contextlib
import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from skill_agent.errors import ConfigError, StoreError, UsageError
from skill_agent.files.private import read_json, resolved, write_private

VERSION = 1
LOCK_SECONDS = 10

Content = TypeVar("Content")
Stamp = tuple[int, int, int]

log = logging.getLogger("skill_agent.access")


class PrivateJson(Generic[Content]):
    """Base of such a file; `_parsed` and `_plain` say what it holds."""

    def __init__(self, file: Path) -> None:
        self.file = file
        # Replaced as a whole: threads that write and the loop that reads share it.
        self._held: tuple[Stamp | None, Content] | None = None

    def _parsed(self, document: dict[str, Any]) -> Content:
        """What the document says; KeyError, TypeError and ValueError mean it is damaged."""
        raise NotImplementedError

    def _plain(self, content: Content) -> dict[str, Any]:
        raise NotImplementedError

    def _empty(self) -> Content:
        raise NotImplementedError

    def read(self) -> Content:
        """What the file says now; a missing one is empty. Costs one `stat` while it is unchanged.

        Raises StoreError where it cannot be read or understood; nothing older is used instead.
        """
        stamp = self._stamp_now()
        if stamp is None:
            return self._empty()
        held = self._held
        if held is None or held[0] != stamp:
            held = self._held = stamp, self._read()
        return held[1]

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Content]:
        """The content while no other process writes it; `_replace` stores another one."""
        from filelock import FileLock, Timeout

        self.read()  # nothing is put beside what a damaged file's link leads to
        lock = resolved(self.file).with_name(f".{self.file.name}.lock")
        if not lock.parent.is_dir():
            raise UsageError(f"there is no folder {lock.parent}", hint="ska init")
        try:
            with FileLock(lock, timeout=LOCK_SECONDS, mode=0o600):
                yield self.read()
        except Timeout:
            raise StoreError(
                f"{self.file} is being written by another process", hint="try again"
            ) from None

    def _replace(self, content: Content) -> None:
        document = {"version": VERSION, **self._plain(content)}
        write_private(self.file, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
        self._held = self._stamp_now(), content

    def _read(self) -> Content:
        try:
            self._keep_private()
            document = read_json(self.file)
            if document["version"] != VERSION:
                self._damaged(f"it has version {document['version']}, not {VERSION}")
            return self._parsed(document)
        except OSError as error:
            self._damaged(error.strerror or str(error))
        except ConfigError as error:
            self._damaged(error.said)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            self._damaged(f"{type(error).__name__} while reading it")

    def _damaged(self, why: str) -> NoReturn:
        raise StoreError(
            f"{self.file} cannot be used: {why}",
            hint="put it back from a backup (ska backup restore --to DIR), or move it away and "
            "begin anew",
        ) from None

    def _keep_private(self) -> None:
        """Takes other people's rights off again, say after a copy; some file systems cannot."""
        mode = self.file.stat().st_mode
        if stat.S_ISREG(mode) and mode & 0o077:
            log.warning("%s was open to other users; now only the owner may read it", self.file)
            with contextlib.suppress(OSError):
                self.file.chmod(0o600)

    def _stamp_now(self) -> Stamp | None:
        """None for a missing file; the inode also tells a replaced file of the same size."""
        try:
            status = self.file.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._damaged(error.strerror or str(error))
        return status.st_mtime_ns, status.st_size, status.st_ino
