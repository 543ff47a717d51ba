"""The files of what a person names: one file, a folder, or a zip of either, opened with suspicion.

Nothing is unpacked to disk, no link is followed, and what unpacks to far more than conversations
would is refused before a byte of it is read.
"""

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, Self, TypeVar

from skill_agent.errors import UsageError
from skill_agent.text.checks import sound_path

from .decoding import text

LARGEST, MOST_FILES = 8 * 1024**3, 200_000
"""Bytes a zip may unpack to, and files a zip or folder may hold."""
_MOST_SQUEEZED, _ALWAYS_FINE = 200, 10 * 1024**2
"""Times a file may be larger than its packed form; exports of conversations reach 20."""
_SKIPPED = (".obsidian", ".trash", ".git", "__MACOSX", "node_modules")
_PEEK = 64 * 1024


Result = TypeVar("Result")


class Tree(Protocol):
    """Files by their names, as paths with slashes from the top."""

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def vault(self) -> bool:
        """Whether Obsidian keeps its settings in it."""
        ...

    @property
    def packed(self) -> bool:
        """Whether it is a folder or zip, which may hold many files."""
        ...

    @property
    def stamp(self) -> str:
        """Tells the files from what they become by the next change."""
        ...

    def open(self, name: str) -> "Entry": ...
    def changed_at(self, name: str) -> datetime | None: ...


@contextmanager
def tree_at(path: str | Path) -> Iterator[Tree]:
    """Raises UsageError for what is not there, cannot be read, or was made to do harm."""
    place = sound_path(path).expanduser()
    with ExitStack() as stack:
        try:
            tree = _tree(place, stack)
        except zipfile.BadZipFile as error:
            raise UsageError(
                f"{place} is not a whole zip file: {error}", hint="download it again"
            ) from None
        except OSError as error:
            raise UsageError(f"cannot read {place}: {error.strerror or error}") from None
        yield tree


def _tree(place: Path, stack: ExitStack) -> Tree:
    if place.is_dir():
        return _Folder(place)
    if not place.exists():
        raise UsageError(f"there is no {place}", hint="name the export's file or folder")
    if not stat.S_ISREG(place.stat().st_mode):
        raise UsageError(f"{place} is no plain file", hint="name the export's file or folder")
    if zipfile.is_zipfile(place):
        return _Zip(place, stack.enter_context(zipfile.ZipFile(place)))
    return _Single(place)


def beginning(tree: Tree, name: str) -> bytes:
    """How a file begins."""
    with tree.open(name) as stream:
        return stream.read(_PEEK)


def below(name: str) -> str:
    """The last part of a name."""
    return PurePosixPath(name).name


class _Single:
    """One file."""

    vault = packed = False

    def __init__(self, place: Path) -> None:
        self._place = place
        self.names = (text(place.name),)

    @property
    def stamp(self) -> str:
        return _stamp(self._place, self._place.stat())

    def open(self, name: str) -> "Entry":
        return Entry(lambda: self._place.open("rb"), str(self._place))

    def changed_at(self, name: str) -> datetime | None:
        return datetime.fromtimestamp(self._place.stat().st_mtime, UTC)


class _Folder:
    """A folder and what lies in it; links and what is no plain file are passed over."""

    packed = True

    def __init__(self, place: Path) -> None:
        self._place = place
        self.vault = (place / ".obsidian").is_dir()
        found = dict[str, tuple[Path, os.stat_result]]()
        for folder, folders, files in os.walk(place):
            folders[:] = sorted(one for one in folders if one not in _SKIPPED)
            for one in sorted(files):
                file = Path(folder, one)
                about = file.lstat()
                if stat.S_ISREG(about.st_mode):
                    found[text(file.relative_to(place).as_posix())] = file, about
            if len(found) > MOST_FILES:
                raise UsageError(f"{place} holds more than {MOST_FILES:,} files")
        self._found = found
        self.names = tuple(_sound(name, place) for name in found)

    @property
    def stamp(self) -> str:
        return " ".join(_stamp(file, about) for file, about in self._found.values())

    def open(self, name: str) -> "Entry":
        file, _ = self._found[name]
        return Entry(lambda: file.open("rb"), str(file))

    def changed_at(self, name: str) -> datetime | None:
        return datetime.fromtimestamp(self._found[name][1].st_mtime, UTC)


class _Zip:
    """A zip file whose entries are as large as they say."""

    packed = True

    def __init__(self, place: Path, archive: zipfile.ZipFile) -> None:
        self._place, self._archive = place, archive
        entries = [one for one in archive.infolist() if not one.is_dir()]
        if len(entries) > MOST_FILES:
            raise UsageError(f"{place} holds more than {MOST_FILES:,} files")
        if (size := sum(one.file_size for one in entries)) > LARGEST:
            raise UsageError(f"{place} unpacks to {size:,} bytes, and {LARGEST:,} are the most")
        self._entries = {_sound(one.filename, place): one for one in entries}
        if len(self._entries) < len(entries):
            raise UsageError(f"{place} holds two files of the same name")
        self.vault = any(".obsidian" in PurePosixPath(one).parts for one in self._entries)
        self.names = tuple(
            sorted(one for one in self._entries if not {*PurePosixPath(one).parts} & {*_SKIPPED})
        )

    @property
    def stamp(self) -> str:
        return _stamp(self._place, self._place.stat())

    def open(self, name: str) -> "Entry":
        entry = self._entries[name]
        if entry.flag_bits & 1:
            raise UsageError(f"{self._place} is encrypted", hint="unpack it first")
        squeezed = entry.file_size > max(entry.compress_size, 1) * _MOST_SQUEEZED
        if squeezed and entry.file_size > _ALWAYS_FINE:
            raise UsageError(f"{name} in {self._place} unpacks to far more than an export would")
        return Entry(lambda: self._archive.open(entry), f"{name} in {self._place}")

    def changed_at(self, name: str) -> datetime | None:
        try:
            return datetime(*self._entries[name].date_time, tzinfo=UTC)
        except ValueError:
            return None


class Entry:
    """A file being read; of one in a zip there is never more than the zip says."""

    def __init__(self, opened: Callable[[], IO[bytes]], place: str) -> None:
        """`place` is what an error calls it."""
        self._place = place
        self._stream = self._told(opened)

    def read(self, size: int = -1, /) -> bytes:
        return self._told(lambda: self._stream.read(size))

    def readline(self, size: int = -1, /) -> bytes:
        return self._told(lambda: self._stream.readline(size))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def _told(self, work: Callable[[], Result]) -> Result:
        try:
            return work()
        except OSError as error:
            raise UsageError(f"cannot read {self._place}: {error.strerror or error}") from None
        except Exception as error:  # zlib and zipfile raise what they like for damaged bytes
            raise UsageError(
                f"{self._place} is damaged: {error}", hint="download it again"
            ) from None


def _stamp(name: object, about: os.stat_result) -> str:
    return f"{name}:{about.st_size}:{about.st_mtime_ns}"


def _sound(name: str, place: Path) -> str:
    """The name; raises UsageError for one that leads out of the place, or cannot be told."""
    path = PurePosixPath(name)
    odd = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name[:2]
    if odd or "\0" in name:
        raise UsageError(f"{place} holds a file whose name leads elsewhere: {name[:80]!r}")
    return name
