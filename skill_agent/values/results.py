"""What operations give back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What a bulk insert did."""

    added: int = 0
    skipped: int = 0
    """Already there, identical."""
    conflicts: tuple[str, ...] = ()
    """Ids that exist with other content; left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What `verify` found; `problems` empty means the ledger is whole."""

    rows: int
    memories: int
    messages: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilding:
    """How far an index is with the vectors of another embedder, which take over once whole."""

    done: int
    total: int
    """Items; they grow while it runs."""
    old: str
    """Name of the embedder that answers meanwhile."""
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStatus:
    """What a person may want to know of the index."""

    embedder: str
    """Whose vectors answer now."""
    lag: int
    """Log rows not seen yet."""
    problem: str = ""
    """Why it does not follow the ledger, or goes by words alone; empty while all is well."""
    rebuilding: Rebuilding | None = None
