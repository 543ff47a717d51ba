"""What of a home belongs into a backup, and a copy of that in a folder.

Everything a home holds does, but for what is named here: what can be fetched or made again, and
what lives with a process. The ledger is copied by the database itself.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from skill_agent.errors import StoreError
from skill_agent.files.home import Home

from .manifest import Content, StoredFile

KEPT = (
    "config", "agents", "skills", "ledger", "drafts", "templates", "rules", "webhooks", "pairings",
    "inbox",
)  # fmt: skip
"""Paths of a `Home` that a backup holds."""
LEFT_OUT = (
    "models", "kv_cache", "index", "logs", "run", "lock", "unfinished", "backup_failure", "backups",
    "restored", "webhook_secrets", "updates", "editor_folders",
)  # fmt: skip
"""Paths that it does not: a new path of a `Home` is named in one of the two."""

_CHUNK = 1 << 20


def copied(home: Home, to: Path) -> Content:
    """Copies what belongs into a backup, the ledger apart, into a folder; what it holds then.

    A file that goes away meanwhile is left out, one that cannot be read raises StoreError.
    """
    files: list[StoredFile] = []
    links: dict[str, str] = {}
    for path in _belonging(home):
        name = path.relative_to(home.root).as_posix()
        try:
            if path.is_symlink() and not path.is_file():
                links[name] = str(path.readlink())
            elif (found := _copied(path, to / name, name)) is not None:
                files.append(found)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StoreError(
                f"no backup was made: {path} cannot be copied: {error.strerror or error}",
                hint="see who owns it, and that there is room on the disk",
            ) from None
    return Content(files=tuple(files), links=links)


def stored(file: Path, name: str) -> StoredFile:
    """A file as the manifest names it."""
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return StoredFile(name=name, size=size, sha256=digest.hexdigest())


def _belonging(home: Home) -> Iterator[Path]:
    left_out = {getattr(home, name) for name in LEFT_OUT}
    yield from _walk(home.root, home, left_out)
    for name in KEPT:
        kept: Path = getattr(home, name)
        if kept.parent in left_out:
            yield from _walk(kept, home, left_out)


def _walk(folder: Path, home: Home, left_out: set[Path]) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(
            f"no backup was made: {folder} cannot be read: {error.strerror or error}",
            hint=f"chmod u+rwx '{folder}'",
        ) from None
    for entry in entries:
        path = Path(entry.path)
        if path in left_out or _is_passing(path, home):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path, home, left_out)
        else:
            yield path


def _is_passing(path: Path, home: Home) -> bool:
    """The ledger and what stands beside it, which speaks of that one file; locks."""
    if path.parent != home.root:
        return False
    beside = path.name.startswith(home.ledger.name)
    return beside or (path.name.startswith(".") and path.name.endswith(".lock"))


def _copied(source: Path, target: Path, name: str) -> StoredFile | None:
    """None for what is no file: a pipe or a socket."""
    handle = os.open(source, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as stream:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            return None
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        runs = bool(found.st_mode & stat.S_IXUSR)
        made = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700 if runs else 0o600)
        digest, size = hashlib.sha256(), 0
        with os.fdopen(made, "wb") as copy:
            while chunk := stream.read(_CHUNK):
                copy.write(chunk)
                digest.update(chunk)
                size += len(chunk)
    return StoredFile(name=name, size=size, sha256=digest.hexdigest())
