"""Which changes of memories a ledger takes, and what its log says of them; pure."""

from collections.abc import Iterable
from typing import Any

from skill_agent.errors import MemoryChanged, StoreError
from skill_agent.values import ImportResult, MemoryChange

from .records import Record, changes, memory_record, without_blanks

SAYS = ("content", "memory_type", "subject", "agent", "user", "speaker", "source_session")
"""What makes two memories of one id the same; pins, tiers and times change in a life."""


def change_payload(old: Record | None, new: Record) -> dict[str, Any]:
    """What a log row says of a change: the fields that differ, or all that a new one says."""
    if old is None:
        return {"old": None, "new": without_blanks(new)}
    before, after = changes(old, new)
    return {"old": before, "new": after}


def check_change(change: MemoryChange, old: Record | None) -> None:
    """Raises where a change may not follow on what is stored; None is a memory not there yet."""
    if not change.kind.startswith("memory.") or change.kind.endswith(".purged"):
        raise StoreError(
            f"{change.kind!r} is not a kind of memory change.", hint="Use memory.something."
        )
    if change.expected is not None and old != memory_record(change.expected):
        raise MemoryChanged(
            f"Memory {change.memory.id} was changed meanwhile.", hint="Read it again and retry."
        )
    if change.kind == "memory.created" and old is not None:
        raise StoreError(f"Memory {change.memory.id} exists already.", hint="Use a fresh id.")


def sorted_out(
    records: Iterable[Record], known: dict[str, Record]
) -> tuple[list[Record], ImportResult]:
    """The memories of an import that are new, and what became of all; `known` are those that exist
    by id, to which the new ones are added."""
    fresh: list[Record] = []
    skipped, conflicts = 0, list[str]()
    for record in records:
        other = known.setdefault(record["id"], record)
        if other is record:
            fresh.append(record)
        elif all(other[name] == record[name] for name in SAYS):
            skipped += 1
        else:
            conflicts.append(record["id"])
    return fresh, ImportResult(added=len(fresh), skipped=skipped, conflicts=tuple(conflicts))
