"""Notes into the log and reading it back; blocking, within the ledger's thread.

Notes change no table but `mentions`: which notes name a memory or a session.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from skill_agent.errors import StoreError
from skill_agent.values import Access, LogEntry

from ..ledger.journal import Journal
from ..ledger.records import aware, log_entry, named_entities, stored_time, tells_of_change
from .database import Database


class History:
    """The log as a person or a program reads it."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal

    def note(self, kind: str, entity: str, actor: str, reason: str, data: dict[str, Any]) -> int:
        """A row that changes no memory, message or session; returns its sequence number."""
        if tells_of_change(kind):
            raise StoreError(
                f"{kind!r} cannot be noted: that kind belongs to real changes.",
                hint="Write the change itself, or choose another kind.",
            )
        with self._journal.write() as draft:
            entry = draft.note(kind, entity, actor, reason, {"old": None, "new": data})
            for name in named_entities(data):
                draft.add("mentions", (name, entry.seq))
        return entry.seq

    def log(
        self, entity: str | None, kinds: tuple[str, ...], after: int, limit: int
    ) -> list[LogEntry]:
        conditions, values = ["seq > ?"], list[Any]([after])
        if entity is not None:
            seqs = self._about(entity, after)
            conditions.append(among("seq", seqs))
            values += seqs
        if kinds:
            conditions.append(among("kind", kinds))
            values += kinds
        rows = self._database.rows(
            "SELECT seq, logged_at, kind, entity, actor, reason, payload, hash FROM log "
            f"WHERE {' AND '.join(conditions)} ORDER BY seq LIMIT ?",
            [*values, limit],
        )
        found = [log_entry(*row) for row in rows]
        if entity is not None and after <= 0 and len(found) < limit:
            self._journal.recent.keep_log(entity, kinds, found)
        return found

    def accesses(self, ids: Sequence[str], since: datetime) -> dict[str, Access]:
        """Counts of `recalled` rows naming each, in all and since a moment."""
        if not ids:
            return {}
        rows = self._database.rows(
            "SELECT m.entity, count(*), count(*) FILTER (l.logged_at >= ?), max(l.logged_at) "
            "FROM mentions m JOIN log l ON l.seq = m.seq "
            f"WHERE l.kind = 'recalled' AND {among('m.entity', ids)} GROUP BY m.entity",
            [stored_time(since), *ids],
        )
        return {
            entity: Access(count=count, recent=recent, last=aware(last))
            for entity, count, recent, last in rows
        }

    def _about(self, entity: str, after: int) -> list[int]:
        rows = self._database.rows(
            "SELECT seq FROM log WHERE entity = ? AND seq > ?", [entity, after]
        )
        own = [row[0] for row in rows]
        return own + [seq for seq in mentioning(self._database, entity) if seq > after]


def mentioning(database: Database, entity: str) -> list[int]:
    """The notes that name an entity. Asked for first: rows are found fast by literal numbers."""
    rows = database.rows("SELECT seq FROM mentions WHERE entity = ?", [entity])
    return [row[0] for row in rows]


def among(column: str, values: Sequence[Any]) -> str:
    """A condition with one mark a value; true for nothing if there are none."""
    return f"{column} IN ({', '.join('?' * len(values))})" if values else "false"
