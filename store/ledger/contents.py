"""All that a ledger holds, as whoever reads it from end to end asks a database for it."""

from collections.abc import Iterator
from typing import Any, Protocol

Row = tuple[Any, ...]


class Contents(Protocol):
    """Streams of rows, so that memory stays bounded; blocking.

    Values are as `records.to_row` gives them: times in UTC without a zone, lists as JSON text.
    """

    def count(self, table: str) -> int:
        """Rows of `log`, `memories` or `messages`."""
        ...

    def schema_problem(self) -> str:
        """What is wrong with the stated schema version; empty if nothing."""
        ...

    def log(self) -> Iterator[Row]:
        """The fields of `chain.Entry`, by seq."""
        ...

    def mentions(self) -> Iterator[tuple[int, str]]:
        """(seq, entity), by both."""
        ...

    def memory_log(self) -> Iterator[Row]:
        """(entity, kind, payload, seq) of rows that change memories, by entity and seq."""
        ...

    def memories(self) -> Iterator[Row]:
        """MEMORY_FIELDS, first_seq, seq; by id."""
        ...

    def message_log(self) -> Iterator[Row]:
        """(entity, kind, digest, seq) of rows about messages' own state, by entity and seq."""
        ...

    def messages(self) -> Iterator[Row]:
        """MESSAGE_FIELDS, nonce, seq; by id."""
        ...

    def session_log(self) -> Iterator[Row]:
        """(entity, kind, payload, seq) of rows that change sessions, by entity and seq."""
        ...

    def sessions(self) -> Iterator[Row]:
        """SESSION_FIELDS, seq, how many messages there are, when the newest was said; by id."""
        ...

    def memory_texts(self) -> Iterator[tuple[str, str, str, str]]:
        """(id, content, subject or empty, metadata)."""
        ...

    def message_texts(self) -> Iterator[tuple[str, str, str]]:
        """(id, content, tool_calls)."""
        ...

    def log_texts(self) -> Iterator[tuple[int, str, str, str, str | None]]:
        """(seq, kind, entity, reason, payload) of rows that say anything."""
        ...
