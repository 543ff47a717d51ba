"""Which process owns a home: an operating-system lock on a file of its own, and who holds it.

The lock is the truth: it vanishes with its process. The note beside it only puts a name to it.
The database's own lock is not relied on.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from skill_agent import __version__
from skill_agent.errors import ConfigError, HomeBusy, StoreError
from skill_agent.files.private import read_json
from skill_agent.files.refusals import cannot_write, disk_refusal, is_full, read_only
from skill_agent.identifiers import iso, parse_time

if TYPE_CHECKING:
    from filelock import BaseFileLock

_PATIENCE_S = 0.2
"""Longer than another process needs to look whether the lock is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who took the lock, by its own account."""

    pid: int
    since: datetime
    role: str = ""
    """The command it was started with: `up`, `tui`, `ask` …"""
    version: str = ""
    socket: str = ""
    """Where it listens; empty until it does."""


class HomeLock:
    """Exclusive ownership of a home, from `acquire` to `release`; keep the object that long."""

    def __init__(self, path: Path, *, role: str = "") -> None:
        """`role` is left in the note for others to read."""
        self._path = path
        self._role, self._socket = role, ""
        self._since = datetime.now(UTC)
        self._note = path.with_name(path.name + ".json")
        self._lock: BaseFileLock | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._lock is not None

    def acquire(self) -> None:
        """Takes the lock or raises HomeBusy naming the process that has it, HomeReadOnly where
        nothing can be written, StoreError where the disk refuses for another reason."""
        if not self._take(_PATIENCE_S):
            raise self._busy()

    def try_acquire(self) -> bool:
        """Takes the lock if it is free this moment; True where this object holds it."""
        return self._take(0)

    def listens_on(self, socket: Path) -> None:
        """Adds to the note where the holder can be reached."""
        self._socket = str(socket)
        try:
            self._write_note()
        except OSError as error:
            raise self._refused(error) from error

    def release(self) -> None:
        """Gives the home back; releasing twice does nothing."""
        if self._lock is None:
            return
        self._socket = ""
        # First the note: once the lock is free, the note may be another process's.
        with suppress(OSError):
            self._note.unlink(missing_ok=True)
        self._lock.release()
        self._lock = None

    def holder(self) -> Holder | None:
        """Who holds the lock now; None if nobody does. A holder without a usable note has pid 0.

        What a dead owner left in its note is told apart by the lock being free.
        """
        if self._lock is None and self._is_free():
            return None
        return self._read_note() or Holder(pid=0, since=datetime.now(UTC))

    def said(self) -> Holder | None:
        """Whom the note names, if that process lives; the lock itself is not looked at, so that
        nobody who wants it is in its way."""
        return self._read_note()

    def __enter__(self) -> "HomeLock":
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _take(self, patience_s: float) -> bool:
        if self._lock is not None:
            return True
        from filelock import Timeout

        lock = _file_lock(self._path)
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock.acquire(timeout=patience_s, poll_interval=0.02)
        except Timeout:
            return False
        except OSError as error:
            raise self._refused(error) from error
        self._lock = lock
        self._since = datetime.now(UTC)
        try:
            self._write_note()
        except OSError as error:
            self._note.with_name(f"{self._note.name}.{os.getpid()}").unlink(missing_ok=True)
            if is_full(error):
                return True  # it only puts a name to the lock
            lock.release()
            self._lock = None
            raise StoreError(
                f"{self._note} cannot be written: {error.strerror or error}",
                hint=f"move away what stands there: {self._note}",
            ) from None
        return True

    def _busy(self) -> HomeBusy:
        home = self._path.parent.parent
        if holder := self._read_note():
            return HomeBusy(
                f"The home {home} is in use by process {holder.pid} (since {iso(holder.since)}).",
                pid=holder.pid,
                hint=f"Close that process (kill {holder.pid} if it hangs), "
                "or choose another home with SKILL_AGENT_HOME.",
            )
        return HomeBusy(
            f"The home {home} is in use by another process.",
            pid=None,
            hint="Close it, or choose another home with SKILL_AGENT_HOME.",
        )

    def _refused(self, error: OSError) -> Exception:
        """Why the lock's file cannot be had."""
        home = self._path.parent.parent
        if cannot_write(error):
            return read_only(home)
        return disk_refusal(error, self._path, f"The home {home} could not be opened") or error

    def _is_free(self) -> bool:
        from filelock import Timeout

        if not self._path.exists():
            return True
        probe = _file_lock(self._path)
        try:
            probe.acquire(timeout=0)
        except Timeout:
            return False
        except OSError:
            return True  # nobody can hold it where nobody can write
        probe.release()
        return True

    def _write_note(self) -> None:
        fresh = self._note.with_name(f"{self._note.name}.{os.getpid()}")
        content = {
            "pid": os.getpid(),
            "since": iso(self._since),
            "role": self._role,
            "version": __version__,
            "socket": self._socket,
        }
        fresh.write_text(json.dumps(content), encoding="utf-8")
        fresh.chmod(0o600)
        fresh.replace(self._note)

    def _read_note(self) -> Holder | None:
        with suppress(ConfigError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            said = read_json(self._note)
            holder = Holder(
                pid=int(said["pid"]),
                since=parse_time(said["since"]),
                **{name: str(said.get(name, "")) for name in ("role", "version", "socket")},
            )
            return holder if _alive(holder.pid) else None
        return None


def _file_lock(path: Path) -> "BaseFileLock":
    from filelock import FileLock

    return FileLock(path, mode=0o600, thread_local=False)


def _alive(pid: int) -> bool:
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
