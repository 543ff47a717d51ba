"""What is said once when a home is opened, and handed on to whatever takes part in that."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skill_agent.ports import Embedder, ModelGateway


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOptions:
    """How a process opens a home."""

    role: str = "script"
    """What the process is to its person: `tui`, `ask`, `up` …"""
    hosting: bool = False
    """It stays open and may read, tidy up and prepare in the background."""
    gateway: "ModelGateway | None" = None
    """Stands in for the models of the settings."""
    embedder: "Embedder | None" = None
    """Stands in for the embedder of the settings."""
    clock: Callable[[], datetime] = utc_now
    only_reads: bool = False
    """The home cannot be written: nothing is locked, served or changed."""
    tell: Callable[[str], None] = lambda line: None
    """Says a sentence to the person before the work begins."""
