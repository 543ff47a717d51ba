"""Files we wrote outside the stores (exports, backups), so that erasing reaches them too.

Only a file that is still as we wrote it is ever changed or deleted. What the person copied, sent
or edited is theirs: it is named, not touched.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from skill_agent.errors import ConfigError, SkillAgentError, UsageError
from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Clock
from skill_agent.values import Fate, FileFate, FileKind

from .home import Home
from .private import read_json, write_private

_LARGEST = 50_000_000
"""Bytes of the list."""

Holds = Callable[[str], bool]
"""Tells whether a text holds something that is to go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """A file as we left it."""

    path: Path
    kind: FileKind
    mark: str
    """SHA-256 of its bytes; for a database, which must not be opened as a file, size and time."""
    at: datetime


class WrittenFiles:
    """The home's list of such files, in `exports.json`."""

    def __init__(self, home: Home, clock: Clock) -> None:
        self.register = home.root / "exports.json"
        self._clock = clock

    def add(self, path: Path, kind: FileKind) -> None:
        """Keeps a file in mind as it is now; call it once the file is complete.

        Raises UsageError for one that cannot be read.
        """
        whole = path.absolute()
        try:
            mark = _mark(whole, kind)
        except OSError as error:
            raise UsageError(f"cannot read {whole}: {error.strerror or error}") from None
        entry = WrittenFile(path=whole, kind=kind, mark=mark, at=self._clock())
        self._save([*(one for one in self.all() if one.path != whole), entry])

    def all(self) -> list[WrittenFile]:
        """In the order they were written; a register nobody can read counts as none."""
        try:
            return [_read(row) for row in read_json(self.register, most=_LARGEST)]
        except (ConfigError, ValueError, KeyError, TypeError):
            return []

    def forget(self, path: Path) -> None:
        self._save([one for one in self.all() if one.path != path])

    def erase(
        self, holds: Holds, *, since: datetime, everything: bool = False, dry: bool = False
    ) -> list[FileFate]:
        """Takes out of the files what `holds` tells, and says what became of each concerned.

        Files from before `since` cannot hold it. `everything` deletes all but the person's own
        archives of kind `user`. `dry` only tells.
        """
        fates: list[FileFate] = []
        for file in self.all():
            if (fate := _fate(file, holds, since, everything)) is None:
                continue
            fates.append(fate if dry else self._carry_out(file, fate, holds))
        return fates

    def _carry_out(self, file: WrittenFile, fate: FileFate, holds: Holds) -> FileFate:
        try:
            if fate.fate == "deleted":
                file.path.unlink()
                self.forget(file.path)
            elif fate.fate == "rewritten":
                kept = [line for line in _lines(file.path) if not holds(line)]
                write_private(file.path, "".join(kept))
                self.add(file.path, file.kind)
        except (OSError, SkillAgentError) as problem:
            return FileFate(path=file.path, fate="not erased", why=str(problem))
        return fate

    def _save(self, files: list[WrittenFile]) -> None:
        rows = [
            {"path": str(one.path), "kind": one.kind, "mark": one.mark, "at": iso(one.at)}
            for one in files
        ]
        write_private(self.register, json.dumps(rows, ensure_ascii=False, indent=1) + "\n")


def _fate(file: WrittenFile, holds: Holds, since: datetime, everything: bool) -> FileFate | None:
    """None for a file that is not concerned."""
    if file.at < since and not everything:
        return None
    try:
        changed = _mark(file.path, file.kind) != file.mark
    except OSError:
        why = "it is not where it was written, or cannot be read"
        return FileFate(path=file.path, fate="not erased", why=why)
    if everything and file.kind == "user":
        why = "your own archive; delete it yourself if it is not wanted"
        return FileFate(path=file.path, fate="not erased", why=why)
    if changed:
        return FileFate(path=file.path, fate="not erased", why="it was changed since")
    if everything or file.kind == "backup":
        return FileFate(path=file.path, fate="deleted")
    if not any(holds(text) for text in _inside(file.path)):
        return None
    fate: Fate = "rewritten" if file.kind == "memories" and _is_lines(file.path) else "deleted"
    return FileFate(path=file.path, fate=fate)


def _inside(path: Path) -> Iterator[str]:
    """The file's text, or each text inside an archive."""
    if not zipfile.is_zipfile(path):
        yield path.read_text("utf-8", errors="replace")
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            yield archive.read(name).decode("utf-8", errors="replace")


def _is_lines(path: Path) -> bool:
    """Whether every line is a JSON object."""
    try:
        return all(isinstance(json.loads(line), dict) for line in _lines(path))
    except ValueError:
        return False


def _lines(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="\n") as stream:
        return list(stream)


def _mark(path: Path, kind: FileKind) -> str:
    """Raises OSError where there is no such file."""
    if kind == "backup":
        found = path.stat()
        return f"{found.st_size}/{found.st_mtime_ns}"
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read(row: dict[str, Any]) -> WrittenFile:
    if row["kind"] not in get_args(FileKind):
        raise ValueError(row["kind"])
    return WrittenFile(
        path=Path(row["path"]), kind=row["kind"], mark=row["mark"], at=parse_time(row["at"])
    )
