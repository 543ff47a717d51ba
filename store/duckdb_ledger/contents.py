"""Everything in the ledger's tables as streams, for whoever reads it from end to end."""

from collections.abc import Iterator
from typing import Any

from ..ledger.contents import Row
from .database import Database
from .schema import MEMORY_COLUMNS, MESSAGE_COLUMNS, MESSAGE_TEXT, NEWEST

_SESSIONS = """
    SELECT s.*, counted.n, counted.latest FROM sessions s LEFT JOIN (
        SELECT session, count(*) AS n, max(logged_at) FILTER (kind = 'message.saved') AS latest
        FROM messages JOIN log USING (seq) GROUP BY session) counted ON counted.session = s.id
    ORDER BY s.id"""


class StoredContents:
    """`ledger.contents.Contents` of a DuckDB file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, table: str) -> int:
        return int((self._database.first(f"SELECT count(*) FROM {table}") or (0,))[0])

    def schema_problem(self) -> str:
        stated = self._database.rows("SELECT schema_version FROM meta")
        # One that is only read keeps its own.
        due = self._database.version if self._database.only_reads else NEWEST
        return "" if stated == [(due,)] else f"the schema version should be {due} and is not"

    def log(self) -> Iterator[Row]:
        return self._database.stream("SELECT * FROM log ORDER BY seq")

    def mentions(self) -> Iterator[Any]:
        return self._database.stream("SELECT seq, entity FROM mentions ORDER BY seq, entity")

    def memory_log(self) -> Iterator[Row]:
        return self._log_of("memory.", "payload")

    def memories(self) -> Iterator[Row]:
        return self._database.stream(
            f"SELECT {MEMORY_COLUMNS}, first_seq, seq FROM memories ORDER BY id"
        )

    def message_log(self) -> Iterator[Row]:
        return self._log_of("message.", "digest")

    def messages(self) -> Iterator[Row]:
        return self._database.stream(
            f"SELECT {MESSAGE_COLUMNS}, nonce, seq FROM messages ORDER BY id"
        )

    def session_log(self) -> Iterator[Row]:
        return self._log_of("session.", "payload")

    def sessions(self) -> Iterator[Row]:
        return self._database.stream(_SESSIONS)

    def memory_texts(self) -> Iterator[Any]:
        return self._database.stream(
            "SELECT id, content, coalesce(subject, ''), metadata FROM memories"
        )

    def message_texts(self) -> Iterator[Any]:
        return self._database.stream(f"SELECT id, {MESSAGE_TEXT}, tool_calls FROM messages")

    def log_texts(self) -> Iterator[Any]:
        return self._database.stream(
            "SELECT seq, kind, entity, reason, payload FROM log "
            "WHERE payload IS NOT NULL OR reason <> ''"
        )

    def _log_of(self, kinds: str, column: str) -> Iterator[Row]:
        return self._database.stream(
            f"SELECT entity, kind, {column}, seq FROM log WHERE starts_with(kind, ?) "
            "ORDER BY entity, seq",
            [kinds],
        )
