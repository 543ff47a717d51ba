"""Many memories at once, through Arrow; blocking, one transaction a call.

The same seals and links as one by one. Nothing is changed that exists already.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skill_agent.values import ImportResult, Memory

from ..ledger.changes import change_payload, sorted_out
from ..ledger.journal import Journal
from ..ledger.records import MEMORY_FIELDS, Record, from_row, memory_record, to_row
from .database import Database
from .schema import MEMORY_COLUMNS

if TYPE_CHECKING:
    import pyarrow


def import_memories(
    database: Database, journal: Journal, memories: Sequence[Memory], actor: str
) -> ImportResult:
    """Adds the memories whose ids are new."""
    rows = database.chosen(MEMORY_COLUMNS, "memories", [memory.id for memory in memories])
    known = {row[0]: from_row(row, MEMORY_FIELDS) for row in rows}
    fresh, result = sorted_out(map(memory_record, memories), known)
    if fresh:
        _add(database, journal, fresh, actor)
    return result


def _add(database: Database, journal: Journal, records: list[Record], actor: str) -> None:
    with journal.write() as draft:
        first = draft.head.seq + 1
        for record in records:
            payload = change_payload(None, record)
            draft.note("memory.imported", record["id"], actor, "", payload)
        with database.table("new_memories", _arrow(records, first)):
            database.run("INSERT INTO memories BY NAME SELECT * FROM new_memories")


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
