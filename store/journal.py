"""Writing to the log: every change is a transaction that begins here and ends on disk.

The journal keeps the head of the chain in memory. It does not know what entities look like.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from skill_agent.ports import Clock
from skill_agent.values import Session

from .chain import Entry, Head, canonical, link, seal
from .database import Database, DatabaseLost
from .recent import Recent, Saved
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
        self.created: dict[str, Session] = {}
        """Sessions made in this transaction."""
        self.changed: set[str] = set()
        """Sessions changed in it."""
        self.saved: list[Saved] = []
        """Messages said in it."""
        self._rows: dict[str, list[Sequence[Any]]] = {}
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

    def add(self, table: str, row: Sequence[Any]) -> None:
        """A row for a table, put in with the others of the transaction at its end."""
        self._rows.setdefault(table, []).append(row)

    def put_in(self) -> None:
        """Puts in what was added so far: as few statements as there are tables, for each costs."""
        for table in ("sessions", "messages", "mentions"):
            if rows := self._rows.pop(table, []):
                marks = f"({', '.join('?' * len(rows[0]))})"
                values = [value for row in rows for value in row]
                self.database.run(
                    f"INSERT INTO {table} VALUES {', '.join([marks] * len(rows))}", values
                )
                if table == "messages":
                    self._count_messages(len(rows))

    def _count_messages(self, new: int) -> None:
        """Tells the sessions of the newest messages; the rows are in by now."""
        counts: dict[str, tuple[int, datetime]] = {}
        for one in self.saved[-new:]:
            count, latest = counts.get(one.message.session, (0, one.at))
            counts[one.message.session] = count + 1, max(latest, one.at)
        rows = [(name, count, stored_time(at)) for name, (count, at) in counts.items()]
        if len(rows) == 1:  # at half the cost
            self.database.run(
                "UPDATE sessions SET messages = messages + ?, "
                "updated_at = greatest(updated_at, ?) WHERE id = ?",
                [rows[0][1], rows[0][2], rows[0][0]],
            )
            return
        marks = ", ".join(["(?::VARCHAR, ?::INTEGER, ?::TIMESTAMP)"] * len(rows))
        self.database.run(
            "UPDATE sessions SET messages = messages + more, "
            "updated_at = greatest(updated_at, latest) "
            f"FROM (VALUES {marks}) AS counted(name, more, latest) WHERE id = name",
            [value for row in rows for value in row],
        )

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

    def __init__(self, database: Database, clock: Clock, recent: Recent | None = None) -> None:
        self.database = database
        self.head = Head()
        self.recent = recent or Recent()
        self._clock = clock
        self._shared: Draft | None = None

    def load_head(self) -> None:
        """Reads the last row's place in the chain; after every opening."""
        row = self.database.first("SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1")
        head = Head(*row) if row else Head()
        self.recent.begin(head.seq)
        self.head = head

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
            draft.put_in()
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
        # Heard before the head moves: whoever sees the new head sees what it stands for.
        self.recent.hear(draft.entries, draft.created.values(), draft.saved)
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
