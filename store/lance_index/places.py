"""Which folder of the index serves, and which one is being built to take its place.

A table whose every earlier byte must go, or whose vectors are another model's, is written whole
into a new folder; one atomic rename of a small file makes that the serving one, and only then the
old folder is deleted. A crash at any moment leaves the old or the new one serving, and what
belongs to neither is deleted by the next opening. Nothing here knows what the folders hold, but
for the index root itself, where the first table lies.
"""

import json
import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from .items import SNAPSHOT, TABLE
from .stored_base import bases

_SERVING, _BUILDING = "serving", "building.json"
_PREFIX = "space-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """What is known of a half-built space without opening it."""

    place: str
    embedder: str
    layout: str
    done: int = 0
    """Items in it."""


class Places:
    """The folders of one index directory; blocking, one process."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def root(self) -> Path:
        return self._root

    @property
    def serving(self) -> Path:
        """The folder that answers; the root itself until another took over."""
        try:
            return self._root / (self._root / _SERVING).read_text("utf-8").strip()
        except OSError:
            return self._root

    @property
    def building(self) -> Building | None:
        """What was begun and is not whole yet."""
        try:
            return Building(**json.loads((self._root / _BUILDING).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def folder(self, building: Building) -> Path:
        return self._root / building.place

    def new(self) -> Path:
        """A new empty folder; unless it comes to serve or is noted as being built,
        the next opening deletes it."""
        taken = [folder.name.removeprefix(_PREFIX) for folder in self._spaces()]
        last = max((int(name) for name in taken if name.isdigit()), default=0)
        folder = self._root / f"{_PREFIX}{last + 1}"
        folder.mkdir(mode=0o700, parents=True)
        return folder

    def build(self, building: Building | None) -> None:
        """Notes how far a build is; None forgets it."""
        if building is None:
            (self._root / _BUILDING).unlink(missing_ok=True)
        else:
            self._write(_BUILDING, json.dumps(asdict(building)))

    def serve(self, folder: Path) -> None:
        """Makes a folder the serving one and deletes the one before it; OSError where it stays."""
        before = self.serving
        if before == folder:
            return
        self._write(_SERVING, folder.name if folder != self._root else "")
        self._delete(before)

    def tidy(self) -> None:
        """Deletes what neither serves nor is being built."""
        kept = {self.serving}
        if self.building is not None:
            kept.add(self.folder(self.building))
        for folder in (self._root, *self._spaces()):
            if folder not in kept:
                with suppress(OSError):
                    self._delete(folder)

    def drop(self, folder: Path) -> None:
        """Deletes a folder that does not serve."""
        if folder != self.serving:
            self._delete(folder)

    def _spaces(self) -> list[Path]:
        return list(self._root.glob(f"{_PREFIX}*"))

    def _delete(self, folder: Path) -> None:
        if folder == self._root:
            for file in folder.glob(f"{Path(SNAPSHOT).stem}.*"):
                file.unlink()
            for base in bases(folder):
                shutil.rmtree(base)
            folder = folder / f"{TABLE}.lance"
        if folder.exists():
            shutil.rmtree(folder)

    def _write(self, name: str, text: str) -> None:
        """Replaces a small file in one step that survives a power cut."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._root / f"{name}.new"
        try:
            with fresh.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._root / name)
        except OSError:
            with suppress(OSError):
                fresh.unlink()
            raise
        with suppress(OSError):
            self._sync()

    def _sync(self) -> None:
        """Makes the rename itself durable."""
        handle = os.open(self._root, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
