"""Prompt prefixes a model has already read, kept on disk as llama.cpp slot states.

Only files are handled here; who reads a prefix and when is `embedded`'s business. Losing any
file, or all, costs time and nothing else.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .llama_host import HostSettings

UNUSED_S = 30 * 24 * 3600.0
"""A state that was not read for so long is of an agent nobody speaks to, or of older words."""
MOST_STATES = 64
"""Each costs a look at every prefix that has no state of its own."""
_LEFT_BEHIND_S = 600.0
_MARK_EVERY = 64
"""Characters between two marks of a prefix."""
_WORTH_RESTORING = 8
"""Marks that a state must share with a prefix to be of use to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateKey:
    """What a state depends on; another value of any of these is another state."""

    model_sha256: str
    settings: HostSettings
    engine: str
    """Name and version of the engine that wrote it."""

    def digest(self, prefix: str) -> str:
        seen = self._salted()
        seen.update(prefix.encode("utf-8", "surrogatepass"))
        return seen.hexdigest()

    def marks(self, prefix: str) -> list[str]:
        """Digests of the prefix's own beginnings, by which states that begin alike are found
        without their words being written down."""
        seen, found = self._salted(), list[str]()
        for start in range(0, len(prefix) - _MARK_EVERY + 1, _MARK_EVERY):
            piece = prefix[start : start + _MARK_EVERY]
            seen.update(piece.encode("utf-8", "surrogatepass"))
            found.append(seen.hexdigest()[:16])
        return found

    def _salted(self) -> "hashlib._Hash":
        loaded = f"{self.settings.window}/{self.settings.slots}"
        text = "\0".join((self.model_sha256, loaded, self.engine, ""))
        return hashlib.sha256(text.encode())


class StateCache:
    """A folder of states with limits of size, age and count; the least recently used go first.

    llama.cpp aborts the process on a damaged state, so each has a digest beside it, and is
    renamed while it is being read: what still bears that name later has killed its reader.
    """

    def __init__(
        self, folder: Path, *, limit_bytes: int, now: Callable[[], float] = time.time
    ) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self._now = now

    def prepare(self) -> None:
        """Makes the folder private, clears what crashes left and what nobody used for long; raises
        OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        for left in (*self.folder.glob("*.reading"), *self.folder.glob("*.tmp")):
            with contextlib.suppress(OSError):
                if self._now() - left.stat().st_mtime > _LEFT_BEHIND_S:
                    left.unlink()
        for note in self.folder.glob("*.json"):
            if not self._state(note.stem).exists():
                _unlink(note)
        self._evict()

    def has(self, key: str) -> bool:
        return self._state(key).is_file() and self._note(key).is_file()

    def nearest(self, marks: Sequence[str]) -> tuple[str, int]:
        """The state that begins most like a prefix of these marks, and how many characters both
        surely have in common; ("", 0) where none is of use."""
        best, shared = "", _WORTH_RESTORING - 1
        for note in self.folder.glob("*.json"):
            length = _alike(_marks_in(note), marks)
            if length > shared and self.has(note.stem):
                best, shared = note.stem, length
        return (best, shared * _MARK_EVERY) if best else ("", 0)

    def checkout(self, key: str) -> str | None:
        """The file name of a whole state, ready to restore; None if there is none to trust.

        Follow with `checkin` or `drop`.
        """
        state = self._state(key)
        try:
            note = json.loads(self._note(key).read_text("utf-8"))
            if state.stat().st_size != note["size"] or _sha256(state) != note["sha256"]:
                raise ValueError("damaged")
            reading = self.folder / f"{key}.{os.getpid()}.reading"
            state.replace(reading)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            self.drop(key)
            return None
        return reading.name

    def checkin(self, key: str) -> None:
        """Puts a state back after it was read, as the most recently used."""
        with contextlib.suppress(OSError):
            (self.folder / f"{key}.{os.getpid()}.reading").replace(self._state(key))
            self._used_now(key)

    def drop(self, key: str) -> None:
        for file in (
            self._state(key),
            self._note(key),
            self.folder / f"{key}.{os.getpid()}.reading",
        ):
            _unlink(file)

    def draft(self, key: str) -> str:
        """The file name to save a new state under."""
        return f"{key}.{os.getpid()}.tmp"

    def keep(self, key: str, marks: Sequence[str] = ()) -> None:
        """Makes a saved draft a state of the cache and evicts what no longer fits; `marks` are
        those of its prefix."""
        draft = self.folder / self.draft(key)
        try:
            draft.chmod(0o600)
            size = draft.stat().st_size
            note = {"size": size, "sha256": _sha256(draft), "marks": list(marks)}
            if size > self.limit_bytes:
                _unlink(draft)
                return
            self._note(key).write_text(json.dumps(note), "utf-8")
            self._note(key).chmod(0o600)
            draft.replace(self._state(key))
            self._used_now(key)
        except OSError:
            _unlink(draft)
            return
        self._evict(spare=key)

    def _evict(self, spare: str = "") -> None:
        """Drops what is too old, and the least recently used while there is too much."""
        states = []
        for file in self.folder.glob("*.kv"):
            with contextlib.suppress(OSError):
                found = file.stat()
                states.append((found.st_mtime, found.st_size, file.stem))
        total, count = sum(size for _, size, _ in states), len(states)
        for used, size, key in sorted(states):
            too_much = total > self.limit_bytes or count > MOST_STATES
            if key != spare and (too_much or self._now() - used > UNUSED_S):
                self.drop(key)
                total, count = total - size, count - 1

    def _used_now(self, key: str) -> None:
        os.utime(self._state(key), (self._now(), self._now()))

    def _state(self, key: str) -> Path:
        return self.folder / f"{key}.kv"

    def _note(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def _marks_in(note: Path) -> list[str]:
    """Those of a kept state; none where the note is damaged or older than marks are."""
    try:
        found = json.loads(note.read_text("utf-8"))["marks"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many marks both begin with."""
    same = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        same += 1
    return same


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _unlink(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.unlink()
