"""Many memories at once, through Arrow; blocking, one transaction a call.

The same seals and links as one by one. Nothing is changed that exists already.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skill_agent.values import ImportResult, Memory

from .journal import Journal
from .memories import change_payload
from .records import (
    MEMORY_COLUMNS,
    MEMORY_FIELDS,
    Record,
    from_row,
    memory_record,
    to_row,
)

if TYPE_CHECKING:
    import pyarrow

SAYS = ("content", "memory_type", "subject", "agent", "user", "speaker", "source_session")
"""What makes two memories of one id the same; pins, tiers and times change in a life."""


def import_memories(journal: Journal, memories: Sequence[Memory], actor: str) -> ImportResult:
    """Adds the memories whose ids are new."""
    known = _known(journal, [memory.id for memory in memories])
    fresh: list[Record] = []
    skipped, conflicts = 0, list[str]()
    for record in map(memory_record, memories):
        other = known.setdefault(record["id"], record)
        if other is record:
            fresh.append(record)
        elif all(other[name] == record[name] for name in SAYS):
            skipped += 1
        else:
            conflicts.append(record["id"])
    if fresh:
        _add(journal, fresh, actor)
    return ImportResult(added=len(fresh), skipped=skipped, conflicts=tuple(conflicts))


def _known(journal: Journal, ids: list[str]) -> dict[str, Record]:
    import pyarrow as pa

    if not ids:
        return {}
    with journal.database.table("wanted_ids", pa.table({"wanted": pa.array(ids, pa.string())})):
        rows = journal.database.rows(
            f"SELECT {MEMORY_COLUMNS} FROM memories WHERE id IN (SELECT wanted FROM wanted_ids)"
        )
    return {row[0]: from_row(row, MEMORY_FIELDS) for row in rows}


def _add(journal: Journal, records: list[Record], actor: str) -> None:
    with journal.write() as draft:
        first = draft.head.seq + 1
        for record in records:
            payload = change_payload(None, record)
            draft.note("memory.imported", record["id"], actor, "", payload)
        with journal.database.table("new_memories", _arrow(records, first)):
            journal.database.run("INSERT INTO memories SELECT * FROM new_memories")


def _arrow(records: list[Record], first: int) -> "pyarrow.Table":
    import pyarrow as pa

    columns: dict[str, Any] = {}
    rows = zip(*(to_row(record, MEMORY_FIELDS) for record in records), strict=True)
    for name, values in zip(MEMORY_FIELDS, rows, strict=True):
        columns[name] = pa.array(values, _arrow_type(name))
    seqs = pa.array(range(first, first + len(records)), pa.int64())
    return pa.table({**columns, "first_seq": seqs, "seq": seqs})


def _arrow_type(name: str) -> "pyarrow.DataType":
    import pyarrow as pa

    match name:
        case "created_at" | "updated_at" | "expires_at":
            return pa.timestamp("us")
        case "importance" | "version":
            return pa.int32()
        case "confidence":
            return pa.float64()
        case "pinned":
            return pa.bool_()
        case _:
            return pa.string()
