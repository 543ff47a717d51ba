"""Memories in the ledger: what is now, and what was; blocking, within the ledger's thread.

The table is derived: every column can be folded together from the log. Ranking is elsewhere.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from skill_agent.errors import NotFound
from skill_agent.values import Memory, MemoryChange, MemoryFilter

from ..ledger.changes import change_payload, check_change
from ..ledger.journal import Journal
from ..ledger.records import (
    MEMORY_FIELDS,
    Record,
    changes,
    from_row,
    memory_record,
    memory_value,
    stored_time,
    to_row,
)
from ..ledger.replay import fold
from .database import Database
from .history import among
from .schema import MEMORY_COLUMNS

_MARKS = ", ".join("?" * (len(MEMORY_FIELDS) + 2))
_SHORTEST_PREFIX = 6

VISIBLE_TO_AGENT = """(
    (? IS NULL OR "user" IS NULL OR "user" = ?)
    AND (memory_type IN ('shared', 'user_profile')
         OR agent = ?
         OR (agent IS NULL AND memory_type IN ('semantic', 'episodic'))))"""


class Memories:
    """Reads and writes of memories."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal

    def write(self, wanted: Sequence[MemoryChange]) -> list[Memory]:
        """One log row a change, all in one transaction; later changes see earlier ones."""
        if not wanted:
            return []
        current = self._records([change.memory.id for change in wanted])
        with self._journal.write() as draft:
            for change in wanted:
                record, old = memory_record(change.memory), current.get(change.memory.id)
                check_change(change, old)
                payload = change_payload(old, record)
                entry = draft.note(
                    change.kind, change.memory.id, change.actor, change.reason, payload
                )
                self._store(old, record, entry.seq)
                current[change.memory.id] = record
        return [memory_value(memory_record(change.memory)) for change in wanted]

    def memory(self, memory_id: str) -> Memory | None:
        """The memory with this id, or the only one whose id begins with it."""
        found = self._select("WHERE id = ?", [memory_id])
        if found or len(memory_id) < _SHORTEST_PREFIX:
            return found[0] if found else None
        found = self._select("WHERE starts_with(id, ?) ORDER BY first_seq LIMIT 2", [memory_id])
        if len(found) > 1:
            raise NotFound(
                f"{memory_id} is the beginning of several memories' ids.",
                hint=f"Give more of it, e.g. {found[0].id} or {found[1].id}.",
            )
        return found[0] if found else None

    def by_id(self, ids: Sequence[str]) -> dict[str, Memory]:
        """Those that exist; kept in memory from now on."""
        held = self._journal.recent.memories(ids)
        records = self._records([one for one in ids if one not in held])
        found = {key: memory_value(record) for key, record in records.items()}
        self._journal.recent.keep_memories(found.values())
        return held | found

    def list(self, wanted: MemoryFilter) -> "list[Memory]":
        conditions, values = _conditions(wanted)
        return self._select(
            f"WHERE {' AND '.join(conditions)} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?",
            [*values, wanted.limit, wanted.offset],
        )

    def known(self) -> dict[str, int]:
        """Counted where they stand; none is read."""
        rows = self._database.rows(
            "SELECT coalesce(agent, ''), count(*) FROM memories "
            "WHERE status IN ('active', 'disputed') GROUP BY 1 ORDER BY 1"
        )
        return dict(rows)

    def types(self, wanted: MemoryFilter) -> dict[str, int]:
        """How many there are of each type, whatever the filter's limit."""
        conditions, values = _conditions(wanted)
        rows = self._database.rows(
            f"SELECT memory_type, count(*) FROM memories WHERE {' AND '.join(conditions)} "
            "GROUP BY memory_type ORDER BY count(*) DESC, memory_type",
            tuple(values),
        )
        return {str(kind): int(count) for kind, count in rows}

    def at(self, moment: datetime) -> "list[Memory]":
        """Folds the log up to its last row that is not younger than the moment."""
        rows = self._database.stream(
            "SELECT entity, kind, payload FROM log WHERE starts_with(kind, 'memory.') AND seq <= "
            "(SELECT max(seq) FROM log WHERE logged_at <= ?) ORDER BY seq",
            [stored_time(moment)],
        )
        return [memory_value(record) for record in fold(rows).values()]

    def _records(self, ids: Sequence[str]) -> dict[str, Record]:
        if not ids:
            return {}
        rows = self._database.rows(
            f"SELECT {MEMORY_COLUMNS} FROM memories WHERE {among('id', ids)}", ids
        )
        return {row[0]: from_row(row, MEMORY_FIELDS) for row in rows}

    def _store(self, old: Record | None, record: Record, seq: int) -> None:
        if old is None:
            row = [*to_row(record, MEMORY_FIELDS), seq, seq]
            into = f"memories ({MEMORY_COLUMNS}, first_seq, seq)"
            self._database.run(f"INSERT INTO {into} VALUES ({_MARKS})", row)
            return
        _, new = changes(old, record)
        names = tuple(new)
        assignments = "".join(f'"{name}" = ?, ' for name in names)
        self._database.run(
            f"UPDATE memories SET {assignments}seq = ? WHERE id = ?",
            [*to_row(new, names), seq, record["id"]],
        )

    def _select(self, rest: str, values: Iterable[Any]) -> "list[Memory]":
        rows = self._database.rows(f"SELECT {MEMORY_COLUMNS} FROM memories {rest}", tuple(values))
        return [memory_value(from_row(row, MEMORY_FIELDS)) for row in rows]


def _conditions(wanted: MemoryFilter) -> tuple[list[str], list[Any]]:
    conditions, values = ["importance >= ?"], list[Any]([wanted.min_importance])
    if wanted.agent is not None:
        conditions.append(VISIBLE_TO_AGENT)
        values += [wanted.user, wanted.user, wanted.agent]
    elif wanted.user is not None:
        conditions.append('("user" IS NULL OR "user" = ?)')
        values.append(wanted.user)
    for column, choice in (
        ("memory_type", wanted.memory_types),
        ("status", wanted.statuses),
        ("tier", wanted.tiers),
    ):
        if choice:
            conditions.append(among(column, choice))
            values += choice
    if wanted.review:
        conditions.append("json_extract_string(metadata, '$.review') = 'true'")
    if wanted.pinned is not None:
        conditions.append("pinned = ?")
        values.append(wanted.pinned)
    if wanted.subject is not None:
        conditions.append("subject = ?")
        values.append(wanted.subject)
    if wanted.session is not None:
        conditions.append("source_session = ?")
        values.append(wanted.session)
    if wanted.before is not None:
        conditions.append("(created_at, id) < (?, ?)")
        values += [stored_time(wanted.before[0]), wanted.before[1]]
    return conditions, values
