"""What is worked out from the log and kept beside it, so that asking costs the same however long
the log has grown."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from skill_agent.values import LogEntry

State = dict[str, Any]
"""What is known under one key; plain JSON, dropped with any row of its kinds that is erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """States by key, folded from the notes of some kinds in order of sequence.

    A row that was erased has no data any more; it is folded all the same.
    """

    name: str
    version: int
    """Another one with every change of the fold: what an older one left is then folded anew."""
    kinds: tuple[str, ...]
    keys: Callable[[LogEntry], Iterable[str]]
    """Whose states a row changes."""
    step: Callable[[str, State | None, LogEntry], State]
    """A key's state after a row; None is one that no row has changed yet."""
