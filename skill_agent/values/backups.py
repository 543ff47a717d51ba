"""Backups of a home: what one is, what a look at it found, what was removed."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerHead:
    """How far a ledger's log goes, and by which schema its tables are made."""

    seq: int
    hash: str
    schema: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup of a home, as the summary beside it says; nothing of it was checked."""

    id: str
    """The name of its folder."""
    path: Path
    home: str
    """The path of the home it was made of."""
    at: datetime
    version: str
    """Of the program that made it."""
    head: LedgerHead
    size: int
    """Bytes on the disk."""
    encrypted: bool
    daily: bool
    """Made by the host itself; only such a one is ever removed by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupCheck:
    """What a look into a backup found; `problems` empty means that it can be restored."""

    id: str
    path: Path
    files: int = 0
    rows: int = 0
    """Of the log."""
    memories: int = 0
    messages: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What a pruning removed, or would have."""

    dry_run: bool
    removed: tuple[Backup, ...]
    kept: tuple[Backup, ...]
