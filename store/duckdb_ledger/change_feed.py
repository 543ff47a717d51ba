"""What the index has not seen yet, as items it can hold; blocking, within the ledger's thread.

Every table row carries the sequence of its last log row, so "changed since" is one comparison
and an entity that changed often appears once. The index itself is not known here.
"""

from typing import Any

from skill_agent.values import Delta, IndexItem

from ..ledger.index_items import memory_item, turn_item
from ..ledger.journal import Journal
from ..ledger.records import MEMORY_FIELDS, MESSAGE_FIELDS, from_row, message_value
from .database import Database
from .schema import MEMORY_COLUMNS

_WINDOW_END = """
    SELECT seq FROM (
        SELECT seq FROM memories WHERE seq > $after
        UNION ALL SELECT seq FROM messages WHERE seq > $after
        UNION ALL SELECT seq FROM sessions WHERE seq > $after AND archived
        UNION ALL SELECT seq FROM log
            WHERE seq > $after AND kind IN ('memory.purged', 'message.purged')
    ) ORDER BY seq LIMIT 1 OFFSET $skip"""

_TURNS = f"""
    SELECT {", ".join(f"m.{name}" for name in MESSAGE_FIELDS)}, m.seq, s.agent
    FROM messages m JOIN sessions s ON s.id = m.session
    WHERE m.seq > ? AND m.seq <= ? AND NOT s.archived
      AND m.role IN ('user', 'assistant')"""

_REMOVED = """
    SELECT m.id FROM messages m JOIN sessions s ON s.id = m.session
    WHERE s.archived AND s.seq > $after AND s.seq <= $end
    UNION (
        SELECT entity FROM log WHERE seq > $after AND seq <= $end AND kind = 'memory.purged'
        EXCEPT SELECT id FROM memories)
    UNION (
        SELECT entity FROM log WHERE seq > $after AND seq <= $end AND kind = 'message.purged'
        EXCEPT SELECT id FROM messages)"""

# Imported rows get their place in a session from the order they came in; what was said in a
# conversation of ours takes the place of the message it came from.
_PLACES = """
    WITH fresh AS (
        SELECT id, source_session, source_type, source_messages FROM memories
        WHERE seq > $after AND seq <= $end AND source_session IS NOT NULL
    ), numbered AS (
        SELECT id, row_number() OVER (PARTITION BY source_session ORDER BY first_seq) - 1 AS place
        FROM memories WHERE source_type = 'import'
          AND source_session IN (SELECT source_session FROM fresh WHERE source_type = 'import')
    )
    SELECT fresh.id, place FROM fresh JOIN numbered USING (id)
    UNION ALL
    SELECT fresh.id, position FROM fresh
    JOIN messages ON messages.id = json_extract_string(fresh.source_messages, '$[0]')
    WHERE source_type <> 'import' AND source_messages <> '[]'"""


class ChangeFeed:
    """The ledger as a stream of index items."""

    def __init__(self, database: Database, journal: Journal, owner: str) -> None:
        self._database = database
        self._journal = journal
        self._owner = owner

    def delta(self, after: int, limit: int) -> Delta:
        """At most `limit` changed entities after a sequence; archived sessions count as one."""
        last = self._journal.head.seq
        found = self._named(_WINDOW_END, after=after, skip=max(limit, 1) - 1)
        end = found[0][0] if found else max(last, after)
        items = self._memories(after, end) + self._turns(after, end)
        items.sort(key=lambda item: item.seq)
        removed = tuple(row[0] for row in self._named(_REMOVED, after=after, end=end))
        return Delta(items=tuple(items), removed=removed, up_to=end, behind=max(last - end, 0))

    def _memories(self, after: int, end: int) -> list[IndexItem]:
        rows = self._database.rows(
            f"SELECT {MEMORY_COLUMNS}, seq FROM memories WHERE seq > ? AND seq <= ?", [after, end]
        )
        if not rows:
            return []
        places = dict(self._named(_PLACES, after=after, end=end))
        return [memory_item(from_row(row, MEMORY_FIELDS), row[-1], places) for row in rows]

    def _turns(self, after: int, end: int) -> list[IndexItem]:
        rows = self._database.rows(_TURNS, [after, end])
        said = ((message_value(from_row(row, MESSAGE_FIELDS)), row[-2], row[-1]) for row in rows)
        return [
            turn_item(one, seq, agent, self._owner)
            for one, seq, agent in said
            if one.content.strip()
        ]

    def recent(self, after: int, limit: int) -> Delta | None:
        """The same from memory, where that is all known there; may be asked on any thread."""
        last = self._journal.head.seq
        items = self._journal.recent.news(after, limit)
        if items is None:
            return None
        known = tuple(item for item in items if item.seq <= last)
        return Delta(items=known, removed=(), up_to=max(last, after))

    def _named(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        return self._database.connection.execute(sql, values).fetchall()
