"""What a home's files beside the stores still tell, and taking it out of them.

Caches go whole, logs and input histories lose lines, drafts go whole. What the person wrote as
configuration (agents, skills, settings, rules) or left there is named, not touched.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from .home import Home

Holds = Callable[[str], bool]

_LARGEST = 50_000_000
"""Bytes of a log or draft that is read; a larger one that may hold something is emptied."""


class HomeTraces:
    """The files of one home that may repeat what was said in it."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def drop_caches(self) -> None:
        """Kept prompt prefixes hold standing memories in a form nobody can search; and a
        half-written snapshot of the index."""
        for file in self._files(self._home.kv_cache):
            _unlink(file)
        for file in self._files(self._home.index):
            if file.name == "snapshot.new":
                _unlink(file)

    def erase(self, holds: Holds, *, lines: Holds) -> list[Path]:
        """Deletes drafts that `holds` tells and takes out of logs and histories what `lines`
        does; gives the files concerned."""
        touched: list[Path] = []
        for file in (*self._files(self._home.logs), *self._files(self._home.run)):
            if file in self._own() or file.is_symlink() or not file.is_file():
                continue  # what a link leads to lies elsewhere, and is the person's own
            text, is_draft = _text(file), file.suffix == ".json"
            if text is not None and not (holds if is_draft else lines)(text):
                continue
            if is_draft:
                _unlink(file)
            else:
                _keep(file, text, lines)
            touched.append(file)
        return touched

    def clear(self) -> None:
        """Everything of the kind, whatever it says."""
        self.drop_caches()
        for file in self._files(self._home.logs):
            if not file.is_symlink():
                with suppress(OSError):
                    file.write_bytes(b"")
        for file in self._files(self._home.run):
            if file not in self._own() and (file.is_file() or file.is_symlink()):
                _unlink(file)

    def told_elsewhere(self, holds: Holds) -> list[Path]:
        """Further files of the home that hold it: the person wrote them, or put them there."""
        home = self._home
        ours = (home.models, home.index, home.logs, home.run, home.root / "exports.json")
        found: list[Path] = []
        for file in self._files(home.root):
            if file.name.startswith(home.ledger.name) or any(map(file.is_relative_to, ours)):
                continue
            if (text := _text(file)) is not None and holds(text):
                found.append(file)
        return found

    def _own(self) -> tuple[Path, ...]:
        """Whoever removes a lock lets another process in."""
        lock = self._home.lock
        return lock, lock.with_name(lock.name + ".json")

    def _files(self, folder: Path) -> Iterator[Path]:
        if folder.is_dir():
            yield from sorted(one for one in folder.rglob("*") if not one.is_dir())


def _text(file: Path) -> str | None:
    """None for what cannot or need not be read as text."""
    try:
        if not file.is_file() or file.stat().st_size > _LARGEST:
            return None
        return file.read_text("utf-8", errors="replace")
    except OSError:
        return None


def _keep(file: Path, text: str | None, holds: Holds) -> None:
    """Writes the other lines back in place: whoever has the file open appends to its end."""
    rest = [] if text is None else [one for one in text.splitlines(True) if not holds(one)]
    kept = "".join(rest)
    # What stands across several lines is in none of them.
    file.write_text("" if holds(kept) else kept, "utf-8")


def _unlink(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
