"""One vector space of the index: a table, the embedder that fills it, and the resident copy.

Blocking and safe to call from several threads. The ledger is not known here, nor that there may be
a second space in the making.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from skill_agent.errors import ModelUnavailable
from skill_agent.memory.recall.late import NO_PIECES, pack
from skill_agent.memory.recall.wording import dated_line
from skill_agent.ports import Pieces
from skill_agent.values import Hit, IndexItem

from ..embedding import CachedEmbedder
from .items import ItemTable
from .resident import Resident
from .rows import LAYOUT, Kind, kind_of, schema, stem_line, to_table
from .similarity import TextSimilarity

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from skill_agent.values import RecallQuery, Scope, Similar

_SHORTLIST = 16
"""Candidates per view whose bare texts are compared."""
_UNMAPPED = 8192
"""Items whose pieces, a kilobyte or two each, are held before the rows are mapped anew."""
_WRITE_AT = 64
"""Rows that wait for a write of the table: each costs some milliseconds of several threads, and a
crash leaves no more than these to be projected again."""


class Space:
    """Rows of one embedder; make one with `open` or `empty`."""

    def __init__(
        self, table: ItemTable, rows: "pa.Table | None", embedder: CachedEmbedder, kind: Kind
    ) -> None:
        self._table = table
        self._dimensions = kind.dimensions
        self._resident = resident = self._loaded(rows)
        self._embedder = embedder
        self._similarity = TextSimilarity(embedder)
        self._waiting: dict[str, tuple[IndexItem, np.ndarray, str, bytes]] = {}
        self._replacing = False
        self._storing = Lock()
        self._reading = Lock()
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
    def open(cls, table: ItemTable, rows: "pa.Table", embedder: CachedEmbedder) -> "Space":
        """The space of stored rows; `rows` must have a kind."""
        kind = kind_of(rows.schema)
        if kind is None:
            raise ValueError("these rows are no index rows")
        return cls(table, rows, embedder, kind)

    @classmethod
    def empty(cls, directory: Path, embedder: CachedEmbedder) -> "Space":
        """A space without rows; the table is made by the first write. Raises ModelUnavailable
        where not even the length of the vectors is known."""
        kind = Kind(layout=LAYOUT, embedder=embedder.name, dimensions=embedder.dimensions)
        return cls(ItemTable(directory), None, embedder, kind)

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
            asked = np.zeros((len(texts), self._dimensions), np.float32)
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
            if self._keeps:
                self._replacing |= any(item.id in self._resident for item in items)
                for row in zip(items, vectors, lines, pieces, strict=True):
                    self._waiting[row[0].id] = row
                if strict or len(self._waiting) >= _WRITE_AT:
                    self._write_waiting()
            with self._reading:
                self._resident.put(items, vectors, lines, pieces)

    def _write_waiting(self) -> None:
        """One commit, in ledger order: the highest sequence in the table vouches for all before."""
        if not self._waiting:
            return
        ordered = sorted(self._waiting.values(), key=lambda row: row[0].seq)
        items, vectors, lines, pieces = zip(*ordered, strict=True)
        shape = schema(self._dimensions, self.name)
        rows = to_table(items, np.stack(vectors), lines, pieces, shape)
        self.storing_failed = True
        self._table.write(rows, replacing=self._replacing)
        self.storing_failed = False
        self._waiting, self._replacing = {}, False

    def knows(self, ids: Sequence[str]) -> bool:
        """Whether any of these is in it."""
        with self._reading:
            return any(item_id in self._resident for item_id in ids)

    def move(self, folder: Path, without: Sequence[str] = ()) -> None:
        """Writes what lives into a new folder and goes on from there; the caller deletes the old
        one, and with it every byte of what was removed or replaced."""
        with self._storing:
            self._write_waiting()
            gone = set(without)
            fresh = ItemTable(folder)
            rows = self._table.read()
            if rows is not None:
                living = np.array([row_id not in gone for row_id in rows["id"].to_pylist()], bool)
                _write(fresh, rows.filter(_mask(living)))
            self._table = fresh
            with self._reading:
                self._resident.remove(list(gone))

    def only_in_memory(self) -> None:
        """From now on nothing is stored: its folder cannot be written."""
        self._keeps = False

    def drop(self, ids: Sequence[str]) -> None:
        """Takes items out of what answers, and out of no file."""
        with self._storing, self._reading:
            self._resident.remove(list(ids))

    def forget_spares(self) -> None:
        """Loads the resident copy anew, without dead slots and the memory behind them."""
        with self._storing:
            self._write_waiting()
            rows = self._table.mapped() if self._keeps else None
            if rows is not None:
                fresh = self._loaded(rows)
                with self._reading:
                    self._resident = fresh

    def tend(self) -> None:
        """Compacts small commits and frees dead slots."""
        with self._storing:
            self._write_waiting()
            if self._keeps:
                self._table.compact()
        spares = self._resident.dead > max(1000, len(self._resident) // 4)
        if spares or self._resident.unmapped > _UNMAPPED:
            self.forget_spares()

    def close(self) -> None:
        """Leaves what the next process opens fast."""
        with self._storing:
            self._write_waiting()
            self._table.close()

    def _loaded(self, rows: "pa.Table | None") -> Resident:
        if rows is None:
            return Resident(self._dimensions)
        return Resident.load(rows, self._dimensions)

    def _asked(self, text: str) -> tuple[np.ndarray, Pieces]:
        """The vector and the pieces of a question; zeros and none, which say nothing, where the
        model fails."""
        try:
            vector, pieces = self._embedder.question(text)
        except ModelUnavailable as error:
            self.problem = error.message
            return np.zeros(self._dimensions, np.float32), NO_PIECES
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
            return [(np.zeros(self._dimensions, np.float32), b"")] * len(items)
        return [(vector, pack(one)) for vector, one in zip(vectors, pieces, strict=True)]


def _write(table: ItemTable, rows: "pa.Table") -> None:
    shape = rows.schema
    table.write(rows.replace_schema_metadata(_ours(shape)), replacing=False)


def _ours(shape: "pa.Schema") -> dict[bytes, bytes]:
    """The metadata that says what the rows are, without a snapshot's own mark."""
    held = shape.metadata or {}
    return {key: value for key, value in held.items() if key in (b"layout", b"embedder")}


def _mask(living: np.ndarray) -> "pa.Array":
    import pyarrow as pa

    return pa.array(living)
