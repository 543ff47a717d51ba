"""One vector space of the index: a table, the embedder that fills it, and the resident copy.

Blocking and safe to call from several threads. The ledger is not known here, nor that there may be
a second space in the making.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from skill_agent.errors import ModelUnavailable
from skill_agent.memory.recall.late import NO_PIECES, pack
from skill_agent.memory.recall.wording import dated_line
from skill_agent.ports import Pieces
from skill_agent.values import Hit, IndexItem

from ..embedding import CachedEmbedder
from .base_writing import write_base
from .items import ItemTable
from .resident import Resident
from .rows import LAYOUT, Kind, kind_of, schema, stem_line, to_table
from .similarity import TextSimilarity
from .stored_base import delete_bases, open_base

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from skill_agent.values import RecallQuery, Scope, Similar

_SHORTLIST = 16
"""Candidates per view whose bare texts are compared."""
IN_MEMORY = 32_768
"""Rows that are kept in memory and compared exactly: 50 MB of vectors, loaded in half a second."""
_SHARE = 8
"""Of a large index this part may come in memory before it is put into the base."""
_WRITE_AT = 64
"""Rows that wait for a write of the table: each costs some milliseconds of several threads, and a
crash leaves no more than these to be projected again."""


class Space:
    """Rows of one embedder; make one with `open` or `empty`."""

    def __init__(
        self,
        table: ItemTable,
        resident: Resident,
        embedder: CachedEmbedder,
        kind: Kind,
        in_memory: int,
    ) -> None:
        self._table = table
        self._kind = kind
        self._in_memory = in_memory
        self._resident = resident
        self._embedder = embedder
        self._similarity = TextSimilarity(embedder)
        self._waiting: list[pa.Table] = []
        self._replacing = False
        self._storing = Lock()
        self._reading = Lock()
        self._base_refused = False
        """The disk had no room for a base: all stays in memory."""
        self.layout = kind.layout
        self._keeps = kind.layout == LAYOUT
        """Whether what comes is stored; else it is found in this process alone."""
        self.watermark = resident.last_seq
        """The ledger is reflected up to here."""
        self.storing_failed = False
        """The last write of the table did not succeed."""
        self.problem = ""
        """Why it goes by words alone, until it does not."""

    @classmethod
    def open(
        cls,
        table: ItemTable,
        embedder: "Callable[[Kind], CachedEmbedder | None]",
        *,
        keeps: bool = True,
        in_memory: int = IN_MEMORY,
    ) -> "Space | None":
        """The space of a stored table, with the embedder of its kind; None where there are no rows
        that can be read. Without `keeps` nothing is ever written. Past `in_memory` rows most lie in
        a base."""
        base = open_base(table.directory)
        found = table.following(base)
        kind = kind_of(found[0]) if found else None
        if found is None or kind is None or (its := embedder(kind)) is None:
            return None
        if base is not None and base.kind != kind:
            base = None
            found = table.following(None) or found
        space = cls(table, Resident(kind.dimensions, base), its, kind, in_memory)
        space._keeps &= keeps
        if keeps:
            delete_bases(table.directory, base)
        try:
            for rows in found[1]:
                space._take_in(rows)
        except PermissionError:
            raise
        except Exception:  # a torn part, as in `ItemTable.following`
            return None
        space.watermark = space._resident.last_seq
        return space if len(space) else None

    @classmethod
    def empty(
        cls, directory: Path, embedder: CachedEmbedder, *, in_memory: int = IN_MEMORY
    ) -> "Space":
        """A space without rows; the table is made by the first write. Raises ModelUnavailable
        where not even the length of the vectors is known."""
        kind = Kind(layout=LAYOUT, embedder=embedder.name, dimensions=embedder.dimensions)
        return cls(ItemTable(directory), Resident(kind.dimensions), embedder, kind, in_memory)

    @property
    def name(self) -> str:
        """The embedder's."""
        return self._embedder.name

    @property
    def directory(self) -> Path:
        return self._table.directory

    def __len__(self) -> int:
        return len(self._resident)

    def warm(self) -> None:
        """Loads the model; one that is missing is noted, and words go on answering."""
        self._asked("warm up")

    def counts(self) -> dict[str, int]:
        with self._reading:
            return {
                "items": len(self._resident),
                "memories": self._resident.count("memory"),
                "turns": self._resident.count("turn"),
            }

    def recall(self, query: "RecallQuery") -> list[Hit]:
        query = self._respelt(query)
        vector, pieces = self._asked(query.text)
        with self._reading:
            return self._resident.search(query, vector, pieces)

    def _respelt(self, query: "RecallQuery") -> "RecallQuery":
        known = self._embedder.dictionary()
        if known is None or self.problem:
            return query
        try:
            with self._reading:
                return replace(query, text=self._resident.respelt(query, known))
        except ModelUnavailable:
            return query

    def similar(
        self, texts: Sequence[str], scope: "Scope", now: "datetime", limit: int
    ) -> list[list["Similar"]]:
        asked = self._similarity.vectors(texts)
        if asked is None:
            asked = np.zeros((len(texts), self._kind.dimensions), np.float32)
        with self._reading:
            slots = self._resident.memories(scope, now)
            shortlists = [
                self._resident.shortlist(slots, vector, text, max(_SHORTLIST, 2 * limit))
                for text, vector in zip(texts, asked, strict=True)
            ]
        return self._similarity.similar(texts, shortlists, limit)

    def near_pairs(
        self, above: float, scope: "Scope", now: "datetime"
    ) -> list[tuple[str, str, float]]:
        with self._reading:
            held = self._resident.held(self._resident.memories(scope, now))
        return self._similarity.near_pairs(held, above)

    def upsert(self, items: Sequence[IndexItem], *, strict: bool = False) -> None:
        """Adds or replaces. With `strict` they are in the table at once, and a missing model raises
        ModelUnavailable; else the items are then found by their words in this process and wait in
        the ledger for the next."""
        with self._storing:
            lines = [stem_line(item) for item in items]
            vectors, pieces = self._embedded(items, strict)
            shape = schema(self._kind.dimensions, self.name)
            rows = to_table(items, vectors, lines, pieces, shape)
            if self._keeps:
                self._replacing |= any(item.id in self._resident for item in items)
                self._waiting.append(rows)
                if strict or sum(map(len, self._waiting)) >= _WRITE_AT:
                    self._write_waiting()
            self._take_in(rows, items)

    def _take_in(self, rows: "pa.Table", items: Sequence[IndexItem] = ()) -> None:
        """Lets rows be found, and what is too much for memory go into the base."""
        with self._reading:
            self._resident.put(rows, items)
        base = self._resident.base
        if self._resident.fresh > max(self._in_memory, base.size // _SHARE if base else 0):
            self._write_base()

    def _write_base(self) -> None:
        """Writes all that lives into a base and goes on from there; where the disk refuses, all
        stays in memory until the next opening."""
        if not self._keeps or self._base_refused:
            return
        self._write_waiting()
        with self._reading:
            parts = self._resident.parts()
        try:
            fresh = Resident(
                self._kind.dimensions, write_base(self._table.directory, parts, self._kind)
            )
        except OSError:
            self._base_refused = True
            return
        with self._reading:
            self._resident = fresh

    def _write_waiting(self) -> None:
        """One commit, in ledger order: the highest sequence in the table vouches for all before."""
        if not self._waiting:
            return
        import pyarrow as pa

        rows = pa.concat_tables(self._waiting)
        last = {item_id: row for row, item_id in enumerate(rows["id"].to_pylist())}
        rows = rows.take(pa.array(list(last.values()))).sort_by("seq")
        self.storing_failed = True
        self._table.write(rows, replacing=self._replacing)
        self.storing_failed = False
        self._waiting, self._replacing = [], False

    def take(self, column: str, slots: np.ndarray) -> list[Any]:
        """A column's values of some slots of the resident copy; a few hundred at a time."""
        with self._reading:
            return self._resident.take(column, slots)

    def knows(self, ids: Sequence[str]) -> bool:
        """Whether any of these is in it."""
        with self._reading:
            return any(item_id in self._resident for item_id in ids)

    def move(self, folder: Path, without: Sequence[str] = ()) -> None:
        """Writes what lives into a new folder and goes on from there; the caller deletes the old
        one, and with it every byte of what was removed or replaced."""
        import pyarrow as pa

        with self._storing:
            self._write_waiting()
            gone = set(without)
            fresh = ItemTable(folder)
            if self._table.exists:
                for rows in self._table.parts():
                    living = [row_id not in gone for row_id in rows["id"].to_pylist()]
                    fresh.write(_ours(rows.filter(pa.array(living))), replacing=False)
            self._table = fresh
            with self._reading:
                self._resident.remove(list(gone))
            if self._resident.base is not None:
                self._write_base()

    def only_in_memory(self) -> None:
        """From now on nothing is stored: its folder cannot be written."""
        self._keeps = False

    def drop(self, ids: Sequence[str]) -> None:
        """Takes items out of what answers, and out of no file."""
        with self._storing, self._reading:
            self._resident.remove(list(ids))

    def forget_spares(self) -> None:
        """Makes the resident copy anew, without dead slots and the memory behind them."""
        with self._storing:
            self._write_waiting()
            if self._resident.base is not None:
                if self._resident.fresh or self._resident.dead:
                    self._write_base()
            elif self._keeps and (rows := self._table.read()) is not None:
                fresh = Resident(self._kind.dimensions)
                fresh.put(rows)
                with self._reading:
                    self._resident = fresh

    def tend(self) -> None:
        """Compacts small commits, and frees dead slots and memory."""
        with self._storing:
            self._write_waiting()
            if self._keeps:
                self._table.compact()
        if self._resident.dead > max(1000, len(self._resident) // 4):
            self.forget_spares()
        with self._storing:
            self._part()

    def _part(self) -> None:
        """Puts what came into the base, if that is much for an opening to read."""
        if min(len(self._resident), 4 * self._resident.fresh) > self._in_memory:
            self._write_base()

    def close(self) -> None:
        """Leaves what the next process opens fast."""
        with self._storing:
            self._write_waiting()
            self._part()
            self._table.close(self._resident.base)

    def _asked(self, text: str) -> tuple[np.ndarray, Pieces]:
        """The vector and the pieces of a question; zeros and none, which say nothing, where the
        model fails."""
        try:
            vector, pieces = self._embedder.question(text)
        except ModelUnavailable as error:
            self.problem = error.message
            return np.zeros(self._kind.dimensions, np.float32), NO_PIECES
        self.problem = self.problem if not self._keeps else ""
        return vector, pieces

    def _embedded(self, items: Sequence[IndexItem], strict: bool) -> tuple[np.ndarray, list[bytes]]:
        """float32 (len(items), dimensions) and the packed pieces; a pin or a new status does not
        embed again."""
        with self._reading:
            held = [self._resident.embedded(item) for item in items]
        new = [item for item, vector in zip(items, held, strict=True) if vector is None]
        fresh = iter(self._newly(new, strict))
        rows = [next(fresh) if one is None else one for one in held]
        return np.stack([vector for vector, _ in rows]), [packed for _, packed in rows]

    def _newly(self, items: Sequence[IndexItem], strict: bool) -> list[tuple[np.ndarray, bytes]]:
        if not items:
            return []
        try:
            vectors, pieces = self._embedder.embed_pieces([dated_line(item) for item in items])
        except ModelUnavailable as error:
            if strict:
                raise
            # What is not embedded must not be stored: its sequence would vouch for its vector.
            self._keeps, self.problem = False, error.message
            return [(np.zeros(self._kind.dimensions, np.float32), b"")] * len(items)
        return [(vector, pack(one)) for vector, one in zip(vectors, pieces, strict=True)]


def _ours(rows: "pa.Table") -> "pa.Table":
    """The rows with the metadata that says what they are, without a snapshot's own mark."""
    held = rows.schema.metadata or {}
    return rows.replace_schema_metadata(
        {key: value for key, value in held.items() if key in (b"layout", b"embedder")}
    )
