"""What was sent to models and what came back, for a while; blocking, within the ledger's thread.

No log row stands for a call, so it can really go: with age, past a size, with whatever is erased.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from skill_agent.values import ModelCall

from ..ledger.journal import Journal
from ..ledger.records import stored_time
from .database import Database

_PURGED_SINCE = "SELECT 1 FROM log WHERE seq > ? AND ends_with(kind, '.purged') LIMIT 1"
_PAST_THE_SIZE = """
    SELECT id FROM (
        SELECT id, sum(size) OVER (ORDER BY seq DESC, id DESC) AS with_newer FROM model_calls)
    WHERE with_newer > ?"""
_FIRST_ROW_OF_WHAT_GOES = """
    SELECT min(seq) FROM log WHERE entity IN (
        SELECT name FROM gone_memories UNION ALL SELECT name FROM gone_messages
        UNION ALL SELECT name FROM gone_sessions)"""


class ModelCalls:
    """Reads and writes of calls."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database, self._journal = database, journal

    def save(
        self, calls: Sequence[ModelCall], *, seen: int, before: datetime, most_bytes: int
    ) -> None:
        """Leaves out all of them where something was erased after `seen`: they may repeat it."""
        with self._database.transaction():
            if calls and not self._database.rows(_PURGED_SINCE, [seen]):
                for call in calls:
                    self._insert(call)
            self._database.run(
                "DELETE FROM model_calls WHERE created_at < ?", [stored_time(before)]
            )
            self._database.run(
                f"DELETE FROM model_calls WHERE id IN ({_PAST_THE_SIZE})", [most_bytes]
            )

    def _insert(self, call: ModelCall) -> None:
        content = msgspec.json.encode(call)
        self._database.run(
            "INSERT INTO model_calls VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                call.id,
                self._journal.head.seq,
                call.turn,
                call.session,
                stored_time(call.created_at),
                len(content),
                content.decode(),
            ],
        )

    def take(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """As they were; any later purge takes them, for what they rest on is not known."""
        with self._database.transaction():
            for call_id, _, *rest in rows:
                self._database.run(
                    "INSERT INTO model_calls VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [call_id, self._journal.head.seq, *rest],
                )

    def of_turn(self, turn: str) -> list[ModelCall]:
        """In the order they were made."""
        rows = self._database.rows(
            "SELECT content FROM model_calls WHERE turn = ? ORDER BY created_at, id", [turn]
        )
        return [msgspec.json.decode(row[0], type=ModelCall) for row in rows]


def drop_calls_of_session(database: Database, session: str) -> None:
    """Within a transaction."""
    database.run("DELETE FROM model_calls WHERE session = ?", [session])


def drop_calls_since_what_goes(database: Database, emptied: Sequence[int]) -> None:
    """Within a purge: every call that was written down since the first of what goes was.

    A prompt may say it in other words than any text one could look for.
    """
    first = [row[0] for row in database.rows(_FIRST_ROW_OF_WHAT_GOES) if row[0] is not None]
    if since := [*first, *emptied]:
        database.run("DELETE FROM model_calls WHERE seq >= ?", [min(since)])
