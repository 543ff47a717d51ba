"""The two JSON files of a backup: the summary beside its archive, and the list of files within.

Whoever has no passphrase reads the summary alone, so it names no file.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from skill_agent.errors import ConfigError, StoreError
from skill_agent.files.private import read_json
from skill_agent.identifiers import iso, parse_time
from skill_agent.values import Backup, LedgerHead

FORMAT = 1
PRODUCT = "skill-agent"
SUMMARY, MANIFEST = "backup.json", "manifest.json"

_LARGEST = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file of the home, by its path within."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a backup holds of a home."""

    files: tuple[StoredFile, ...]
    links: dict[str, str] = field(default_factory=dict)
    """Links to folders, and such as lead nowhere, with where they lead."""

    def digest(self, *, without: str) -> str:
        """Of all but one file; the same for another copy of the same content."""
        rows = sorted(f"{one.name}\0{one.sha256}" for one in self.files if one.name != without)
        rows += sorted(f"{name}\0{target}" for name, target in self.links.items())
        return hashlib.sha256("\n".join(rows).encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A backup as a whole."""

    version: str
    at: datetime
    home: str
    head: LedgerHead
    daily: bool
    encrypted: bool
    parts: tuple[StoredFile, ...]
    """The files beside the summary, the archive first."""
    content: str
    """`Content.digest` without the ledger: with the head it tells whether anything has changed."""

    @property
    def archive(self) -> StoredFile:
        return self.parts[0]

    def backup(self, folder: Path) -> Backup:
        return Backup(
            id=folder.name,
            path=folder,
            home=self.home,
            at=self.at,
            version=self.version,
            head=self.head,
            size=sum(part.size for part in self.parts),
            encrypted=self.encrypted,
            daily=self.daily,
        )

    def text(self) -> str:
        return _text({**asdict(self), "at": iso(self.at)})


def read_summary(folder: Path) -> Summary:
    """Raises StoreError for a folder that is no backup, or one of a newer format."""
    row = _read(folder / SUMMARY)
    try:
        made = Summary(
            version=str(row["version"]),
            home=str(row["home"]),
            content=str(row["content"]),
            daily=bool(row["daily"]),
            encrypted=bool(row["encrypted"]),
            at=parse_time(row["at"]),
            head=_head(row["head"]),
            parts=tuple(_file(one) for one in row["parts"]),
        )
        if not made.parts or any(Path(one.name).name != one.name for one in made.parts):
            raise ValueError("it names no archive")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(folder / SUMMARY, error) from None
    return made


def manifest_text(content: Content, head: LedgerHead) -> str:
    """The list within the archive."""
    return _text({"ledger": asdict(head), **asdict(content)})


def read_manifest(file: Path) -> tuple[Content, LedgerHead]:
    """Raises StoreError where it cannot be understood."""
    row = _read(file)
    try:
        files = tuple(_file(one) for one in row["files"])
        links = {str(name): str(target) for name, target in row["links"].items()}
        return Content(files=files, links=links), _head(row["ledger"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(file, error) from None


def _text(row: dict[str, Any]) -> str:
    whole = {"product": PRODUCT, "format": FORMAT, **row}
    return json.dumps(whole, ensure_ascii=True, indent=1) + "\n"


def _read(file: Path) -> dict[str, Any]:
    try:
        row = read_json(file, most=_LARGEST)
    except ConfigError as error:
        raise StoreError(f"{file}: {error.said}", hint="ska backup list") from None
    if not isinstance(row, dict) or row.get("product") != PRODUCT:
        raise StoreError(f"{file} is not of a backup of ours", hint="ska backup list")
    if row.get("format") != FORMAT:
        raise StoreError(
            f"{file} has format {row.get('format')!r}, and this program knows {FORMAT}",
            hint="install the newer version of skill-agent that made it",
        )
    return row


def _head(row: dict[str, Any]) -> LedgerHead:
    return LedgerHead(seq=int(row["seq"]), hash=str(row["hash"]), schema=int(row["schema"]))


def _file(row: dict[str, Any]) -> StoredFile:
    return StoredFile(name=str(row["name"]), size=int(row["size"]), sha256=str(row["sha256"]))


def _damaged(file: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{file} cannot be understood ({type(error).__name__})", hint="choose another backup"
    )
