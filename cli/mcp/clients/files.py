"""Reading a client's file and replacing it, so that a crash leaves the old or the new.

What it held before our first change stays beside it. No meaning is given to the text here.
"""

import contextlib
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from skill_agent.errors import ConfigError, SkillAgentError, UsageError

MOST_BYTES = 32_000_000
"""Claude Code keeps its history in the same file as its servers, and that may be long."""
BACKUP = ".ska-backup"
_MOST_BACKUPS = 50
_LOCK_S = 20.0
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file as it is."""

    file: Path
    """As it was named; a link leads to `target`."""
    target: Path
    raw: bytes | None = None
    """None where there is no such file."""
    mode: int = 0
    owner: tuple[int, int] | None = None
    """User and group."""

    @property
    def text(self) -> str:
        """Without the mark of UTF-8 at its head; raises ConfigError for what is not UTF-8."""
        raw = (self.raw or b"").removeprefix(_BOM)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise ConfigError(
                "not UTF-8 text", file=str(self.file), line=line, hint="save the file as UTF-8"
            ) from None

    def encoded(self, text: str) -> bytes:
        """A new text of the file as bytes, with the mark it has."""
        mark = _BOM if (self.raw or b"").startswith(_BOM) else b""
        return mark + text.encode("utf-8")


def read(file: Path) -> Found:
    """The file as it is, or that there is none; raises ConfigError for anything else."""
    target = _target(file)
    try:
        handle = os.open(target, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as stream:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                raise _no_file(file, target)
            raw = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return Found(file=file, target=target)
    except IsADirectoryError:
        raise _no_file(file, target) from None
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror or error}",
            file=str(file),
            hint=f"see ls -ld '{target}' '{target.parent}'",
        ) from None
    if len(raw) > MOST_BYTES:
        said = (
            f"holds {about.st_size:,} bytes; {MOST_BYTES:,} is the most that is changed from here"
        )
        raise ConfigError(said, file=str(file))
    owner = (about.st_uid, about.st_gid)
    return Found(file=file, target=target, raw=raw, mode=stat.S_IMODE(about.st_mode), owner=owner)


def backups(found: Found) -> list[Path]:
    """What was kept of the file, the oldest first."""
    named = (_numbered(found.target, number) for number in range(1, _MOST_BACKUPS + 1))
    return [path for path in named if path.is_file()]


def keep(found: Found) -> Path | None:
    """Keeps what the file holds beside it, unless it is kept already; None where it has nothing.

    What was kept before is never written over.
    """
    if found.raw is None:
        return None
    for number in range(1, _MOST_BACKUPS + 1):
        path = _numbered(found.target, number)
        if not os.path.lexists(path):
            _replace(path, found.raw, found.mode, found.owner)
            return path
        with contextlib.suppress(OSError):
            if path.read_bytes() == found.raw:
                return path
    raise UsageError(
        f"{_MOST_BACKUPS} earlier versions lie beside {found.target}",
        hint=f"look at them and remove some: ls '{found.target}{BACKUP}'*",
    )


def write(found: Found, raw: bytes, *, private: bool) -> None:
    """Puts these bytes in the place of what the file holds; a link keeps pointing where it did.

    A new file is the person's alone where it is `private`. Raises SkillAgentError in words where
    it cannot be done; the file is then as it was.
    """
    mode = found.mode if found.raw is not None else 0o600 if private else 0o666 & ~_umask()
    check_writable(found)
    _replace(found.target, raw, mode, found.owner)


def remove(found: Found) -> None:
    """Removes the file, and not the link that leads there."""
    try:
        found.target.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(found.target, error) from None


def check_writable(found: Found) -> None:
    """Raises UsageError for a file that is marked as not to be changed, also for those whom the
    system would let."""
    if found.raw is not None and not found.mode & 0o200:
        raise UsageError(
            f"{found.target} is marked as read-only; it was left as it was",
            hint=f"chmod u+w '{found.target}', if it is yours to change",
        )


@contextmanager
def alone(found: Found) -> Iterator[None]:
    """Within it no other process of ours changes a file of that folder, which is made if need be.
    Nothing is left behind: the folder itself is locked, where the system can."""
    folder = found.target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refused(found.target, error) from None
    try:
        import fcntl
    except ImportError:  # Windows; the file is read again before it is written all the same
        yield
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise _refused(found.target, error) from None
    try:
        end = time.monotonic() + _LOCK_S
        while not _locked(fcntl, handle):
            if time.monotonic() > end:
                raise SkillAgentError(
                    f"another process has been changing files in {folder} for {_LOCK_S:.0f} s",
                    hint="try again once it is done",
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)


def _locked(fcntl: object, handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[attr-defined]
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _target(file: Path) -> Path:
    try:
        return file.resolve()
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"leads nowhere: {error}", file=str(file)) from None


def _numbered(target: Path, number: int) -> Path:
    return target.with_name(f"{target.name}{BACKUP}{f'.{number}' if number > 1 else ''}")


def _replace(target: Path, raw: bytes, mode: int, owner: tuple[int, int] | None) -> None:
    name = ""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
        if owner and hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):  # who runs as root leaves it to its owner
                os.chown(name, *owner)
        Path(name).chmod(mode)
        Path(name).replace(target)
    except OSError as error:
        if name:
            with contextlib.suppress(OSError):
                Path(name).unlink()
        raise _refused(target, error) from None
    with contextlib.suppress(OSError):  # where folders cannot be opened, the rename must do
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _refused(target: Path, error: OSError) -> SkillAgentError:
    return SkillAgentError(
        f"{target} cannot be written: {error.strerror or error}; it was left as it was",
        hint=f"see ls -ld '{target.parent}'; --dry-run shows what to put in by hand",
    )


def _no_file(file: Path, target: Path) -> ConfigError:
    what = "a folder" if target.is_dir() else "no plain file"
    return ConfigError(f"is {what}; it was left as it is", file=str(file), hint=f"ls -ld '{file}'")


def _umask() -> int:
    """The process's mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
