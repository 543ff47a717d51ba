"""The files of a skill's folder, and the digest it is known by.

The digest covers every file that can be read out of the folder, and nothing else can be read: what
is linked in from elsewhere, lies in a folder of tools (`.git`, `node_modules`), is too large or no
plain file is left out.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SKIPPED = frozenset({".git", "node_modules", "__pycache__", ".venv", ".hg", ".svn"})
MOST_ENTRIES, MOST_BYTES, RESOURCE_BYTES = 2_000, 20_000_000, 100_000
"""Files and folders of a skill, what its files hold together, and one that can be read."""
DIGEST_DIGITS = 32
"""128 bits: nobody makes two folders with one digest."""

Entry = tuple[str, str, int, int, int, int]
"""Path, kind, size, both times and number of a file: equal entries hold equal files."""


class FolderRefused(ValueError):
    """Why a folder cannot be known by a digest, in words for the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What a folder held when it was read."""

    digest: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each file that can be read, by its path with `/` between the parts."""
    large: Mapping[str, int] = field(default_factory=dict)
    """Bytes of those that are too large."""


def entries_of(folder: Path) -> tuple[Entry, ...]:
    """All below a folder, by path; raises FolderRefused where it is too much.

    Nothing is opened and no link followed, so that neither a pipe nor a circle holds it up.
    """
    found: list[Entry] = []
    pending = [(str(folder), "")]
    while pending:
        place, above = pending.pop()
        try:
            with os.scandir(place) as inner:
                for one in inner:
                    if len(found) >= MOST_ENTRIES:
                        raise FolderRefused(f"its folder has more than {MOST_ENTRIES} files")
                    entry = _entry(one, f"{above}{one.name}")
                    found.append(entry)
                    if entry[1] == "folder":
                        pending.append((one.path, f"{entry[0]}/"))
        except OSError as error:
            if not above:
                raise FolderRefused(f"cannot be read: {error.strerror}") from None
            found.append((f"{above}.", "unreadable", 0, 0, 0, 0))
    return tuple(sorted(found))


def _entry(one: os.DirEntry[str], path: str) -> Entry:
    try:
        status = one.stat(follow_symlinks=False)
    except OSError:
        return path, "unreadable", 0, 0, 0, 0
    stamp = status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
    if stat.S_ISDIR(status.st_mode):
        if one.name in SKIPPED:
            return path, "skipped", 0, 0, 0, 0
        return path, "folder", 0, 0, 0, status.st_ino
    if stat.S_ISREG(status.st_mode):
        return path, "file", *stamp
    return path, "link" if stat.S_ISLNK(status.st_mode) else "other", *stamp


def read_folder(folder: Path, entries: tuple[Entry, ...], main: tuple[str, bytes]) -> Folder:
    """The folder with its digest; `main` are the name and the bytes of its SKILL.md, already read.

    Raises FolderRefused where the files are too much together.
    """
    name, text = main
    lines = [f"main {_hash(text)} {name}"]
    files: dict[str, str] = {}
    large: dict[str, int] = {}
    if len(text) > RESOURCE_BYTES:
        large[name] = len(text)
    else:
        files[name] = _hash(text)
    total = 0
    for path, kind, size, *_ in entries:
        if kind == "file" and path != name:
            if size > RESOURCE_BYTES:
                large[path] = size
                lines.append(f"large {path}")
                continue
            total += size
            if total > MOST_BYTES:
                raise FolderRefused(f"its files have more than {MOST_BYTES // 10**6} MB together")
            content = _content(folder / path)
            if content is None:
                lines.append(f"unreadable {path}")
                continue
            files[path] = _hash(content)
            lines.append(f"file {files[path]} {path}")
        elif kind == "link":
            lines.append(f"link {_hash(_target(folder / path))} {path}")
    digest = _hash("\0".join(sorted(lines)).encode("utf-8", "surrogatepass"))[:DIGEST_DIGITS]
    return Folder(digest=digest, files=files, large=large)


def read_plain(file: Path, most: int) -> bytes:
    """At most `most` bytes and one of a plain file; raises OSError, also for pipes and devices."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(file, flags)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(0, "it is no plain file")
        return stream.read(most + 1)


def is_as_read(content: bytes, digest: str) -> bool:
    """Whether these are the bytes that were counted into the digest."""
    return _hash(content) == digest


def _content(file: Path) -> bytes | None:
    try:
        content = read_plain(file, RESOURCE_BYTES)
    except OSError:
        return None
    return content if len(content) <= RESOURCE_BYTES else None


def _target(link: Path) -> bytes:
    try:
        return os.fsencode(link.readlink())
    except OSError:
        return b""


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
