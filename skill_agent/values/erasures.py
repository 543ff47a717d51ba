"""What erasing takes away: planned, told and done."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from .nouns import Memory, Message

FileKind = Literal["memories", "sessions", "agents", "user", "backup", "inbox"]
Fate = Literal["rewritten", "deleted", "not erased"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFate:
    """What erasing does, or did, to a file."""

    path: Path
    fate: Fate
    why: str = ""


ERASED_TITLE = "(erased)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What a purge will erase."""

    memories: tuple[Memory, ...]
    messages: tuple[Message, ...]
    notes: tuple[int, ...]
    """Sequences of log rows that lose their content, beside those about the memories."""
    titles: dict[str, str]
    """By session, its title from then on."""
    alike: tuple[Memory, ...] = ()
    """Nearly the same by meaning: named, not erased."""
    files: tuple[FileFate, ...] = ()
    fixed: tuple[int, ...] = ()
    """Log rows of an older ledger whose hashed reason cannot be erased."""
    restated: tuple[str, ...] = ()
    """Memories that stay and lose a part of their story."""
    telling: tuple[str, ...] = ()
    """Words that give a memory away."""
    since: datetime
    """Nothing written before this can hold any of it."""

    @property
    def ids(self) -> list[str]:
        """Of the memories and messages that go."""
        return [one.id for one in (*self.memories, *self.messages)]

    @property
    def digest(self) -> str:
        """Of everything that will go: another plan's differs."""
        return digest_of(
            [*self.ids, *map(str, self.notes), *sorted(self.titles), *self.restated]
            + [str(file.path) for file in self.files]
        )

    @property
    def counts(self) -> dict[str, int]:
        """How much of each."""
        return {
            "memories": len(self.memories),
            "messages": len(self.messages),
            "log rows": len(self.notes),
            "titles": sum(title == ERASED_TITLE for title in self.titles.values()),
            "files": len(self.files),
            "look-alikes": len(self.alike),
        }


def digest_of(names: Iterable[str]) -> str:
    """SHA-256 of a set of names, whatever their order."""
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureReport:
    """What was erased, and what was not."""

    memories: int
    messages: int
    sessions: int
    rows: int
    """Log rows that lost their content."""
    files: tuple[FileFate, ...]
    problems: tuple[str, ...]
    """What is left to do or cannot be done, a sentence each; empty means all is gone."""
    backups: tuple[Path, ...] = ()
    """Those that may still hold it: no purge reaches into a backup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserErasure:
    """Everything a purge of the person will erase."""

    sessions: tuple[str, ...]
    memories: tuple[str, ...]
    rows: tuple[int, ...]
    """Sequences of log rows with content."""
    messages: int
    files: tuple[FileFate, ...]
    kept: int
    """Memories that stay: who the agents are, and what belongs to others."""

    @property
    def digest(self) -> str:
        """Of everything that will go: another plan's differs."""
        return digest_of(
            [*self.sessions, *self.memories, *map(str, self.rows), str(self.messages)]
            + [str(file.path) for file in self.files]
        )
