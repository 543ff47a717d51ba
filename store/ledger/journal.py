"""Writing to the log: every change is a transaction that begins here and ends on disk.

The journal keeps the head of the chain in memory. It knows neither what entities look like nor
what holds the rows: that is a `Database`, of whatever kind.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from secrets import token_hex
from typing import Any, Protocol

from skill_agent.ports import Clock
from skill_agent.values import Session

from .chain import Entry, Head, canonical, link, seal
from .recent import Recent, Saved


class DatabaseLost(Exception):
    """A fatal error invalidated the database; it was opened again and the work may be repeated."""


class Database(Protocol):
    """What the journal asks of a database; blocking, on the ledger's thread."""

    def begin(self) -> None: ...
    def commit(self) -> None:
        """Raises DatabaseLost where only the chain can tell whether it is on disk."""
        ...

    def rollback(self) -> None: ...
    def head(self) -> Head:
        """The last row's place in the chain."""
        ...

    def put_in(self, draft: "Draft") -> None:
        """Takes `draft.rows` into their tables, and tells the sessions of new messages."""
        ...

    def put_in_log(self, entries: Sequence[Entry]) -> None: ...


class Draft:
    """The rows of one transaction, chained to the last one that is on disk."""

    def __init__(self, database: Database, clock: Clock, head: Head) -> None:
        self.head = head
        self.entries: list[Entry] = []
        self.created: dict[str, Session] = {}
        """Sessions made in this transaction."""
        self.changed: set[str] = set()
        """Sessions changed in it."""
        self.saved: list[Saved] = []
        """Messages said in it."""
        self.rows: dict[str, list[Sequence[Any]]] = {}
        """Rows for tables that wait for `put_in`."""
        self._database = database
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
        self.rows.setdefault(table, []).append(row)

    def put_in(self) -> None:
        """Puts in what was added so far, for whoever has to read it within the transaction."""
        self._database.put_in(self)

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

    def __init__(self, database: Database, clock: Clock, recent: Recent) -> None:
        self.head = Head()
        self.recent = recent
        self._database = database
        self._clock = clock
        self._shared: Draft | None = None

    def load_head(self) -> None:
        """Reads the last row's place in the chain; after every opening."""
        head = self._database.head()
        self.recent.begin(head.seq)
        self.head = head

    @contextmanager
    def write(self) -> Iterator[Draft]:
        """A transaction; the head moves only once it is on disk. Within `together` it is a part
        of that transaction."""
        if self._shared is not None:
            yield self._shared
            return
        draft = Draft(self._database, self._clock, self.head)
        self._database.begin()
        try:
            yield draft
            draft.put_in()
            self._database.put_in_log(draft.entries)
        except BaseException:
            self._database.rollback()
            raise
        self._commit(draft)

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction, one wait for the disk, for several writes; all or none."""
        if self._shared is not None:
            yield
            return
        with self.write() as self._shared:
            try:
                yield
            finally:
                self._shared = None

    def _commit(self, draft: Draft) -> None:
        try:
            self._database.commit()
        except DatabaseLost:
            # The failure may have come after the rows were durable; the chain tells.
            self.load_head()
            if self.head != draft.head:
                raise
        except BaseException:
            self._database.rollback()
            raise
        # Heard before the head moves: whoever sees the new head sees what it stands for.
        self.recent.hear(draft.entries, draft.created.values(), draft.saved)
        self.head = draft.head
