"""Writing to the log: every change is a transaction that begins here and ends on disk.

The journal keeps the head of the chain in memory. It does not know what entities look like.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from skill_agent.ports import Clock

from .chain import Entry, Head, canonical, link, seal
from .database import Database, DatabaseLost
from .records import stored_time

if TYPE_CHECKING:
    import pyarrow

_ROW = f"({', '.join('?' * 11)})"
_MANY = 250
"""Rows from which on an Arrow table is the faster way in."""


class Draft:
    """The log rows of one transaction; their changes to tables go through `database`."""

    def __init__(self, database: Database, clock: Clock, head: Head) -> None:
        self.database = database
        self.head = head
        self.entries: list[Entry] = []
        self._clock = clock

    def note(
        self, kind: str, entity: str, actor: str, reason: str, payload: dict[str, Any]
    ) -> Entry:
        """Adds a row with a payload of its own.

        The reason goes into the payload: a person's words must be erasable, and the column is
        part of the hash. Only rows of older ledgers fill that column.
        """
        text = canonical({**payload, "reason": reason} if reason else payload)
        nonce = token_hex(16)
        return self._add(kind, entity, actor, text, nonce, seal(text, nonce))

    def seal(self, kind: str, entity: str, actor: str, digest: str) -> Entry:
        """Adds a row for content that stands in its own table, sealed by a digest."""
        return self._add(kind, entity, actor, None, None, digest)

    def _add(
        self,
        kind: str,
        entity: str,
        actor: str,
        payload: str | None,
        nonce: str | None,
        digest: str,
    ) -> Entry:
        seq, at, before = self.head.seq + 1, self._clock(), self.head.hash
        entry = Entry(
            seq=seq,
            at=at,
            kind=kind,
            entity=entity,
            actor=actor,
            reason="",
            payload=payload,
            nonce=nonce,
            digest=digest,
            prev_hash=before,
            hash=link(seq, at, kind, entity, actor, "", digest, before),
        )
        self.entries.append(entry)
        self.head = Head(seq, entry.hash)
        return entry


class Journal:
    """The one way to write: log rows and table changes together, or neither."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.head = Head()
        self._clock = clock
        self._shared: Draft | None = None

    def load_head(self) -> None:
        """Reads the last row's place in the chain; after every opening."""
        row = self.database.first("SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1")
        self.head = Head(*row) if row else Head()

    @contextmanager
    def write(self) -> Iterator[Draft]:
        """A transaction; the head moves only once it is on disk. Within `together` it is a part
        of that transaction."""
        if self._shared is not None:
            yield self._shared
            return
        draft = Draft(self.database, self._clock, self.head)
        self.database.begin()
        try:
            yield draft
            self._insert(draft.entries)
        except BaseException:
            self.database.rollback()
            raise
        self._commit(draft)

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction, one wait for the disk, for several writes; all or none."""
        with self.write() as self._shared:
            try:
                yield
            finally:
                self._shared = None

    def _commit(self, draft: Draft) -> None:
        try:
            with self.database.explained("save"):
                self.database.commit()
        except DatabaseLost:
            # The failure may have come after the rows were durable; the chain tells.
            self.load_head()
            if self.head != draft.head:
                raise
        except BaseException:
            self.database.rollback()
            raise
        self.head = draft.head

    def _insert(self, entries: list[Entry]) -> None:
        if len(entries) > _MANY:
            with self.database.table("new_log_rows", _arrow(entries)):
                self.database.run("INSERT INTO log SELECT * FROM new_log_rows")
            return
        if entries:
            values = [v for seq, at, *rest in entries for v in (seq, stored_time(at), *rest)]
            self.database.run(f"INSERT INTO log VALUES {', '.join([_ROW] * len(entries))}", values)


def _arrow(entries: list[Entry]) -> "pyarrow.Table":
    import pyarrow as pa

    seqs, moments, *texts = zip(*entries, strict=True)
    columns: dict[str, Any] = {
        "seq": pa.array(seqs, pa.int64()),
        "at": pa.array(map(stored_time, moments), pa.timestamp("us")),
    }
    for name, values in zip(Entry._fields[2:], texts, strict=True):
        columns[name] = pa.array(values, pa.string())
    return pa.table(columns)
